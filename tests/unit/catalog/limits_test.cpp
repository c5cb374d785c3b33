// SPDX-License-Identifier: Apache-2.0
// Pages and what bounds them.
#include <atomic>

#include "fakes.h"

namespace pb::catalog::test {
namespace {

std::string page(const std::vector<std::string>& tools, const std::string& cursor) {
    auto text = list_text("tools", tools);
    text.pop_back();
    return text + R"(,"nextCursor":")" + cursor + "\"}";
}

TEST(Pages, AreFollowedInOrderWithTheProvidersCursor) {
    auto provider = fake("p");
    provider->on("tools/list", [](std::string_view params) -> Result<std::string> {
        if (params == "{}") return page({tool_text("a")}, R"(two \"\u00e9)");
        if (params == R"({"cursor":"two \"\u00e9"})") return page({tool_text("b")}, "");
        if (params == R"({"cursor":""})") return list_text("tools", {tool_text("c")});
        return invalid("unknown cursor " + std::string(params));
    });
    EXPECT_EQ(names(snapshot({binding_of("n", provider)})->tools), (Names{"n__a", "n__b", "n__c"}));
}

TEST(Pages, ThatNeverEndAreCutOff) {
    auto provider = fake("endless");
    std::atomic<int> asked{0};
    provider->on("tools/list", [&](std::string_view) -> Result<std::string> {
        const auto n = std::to_string(asked++);
        return page({tool_text("t" + n)}, n);
    });
    const auto outcome =
        build({binding_of("n", provider), binding_of("ok", tools_provider("ok", {"a"}))});
    EXPECT_EQ(asked, 100);
    EXPECT_EQ(outcome.snapshot->tools.size(), 101u);
    ASSERT_EQ(outcome.warnings.size(), 1u);
    EXPECT_NE(outcome.warnings[0].find("do not end"), std::string::npos);
}

TEST(Pages, ThatPointToThemselvesAreAskedOnce) {
    auto provider = fake("stuck");
    std::atomic<int> asked{0};
    provider->on("tools/list", [&](std::string_view) -> Result<std::string> {
        ++asked;
        return page({tool_text("t" + std::to_string(asked))}, "same");
    });
    const auto outcome = build({binding_of("n", provider)});
    EXPECT_EQ(asked, 2);
    EXPECT_EQ(outcome.warnings.size(), 1u);
}

TEST(Pages, ThatFailLaterFailTheBinding) {
    auto provider = fake("half");
    provider->on("tools/list", [](std::string_view params) -> Result<std::string> {
        if (params == "{}") return page({tool_text("a")}, "2");
        return Error{ErrorKind::unsupported, "not that page"};
    });
    const auto outcome = build({binding_of("n", provider)});
    EXPECT_TRUE(outcome.snapshot->tools.empty());
    EXPECT_EQ(outcome.warnings.size(), 1u);
}

TEST(Limits, OfEntriesKeepWhatFits) {
    const auto outcome =
        build({binding_of("n", tools_provider("p", {"a", "b", "c"}))}, nullptr, {.entries = 2});
    EXPECT_EQ(names(outcome.snapshot->tools), (Names{"n__a", "n__b"}));
    EXPECT_EQ(outcome.warnings.size(), 1u);
    EXPECT_TRUE(build({binding_of("n", tools_provider("p", {"a", "b"}))}, nullptr, {.entries = 2})
                    .warnings.empty());
}

TEST(Limits, OfBytesKeepWhatFits) {
    const auto size =
        tool_text("a").size() +
        snapshot({binding_of("n", tools_provider("p", {"a"}))})->tools[0].input->size();
    const auto outcome = build({binding_of("n", tools_provider("p", {"a", "b", "c"}))}, nullptr,
                               {.bytes = 2 * size});
    EXPECT_EQ(names(outcome.snapshot->tools), (Names{"n__a", "n__b"}));
    EXPECT_EQ(outcome.warnings.size(), 1u);
}

TEST(Limits, OfBytesCountWhatSchemasBecome) {
    std::string zeros = "0";
    for (int i = 0; i < 1'000; ++i)
        zeros += ",0";
    auto provider = fake("p");
    provider->on("tools/list",
                 list_text("tools", {R"({"name":"a","inputSchema":{"type":"object","enum":[)" +
                                     zeros + "]}}"}));
    const auto kept = [&](std::size_t bytes) {
        return build({binding_of("n", provider)}, nullptr, {.bytes = bytes}).snapshot->tools.size();
    };
    EXPECT_EQ(kept(1'000'000), 1u);
    EXPECT_EQ(kept(10 * zeros.size()), 0u);  // each number is many times its text
}

TEST(Limits, OfTimeEndABindingBetweenPages) {
    auto provider = fake("slow");
    std::atomic<int> asked{0};
    provider->on("tools/list", [&](std::string_view) -> Result<std::string> {
        ++asked;
        return page({}, std::to_string(asked));
    });
    const auto outcome =
        build({binding_of("n", provider)}, nullptr, {.time = std::chrono::milliseconds(0)});
    EXPECT_EQ(asked, 0);
    ASSERT_EQ(outcome.warnings.size(), 1u);
    EXPECT_NE(outcome.warnings[0].find("too long"), std::string::npos);
}

TEST(Limits, OfWarningsCountTheRest) {
    auto provider = fake("noisy");
    provider->on("tools/list", list_text("tools", std::vector<std::string>(500, "{}")));
    const auto outcome = build({binding_of("n", provider)});
    ASSERT_EQ(outcome.warnings.size(), 21u);
    EXPECT_NE(outcome.warnings.back().find("480"), std::string::npos);
}

TEST(Limits, OfNamesAndInstructionsHold) {
    auto provider = tools_provider("p", {std::string(2000, 'x'), "a"});
    provider->on("server/discover", R"({"capabilities":{"tools":{}},"instructions":")" +
                                        std::string(20'000, 'i') + "\"}");
    const auto outcome = build({binding_of("n", provider)});
    EXPECT_EQ(names(outcome.snapshot->tools), (Names{"n__a"}));
    EXPECT_TRUE(outcome.snapshot->instructions.empty());
    ASSERT_EQ(outcome.warnings.size(), 2u);
    for (const auto& warning : outcome.warnings)
        EXPECT_LT(warning.size(), 400u);
}

}  // namespace
}  // namespace pb::catalog::test
