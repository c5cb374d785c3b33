// SPDX-License-Identifier: Apache-2.0
// Entries as other clients' files have them.
#include "entry.h"

#include <gtest/gtest.h>

#include "settings.h"

namespace pb::remote {
namespace {

TEST(Entry, WhatIsNoNameGetsOne) {
    const std::string key = "github.com/modelcontextprotocol/servers/tree/main/src/git";
    const auto name = name_for(key);
    EXPECT_TRUE(name.starts_with("git-")) << name;
    EXPECT_EQ(name, name_for(key));
    EXPECT_NE(name, name_for("github.com/others/git"));
    EXPECT_EQ(name_for("My Docs"), "My Docs");
    for (const auto& odd : {std::string(), std::string("/"), std::string("\xE6\x97\xA5"),
                            std::string(300, 'x'), std::string("a\nb"), std::string("a\"b/")}) {
        for (const std::size_t digits : {8U, 16U, 24U}) {
            EXPECT_TRUE(check_name(name_for(odd, digits))) << odd;
            EXPECT_FALSE(namespace_for(name_for(odd, digits)).empty()) << odd;
        }
        EXPECT_NE(name_for(odd, 8), name_for(odd, 16));
        // What was made readable is the namespace too.
        EXPECT_EQ(namespace_for(name_for(odd)), name_for(odd));
    }
}

TEST(Entry, LongNamesHaveNamespacesOfTheirOwn) {
    const std::string same(45, 'a');
    const auto one = namespace_for(same + "1"), other = namespace_for(same + "2");
    EXPECT_NE(one, other);
    EXPECT_EQ(one.size(), 40U);
    EXPECT_EQ(namespace_for(std::string(33, 'b') + "__c" + same).find("__"), std::string::npos);
}

Json ours(const char* entry, std::vector<std::string>* remarks = nullptr) {
    std::vector<std::string> said;
    auto out = in_our_words(Json::parse(entry), said);
    EXPECT_TRUE(out) << out.error().message;
    if (remarks) *remarks = said;
    return out ? *out : Json();
}

TEST(Entry, OtherClientsWordsAreUnderstood) {
    std::vector<std::string> said;
    EXPECT_EQ(ours(R"({"url":"u","tools":["*"],"autoApprove":[],"alwaysAllow":["a"]})", &said),
              Json::parse(R"({"url":"u","tools":{"include":["*"]}})"));
    EXPECT_TRUE(said.empty());
    EXPECT_EQ(ours(R"({"timeout":60})", &said), Json::parse(R"({"timeout":60000})"));
    ASSERT_EQ(said.size(), 1U);
    EXPECT_NE(said[0].find("60"), std::string::npos);
    EXPECT_EQ(ours(R"({"timeout":1000})", &said), Json::parse(R"({"timeout":1000})"));
    EXPECT_TRUE(said.empty());
    const auto auth = Json::parse(R"({"auth":{"type":"oauth","grant":"authorization_code",
        "client_id":"i","client_secret":"s","scopes":["a","b"]}})");
    EXPECT_EQ(ours(R"({"oauth":{"clientId":"i","clientSecret":"s","scopes":"a  b"}})"), auth);
    EXPECT_EQ(ours(R"({"auth":{"CLIENT_ID":"i","CLIENT_SECRET":"s","scopes":["a","b"]}})"), auth);
    EXPECT_EQ(ours(R"({"oauth":{"callbackPort":8080}})", &said),
              Json::parse(R"({"auth":{"type":"oauth","grant":"authorization_code"}})"));
    ASSERT_EQ(said.size(), 1U);
    EXPECT_NE(said[0].find("oauth.callbackPort"), std::string::npos);
    const char* own = R"({"auth":{"type":"bearer","token":"t"},"tools":{"exclude":["a"]}})";
    EXPECT_EQ(ours(own), Json::parse(own));
}

TEST(Entry, WhatIsRegisteredSeesTheOrganisationsSecretsAndNothingOfTheHost) {
    setenv("PATCHBAY_TEST_ENTRY", "of-the-host", 1);
    const auto secret = [](std::string_view name) -> Result<std::string> {
        if (name == "key") return std::string("k3y${env:PATCHBAY_TEST_ENTRY}");
        return not_found("there is none");
    };
    const auto resolve = [&](const char* text) {
        return resolve_registered(Json{{"headers", {{"X", text}}}}, secret);
    };
    EXPECT_EQ(resolve("Bearer ${secret:key}").value()["headers"]["X"],
              "Bearer k3y${env:PATCHBAY_TEST_ENTRY}");
    EXPECT_EQ(resolve("$${X} ${} $5 {}").value()["headers"]["X"], "${X} ${} $5 {}");
    for (const char* wrong :
         {"${secret:other}", "${env:PATCHBAY_TEST_ENTRY}", "${PATCHBAY_TEST_ENTRY}",
          "${PATCHBAY_TEST_ENTRY:-x}", "${input:key}", "${other:key}", "${secret:key"}) {
        const auto refused = resolve(wrong);
        ASSERT_FALSE(refused) << wrong;
        const auto& why = refused.error().message;
        EXPECT_EQ(refused.error().kind, ErrorKind::invalid);
        EXPECT_NE(why.find("/headers/X"), std::string::npos) << why;
        EXPECT_EQ(why.find("of-the-host"), std::string::npos) << why;
        EXPECT_EQ(why.find("k3y"), std::string::npos) << why;
    }
    EXPECT_NE(resolve("${input:key}").error().message.find("${secret:NAME}"), std::string::npos);
}

}  // namespace
}  // namespace pb::remote
