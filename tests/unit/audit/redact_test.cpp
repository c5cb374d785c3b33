// SPDX-License-Identifier: Apache-2.0
// Nothing secret stays, nothing harmless goes, and what comes out is JSON of bounded size.
#include "audit/redact.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "json/scan.h"

namespace pb::audit {
namespace {

using Json = nlohmann::json;

const std::string key = "pb_0123456789abcdefghijklmnopqrstuvwxyz";
const std::string jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl";

Redactor with(std::vector<std::string> fields, std::size_t longest = 16 << 10) {
    auto made = Redactor::make({std::move(fields), longest});
    if (!made) throw std::runtime_error(made.error().message);
    return std::move(*made);
}

Json redact(const Json& value, const Redactor& redactor = {}) {
    return Json::parse(redactor(value.dump()));
}

TEST(Redactor, MembersThatNameSecretsAreRedacted) {
    for (const char* name : {"password",      "PASSWORD",      "userPassword",
                             "db_passwd",     "passphrase",    "secret",
                             "client_secret", "clientSecret",  "token",
                             "access-token",  "refreshToken",  "api_key",
                             "apiKey",        "X-API-Key",     "APIKEY",
                             "privateKey",    "Authorization", "Proxy-Authorization",
                             "cookie",        "Set-Cookie",    "credentials",
                             "pwd",           "pin",           "Mcp-Session-Id",
                             "p\\u0061ssword"})
        for (const char* value : {"\"x\"", "12", "{\"a\":1}", "[\"x\"]"}) {
            const auto text = "{\"" + std::string(name) + "\": " + value + " , \"zz\":1}";
            EXPECT_EQ(Json::parse(Redactor()(text)).front(), "[redacted]") << text;
            EXPECT_EQ(Json::parse(Redactor()(text))["zz"], 1);
            EXPECT_EQ(redact({{"deep", Json::array({Json::parse(text)})}})["deep"][0].size(), 2U);
        }
}

TEST(Redactor, HarmlessThingsStay) {
    const Json value = {{"city", "Berlin"},
                        {"max_tokens", 100},
                        {"usage", {{"prompt_tokens", 5}, {"outputTokens", 7}}},
                        {"hasPassword", true},
                        {"secret", nullptr},
                        {"passport", "x"},
                        {"author", "y"},
                        {"pinned", 1},
                        {"list", {1, -2.5, 1e300, "", "\u00e4 \"q\" \n \\ /", false, nullptr}},
                        {"", Json::object()},
                        {"empty", Json::array()},
                        {"text", "a bearer of news; eyJ is short; task-0123456789abcdefghij"},
                        {"time", "12:30, see https://example.com:8080/a@b?q=1#x"},
                        {"sum", "a = b: c"}};
    EXPECT_EQ(redact(value), value);
    for (const char* text : {"null", "true", "-1.50", "[]", "{}", "\"\"", "[[],{}]"})
        EXPECT_EQ(Redactor()(text), text);
    EXPECT_EQ(Redactor()(" { \"a\" : [ 1 , 2 ] } "), "{\"a\":[1,2]}");
}

TEST(Redactor, TextsThatLookLikeCredentialsAreRedacted) {
    const std::pair<std::string, std::string> cases[] = {
        {key, "[redacted]"},
        {"use " + key + ", please", "use [redacted], please"},
        {"pba_" + key.substr(3) + " pbr_" + key.substr(3), "[redacted] [redacted]"},
        {"%20" + key, "%20[redacted]"},
        {"Bearer abcdefgh12", "Bearer [redacted]"},
        {"bearer\tabc.def~ghi+/=", "bearer\t[redacted]"},
        {"Basic dXNlcjpwYXNz", "Basic [redacted]"},
        {"Basic understanding", "Basic understanding"},
        {"x " + jwt + " y", "x [redacted] y"},
        {"(" + jwt + ")", "([redacted])"},
        {"sk-proj-0123456789abcdefghij", "[redacted]"},
        {"ghp_0123456789abcdefghijABCDEFGHIJ012345", "[redacted]"},
        {"AKIAIOSFODNN7EXAMPLE", "[redacted]"},
        {"password=hunter2&x=1", "password=[redacted]&x=1"},
        {"https://a/?q=1&api_key=k&token=t#f",
         "https://a/?q=1&api_key=[redacted]&token=[redacted]"},
        {"--password=hunter2 -v", "--password=[redacted] -v"},
        {"password: 'hunter 2'", "password: '[redacted]'"},
        {"X-API-Key: abc def", "X-API-Key: [redacted] def"},
        {"-H 'Authorization: Digest a b c' -v", "-H 'Authorization: [redacted]' -v"},
        {"Cookie: a=b; c=d\nX: y", "Cookie: [redacted]\nX: y"},
        {"see {\"secret\": \"x y\"} there", "see {\"secret\": \"[redacted]\"} there"},
        {"postgres://user:pw@db/x", "postgres://user:[redacted]@db/x"},
        {"a -----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nb",
         "a [redacted]\nb"},
        {"-----BEGIN PRIVATE KEY-----\nabc", "[redacted]"},
        {"-----BEGIN CERTIFICATE-----\nabc", "-----BEGIN CERTIFICATE-----\nabc"},
        {"max_tokens=100", "max_tokens=100"}};
    for (const auto& [text, clean] : cases) {
        EXPECT_EQ(without_credentials(text), clean);
        EXPECT_EQ(redact(Json(text)), clean);
        EXPECT_EQ(redact({{text, true}}), Json({{clean, true}}));
    }
    // However it is written.
    EXPECT_EQ(Redactor()("\"\\u0042earer abcdefgh12\""), "\"Bearer [redacted]\"");
}

TEST(Redactor, JsonInAStringIsJson) {
    const Json inner = {{"password", {{"x", "hunter2"}}}, {"city", "Berlin"}, {"tax", 12}};
    const Json clean = {{"password", "[redacted]"}, {"city", "Berlin"}, {"tax", "[redacted]"}};
    const Json result = {{"content", {{{"type", "text"}, {"text", inner.dump()}}}}};
    const auto got = redact(result, with({"tax"}))["content"][0]["text"];
    EXPECT_EQ(Json::parse(got.get<std::string>()), clean);
    const Json deep = {{"a", Json({{"b", Json(inner).dump()}}).dump()}};
    EXPECT_EQ(redact(deep).dump().find("hunter2"), std::string::npos);
}

TEST(Redactor, PairsOfNameAndValueAreMembersToo) {
    EXPECT_EQ(redact({{"name", "Authorization"}, {"value", "x"}})["value"], "[redacted]");
    EXPECT_EQ(redact({{"key", "password"}, {"value", 1}})["value"], "[redacted]");
    EXPECT_EQ(redact({{"name", "city"}, {"value", "x"}})["value"], "x");
}

TEST(Redactor, WhatAnOrganisationNamesIsRedacted) {
    const Json value = {{"taxId", "1"},
                        {"customer", {{"name", "Ann"}, {"tax_id", 2}}},
                        {"items", {{{"price", 1}, {"n", 1}}, {{"price", 2}, {"n", 2}}}},
                        {"a/b", {{"c~d", "x"}}}};
    auto got = redact(value, with({"TAX-ID"}));
    EXPECT_EQ(got["taxId"], "[redacted]");
    EXPECT_EQ(got["customer"]["tax_id"], "[redacted]");
    EXPECT_EQ(got["customer"]["name"], "Ann");
    got = redact(value, with({"/customer/name", "/items/*/price", "/items/1/n", "/a~1b/c~0d"}));
    EXPECT_EQ(got["customer"], Json({{"name", "[redacted]"}, {"tax_id", 2}}));
    EXPECT_EQ(got["items"][0], Json({{"price", "[redacted]"}, {"n", 1}}));
    EXPECT_EQ(got["items"][1], Json({{"price", "[redacted]"}, {"n", "[redacted]"}}));
    EXPECT_EQ(got["a/b"]["c~d"], "[redacted]");
    EXPECT_EQ(got["taxId"], "1");
    EXPECT_EQ(redact(value, with({"/customer"}))["customer"], "[redacted]");
    EXPECT_EQ(redact({{"ill", true}, {"x", {nullptr}}}, with({"ill", "/x/0"})),
              Json({{"ill", "[redacted]"}, {"x", {"[redacted]"}}}));
    EXPECT_EQ(redact(value, with({"/name", "/items/x"})), value);
    EXPECT_FALSE(Redactor::make({{""}, 100}));
    EXPECT_FALSE(Redactor::make({{"/a~b"}, 100}));
}

TEST(Redactor, WhatIsTooLongIsSummed) {
    const auto redactor = with({}, 2000);
    Json value = {{"a", std::string(500, 'x')}, {"password", "hunter2"}};
    EXPECT_EQ(redact(value, redactor)["a"], value["a"]);
    for (const auto& more : {std::string(3000, 'y'), std::string(2'000'000, 'y')}) {
        value["z"] = more;
        const auto text = redactor(value.dump());
        EXPECT_LT(text.size(), 2000U);
        EXPECT_EQ(Json::parse(text)["[cut]"]["bytes"], value.dump().size());
        EXPECT_EQ(text.find("hunter2"), std::string::npos);
    }
    value["z"] = Json(std::vector<int>(3000, 1)).dump();
    EXPECT_TRUE(redact(value, redactor).contains("[cut]"));
    value["z"] = std::vector<int>(3000, 1);
    EXPECT_NE(redact(value, redactor)["[cut]"]["start"].get<std::string>().find("[redacted]"),
              std::string::npos);
}

TEST(Redactor, WhatIsNoJsonIsNotKept) {
    for (const std::string text :
         {"", "password", "{\"a\":", "{\"password\":\"x\"", "\"\xff\"", "[1,]", "{} x"})
        EXPECT_EQ(Redactor()(text), "\"[not JSON]\"") << text;
    EXPECT_EQ(Redactor()(std::string(100'000, '[')), "\"[not JSON]\"");
}

// A value of everything, in which `secret` is in places where it must not stay.
Json random_value(std::mt19937& random, const std::string& secret, int depth) {
    const auto pick = [&](std::size_t count) { return random() % count; };
    static const std::vector<std::string> texts{"",
                                                "a",
                                                "x y",
                                                "\"",
                                                "\\",
                                                "\n\t\b",
                                                "\u00e4\U0001F600",
                                                "{",
                                                "[1",
                                                "\x7f",
                                                ":",
                                                "://",
                                                "=",
                                                "Bearer",
                                                "Bearer ",
                                                "-----BEGIN",
                                                "-----BEGIN PRIVATE KEY-----",
                                                "eyJ.",
                                                "eyJabcdefg.",
                                                "password",
                                                "password=",
                                                "token: \"",
                                                "a:b@c",
                                                "http://:@",
                                                "pb_",
                                                "%5B"};
    switch (pick(depth > 4 ? 6U : 9U)) {
        case 0:
            return nullptr;
        case 1:
            return pick(2) == 0;
        case 2:
            return static_cast<int>(random());
        case 3:
            return texts[pick(texts.size())] + texts[pick(texts.size())];
        case 4:
            return texts[pick(texts.size())] + " pb_" + secret + " " + texts[pick(texts.size())];
        case 5:
            return Json({{"apiKey", secret}, {"n", texts[pick(texts.size())]}}).dump();
        case 6: {
            Json out = Json::array();
            for (auto i = pick(5); i > 0; --i)
                out.push_back(random_value(random, secret, depth + 1));
            return out;
        }
        default: {
            Json out = Json::object();
            for (auto i = pick(5); i > 0; --i)
                out[texts[pick(texts.size())]] = random_value(random, secret, depth + 1);
            if (pick(3) == 0) out["client_secret"] = Json::array({secret, {{"x", secret}}});
            return out;
        }
    }
}

TEST(Redactor, RandomValuesStayJsonAndLoseTheirSecrets) {
    std::mt19937 random(4);
    const std::string secret = "ZZZZ0123456789abcdefghijZZZZ";
    const auto redactor = with({"/*/a", "x"}, 4096);
    for (int i = 0; i < 3000; ++i) {
        const auto value = random_value(random, secret, 0);
        const auto text = random() % 2 == 0 ? value.dump() : value.dump(2);
        const auto out = redactor(text);
        ASSERT_TRUE(json::scan(out)) << text << "\n" << out;
        ASSERT_EQ(out.find("ZZZZ"), std::string::npos) << text << "\n" << out;
        ASSERT_LE(out.size(), 4096U + 100);
        ASSERT_EQ(out.find('\n'), std::string::npos);
        // Twice is as good as once.
        ASSERT_EQ(redactor(out), out);
    }
}

// Cut and broken texts, too.
TEST(Redactor, AnyBytesAreSurvived) {
    std::mt19937 random(5);
    for (int i = 0; i < 3000; ++i) {
        auto text = random_value(random, "s", 0).dump();
        for (int n = static_cast<int>(random() % 4); n > 0 && !text.empty(); --n)
            text[random() % text.size()] = static_cast<char>(random());
        text.resize(random() % (text.size() + 1));
        ASSERT_TRUE(json::scan(Redactor()(text)));
        (void)without_credentials(text);
    }
}

}  // namespace
}  // namespace pb::audit
