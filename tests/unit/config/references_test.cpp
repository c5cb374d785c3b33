// SPDX-License-Identifier: Apache-2.0
// References: what is replaced, what is left alone, and that errors never hold a value.
#include "config/references.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace pb::config {
namespace {

class ReferencesTest : public ::testing::Test {
  protected:
    void SetUp() override {
        setenv("PATCHBAY_TEST_KEY", "s3cret", 1);
        setenv("PATCHBAY_TEST_NESTED", "${env:PATCHBAY_TEST_KEY}", 1);
        unsetenv("PATCHBAY_TEST_ABSENT");
    }
};

TEST_F(ReferencesTest, ReplacesInsideStringsAnywhere) {
    const Json before = {{"a", "${env:PATCHBAY_TEST_KEY}"},
                         {"b", {"Bearer ${env:PATCHBAY_TEST_KEY}!", 7, nullptr}},
                         {"c", {{"d", "${env:PATCHBAY_TEST_KEY}${env:PATCHBAY_TEST_KEY}"}}}};
    auto after = resolve(before);
    ASSERT_TRUE(after) << after.error().message;
    EXPECT_EQ(*after, (Json{{"a", "s3cret"},
                            {"b", {"Bearer s3cret!", 7, nullptr}},
                            {"c", {{"d", "s3crets3cret"}}}}));
    EXPECT_EQ(before["a"], "${env:PATCHBAY_TEST_KEY}");
}

TEST_F(ReferencesTest, LeavesOrdinaryTextAlone) {
    for (const char* text : {"", "$", "${", "${}", "${name}", "$5", "${:x}", "{env:X}", "100%"}) {
        auto after = resolve(text);
        ASSERT_TRUE(after) << text;
        EXPECT_EQ(*after, text);
    }
    EXPECT_EQ(resolve("$${env:X}").value(), "${env:X}");
    EXPECT_EQ(resolve(Json{{"${env:PATCHBAY_TEST_KEY}", 1}}).value(),
              (Json{{"${env:PATCHBAY_TEST_KEY}", 1}}));
}

TEST_F(ReferencesTest, AValueIsNotLookedAtAgain) {
    EXPECT_EQ(resolve("${env:PATCHBAY_TEST_NESTED}").value(), "${env:PATCHBAY_TEST_KEY}");
}

TEST_F(ReferencesTest, AnAbsentVariableIsNamedWithItsPlace) {
    auto after =
        resolve(Json{{"keys", {"${env:PATCHBAY_TEST_KEY}", "${env:PATCHBAY_TEST_ABSENT}"}}});
    ASSERT_FALSE(after);
    EXPECT_EQ(after.error().message,
              "at /keys/1: ${env:PATCHBAY_TEST_ABSENT}: this environment variable is not set");
}

TEST_F(ReferencesTest, ErrorsNeverHoldAValue) {
    auto after = resolve("${env:PATCHBAY_TEST_KEY} ${env:PATCHBAY_TEST_ABSENT}");
    ASSERT_FALSE(after);
    EXPECT_EQ(after.error().message.find("s3cret"), std::string::npos);
}

TEST_F(ReferencesTest, UnknownKindsAndSecretsAreErrors) {
    auto unknown = resolve("${evn:PATCHBAY_TEST_KEY}");
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().message.find("${evn:PATCHBAY_TEST_KEY}"), std::string::npos);
    auto secret = resolve("${secret:api-key}");
    ASSERT_FALSE(secret);
    EXPECT_EQ(secret.error().kind, ErrorKind::unsupported);
    EXPECT_NE(secret.error().message.find("${secret:api-key}"), std::string::npos);
}

TEST_F(ReferencesTest, SecretsAreAskedForByName) {
    const SecretOf secrets = [](std::string_view name) -> Result<std::string> {
        if (name == "api-key") return std::string("k3y${env:PATCHBAY_TEST_KEY}");
        return not_found("there is no such secret");
    };
    EXPECT_EQ(resolve("Bearer ${secret:api-key}", secrets).value(),
              "Bearer k3y${env:PATCHBAY_TEST_KEY}");
    auto absent = resolve(Json{{"a", "${secret:other}"}}, secrets);
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().message, "at /a: ${secret:other}: there is no such secret");
    EXPECT_EQ(resolve_each(Json{{"a", "${secret:api-key}"}}, secrets)["a"],
              "k3y${env:PATCHBAY_TEST_KEY}");
}

TEST_F(ReferencesTest, MalformedNamesAreErrors) {
    for (const char* text : {"${env:}", "${env:1A}", "${env:A B}", "${env:PATCHBAY_TEST_KEY"}) {
        EXPECT_FALSE(resolve(text)) << text;
    }
}

TEST_F(ReferencesTest, OneOfSeveralThatCannotBeResolvedSaysSoInItsPlace) {
    const auto all = resolve_each(Json{{"good", {{"key", "${env:PATCHBAY_TEST_KEY}"}}},
                                       {"bad", {{"a", {{"key", "${env:PATCHBAY_TEST_ABSENT}"}}}}}});
    EXPECT_EQ(all["good"], (Json{{"key", "s3cret"}}));
    EXPECT_EQ(all["bad"],
              (Json{{"unresolved",
                     "at /a/key: ${env:PATCHBAY_TEST_ABSENT}: this environment variable is not "
                     "set"}}));
    EXPECT_EQ(resolve_each(Json::object()), Json::object());
}

TEST_F(ReferencesTest, ServersHaveThemAsOtherClientsWriteThem) {
    const auto all = resolve_each(Json::parse(R"({
        "plain": {"url": "${PATCHBAY_TEST_KEY}/x", "args": ["${PATCHBAY_TEST_ABSENT:-a:-b}"]},
        "empty": {"env": {"A": "${PATCHBAY_TEST_ABSENT:-}", "B": "${PATCHBAY_TEST_KEY:-b}"}},
        "named": {"command": "${env:PATCHBAY_TEST_KEY}", "cwd": "$${PATCHBAY_TEST_KEY}"},
        "none": {"description": "${} ${1} ${a b} $5"},
        "absent": {"headers": {"X": "Bearer ${PATCHBAY_TEST_ABSENT}"}},
        "asked": {"headers": {"X": "${input:key}"}}})"));
    EXPECT_EQ(all["plain"], Json::parse(R"({"url": "s3cret/x", "args": ["a:-b"]})"));
    EXPECT_EQ(all["empty"], Json::parse(R"({"env": {"A": "", "B": "s3cret"}})"));
    EXPECT_EQ(all["named"], Json::parse(R"({"command": "s3cret", "cwd": "${PATCHBAY_TEST_KEY}"})"));
    EXPECT_EQ(all["none"]["description"], "${} ${1} ${a b} $5");
    EXPECT_EQ(all["absent"]["unresolved"],
              "at /headers/X: ${PATCHBAY_TEST_ABSENT}: this environment variable is not set");
    const std::string asked = all["asked"]["unresolved"];
    EXPECT_NE(asked.find("${input:key}"), std::string::npos) << asked;
    EXPECT_NE(asked.find("${secret:NAME}"), std::string::npos) << asked;
    // Elsewhere ${NAME} is text.
    EXPECT_EQ(resolve("${PATCHBAY_TEST_KEY}").value(), "${PATCHBAY_TEST_KEY}");
}

}  // namespace
}  // namespace pb::config
