// SPDX-License-Identifier: Apache-2.0
// Plugins of other versions of the header: minor ones load, major ones are refused.
#include "abi/bench.h"

namespace pb::abi {
namespace {

std::string refusal(Bench& bench, const std::string& name) {
    auto loaded = bench.load(name);
    return loaded ? "accepted" : loaded.error().message;
}

TEST(Versions, ANewerMinorWorksWithoutWhatThisHostLacks) {
    Bench bench;
    auto provider = bench.start("newer");
    const json seen = bench.tool(provider, "look").structured();
    EXPECT_EQ(seen.at("minor"), PATCHBAY_ABI_MINOR);
    EXPECT_EQ(seen.at("knows_later"), false);
    EXPECT_EQ(seen.at("has_store"), true);
    EXPECT_EQ(seen.at("has_dreams"), false);
    EXPECT_EQ(seen.at("has_next_store"), false);
    EXPECT_TRUE(bench.end(provider));
}

// A table without even the optional member of 1.0, on the edge of a page.
TEST(Versions, OfAnOlderMinorNothingBehindItsTableIsRead) {
    Bench bench;
    auto provider = bench.start("older");
    EXPECT_EQ(bench.call(provider, "anything", {{"a", 1}}).body, R"({"a":1})");
    // Has no cancel() to be told.
    auto witness = bench.begin(provider, "anything");
    provider->cancel(witness->id());
    EXPECT_TRUE(bench.end(provider));
}

TEST(Versions, ATableWithoutARequiredMemberIsRefusedUnread) {
    Bench bench;
    EXPECT_NE(refusal(bench, "only_version").find("too small: struct_size is 8"),
              std::string::npos);
    EXPECT_NE(refusal(bench, "no_handle").find("too small"), std::string::npos);
}

TEST(Versions, AnotherMajorIsRefusedThoughTheManifestSaysOtherwise) {
    Bench bench;
    const std::string reason = refusal(bench, "next_major");
    EXPECT_NE(reason.find("plugin ABI 2"), std::string::npos) << reason;
    EXPECT_NE(reason.find("speaks 1.x"), std::string::npos) << reason;
}

}  // namespace
}  // namespace pb::abi
