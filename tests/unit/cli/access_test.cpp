// SPDX-License-Identifier: Apache-2.0
// `patchbay users`, `keys`, `orgs`, `clients` and `grants`.
#include "base/times.h"
#include "terminal.h"

namespace pb::cli::testing {
namespace {

class AccessTest : public Terminal {
  protected:
    // What a secret would leave behind.
    bool noted(const std::string& text) const {
        return std::any_of(notes_.begin(), notes_.end(), [&](const audit::Record& each) {
            return (each.arguments + each.name + each.reason).find(text) != std::string::npos;
        });
    }
};

TEST_F(AccessTest, TheFirstOwnerIsMadeHere) {
    ASSERT_EQ(
        run({"users", "add", "ann", "--role", "owner", "--name", "Ann"}, "correct horse battery\n"),
        exit_ok)
        << err_;
    EXPECT_EQ(out_, "");
    auto access = open();
    const auto ann = must(access->people.sign_in("ann", "correct horse battery"));
    EXPECT_EQ(must(access->people.role("default", ann.id)), access::Role::owner);
    ASSERT_EQ(notes_.size(), 1U);
    EXPECT_EQ(notes_[0].method, "users.add");
    EXPECT_EQ(notes_[0].org, "default");
    EXPECT_EQ(notes_[0].name, ann.id);
    EXPECT_FALSE(noted("correct horse"));

    ASSERT_EQ(run({"users", "list"}), exit_ok);
    EXPECT_NE(out_.find("ann  owner"), std::string::npos) << out_;
    ASSERT_EQ(run({"users", "list", "--json"}), exit_ok);
    EXPECT_EQ(json()["users"][0]["name"], "Ann");
    ASSERT_EQ(run({"users", "list", "--org", "acme", "--json"}), exit_ok);
    EXPECT_TRUE(json()["users"].empty());
}

TEST_F(AccessTest, APasswordIsReadOrMadeAndNeverAnArgument) {
    EXPECT_EQ(run({"users", "add", "bob"}), exit_failed);
    expect_error("standard input, which is empty");
    EXPECT_EQ(run({"users", "add", "bob"}, "short"), exit_failed);
    expect_error("10 to 1024 bytes");
    EXPECT_EQ(run({"users", "add", "bob", "--password", "x"}), exit_usage);
    EXPECT_FALSE(must(open()->people.any()));

    ASSERT_EQ(run({"users", "add", "bob", "--generate-password"}), exit_ok) << err_;
    EXPECT_NE(err_.find("\"default\" has no owner yet"), std::string::npos) << err_;
    const auto first = out_.substr(0, out_.size() - 1);
    EXPECT_TRUE(open()->people.sign_in("bob", first)) << "alone on standard output";
    ASSERT_EQ(run({"users", "set-password", "bob"}, "another password\r\n"), exit_ok) << err_;
    EXPECT_TRUE(open()->people.sign_in("bob", "another password"));
    ASSERT_EQ(run({"users", "set-password", "bob", "--generate-password", "--json"}), exit_ok);
    EXPECT_TRUE(open()->people.sign_in("bob", json()["password"].get<std::string>()));
    EXPECT_FALSE(noted(first));
}

TEST_F(AccessTest, RolesDisablingAndLeaving) {
    auto access = open();
    const auto add = [&](const char* login) {
        return must(access->people.add(login, "", "correct horse battery")).id;
    };
    const auto ann = add("ann"), bob = add("bob");
    ASSERT_EQ(run({"users", "add", "ann", "--role", "owner"}), exit_ok) << err_;
    EXPECT_NE(err_.find("whose password stays"), std::string::npos);
    ASSERT_EQ(run({"users", "add", "bob"}), exit_ok);
    ASSERT_EQ(run({"users", "add", "bob", "--org", "acme", "--role", "admin"}), exit_ok);
    EXPECT_EQ(run({"users", "add", "bob"}), exit_failed);
    expect_error("already");

    ASSERT_EQ(run({"users", "set-role", "bob", "admin"}), exit_ok) << err_;
    EXPECT_EQ(must(access->people.role("default", bob)), access::Role::admin);
    EXPECT_EQ(run({"users", "set-role", "bob", "root"}), exit_failed);
    expect_error("member, admin and owner");
    EXPECT_EQ(run({"users", "set-role", "ann", "member"}), exit_failed);
    expect_error("would have no owner");
    EXPECT_EQ(run({"users", "disable", "ann"}), exit_failed);
    EXPECT_EQ(run({"users", "remove", "ann"}), exit_failed);

    notes_.clear();
    ASSERT_EQ(run({"users", "disable", "bob"}), exit_ok);
    ASSERT_EQ(notes_.size(), 2U) << "in both organisations";
    EXPECT_EQ(notes_[0].org, "acme");
    EXPECT_FALSE(access->people.sign_in("bob", "correct horse battery"));
    ASSERT_EQ(run({"users", "enable", "bob"}), exit_ok);
    EXPECT_TRUE(access->people.sign_in("bob", "correct horse battery"));

    const auto key =
        must(access->keys.make("default", "bob's", access::Scopes::everything(), bob, {}));
    ASSERT_EQ(run({"users", "remove", "bob"}), exit_ok) << err_;
    EXPECT_NE(err_.find(key.key.id), std::string::npos) << err_;
    EXPECT_TRUE(must(access->people.find("bob")));
    ASSERT_EQ(run({"users", "remove", "bob", "--org", "acme"}), exit_ok) << err_;
    EXPECT_FALSE(must(access->people.find("bob")));
    for (const auto* command : {"remove", "disable", "set-password"})
        EXPECT_EQ(run({"users", command, "bob"}), exit_failed);
}

TEST_F(AccessTest, AKeyIsPrintedOnce) {
    const auto before = access::now_ms();
    ASSERT_EQ(run({"keys", "create", "ci", "--scope", "mcp:read", "--scope", "action:weather",
                   "--expires", "90d"}),
              exit_ok)
        << err_;
    const auto secret = out_.substr(0, out_.size() - 1);
    auto access = open();
    const auto key = must(access->keys.find(secret));
    ASSERT_TRUE(key) << out_;
    EXPECT_EQ(key->org, "default");
    EXPECT_EQ(key->scopes.text(), "mcp:read action:weather");
    EXPECT_GE(key->expires_ms.value(), before + 90 * 86'400'000LL);
    EXPECT_FALSE(noted(secret));
    EXPECT_EQ(err_.find(secret), std::string::npos);

    ASSERT_EQ(run({"keys", "list"}), exit_ok);
    EXPECT_NE(out_.find(key->id), std::string::npos);
    EXPECT_EQ(out_.find(secret), std::string::npos);
    EXPECT_EQ(run({"keys", "revoke", key->id, "--org", "acme"}), exit_failed);
    ASSERT_EQ(run({"keys", "revoke", key->id}), exit_ok) << err_;
    EXPECT_FALSE(must(access->keys.find(secret)));

    ASSERT_EQ(run({"keys", "create", "plain", "--org", "acme", "--json"}), exit_ok);
    EXPECT_EQ(json()["scopes"], (Json{"mcp:read", "mcp:write"}));
    const auto plain = must(access->keys.find(json()["secret"].get<std::string>()));
    EXPECT_EQ(plain->org, "acme");
    EXPECT_EQ(plain->role, "");
    ASSERT_EQ(run({"keys", "create", "bound", "--role", "admin", "--json"}), exit_ok);
    EXPECT_EQ(must(access->keys.find(json()["secret"].get<std::string>()))->role, "admin");
}

TEST_F(AccessTest, KeysThatAreNoneAreRefused) {
    const std::pair<std::vector<std::string>, const char*> cases[] = {
        {{"keys", "create", "x", "--scope", "mcp:red"}, "mcp:red"},
        {{"keys", "create", "x", "--scope", "action:a"}, "one --scope has to be"},
        {{"keys", "create", "x", "--expires", "soon"}, "--expires \"soon\" is no time"},
        {{"keys", "create", "x", "--expires", "2001-01-01"}, "in the future"},
        {{"keys", "create", ""}, "1 to 200 bytes"},
        {{"keys", "create", "x", "--role", "king"}, "--role is member, admin or owner"},
        {{"keys", "create", "x", "--org", "nope"}, "there are: acme, default"},
        {{"keys", "revoke", "key_none"}, "no such key"},
    };
    for (const auto& [words, why] : cases) {
        EXPECT_EQ(run(words), exit_failed) << why;
        expect_error(why);
    }
    EXPECT_TRUE(must(open()->keys.list("default")).empty());
    EXPECT_TRUE(notes_.empty());
}

TEST_F(AccessTest, OrganisationsWithoutAFile) {
    ASSERT_EQ(run({"users", "add", "ann", "--role", "owner"}, "correct horse battery"), exit_ok);
    ASSERT_EQ(run({"orgs", "add", "lab", "--owner", "ann"}), exit_ok) << err_;
    auto access = open();
    const auto ann = must(access->people.find("ann"));
    EXPECT_EQ(must(access->people.role("lab", ann->id)), access::Role::owner);
    const auto settings = write("fresh.json", R"({"instructions": "Hi"})");
    ASSERT_EQ(run({"orgs", "add", "fresh", "--settings", settings}), exit_ok) << err_;
    EXPECT_NE(err_.find("--org fresh"), std::string::npos);
    EXPECT_EQ(must(access->orgs.list())[0].config, R"({"instructions":"Hi"})");
    ASSERT_EQ(run({"orgs", "list", "--json"}), exit_ok);
    EXPECT_EQ(json()["orgs"].size(), 4U);
    ASSERT_EQ(run({"keys", "create", "x", "--org", "lab"}), exit_ok) << err_;

    const auto wrong = write("wrong.json", R"({"instrutions": "Hi"})");
    const std::pair<std::vector<std::string>, const char*> cases[] = {
        {{"orgs", "add", "lab"}, "there is an organisation \"lab\""},
        {{"orgs", "add", "acme"}, "there is an organisation \"acme\""},
        {{"orgs", "add", "A b"}, "no name of an organisation"},
        {{"orgs", "add", "new", "--owner", "zoe"}, "nobody has the login"},
        {{"orgs", "add", "new", "--settings", wrong}, "instrutions"},
        {{"orgs", "remove", "acme"}, "described by a file"},
        {{"orgs", "remove", "none"}, "no such organisation"},
    };
    for (const auto& [words, why] : cases) {
        EXPECT_EQ(run(words), exit_failed) << why;
        expect_error(why);
    }
    ASSERT_EQ(run({"orgs", "remove", "lab"}), exit_ok) << err_;
    EXPECT_TRUE(must(access->keys.list("lab")).empty());
    EXPECT_EQ(run({"orgs", "add", "lab"}), exit_failed);
    expect_error("there is, or was, an organisation");
    EXPECT_TRUE(must(access->people.find("ann"))) << "of another organisation too";
}

TEST_F(AccessTest, ANameWithSomethingLeftOfItIsNotFree) {
    must(open()->keys.make("old", "x", access::Scopes::everything(), "cli", {}));
    EXPECT_EQ(run({"orgs", "add", "old"}), exit_failed);
    expect_error("something is left of it");
}

TEST_F(AccessTest, ClientsOfMachines) {
    ASSERT_EQ(run({"clients", "add", "robot", "--scope", "mcp:read", "--json"}), exit_ok) << err_;
    const auto id = json()["id"].get<std::string>(), secret = json()["secret"].get<std::string>();
    auto access = open();
    EXPECT_TRUE(must(access->clients.has_secret(id, secret)));
    EXPECT_EQ(must(access->clients.find(id))->org, "default");
    EXPECT_FALSE(noted(secret));
    ASSERT_EQ(run({"clients", "list"}), exit_ok);
    EXPECT_NE(out_.find("robot  mcp:read"), std::string::npos) << out_;
    EXPECT_EQ(run({"clients", "remove", id, "--org", "acme"}), exit_failed);
    ASSERT_EQ(run({"clients", "remove", id}), exit_ok) << err_;
    EXPECT_FALSE(must(access->clients.find(id)));
    EXPECT_EQ(run({"clients", "add", "a\nb"}), exit_failed);
    EXPECT_EQ(run({"clients", "add", "x", "--role", "king"}), exit_failed);
    ASSERT_EQ(run({"clients", "add", "x", "--role", "member", "--json"}), exit_ok) << err_;
    EXPECT_EQ(must(access->clients.find(json()["id"].get<std::string>()))->role, "member");
}

TEST_F(AccessTest, Grants) {
    auto access = open();
    const auto ann = must(access->people.add("ann", "", "correct horse battery"));
    must(access->people.join("default", ann.id, access::Role::owner));
    access::Grant grant;
    grant.org = "default";
    grant.person = ann.id;
    grant.client = "cli_x";
    grant.client_name = "Web \x1b[2J";
    grant.scopes = access::Scopes::everything();
    const auto id = must(access->grants.add(grant)).id;
    grant.person = "";
    must(access->grants.add(grant));
    ASSERT_EQ(run({"grants", "list"}), exit_ok);
    EXPECT_NE(out_.find(id), std::string::npos);
    EXPECT_EQ(out_.find('\x1b'), std::string::npos);
    ASSERT_EQ(run({"grants", "list", "--json"}), exit_ok);
    EXPECT_EQ(json()["grants"].size(), 2U);
    ASSERT_EQ(run({"grants", "list", "--login", "ann", "--json"}), exit_ok);
    EXPECT_EQ(json()["grants"].size(), 1U);
    EXPECT_EQ(run({"grants", "revoke", id, "--org", "acme"}), exit_failed);
    ASSERT_EQ(run({"grants", "revoke", id}), exit_ok) << err_;
    EXPECT_FALSE(must(access->grants.find(id)));
}

TEST_F(AccessTest, ATrailThatCannotBeWrittenIsSaid) {
    note_result_ = internal_error("the disk is full");
    ASSERT_EQ(run({"keys", "create", "x"}), exit_ok);
    EXPECT_NE(err_.find("not in the audit trail: the disk is full"), std::string::npos);
    actions_.access.open =
        [](const config::HostConfig&) -> Result<std::unique_ptr<access::Access>> {
        return internal_error("no disk");
    };
    EXPECT_EQ(run({"keys", "list"}), exit_failed);
    expect_error("no disk");
}

}  // namespace
}  // namespace pb::cli::testing
