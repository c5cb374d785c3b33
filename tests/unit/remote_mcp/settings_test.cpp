// SPDX-License-Identifier: Apache-2.0
// What is configured of a server: taken as clients write it, refused with what would be right.
#include "settings.h"

#include <gtest/gtest.h>

#include "json/parse.h"
#include "json/schema.h"

namespace pb::remote {
namespace {

Result<Settings> read(const char* entry, bool scoped = false, bool allow_stdio = false) {
    HostFacts host;
    host.allow_stdio = allow_stdio;
    return read_settings("docs", Json::parse(entry), host, scoped);
}

TEST(Settings, APastedEntryWorks) {
    const auto settings = read(R"({"type":"http","url":"https://example.com/mcp",
        "headers":{"Authorization":"Bearer x"},"alwaysAllow":["a"],"disabled":false,
        "autoApprove":[],"headersHelper":"x"})");
    ASSERT_TRUE(settings) << settings.error().message;
    EXPECT_EQ(settings->spec.kind, client::Kind::http);
    EXPECT_EQ(settings->spec.headers.size(), 1U);
    EXPECT_EQ(settings->name_space, "docs");
    EXPECT_EQ(settings->acts_as, ActsAs::service);
    ASSERT_EQ(settings->remarks.size(), 1U);
    EXPECT_NE(settings->remarks[0].find("headersHelper"), std::string::npos);
}

TEST(Settings, ATimeoutIsTheCallsTimeWhereItIsGiven) {
    const auto given = read(R"({"url":"https://a","timeout":300000})");
    EXPECT_EQ(given->timeout, std::chrono::minutes(5));
    EXPECT_EQ(given->spec.call_time, std::chrono::minutes(5));
    const auto none = read(R"({"url":"https://a"})");
    EXPECT_EQ(none->timeout.count(), 0);
    EXPECT_GT(none->spec.call_time.count(), 0);
}

TEST(Settings, ANamespaceIsMadeOfTheName) {
    const Json entry{{"url", "https://example.com"}};
    for (const auto& [name, made] : {std::pair{"My Docs", "my_docs"},
                                     {"a__b", "a_b"},
                                     {"--x--", "x"},
                                     {"Caf\xC3\xA9", "caf"}}) {
        const auto settings = read_settings(name, entry, {});
        if (std::string(name).starts_with("Caf")) {
            EXPECT_FALSE(settings);  // a name has ASCII alone
            continue;
        }
        ASSERT_TRUE(settings) << settings.error().message;
        EXPECT_EQ(settings->name_space, made);
    }
    const auto odd = read_settings("!!!", entry, {});
    ASSERT_TRUE(odd);
    EXPECT_EQ(odd->name_space, read_settings("!!!", entry, {})->name_space);
    EXPECT_NE(odd->name_space, read_settings("???", entry, {})->name_space);
    EXPECT_EQ(odd->remarks.size(), 1U);
    EXPECT_FALSE(read_settings("a/b", entry, {}));
    EXPECT_FALSE(read_settings("", entry, {}));
}

struct Wrong {
    const char* entry;
    const char* says;
    bool by_schema = true;
};

// The organisation's schema as far as it is about one server: what editors and `config check` see.
std::shared_ptr<const json::Schema> server_schema() {
    auto text = json::parse_file(SHIPPED_ETC "/schemas/org.schema.json");
    EXPECT_TRUE(text);
    auto schema = json::compile_schema({{"$ref", "#/$defs/server"}, {"$defs", (*text)["$defs"]}});
    EXPECT_TRUE(schema) << schema.error().message;
    return *schema;
}

TEST(Settings, WhatIsWrongIsNamed) {
    const Wrong table[] = {
        {"[]", "object"},
        {"{}", "url"},
        {R"({"url":"ftp://example.com"})", "url"},
        {R"({"url":"https://user:pass@example.com"})", "url", false},
        {R"({"type":"carrier-pigeon","url":"https://a"})", "type"},
        {R"({"url":"https://a","headers":{"Host":"b"}})", "Host"},
        {R"({"url":"https://a","headers":{"X":"a\r\nY: b"}})", "headers"},
        {R"({"url":"https://a","headers":{"X Y":"a"}})", "headers"},
        {R"({"url":"https://a","headers":{"X":1}})", "headers"},
        {R"({"url":"https://a","timeout":0})", "timeout"},
        {R"({"url":"https://a","timeout":-1})", "timeout"},
        {R"({"url":"https://a","timeout":0.01})", "timeout"},
        {R"({"url":"https://a","oauth":true})", "oauth"},
        {R"({"url":"https://a","oauth":{},"auth":"oauth"})", "oauth"},
        {R"({"url":"https://a","timeout":"1s"})", "timeout"},
        {R"({"url":"https://a","protocol":"2024-11-05"})", "protocol"},
        {R"({"url":"https://a","namespace":7})", "namespace"},
        {R"({"url":"https://a","enabled":"yes"})", "enabled"},
        {R"({"url":"https://a","on_tool_change":"panic"})", "on_tool_change"},
        {R"({"url":"https://a","tools":[]})", "tools"},
        {R"({"url":"https://a","tools":{"only":["a"]}})", "tools.only"},
        {R"({"url":"https://a","tools":{"rename":{"a":"x","b":"x"}}})", "tools.rename", false},
        {R"({"url":"https://a","auth":{"type":"magic"}})", "auth.type"},
        {R"({"url":"https://a","auth":{"type":"bearer"}})", "auth.token"},
        {R"({"url":"https://a","auth":{"type":"basic"}})", "auth.username"},
        {R"({"url":"https://a","acts_as":"user"})", "acts_as", false},
        {R"({"url":"https://a","auth":{"type":"oauth"},"acts_as":"none"})", "acts_as", false},
        {R"({"type":5,"url":"https://a"})", "type"},
        {R"({"type":"","url":"https://a"})", "type"},
        {R"({"transport":["sse"],"url":"https://a"})", "transport"},
        {R"({"url":["https://a"]})", "url"},
        {R"({"url":"https://a","title":5})", "title"},
        {R"({"url":"https://a","protocol":2025})", "protocol"},
        {R"({"url":"https://a","on_tool_change":["quarantine"]})", "on_tool_change"},
        {R"({"url":"https://a","acts_as":null})", "acts_as"},
        {R"({"url":"https://a","acts_as":"somebody"})", "acts_as"},
        {R"({"url":"https://a","auth":"bearer"})", "auth.token"},
        {R"({"url":"https://a","auth":7})", "auth"},
        {R"({"url":"https://a","auth":{"type":["oauth"]}})", "auth.type"},
        {R"({"url":"https://a","auth":{"type":"oauth","grant":"bogus"}})", "auth.grant"},
        {R"({"url":"https://a","auth":{"type":"oauth","scopes":"a"}})", "auth.scopes"},
        {R"({"url":"https://a","auth":{"type":"oauth","offline_access":1}})", "offline_access"},
        {R"({"url":"https://a","auth":{"type":"oauth","client_secert":"s"}})", "client_secert"},
        {R"({"url":"https://a","auth":{"type":"bearer","token":7}})", "auth.token"},
        {R"({"url":"https://a","oauth":{"clientId":7}})", "auth.client_id"},
        {R"({"url":"https://a","tools":{"include":[]}})", "tools.include"},
        {R"({"url":"https://a","connect_timeout":1.5})", "connect_timeout"},
        {R"({"url":"https://a","headers":["X"]})", "headers"},
        // What only more than a schema can see.
        {R"({"url":"https://a","auth":{"type":"bearer","token":"t"},
             "headers":{"authorization":"Basic x"}})",
         "Authorization", false},
        {R"({"unresolved":"the variable X is not set"})", "variable X"},
    };
    const auto schema = server_schema();
    for (const auto& [entry, says, by_schema] : table) {
        EXPECT_EQ(schema->validate(Json::parse(entry)).empty(), !by_schema) << entry;
        const auto settings = read(entry);
        ASSERT_FALSE(settings) << entry;
        EXPECT_NE(settings.error().message.find(says), std::string::npos)
            << entry << ": " << settings.error().message;
    }
}

TEST(Settings, WhatIsRightIsSoForTheSchemaToo) {
    const auto schema = server_schema();
    for (const char* entry :
         {R"({"url":"https://a"})", R"({"type":"streamable-http","url":"HTTP://a","odd":1})",
          R"({"transport":"sse","url":"https://a","headers":{"X-A":"b"},"disabled":true})",
          R"({"command":"a","args":["b"],"env":{"A":"1"},"cwd":"/"})",
          R"({"type":"stdio","command":"a"})", R"({"url":"https://a","command":"a","type":"http"})",
          R"({"url":"https://a","tools":["*"],"timeout":60,"alwaysAllow":[]})",
          R"({"url":"https://a","timeout":1500.5,"connect_timeout":100,"serve_stale":0})",
          R"({"url":"https://a","tools":{"include":["a*"],"exclude":[],"rename":{"a":"b"},
              "describe":{"a":"b"},"annotations":{"a":{"readOnlyHint":true}}}})",
          R"({"url":"https://a","auth":"none"})", R"({"url":"https://a","auth":"oauth"})",
          R"({"url":"https://a","auth":{"type":"bearer","token":"t"},"acts_as":"service"})",
          R"({"url":"https://a","auth":{"type":"basic","username":"u","password":""}})",
          R"({"url":"https://a","auth":{"type":"oauth","grant":"client_credentials",
              "client_id":"i","client_secret":"s","scopes":["a"],"offline_access":false}})",
          R"({"url":"https://a","auth":{"CLIENT_ID":"i","scopes":["a"]},"acts_as":"user"})",
          R"({"url":"https://a","oauth":{"clientId":"i","callbackPort":1,"scopes":"a b"}})",
          R"({"url":"https://a","protocol":"2025-06-18","on_tool_change":"quarantine",
              "namespace":"","title":"","description":"","refresh":1000,"enabled":false})"}) {
        const auto settings = read(entry, false, true);
        EXPECT_TRUE(settings) << entry << ": " << (settings ? "" : settings.error().message);
        const auto wrong = schema->validate(Json::parse(entry));
        EXPECT_TRUE(wrong.empty()) << entry << ": " << json::describe(wrong);
    }
}

TEST(Settings, ProgramsRunOnlyWhereTheOperatorLetsThem) {
    const char* entry = R"({"command":"server","args":["-x"],"env":{"A":"1"},"cwd":"/srv"})";
    const auto refused = read(entry);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("allow_stdio"), std::string::npos);
    const auto taken = read(entry, false, true);
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->spec.kind, client::Kind::stdio);
    EXPECT_EQ(taken->spec.environment.at("A"), "1");
    EXPECT_FALSE(read(entry, true, true));  // a caller's own server never
    EXPECT_FALSE(read(R"({"command":"x","auth":{"type":"bearer","token":"t"}})", false, true));
    EXPECT_FALSE(read(R"({"url":"https://a","auth":{"type":"oauth"}})", true));
}

TEST(Settings, TheIdentityTellsServersApartAndNoSecret) {
    const auto of = [](const char* entry) { return read(entry)->identity(); };
    const auto one = of(R"({"url":"https://a/mcp","headers":{"X":"secret"}})");
    EXPECT_EQ(one, of(R"({"url":"https://a/mcp","headers":{"X":"renewed"}})"));
    EXPECT_NE(one, of(R"({"url":"https://b/mcp","headers":{"X":"secret"}})"));
    EXPECT_NE(one, of(R"({"url":"https://a/mcp"})"));
}

}  // namespace
}  // namespace pb::remote
