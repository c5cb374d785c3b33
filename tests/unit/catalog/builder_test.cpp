// SPDX-License-Identifier: Apache-2.0
// Merging: collisions, order, failures of single bindings, what discovery says.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "fakes.h"

namespace pb::catalog::test {
namespace {

// The one warning names both owners and what they clash over; the second one is left out.
void expect_clash(const CatalogBuilder::Outcome& outcome, const std::shared_ptr<Provider>& refused,
                  std::initializer_list<const char*> parts) {
    ASSERT_EQ(outcome.warnings.size(), 1u);
    for (const auto* part : parts)
        EXPECT_NE(outcome.warnings[0].find(part), std::string::npos) << outcome.warnings[0];
    ASSERT_EQ(outcome.unlisted.size(), 1u);
    EXPECT_EQ(outcome.unlisted[0], refused);
}

TEST(Collision, OfNamespacesLeavesTheSecondOutNamingBoth) {
    const auto second = tools_provider("two@2", {"b"});
    const auto outcome = build({binding_of("w", tools_provider("one@1", {"a"}), "weather"),
                                binding_of("w", second, "winds"),
                                binding_of("a", tools_provider("three@3", {"c"}))});
    expect_clash(outcome, second, {"'w'", "weather", "one@1", "winds", "two@2"});
    EXPECT_EQ(names(outcome.snapshot->tools), (Names{"a__c", "w__a"}));
}

TEST(Collision, OfCapabilitiesLeavesTheSecondOut) {
    const auto second = tools_provider("two@2", {"b"});
    const auto outcome = build({binding_of("a", tools_provider("one@1", {"a"}), "mcp:x"),
                                binding_of("b", second, "mcp:x")});
    expect_clash(outcome, second, {"mcp:x", "one@1", "two@2"});
}

TEST(Collision, OfNamesLeavesTheSecondOutNamingBoth) {
    const auto second = tools_provider("two@2", {"x", "y"});
    const auto outcome = build({binding_of("", tools_provider("one@1", {"b__x"}), "first"),
                                binding_of("b", second, "second")});
    expect_clash(outcome, second, {"'b__x'", "first", "one@1", "second", "two@2"});
    EXPECT_EQ(names(outcome.snapshot->tools), (Names{"b__x"})) << "all of it or nothing";
}

TEST(Collision, IsWonByTheFirstWhateverTheirOrderInTheCatalog) {
    const auto last = tools_provider("z@1", {"x"});
    const auto outcome = build(
        {binding_of("z", tools_provider("one@1", {"x"}), "first"), binding_of("", last, "last")});
    EXPECT_TRUE(outcome.unlisted.empty());
    const auto clash = build({binding_of("z", tools_provider("one@1", {"x"}), "first"),
                              binding_of("", tools_provider("two@2", {"z__x"}), "a")});
    EXPECT_EQ(clash.snapshot->tools.at(0).binding->capability, "first");
}

TEST(Collision, OfResourcesAndPromptsToo) {
    for (const std::string kind : {"resources", "prompts"}) {
        const auto one = [&](const char* label) {
            auto provider = fake(label);
            provider->on("server/discover", R"({"capabilities":{")" + kind + R"(":{}}})")
                .on(kind + "/list", list_text(kind, {R"({"name":"n","uri":"a:b"})"}));
            return provider;
        };
        EXPECT_EQ(build({binding_of("", one("one"), "x"), binding_of("", one("two"), "y")})
                      .unlisted.size(),
                  1u)
            << kind;
        EXPECT_TRUE(build({binding_of("a", one("one"), "x"), binding_of("b", one("two"), "y")})
                        .unlisted.empty())
            << kind;
    }
}

TEST(Collision, OfRoutesLeavesTheSecondOut) {
    auto first = binding_of("a", tools_provider("one@1", {"a"}));
    auto second = binding_of("b", tools_provider("two@2", {"b"}));
    first.routes = {{"/api/a", Route::Access::admin}, {"/api/a", Route::Access::read}};
    second.routes = {{"/api/b", Route::Access::read}, {"/api/a", Route::Access::read}};
    expect_clash(build({first, second}), second.provider, {"/api/a", "one@1", "two@2"});
}

TEST(Namespaces, MalformedOnesAreLeftOut) {
    const auto bad = tools_provider("one@1", {"a"});
    expect_clash(build({binding_of("a__b", bad)}), bad, {"one@1", "a__b"});
}

// Of three, one is asked: the others' entries are those of before, the very same schemas.
TEST(Partial, OnlyThoseAreAskedThatAreWanted) {
    const auto one = tools_provider("one", {"a"});
    const auto two = tools_provider("two", {"a"});
    const auto bindings =
        std::vector{binding_of("one", one), binding_of("two", two), binding_of("new", fake("new"))};
    const auto before = snapshot({bindings[0], bindings[1]});
    one->on("tools/list", list_text("tools", {tool_text("a"), tool_text("b")}));
    two->fails("tools/list");
    const auto outcome = CatalogBuilder(ask_fake).build(
        "acme", bindings, before, {}, [&](const auto& binding) { return binding.provider == one; });
    EXPECT_EQ(names(outcome.snapshot->tools), (Names{"one__a", "one__b", "two__a"}));
    EXPECT_EQ(outcome.snapshot->tool("two__a")->input, before->tool("two__a")->input);
    EXPECT_NE(outcome.snapshot->tool("one__a")->input, before->tool("one__a")->input);
    EXPECT_TRUE(outcome.warnings.empty());
    ASSERT_EQ(outcome.unlisted.size(), 1u) << "nothing is known of one that was never asked";
    EXPECT_EQ(outcome.unlisted[0], bindings[2].provider);
}

TEST(Namespaces, SeveralMayBeEmpty) {
    const auto built = snapshot({binding_of("", tools_provider("one", {"a", "c"}), "y"),
                                 binding_of("", tools_provider("two", {"b"}), "x")});
    EXPECT_EQ(names(built->tools), (Names{"b", "a", "c"}));
}

TEST(Order, IsNamespacesByBytesAndThenTheProvidersOwn) {
    const auto bindings = [] {
        return std::vector{binding_of("b", tools_provider("b", {"z", "a", "m"})),
                           binding_of("a-z", tools_provider("a-z", {"q"})),
                           binding_of("a_b", tools_provider("a_b", {"q"})),
                           binding_of("a", tools_provider("a", {"2", "1"}))};
    };
    const Names expected = {"a__2", "a__1", "a-z__q", "a_b__q", "b__z", "b__a", "b__m"};
    EXPECT_EQ(names(snapshot(bindings())->tools), expected);
    auto reversed = bindings();
    std::reverse(reversed.begin(), reversed.end());
    EXPECT_EQ(names(snapshot(std::move(reversed))->tools), expected);
}

TEST(Order, AddingAServerRenamesNothing) {
    const auto first =
        binding_of("one", tools_provider("one", {"a", "odd name", std::string(90, 'x')}));
    const auto alone = snapshot({first});
    const auto both =
        snapshot({first, binding_of("another", tools_provider("two", {"a", "odd name"}))}, alone);
    ASSERT_EQ(both->tools.size(), 5u);
    for (const auto& tool : alone->tools) {
        const auto* same = both->tool(tool.exposed);
        ASSERT_TRUE(same) << tool.exposed;
        EXPECT_EQ(same->definition, tool.definition);
    }
}

TEST(Discovery, SaysWhatIsAsked) {
    auto provider = fake("p");
    std::atomic<int> tools_asked{0};
    provider
        ->on("server/discover",
             R"({"capabilities":{"prompts":{},"resources":{"subscribe":true},"completions":{}},
                "instructions":"Be \u00e9xact."})")
        .on("tools/list",
            [&](std::string_view) -> Result<std::string> {
                ++tools_asked;
                return std::string(R"({"tools":[]})");
            })
        .on("resources/list", R"({"resources":[]})")
        .on("prompts/list", R"({"prompts":[{"name":"ask"}]})");
    const auto built = snapshot({binding_of("p", provider)});
    ASSERT_EQ(built->bindings.size(), 1u);
    const auto& binding = *built->bindings[0];
    EXPECT_FALSE(binding.tools);
    EXPECT_TRUE(binding.prompts && binding.resources && binding.completions &&
                binding.resource_subscriptions);
    EXPECT_EQ(built->instructions, "Be \xC3\xA9xact.");
    EXPECT_EQ(tools_asked, 0);
    EXPECT_EQ(names(built->prompts), (Names{"p__ask"}));
    ASSERT_TRUE(built->prompt("p__ask"));
    EXPECT_EQ(built->prompt("p__ask")->local, "ask");
}

TEST(Discovery, UnsupportedMeansToolsOnly) {
    const auto built = snapshot({binding_of("p", tools_provider("p", {"a"}))});
    ASSERT_EQ(built->bindings.size(), 1u);
    EXPECT_TRUE(built->bindings[0]->tools);
    EXPECT_FALSE(built->bindings[0]->resources || built->bindings[0]->prompts);
}

TEST(Merge, ListPolicyIsTheMostPrivateAndTheShortest) {
    auto one = binding_of("a", tools_provider("a", {}));
    auto two = binding_of("b", tools_provider("b", {}));
    one.lists = {.is_private = false, .ttl_ms = 900'000};
    EXPECT_EQ(snapshot({one})->lists.ttl_ms, 900'000);
    EXPECT_FALSE(snapshot({one})->lists.is_private);
    two.lists = {.is_private = true, .ttl_ms = 5'000};
    EXPECT_EQ(snapshot({one, two})->lists.ttl_ms, 5'000);
    EXPECT_TRUE(snapshot({one, two})->lists.is_private);
    EXPECT_EQ(snapshot({two, one})->lists.ttl_ms, 5'000);
    EXPECT_EQ(snapshot({})->lists.ttl_ms, ListPolicy{}.ttl_ms);
}

TEST(Merge, InstructionsOfSeveralSayWhose) {
    const auto speaker = [](const char* text) {
        auto provider = fake("p");
        provider->on("server/discover",
                     R"({"capabilities":{},"instructions":")" + std::string(text) + "\"}");
        return provider;
    };
    EXPECT_EQ(snapshot({binding_of("b", speaker("Two.")), binding_of("a", speaker("One."))})
                  ->instructions,
              "a__*: One.\n\nb__*: Two.");
    const auto built = CatalogBuilder(ask_fake).build("acme", {binding_of("a", speaker("One."))},
                                                      nullptr, "Ours.");
    EXPECT_EQ(built.snapshot->instructions, "Ours.\n\nOne.");
}

TEST(Merge, VersionsGrow) {
    const auto first = snapshot({});
    const auto second = snapshot({}, first);
    EXPECT_GT(first->version, 0u);
    EXPECT_GT(second->version, first->version);
    EXPECT_EQ(second->org, "acme");
}

class FailingBinding : public testing::TestWithParam<const char*> {};

TEST_P(FailingBinding, LeavesTheOthersAndKeepsItsPreviousEntries) {
    auto flaky = fake("flaky@1");
    const auto healthy = [&] {
        flaky->on("server/discover", R"({"capabilities":{"tools":{},"resources":{},"prompts":{}}})")
            .on("tools/list", list_text("tools", {tool_text("x"), tool_text("y")}))
            .on("resources/list", R"({"resources":[{"name":"n","uri":"a:b"}]})")
            .on("resources/templates/list",
                R"({"resourceTemplates":[{"name":"n","uriTemplate":"a:{c}"}]})")
            .on("prompts/list", R"({"prompts":[{"name":"ask"}]})");
    };
    healthy();
    const auto before = snapshot(
        {binding_of("flaky", flaky), binding_of("steady", tools_provider("steady", {"a"}))});
    flaky->fails(GetParam());

    const auto after = build(
        {binding_of("flaky", flaky), binding_of("steady", tools_provider("steady", {"a", "b"}))},
        before);
    const auto& kept = *after.snapshot;
    EXPECT_EQ(names(kept.tools), (Names{"flaky__x", "flaky__y", "steady__a", "steady__b"}));
    EXPECT_EQ(names(kept.resources), (Names{"flaky+a:b"}));
    EXPECT_EQ(names(kept.templates), (Names{"flaky+a:{c}"}));
    EXPECT_EQ(names(kept.prompts), (Names{"flaky__ask"}));
    EXPECT_EQ(kept.bindings.size(), 2u);
    ASSERT_EQ(after.warnings.size(), 1u);
    EXPECT_NE(after.warnings[0].find("flaky@1"), std::string::npos);
    EXPECT_NE(after.warnings[0].find("it is broken"), std::string::npos);

    // Another provider, or another namespace: what the old one said does not count.
    for (const auto& changed : {binding_of("flaky", flaky), binding_of("other", flaky)}) {
        auto binding = changed;
        if (binding.name_space == "flaky") {
            binding.provider = fake("flaky@2");
            static_cast<FakeProvider&>(*binding.provider).fails("server/discover");
        }
        const auto fresh =
            build({binding, binding_of("steady", tools_provider("steady", {"a"}))}, before);
        EXPECT_EQ(names(fresh.snapshot->tools), (Names{"steady__a"}));
        EXPECT_EQ(fresh.snapshot->bindings.size(), 1u);
        EXPECT_EQ(fresh.warnings.size(), 1u);
    }

    healthy();
    const auto again = snapshot({binding_of("flaky", flaky)}, after.snapshot);
    EXPECT_EQ(names(again->tools), (Names{"flaky__x", "flaky__y"}));
}

INSTANTIATE_TEST_SUITE_P(EveryMethod, FailingBinding,
                         testing::Values("server/discover", "tools/list", "resources/list",
                                         "resources/templates/list", "prompts/list"));

TEST(FailingProvider, MayAnswerNonsense) {
    for (const std::string body :
         {"", "{", "[]", "{}", R"({"tools":{}})", R"({"tools":null})", "\xFF"}) {
        auto odd = fake("odd");
        odd->on("tools/list", body);
        const auto outcome =
            build({binding_of("odd", odd), binding_of("ok", tools_provider("ok", {"a"}))});
        EXPECT_EQ(names(outcome.snapshot->tools), (Names{"ok__a"})) << body;
        EXPECT_EQ(outcome.warnings.size(), 1u) << body;
    }
}

TEST(FailingProvider, MayThrowOrBeAbsent) {
    auto thrower = fake("thrower");
    thrower->on("tools/list", [](std::string_view) -> Result<std::string> {
        throw std::runtime_error("thrown by the asker");
    });
    const auto outcome =
        build({binding_of("a", thrower), binding_of("b", nullptr), binding_of("c", nullptr),
               binding_of("ok", tools_provider("ok", {"a"}))});
    EXPECT_EQ(names(outcome.snapshot->tools), (Names{"ok__a"}));
    EXPECT_EQ(outcome.warnings.size(), 3u);
}

// Each of the eight answers only when all eight are being asked: one after the other would hang.
TEST(Parallel, BindingsAreAskedAtTheSameTime) {
    std::mutex mutex;
    std::condition_variable all_here;
    int here = 0;
    std::vector<Binding> bindings;
    for (int i = 0; i < 8; ++i) {
        auto provider = fake("p" + std::to_string(i));
        provider->on("tools/list", [&](std::string_view) -> Result<std::string> {
            std::unique_lock lock(mutex);
            ++here;
            all_here.notify_all();
            all_here.wait(lock, [&] { return here >= 8; });
            return list_text("tools", {tool_text("a")});
        });
        bindings.push_back(binding_of("n" + std::to_string(i), provider));
    }
    EXPECT_EQ(snapshot(std::move(bindings))->tools.size(), 8u);
}

TEST(Parallel, IsBounded) {
    std::mutex mutex;
    std::condition_variable third;
    std::set<std::thread::id> threads;
    std::vector<Binding> bindings;
    for (int i = 0; i < 40; ++i) {
        auto provider = fake("p" + std::to_string(i));
        provider->on("tools/list", [&](std::string_view) -> Result<std::string> {
            std::unique_lock lock(mutex);
            threads.insert(std::this_thread::get_id());
            third.notify_all();
            third.wait(lock, [&] { return threads.size() >= 3; });
            lock.unlock();
            std::this_thread::sleep_for(std::chrono::milliseconds(1));  // a fourth would come
            return list_text("tools", {tool_text("a")});
        });
        bindings.push_back(binding_of("n" + std::to_string(i), provider));
    }
    auto outcome = build(std::move(bindings), nullptr, {.parallel = 3});
    EXPECT_EQ(outcome.snapshot->tools.size(), 40u);
    EXPECT_EQ(threads.size(), 3u);
}

TEST(Withheld, IsCallableAndNotListed) {
    auto provider = fake("one@1");
    const auto tools = list_text("tools", {tool_text("a")});
    provider->on("tools/list", tools.substr(0, tools.size() - 1) +
                                   R"(,"_meta":{"patchbay/withheld":["b","a",7,{}]}})");
    const std::vector<Binding> bindings{binding_of("n", provider)};
    const auto outcome = build(bindings);
    EXPECT_EQ(names(outcome.snapshot->tools), Names{"n__a"});
    ASSERT_NE(outcome.snapshot->tool("n__b"), nullptr);
    EXPECT_TRUE(outcome.snapshot->tool("n__b")->withheld);
    EXPECT_EQ(outcome.snapshot->tool("n__b")->local, "b");
    EXPECT_FALSE(outcome.snapshot->tool("n__a")->withheld);
    EXPECT_EQ(outcome.warnings.size(), 3U);  // "a" twice, and what are no names
    // What is kept, and laid over another, keeps it.
    const auto both = overlay(*build({binding_of("m", tools_provider("two@1", {"x"}))}).snapshot,
                              *outcome.snapshot);
    EXPECT_EQ(names(both->tools), (Names{"m__x", "n__a"}));
    EXPECT_NE(both->tool("n__b"), nullptr);
    // That it is withheld now is a change of nobody's list.
    EXPECT_FALSE(compare(*build({binding_of("n", tools_provider("one@1", {"a"}))}).snapshot,
                         *outcome.snapshot)
                     .tools);
}

}  // namespace
}  // namespace pb::catalog::test
