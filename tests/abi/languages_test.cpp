// SPDX-License-Identifier: Apache-2.0
// Plugins of other languages, compilers and standard libraries, beside each other in one process.
#include "abi/bench.h"

namespace pb::abi {
namespace {

// What plugin/runtime.cpp does with exceptions, types, threads and streams comes out right only if
// it meets no part of another runtime.
void expect_sound(const Answer& answer) {
    ASSERT_EQ(answer.status, Status::ok) << answer.body;
    const json seen = answer.structured();
    EXPECT_EQ(seen.value("caught", ""), "from the depth");
    EXPECT_EQ(seen.value("carried", ""), "carried from the depth");
    EXPECT_EQ(seen.value("types", ""), "circle");
    EXPECT_EQ(seen.value("threads", 0), 4);
    EXPECT_EQ(seen.value("formatted", ""), "3.14 ff");
}

TEST(Languages, PlainCListsAndAnswers) {
    auto end = patchbay(
        {"tools", "list", "--plugins", EXAMPLE_PLUGINS, "--data", TempFolder() / "data", "--json"});
    ASSERT_EQ(end.exit_code, 0) << end.errors;
    EXPECT_NE(end.output.find("text_tools__word_count"), std::string::npos) << end.output;
    House house;
    house.put("text_tools.so", plugin::read(EXAMPLE_PLUGINS "/text_tools.so"));
    Answer answer;
    ASSERT_TRUE(eventually([&] {
        answer = house.tool("text_tools__word_count", {{"text", "one two three"}});
        return answer.status == Status::ok;
    })) << answer.body;
    EXPECT_EQ(answer.structured().value("words", 0), 3) << answer.body;
}

class Runtimes : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(Runtimes, LoadAndAnswer) {
    Bench bench;
    const auto [name, built_with] = GetParam();
    auto provider = bench.start(name);
    EXPECT_EQ(bench.tool(provider, "built_with").text(), built_with);
    expect_sound(bench.tool(provider, "exercise"));
    auto failed = bench.tool(provider, "fail");
    EXPECT_EQ(failed.status, Status::ok);
    EXPECT_TRUE(failed.value().value("isError", false)) << failed.body;
    EXPECT_NE(failed.text().find(std::string("in ") + built_with), std::string::npos);
    EXPECT_TRUE(bench.end(provider));
}
INSTANTIATE_TEST_SUITE_P(, Runtimes,
                         testing::Values(std::pair("runtime_host", HOST_COMPILER " libstdc++"),
                                         std::pair("clang_libstdcxx", "clang libstdc++"),
                                         std::pair("clang_libcxx", "clang libc++")),
                         [](const auto& each) { return std::string(each.param.first); });

TEST(Languages, AllRuntimesWorkInOneProcessAtOnce) {
    Bench bench;
    std::vector<ProviderPtr> providers;
    for (const char* name : {"runtime_host", "clang_libcxx", "clang_libstdcxx"})
        providers.push_back(bench.start(name));
    std::vector<std::thread> threads;
    for (int each = 0; each < 4; ++each)
        threads.emplace_back([&] {
            for (int round = 0; round < 10; ++round)
                for (const auto& provider : providers) {
                    // Its threads are counted for the whole image, and others make some too.
                    json seen = bench.tool(provider, "exercise").structured();
                    EXPECT_EQ(seen.value("carried", ""), "carried from the depth");
                    EXPECT_TRUE(bench.tool(provider, "fail").value().value("isError", false));
                }
        });
    for (auto& thread : threads)
        thread.join();
    for (auto& provider : providers)
        EXPECT_TRUE(bench.end(provider));
}

TEST(Languages, ADynamicLibcxxIsRefusedWithAdvice) {
    Bench bench;
    auto refused = bench.load("clang_dynamic");
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message.find("libc++"), std::string::npos);
    EXPECT_NE(refused.error().message.find("patchbay_add_plugin"), std::string::npos);
}

}  // namespace
}  // namespace pb::abi
