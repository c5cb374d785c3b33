// SPDX-License-Identifier: Apache-2.0
#include "access/clients.h"

#include <nlohmann/json.hpp>

#include "access/grants.h"
#include "support.h"

namespace pb::access::testing {
namespace {

using Json = nlohmann::json;

OAuthClient read(const Json& metadata) {
    auto out = read_client(metadata);
    if (const auto* wrong = std::get_if<RegistrationError>(&out))
        throw std::runtime_error(wrong->description);
    return std::get<OAuthClient>(out);
}

std::string refusal(const Json& metadata) {
    const auto out = read_client(metadata);
    const auto* wrong = std::get_if<RegistrationError>(&out);
    return wrong ? wrong->code : "";
}

Json metadata(const Json& redirects = {"http://127.0.0.1:1234/callback"}) {
    return {{"client_name", "App"}, {"redirect_uris", redirects}};
}

TEST(ClientMetadata, IsReadAsItIsMeant) {
    auto all = metadata({"https://app.example/cb", "com.example.app:/cb", "http://[::1]/cb",
                         "cursor://anysphere.cursor-mcp/oauth/callback"});
    all["token_endpoint_auth_method"] = "none";
    all["grant_types"] = {"authorization_code", "refresh_token"};
    all["response_types"] = {"code"};
    all["logo_uri"] = "javascript:alert(1)";  // nobody shows it
    const auto client = read(all);
    EXPECT_EQ(client.name, "App");
    EXPECT_EQ(client.redirect_uris.size(), 4U);
    EXPECT_EQ(client.auth_method, "none");
    EXPECT_EQ(read(metadata()).auth_method, "client_secret_basic");
}

TEST(ClientMetadata, HostileOrWrongOnesAreRefused) {
    for (const char* uri :
         {"", "/cb", "javascript:alert(1)", "data:text/html,x", "http://app.example/cb",
          "https://user@app.example/cb", "https://app.example/cb#x", "https:///cb", "app:/cb",
          "file:///etc/passwd", "https://app.example/a b", "https://app.example\\@evil.example/",
          "http://localhost.evil.example/cb", "http://127.0.0.1@evil.example/"})
        EXPECT_EQ(refusal(metadata({uri})), "invalid_redirect_uri") << uri;
    EXPECT_EQ(refusal(metadata(Json::array())), "invalid_redirect_uri");
    EXPECT_EQ(refusal(metadata(Json::array({5}))), "invalid_redirect_uri");
    EXPECT_EQ(refusal(metadata(std::vector<std::string>(17, "https://a/"))),
              "invalid_redirect_uri");
    EXPECT_EQ(refusal(metadata({"https://a/" + std::string(3000, 'a')})), "invalid_redirect_uri");
    auto web = metadata();
    web["application_type"] = "web";
    EXPECT_EQ(refusal(web), "invalid_redirect_uri");
    const std::pair<const char*, Json> wrong[] = {{"client_name", 5},
                                                  {"client_name", "a\u0001b"},
                                                  {"client_name", std::string(101, 'a')},
                                                  {"client_uri", "javascript:alert(1)"},
                                                  {"grant_types", {"password"}},
                                                  {"grant_types", "authorization_code"},
                                                  {"response_types", {"token"}},
                                                  {"token_endpoint_auth_method", "private_key_jwt"},
                                                  {"application_type", "robot"}};
    for (const auto& [name, value] : wrong) {
        auto all = metadata();
        all[name] = value;
        EXPECT_EQ(refusal(all), "invalid_client_metadata") << name << value;
    }
    EXPECT_EQ(refusal(Json::array()), "invalid_client_metadata");
}

TEST(ClientMetadata, RedirectsMatchExactlyButForALoopbackPort) {
    const auto client = read(
        metadata({"https://app.example/cb", "http://127.0.0.1:1234/cb", "http://localhost/x?a=1"}));
    for (const char* uri : {"https://app.example/cb", "http://127.0.0.1:9/cb",
                            "http://127.0.0.1/cb", "http://localhost:5555/x?a=1"})
        EXPECT_TRUE(redirects_to(client, uri)) << uri;
    for (const char* uri :
         {"https://app.example/cb/", "https://app.example/cb?x=1", "https://app.example:8443/cb",
          "http://app.example/cb", "https://app.example.evil/cb", "http://127.0.0.1:9/cb/../x",
          "http://localhost:9/cb", "https://127.0.0.1:9/cb", "http://127.0.0.1:9@evil.example/cb",
          "http://127.0.0.1:123456/cb", "http://localhost:5555/x?a=2", ""})
        EXPECT_FALSE(redirects_to(client, uri)) << uri;
}

class ClientsTest : public WithRecords {
  protected:
    Clients clients_{records_};
};

TEST_F(ClientsTest, RegisterThemselves) {
    const auto made = must(clients_.add(read(metadata())));
    EXPECT_TRUE(made.secret.starts_with("pbs_"));
    EXPECT_TRUE(must(clients_.has_secret(made.client.id, made.secret)));
    EXPECT_FALSE(must(clients_.has_secret(made.client.id, "")));
    EXPECT_FALSE(must(clients_.has_secret(made.client.id, made.secret + "x")));
    EXPECT_FALSE(must(clients_.has_secret("cli_other", made.secret)));
    const auto found = must(clients_.find(made.client.id));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, "App");
    EXPECT_EQ(found->redirect_uris, made.client.redirect_uris);
    EXPECT_FALSE(found->is_machine());
    auto open = read(metadata());
    open.auth_method = "none";
    const auto without = must(clients_.add(open));
    EXPECT_TRUE(without.secret.empty());
    EXPECT_FALSE(must(clients_.has_secret(without.client.id, "")));
}

TEST_F(ClientsTest, MachinesBelongToAnOrganisation) {
    OAuthClient robot;
    robot.name = "robot";
    robot.org = "acme";
    robot.auth_method = "client_secret_basic";
    robot.scopes = must(Scopes::parse("mcp:read"));
    const auto made = must(clients_.add(robot));
    EXPECT_EQ(must(clients_.machines("acme")).size(), 1U);
    EXPECT_EQ(must(clients_.find(made.client.id))->scopes.text(), "mcp:read");
    EXPECT_FALSE(clients_.remove("globex", made.client.id));
    must(clients_.remove("acme", made.client.id));
    EXPECT_FALSE(must(clients_.find(made.client.id)));
}

TEST_F(ClientsTest, ThoseThatWereNeverUsedAreForgotten) {
    const auto fresh = must(clients_.add(read(metadata())));
    const auto old = must(clients_.add(read(metadata())));
    const auto granted = must(clients_.add(read(metadata())));
    Grant grant;
    grant.client = granted.client.id;
    must(Grants(records_, {}).add(grant));
    ASSERT_TRUE(
        records_->use()->run("UPDATE client SET created_ms=1 WHERE id!=?1", fresh.client.id));
    clients_.sweep();
    EXPECT_TRUE(must(clients_.find(fresh.client.id)));
    EXPECT_FALSE(must(clients_.find(old.client.id)));
    EXPECT_TRUE(must(clients_.find(granted.client.id)));
}

// Whoever registers thousands shuts out neither others nor administrators.
TEST_F(ClientsTest, ThereIsRoomForOthers) {
    Clients few(records_, 3);
    const auto add = [&] { return must(few.add(read(metadata()))).client.id; };
    const auto there = [&](const std::string& id) { return must(few.find(id)).has_value(); };
    const auto used = add(), granted = add(), forgotten = add();
    few.used(used);
    Grant grant;
    grant.client = granted;
    must(Grants(records_, {}).add(grant));
    const auto next = add();
    EXPECT_FALSE(there(forgotten)) << "the oldest that came to nothing";
    for (const auto& id : {used, granted, next})
        EXPECT_TRUE(there(id));
    few.used(next);
    const auto full = few.add(read(metadata()));
    ASSERT_FALSE(full);
    EXPECT_EQ(full.error().kind, ErrorKind::busy);
    OAuthClient robot;
    robot.org = "acme";
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(few.add(robot));
}

}  // namespace
}  // namespace pb::access::testing
