// SPDX-License-Identifier: Apache-2.0
// What administrators are shown of settings, and what they may send back of it.
#include "shown.h"

#include <gtest/gtest.h>

namespace pb::remote {
namespace {

TEST(Shown, WhateverIsNotKnownToBeHarmlessIsHidden) {
    const auto entry = Json::parse(R"({
        "type":"stdio","command":"server","cwd":"/srv","namespace":"docs","timeout":1000,
        "enabled":true,"args":["--token","SECRET"],"env":{"KEY":"SECRET"},
        "headers":{"X-Key":"SECRET","Authorization":"Bearer SECRET"},"apiKey":"SECRET",
        "url":"https://me:SECRET@example.com/mcp?key=SECRET#SECRET","title":{"a":"SECRET"},
        "auth":{"type":"oauth","client_id":"open","client_secret":"SECRET","username":"SECRET",
                "private_key":"SECRET","odd":"SECRET","scopes":["a","b"],
                "issuer":"https://u:SECRET@issuer.example/?SECRET"},
        "oauth":{"clientId":"open","clientSecret":"SECRET","scopes":"a b"},
        "tools":{"include":["get_*"],"rename":{"a":"b"},"odd":"SECRET"}})");
    const auto out = shown(entry);
    EXPECT_EQ(out.dump().find("SECRET"), std::string::npos) << out;
    EXPECT_EQ(out, Json::parse(R"j({
        "type":"stdio","command":"server","cwd":"/srv","namespace":"docs","timeout":1000,
        "enabled":true,"args":["(hidden)","(hidden)"],"env":{"KEY":"(hidden)"},
        "headers":{"X-Key":"(hidden)","Authorization":"(hidden)"},"apiKey":"(hidden)",
        "url":"https://(hidden)@example.com/mcp?(hidden)","title":"(hidden)",
        "auth":{"type":"oauth","client_id":"open","client_secret":"(hidden)",
                "username":"(hidden)","private_key":"(hidden)","odd":"(hidden)",
                "scopes":["a","b"],"issuer":"https://(hidden)@issuer.example/?(hidden)"},
        "oauth":{"clientId":"open","clientSecret":"(hidden)","scopes":"a b"},
        "tools":{"include":["get_*"],"rename":{"a":"b"},"odd":"(hidden)"}})j"));
    for (const char* odd :
         {R"("SECRET")", R"(["SECRET"])", R"({"auth":"SECRET"})", R"({"auth":["SECRET"]})",
          R"({"headers":"SECRET"})", R"({"args":"SECRET"})", R"({"url":["SECRET"]})",
          R"({"tools":"SECRET"})", R"({"tools":{"include":{"a":"SECRET"}}})"})
        EXPECT_EQ(shown(Json::parse(odd)).dump().find("SECRET"), std::string::npos) << odd;
}

TEST(Shown, UrlsAreShownWithoutTheirSecrets) {
    for (const auto& [url, seen] : {std::pair{"https://a.example/mcp", "https://a.example/mcp"},
                                    {"https://a.example/@b/mcp", "https://a.example/@b/mcp"},
                                    {"https://k@a.example", "https://(hidden)@a.example"},
                                    {"https://k@b@a.example/", "https://(hidden)@a.example/"},
                                    {"https://a.example?k=1", "https://a.example?(hidden)"},
                                    {"https://a.example/#k?", "https://a.example/#(hidden)"},
                                    {"k:p@a.example/mcp", "(hidden)@a.example/mcp"},
                                    {"", ""}})
        EXPECT_EQ(shown_url(url), seen);
}

TEST(Shown, WhatIsSentBackAsItWasShownStays) {
    const auto entry = Json::parse(R"({"url":"https://a.example/mcp?key=1","args":["-x"],
        "headers":{"X":"1","Y":"2"},"auth":{"type":"bearer","token":"t"},"apiKey":"k"})");
    const auto meant = [&](const Json& patch) {
        auto out = unhidden(patch, entry);
        EXPECT_TRUE(out) << out.error().message;
        return out ? *out : Json();
    };
    EXPECT_EQ(meant(shown(entry)), Json::object());
    auto patch = shown(entry);
    patch["headers"]["X"] = "new";
    patch["auth"]["token"] = "new";
    patch["title"] = "T";
    EXPECT_EQ(meant(patch), Json::parse(R"({"headers":{"X":"new"},"title":"T",
        "auth":{"type":"bearer","token":"new"}})"));
    EXPECT_EQ(meant(Json{{"apiKey", nullptr}}), (Json{{"apiKey", nullptr}}));
    for (const char* wrong :
         {R"j({"url":"https://b.example/mcp?(hidden)"})j", R"j({"args":["(hidden)","-y"]})j",
          R"j({"title":"(hidden)"})j", R"j({"headers":{"X":"Bearer (hidden)"}})j"}) {
        const auto refused = unhidden(Json::parse(wrong), entry);
        ASSERT_FALSE(refused) << wrong;
        EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
    }
}

}  // namespace
}  // namespace pb::remote
