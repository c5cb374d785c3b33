// SPDX-License-Identifier: Apache-2.0
// Files to values: defaults, every member, errors that name file, line, member and what is right.
#include "config/read.h"

#include "files.h"
#include "json/parse.h"
#include "json/schema.h"

namespace pb::config {
namespace {

using std::chrono::milliseconds;
using ReadTest = FilesTest;

void expect_contains(const std::string& text, std::string_view part) {
    EXPECT_NE(text.find(part), std::string::npos) << "no \"" << part << "\" in: " << text;
}

TEST_F(ReadTest, EmptyObjectIsTheDefaults) {
    auto host = read_host(write("patchbay.json", "{}"));
    ASSERT_TRUE(host) << host.error().message;
    HostConfig expected;
    expected.org_dir = path("orgs");  // beside the file
    EXPECT_EQ(*host, expected);
}

// The schema's "default" is what an editor shows; the struct's is what happens.
TEST_F(ReadTest, SchemaDefaultsAreTheStructsDefaults) {
    const Json schema = json::parse(host_schema_text()).value();
    const std::function<Json(const Json&)> defaults = [&](const Json& node) {
        Json out = Json::object();
        for (const auto& [name, member] : node.at("properties").items()) {
            if (member.contains("default")) out[name] = member["default"];
            if (name != "tls" && member.contains("properties")) out[name] = defaults(member);
        }
        return out;
    };
    const Json all = defaults(schema);
    ASSERT_GT(all["listen"]["limits"].size(), 10U);
    auto host = read_host(write("patchbay.json", all.dump()));
    ASSERT_TRUE(host) << host.error().message;
    HostConfig expected;
    expected.org_dir = path("orgs");
    EXPECT_EQ(*host, expected);
}

TEST_F(ReadTest, ReadsEveryMember) {
    auto host = read_host(write("etc/patchbay.json", R"({
      "server": {"name": "n", "title": "t", "instructions": "i"},
      "listen": {"address": "::1", "port": 1, "endpoint": "/x",
                 "tls": {"certificate": "c.pem", "private_key": "/abs/k.pem"},
                 "allowed_hosts": ["h"], "allowed_origins": ["https://o"],
                 "trusted_proxies": ["10.0.0.0/8"],
                 "limits": {"workers": 2, "max_workers": 3, "max_connections": 4,
                            "max_connections_per_peer": 5, "max_header_bytes": 1024,
                            "max_body_bytes": 2048, "stream_buffer_bytes": 4096,
                            "header_time_ms": 11, "body_time_ms": 12, "idle_time_ms": 13,
                            "write_time_ms": 14, "stream_stall_ms": 15,
                            "keep_alive_comment_ms": 16},
                 "public_url": "https://h.example:8443/p"},
      "outbound": {"allow_stdio": true, "allow_private_cidrs": ["10.0.0.0/8", "fd00::/8"],
                   "ca_file": "ca.pem"},
      "plugins": {"folder": "../p", "signature_keys": ["k.pem"], 
                  "probe": false, "insecure_permissions": true,
                  "allow_sha256": ["ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef0123456789"]},
      "data_dir": "../var", "org_dir": "o", "anonymous_org": "guests",
      "log": {"level": "error", "format": "json"},
      "calls": {"default_timeout_ms": 21, "max_timeout_ms": 22, "grace_ms": 23, "max_depth": 24,
                "concurrency_per_provider": 25, "breaker": {"failures": 26, "cool_off_ms": 27}},
      "sessions": {"max": 31, "idle_ms": 32},
      "input_required": {"ttl_ms": 41, "max_rounds": 42},
      "drain_ms": 51})"));
    ASSERT_TRUE(host) << host.error().message;
    HostConfig expected;
    expected.server = {"n", "t", "i"};
    expected.listen = {"::1",
                       1,
                       "/x",
                       Tls{path("etc/c.pem"), "/abs/k.pem"},
                       {"h"},
                       {"https://o"},
                       {"10.0.0.0/8"},
                       {2, 3, 4, 5, 1024, 2048, 4096, milliseconds(11), milliseconds(12),
                        milliseconds(13), milliseconds(14), milliseconds(15), milliseconds(16)},
                       "https://h.example:8443/p"};
    expected.outbound = {true, {"10.0.0.0/8", "fd00::/8"}, path("etc/ca.pem")};
    expected.plugins = {path("p"),
                        {"abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789"},
                        {path("etc/k.pem")},
                        false,
                        true};
    expected.data_dir = path("var");
    expected.org_dir = path("etc/o");
    expected.org_dir_named = true;
    expected.anonymous_org = "guests";
    expected.log = {log::Level::error, log::Format::json};
    expected.calls = {milliseconds(21),      milliseconds(22), milliseconds(23), 24, 25,
                      {26, milliseconds(27)}};
    expected.sessions = {31, milliseconds(32)};
    expected.input_required = {milliseconds(41), 42};
    expected.drain = milliseconds(51);
    EXPECT_EQ(*host, expected);
}

TEST_F(ReadTest, UnknownMemberIsRefusedWithLineAndTheKnownOnes) {
    const std::string file =
        write("patchbay.json", "{\n \"listen\": {\n  \"adress\": \"x\"\n }\n}");
    auto host = read_host(file);
    ASSERT_FALSE(host);
    expect_contains(host.error().message, file + ":3: /listen/adress: ");
    expect_contains(host.error().message, "known here: address, ");
}

TEST_F(ReadTest, EveryProblemIsNamedInTheFilesOrder) {
    auto host = read_host(
        write("patchbay.json", "{\"log\":\n{\"level\":\"x\"},\n\"drain_ms\":\n\"5s\",\n\"a\":1}"));
    ASSERT_FALSE(host);
    const std::string& message = host.error().message;
    const std::size_t level = message.find(":2: /log/level: ");
    const std::size_t drain = message.find(":4: /drain_ms: ");
    const std::size_t unknown = message.find(":5: /a: ");
    EXPECT_TRUE(level < drain && drain < unknown && unknown != std::string::npos) << message;
}

TEST_F(ReadTest, SyntaxErrorsHaveLineAndColumn) {
    const std::string file = write("patchbay.json", "{\n \"listen\": {,}}");
    auto host = read_host(file);
    ASSERT_FALSE(host);
    expect_contains(host.error().message, file + ":2:13: ");
}

TEST_F(ReadTest, AMemberGivenTwiceIsRefused) {
    auto host = read_host(write("patchbay.json", R"({"data_dir": "a", "data_dir": "b"})"));
    ASSERT_FALSE(host);
    expect_contains(host.error().message, "\"data_dir\"");
}

TEST_F(ReadTest, OrganisationWithoutCapabilitiesHasThemAll) {
    auto org =
        read_org(write("orgs/acme.json", R"({"title": "Acme", "instructions": "Be brief."})"));
    ASSERT_TRUE(org) << org.error().message;
    EXPECT_EQ(org->name, "acme");
    EXPECT_EQ(org->instructions, "Be brief.");
    EXPECT_EQ(org->capability("weather"), CapabilityConfig{});
}

TEST_F(ReadTest, OrganisationThatNamesCapabilitiesHasOnlyThose) {
    auto org = read_org(write("orgs/acme.json", R"({"capabilities": {
        "weather": {"namespace": "", "config": {"unit": "${env:UNIT}"}},
        "notes": {"enabled": false}, "clock": {}}})"));
    ASSERT_TRUE(org) << org.error().message;
    const auto weather = org->capability("weather");
    ASSERT_TRUE(weather);
    EXPECT_EQ(weather->name_space, "");
    EXPECT_EQ(weather->config, (Json{{"unit", "${env:UNIT}"}}));
    EXPECT_EQ(org->capability("clock"), CapabilityConfig{});
    EXPECT_FALSE(org->capability("notes"));
    EXPECT_FALSE(org->capability("other"));
}

TEST_F(ReadTest, StarSpeaksOfTheOthers) {
    auto org = read_org(write(
        "orgs/a.json", R"({"capabilities": {"*": {"enabled": true}, "x": {"enabled": false}}})"));
    ASSERT_TRUE(org) << org.error().message;
    EXPECT_TRUE(org->capability("anything"));
    EXPECT_FALSE(org->capability("x"));
    org = read_org(write("orgs/b.json", R"({"capabilities": {"*": {"enabled": false}}})"));
    ASSERT_TRUE(org);
    EXPECT_FALSE(org->capability("anything"));
}

TEST_F(ReadTest, RemoteServersAreKeptAsWritten) {
    auto org = read_org(
        write("orgs/a.json", R"({"mcpServers": {"gh": {"url": "https://x/mcp", "any": [1]}}})"));
    ASSERT_TRUE(org) << org.error().message;
    EXPECT_EQ(org->mcp_servers,
              json::parse(R"({"gh": {"url": "https://x/mcp", "any": [1]}})").value());
}

TEST_F(ReadTest, OneNamespaceForTwoCapabilitiesNamesBoth) {
    auto org = read_org(
        write("orgs/a.json", R"({"capabilities": {"one": {"namespace": "two"}, "two": {}}})"));
    ASSERT_FALSE(org);
    expect_contains(org.error().message, "\"one\" and \"two\"");
    EXPECT_TRUE(read_org(write("orgs/a.json", R"({"capabilities": {"one": {"namespace": "two"},
                                                  "two": {"enabled": false}}})")));
}

TEST_F(ReadTest, SeveralCapabilitiesMayHaveNoNamespace) {
    auto org = read_org(write("orgs/a.json", R"({"capabilities": {"one": {"namespace": ""},
                                                                  "two": {"namespace": ""}}})"));
    EXPECT_TRUE(org) << org.error().message;
}

TEST_F(ReadTest, MalformedNamespacesAreRefused) {
    for (const char* name_space :
         {"a__b", "_a", "a_", "A", "a b", "-", "a234567890123456789012345678901234567890x"}) {
        auto org = read_org(write(
            "orgs/a.json", Json{{"capabilities", {{"w", {{"namespace", name_space}}}}}}.dump()));
        EXPECT_FALSE(org) << name_space;
        if (!org) expect_contains(org.error().message, "/capabilities/w/namespace");
    }
    for (const char* name_space : {"", "a", "a_b-c_d", "0", "a--b"}) {
        auto org = read_org(write(
            "orgs/a.json", Json{{"capabilities", {{"w", {{"namespace", name_space}}}}}}.dump()));
        EXPECT_TRUE(org) << name_space;
    }
}

TEST_F(ReadTest, OrganisationFileNamesAreOrganisationNames) {
    EXPECT_FALSE(read_org(write("orgs/Acme Inc.json", "{}")));
    EXPECT_TRUE(is_org_name("a-b_1"));
    for (const char* name : {"", "-a", "a-", "A", "a/b", "..", "a.b"}) {
        EXPECT_FALSE(is_org_name(name)) << name;
    }
    EXPECT_FALSE(is_org_name(std::string(65, 'a')));
}

TEST_F(ReadTest, AnAddressIsAnIpAddress) {
    const auto load = [&](const char* address) {
        Overrides overrides;
        overrides.config_file = write("patchbay.json", "{}");
        overrides.address = address;
        return load_host(overrides);
    };
    for (const char* address : {"127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "192.168.0.1"}) {
        EXPECT_TRUE(load(address)) << address;
    }
    for (const char* address : {"example.com", "", "127.1", "[::1]"}) {
        const auto host = load(address);
        ASSERT_FALSE(host) << address;
        expect_contains(host.error().message, "IP address");
    }
    // Who may be served on which is decided when it is known whether there are credentials.
    for (const char* address : {"127.0.0.1", "127.1.2.3", "::1"}) {
        EXPECT_TRUE(is_loopback(address)) << address;
    }
    for (const char* address : {"0.0.0.0", "::", "192.168.0.1", "::ffff:127.0.0.1"}) {
        EXPECT_FALSE(is_loopback(address)) << address;
    }
}

TEST_F(ReadTest, WhoMayAndHowOften) {
    Overrides overrides;
    overrides.config_file = write("patchbay.json", R"({
        "access": {
            "anonymous": "never",
            "issuers": [{"issuer": "https://id.example.com", "org_claim": "tenant",
                         "orgs": {"t1": "acme"}, "scopes": {"reader": ["mcp:read"]},
                         "own_scopes": true, "clock_skew_seconds": 5}],
            "oauth": {"registration": false, "access_token_seconds": 600,
                      "limits": {"sign_in": {"per_minute": 3, "burst": 5}, "token": false}}},
        "audit": {"retention_days": 7, "max_megabytes": 50},
        "metrics": {"open": true}})");
    const auto host = load_host(overrides);
    ASSERT_TRUE(host);
    EXPECT_FALSE(host->access.anonymous);
    ASSERT_EQ(host->access.issuers.size(), 1U);
    const auto& issuer = host->access.issuers[0];
    EXPECT_EQ(issuer.org_claim, "tenant");
    EXPECT_EQ(issuer.orgs.at("t1"), "acme");
    EXPECT_EQ(issuer.scopes.at("reader"), std::vector<std::string>{"mcp:read"});
    EXPECT_TRUE(issuer.own_scopes);
    EXPECT_EQ(issuer.clock_skew.count(), 5);
    EXPECT_FALSE(host->access.oauth.registration);
    EXPECT_EQ(host->access.oauth.access_token.count(), 600);
    EXPECT_EQ(host->access.oauth.sign_in, (Rate{3, 5}));
    EXPECT_EQ(host->access.oauth.token, Rate());
    EXPECT_EQ(host->audit.retention.count(), 7 * 24);
    EXPECT_EQ(host->audit.max_bytes, 50 << 20);
    EXPECT_TRUE(host->open_metrics);

    const auto org = read_org(write("orgs/acme.json", R"({
        "access": {
            "forbidden": [{"roles": ["member"], "levels": ["admin"]}, {"tools": ["db__drop*"]}],
            "out_of_scope": "challenge",
            "api_key_in_url": true,
            "limits": {"credential": false, "org": {"per_minute": 5000},
                       "tools": {"mail__*": {"per_minute": 6, "burst": 2}}}},
        "audit": {"arguments": true, "redact": ["ssn", "/a/b"]}})"));
    ASSERT_TRUE(org);
    const auto& access = org->access;
    ASSERT_EQ(access.forbidden.size(), 2U);
    EXPECT_TRUE(access.forbidden[0].roles.contains("member"));
    EXPECT_EQ(access.forbidden[1].tools, std::vector<std::string>{"db__drop*"});
    EXPECT_TRUE(access.challenges);
    EXPECT_TRUE(access.keys_in_urls);
    EXPECT_EQ(access.limits.credential, Rate());
    EXPECT_EQ(access.limits.org, (Rate{5000, 0}));
    ASSERT_EQ(access.limits.tools.size(), 1U);
    EXPECT_EQ(access.limits.tools[0].second, (Rate{6, 2}));
    EXPECT_TRUE(access.audit.arguments);
    EXPECT_FALSE(access.audit.results);
    EXPECT_EQ(access.audit.redact, (std::vector<std::string>{"ssn", "/a/b"}));
    for (const char* wrong :
         {R"({"access": {"forbidden": [{}]}})",
          R"({"access": {"forbidden": [{"roles": ["boss"]}]}})",
          R"({"access": {"out_of_scope": "show"}})", R"({"access": {"limits": {"org": true}}})",
          R"({"access": {"limits": {"org": {"burst": 3}}}})"}) {
        EXPECT_FALSE(read_org(write("orgs/acme.json", wrong))) << wrong;
    }
}

TEST_F(ReadTest, WhatContradictsItselfIsRefused) {
    for (const char* text : {R"({"calls": {"default_timeout_ms": 20, "max_timeout_ms": 10}})",
                             R"({"listen": {"limits": {"workers": 20, "max_workers": 10}}})"}) {
        Overrides overrides;
        overrides.config_file = write("patchbay.json", text);
        EXPECT_FALSE(load_host(overrides)) << text;
    }
}

TEST_F(ReadTest, FlagsWinOverTheFile) {
    Overrides overrides;
    overrides.config_file = write(
        "patchbay.json", R"({"listen": {"port": 1}, "data_dir": "d", "log": {"level": "off"}})");
    overrides.port = 7;
    overrides.plugins_folder = "p";
    overrides.data_dir = "v";
    overrides.org_dir = "o";
    overrides.log_level = log::Level::debug;
    overrides.log_format = log::Format::json;
    auto host = load_host(overrides);
    ASSERT_TRUE(host) << host.error().message;
    EXPECT_EQ(host->listen.port, 7);
    EXPECT_EQ(host->plugins.folder, "p");
    EXPECT_EQ(host->data_dir, "v");
    EXPECT_EQ(host->org_dir, "o");
    EXPECT_EQ(host->log, (LogConfig{log::Level::debug, log::Format::json}));
}

TEST_F(ReadTest, AFileThatWasNamedMustExist) {
    Overrides overrides;
    overrides.config_file = path("absent.json");
    auto host = load_host(overrides);
    ASSERT_FALSE(host);
    expect_contains(host.error().message, path("absent.json"));
}

TEST_F(ReadTest, ServersThatAreWrongCostTheRestNothing) {
    const auto read = [&](const Json& org) { return read_org(write("acme.json", org.dump())); };
    const Json servers{{"good", {{"url", "https://a"}}},
                       {"text", "https://a"},
                       {"none", Json::object()},
                       {"both", {{"url", "https://a"}, {"auth", "none"}, {"oauth", {{"a", 1}}}}}};
    auto org = read({{"instructions", "i"}, {"mcpServers", servers}});
    ASSERT_TRUE(org) << org.error().message;
    EXPECT_EQ(org->instructions, "i");
    EXPECT_EQ(org->mcp_servers, servers);
    ASSERT_EQ(org->server_problems.size(), 3U);
    std::string all;
    for (const auto& problem : org->server_problems)
        all += problem + "\n";
    expect_contains(all, "/mcpServers/text: must be an object");
    expect_contains(all, "/mcpServers/none/url: is required");
    expect_contains(all, "leave one of them out");
    // What is wrong beside them is an error, however many of them are wrong.
    Json many = Json::object();
    for (int i = 0; i < 1'000; ++i)
        many[std::to_string(i)] = Json::object();
    for (const auto& each : {servers, many}) {
        auto refused = read({{"mcpServers", each}, {"zapabilities", 1}});
        ASSERT_FALSE(refused);
        EXPECT_LT(refused.error().message.size(), 4'000U);
    }
    EXPECT_FALSE(read({{"mcpServers", 7}}));
}

// What ships in etc/ must be valid under what ships in etc/schemas.
TEST(ShippedConfig, IsValid) {
    Overrides overrides;
    overrides.config_file = SHIPPED_ETC "/patchbay.json";
    auto host = load_host(overrides);
    ASSERT_TRUE(host) << host.error().message;
    auto org = read_org(SHIPPED_ETC "/orgs/default.json");
    ASSERT_TRUE(org) << org.error().message;
    EXPECT_TRUE(org->capability("anything"));
    for (const std::string_view schema : {host_schema_text(), org_schema_text()}) {
        auto compiled = json::compile_schema(json::parse(schema).value());
        EXPECT_TRUE(compiled) << compiled.error().message;
    }
}

TEST_F(ReadTest, RangesOfProxiesAreCheckedToo) {
    HostConfig host;
    host.listen.trusted_proxies = {"127.0.0.1/32", "fd00::/8"};
    EXPECT_TRUE(check_host(host));
    host.listen.trusted_proxies = {"proxy.example.com"};
    const auto refused = check_host(host);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("listen.trusted_proxies: \"proxy"), std::string::npos);
}

TEST_F(ReadTest, RangesOfAddressesAreChecked) {
    const auto checked = [](const std::string& cidr) {
        HostConfig host;
        host.outbound.allow_private_cidrs = {"127.0.0.0/8", cidr};
        return check_host(host);
    };
    for (const char* good : {"10.0.0.0/8", "192.168.1.7/32", "0.0.0.0/0", "::/0", "::1/128",
                             "fd12:3456::/32", "fe80::/10", "::ffff:10.0.0.0/104"}) {
        EXPECT_TRUE(checked(good)) << good;
    }
    HostConfig documents;
    documents.access.oauth.allow_private_cidrs = {"10.0.0.0"};
    const auto said = check_host(documents);
    ASSERT_FALSE(said);
    expect_contains(said.error().message, "access.oauth.allow_private_cidrs: \"10.0.0.0\"");
    for (const char* bad :
         {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8 ",
          "10.0.0/8", "::/129", "fd00::/x", "example.com/8", "10.0.0.1/8", "fd00::1/64"}) {
        auto refused = checked(bad);
        ASSERT_FALSE(refused) << bad;
        expect_contains(refused.error().message, "\"" + std::string(bad) + "\"");
    }
}

TEST_F(ReadTest, ThePublicUrlIsOneWithoutEnd) {
    const auto read = [&](const std::string& url) {
        return read_host(write("patchbay.json", Json{{"listen", {{"public_url", url}}}}.dump()));
    };
    for (const char* good : {"https://a.example", "http://127.0.0.1:8080", "https://[::1]:1/a/b"})
        EXPECT_TRUE(read(good)) << good;
    for (const char* bad : {"", "a.example", "https://", "https://a.example/", "https://a/b?c",
                            "https://a#b", "https://u@a", "ftp://a", "https://a b"}) {
        EXPECT_FALSE(read(bad)) << bad;
    }
    const auto nowhere = read("https://a:99999");
    ASSERT_FALSE(nowhere);
    expect_contains(nowhere.error().message, "public_url");
}

TEST_F(ReadTest, WhatIsComparedIsReadAsBrowsersWriteIt) {
    const auto listen = [&](const char* member, const std::string& value) {
        const auto read =
            read_host(write("patchbay.json", Json{{"listen", {{member, value}}}}.dump()));
        EXPECT_TRUE(read) << value;
        return read ? read->listen : Listen();
    };
    EXPECT_EQ(listen("public_url", "https://MCP.Example.com:443/Base").public_url,
              "https://mcp.example.com/Base");
    EXPECT_EQ(listen("public_url", "http://a.example:80").public_url, "http://a.example");
    EXPECT_EQ(listen("public_url", "https://a.example:8443").public_url, "https://a.example:8443");
    EXPECT_EQ(listen("endpoint", "/mcp/").endpoint, "/mcp");
    EXPECT_EQ(listen("endpoint", "/").endpoint, "/");
}

}  // namespace
}  // namespace pb::config
