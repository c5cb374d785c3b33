// SPDX-License-Identifier: Apache-2.0
#include "catalog/catalog.h"

#include <atomic>
#include <thread>

#include "fakes.h"

namespace pb::catalog::test {
namespace {

SnapshotPtr with_tools(const std::vector<std::string>& tools) {
    return snapshot({binding_of("n", tools_provider("p", tools))});
}

FakePtr provider_of(const std::string& capability, const std::string& method,
                    const std::string& body) {
    auto provider = fake("p");
    provider->on("server/discover", R"({"capabilities":{")" + capability + R"(":{}}})")
        .on("resources/list", R"({"resources":[]})")
        .on(method, body);
    return provider;
}

TEST(Compare, SeesDefinitionsAndOrderButNotVersions) {
    EXPECT_FALSE(compare(*with_tools({"a", "b"}), *with_tools({"a", "b"})));
    EXPECT_TRUE(compare(*with_tools({"a"}), *with_tools({"a", "b"})).tools);
    EXPECT_TRUE(compare(*with_tools({"a", "b"}), *with_tools({"a"})).tools);
    EXPECT_TRUE(compare(*with_tools({"a", "b"}), *with_tools({"b", "a"})).tools);
    auto described = fake("p");
    described->on("tools/list",
                  R"({"tools":[{"name":"a","inputSchema":{"type":"object"},"title":"A"}]})");
    EXPECT_TRUE(compare(*with_tools({"a"}), *snapshot({binding_of("n", described)})).tools);
}

TEST(Compare, TellsTheKindsApart) {
    const Snapshot nothing;
    const auto resources =
        snapshot({binding_of("n", provider_of("resources", "resources/list",
                                              R"({"resources":[{"name":"n","uri":"a:b"}]})"))});
    const auto templates = snapshot({binding_of(
        "n", provider_of("resources", "resources/templates/list",
                         R"({"resourceTemplates":[{"name":"n","uriTemplate":"a:{b}"}]})"))});
    const auto prompts = snapshot(
        {binding_of("n", provider_of("prompts", "prompts/list", R"({"prompts":[{"name":"n"}]})"))});
    const auto kinds = [&](const Snapshot& after) {
        const auto changes = compare(nothing, after);
        return std::string(changes.tools ? "t" : "") + (changes.prompts ? "p" : "") +
               (changes.resources ? "r" : "");
    };
    EXPECT_EQ(kinds(*resources), "r");
    EXPECT_EQ(kinds(*templates), "r");
    EXPECT_EQ(kinds(*prompts), "p");
    EXPECT_EQ(kinds(*with_tools({"a"})), "t");
    EXPECT_EQ(kinds(nothing), "");
}

TEST(Catalog, HoldsOneSnapshotForEachOrganisation) {
    Catalog catalog;
    EXPECT_EQ(catalog.of("acme"), nullptr);
    EXPECT_TRUE(catalog.orgs().empty());
    const auto one = with_tools({"a"}), two = with_tools({"b"});
    catalog.replace("acme", one);
    catalog.replace("beta", two);
    EXPECT_EQ(catalog.of("acme"), one);
    EXPECT_EQ(catalog.of("beta"), two);
    EXPECT_EQ(catalog.orgs(), (Names{"acme", "beta"}));
    catalog.replace("acme", two);
    EXPECT_EQ(catalog.of("acme"), two);
    EXPECT_EQ(names(one->tools), (Names{"n__a"}));  // whoever holds the old one still can use it
    catalog.replace("acme", nullptr);
    EXPECT_EQ(catalog.of("acme"), nullptr);
    EXPECT_EQ(catalog.orgs(), (Names{"beta"}));
}

TEST(Catalog, TellsEveryListenerWhatChangedAfterItIsInPlace) {
    Catalog catalog;
    std::vector<std::string> heard;
    for (const std::string who : {"1", "2"}) {
        catalog.listen({.lists_changed =
                            [&, who](const std::string& org, const Changes& changes) {
                                heard.push_back(who + org + (changes.tools ? " tools" : "") +
                                                (catalog.of(org) ? " there" : " gone"));
                            },
                        .resource_updated =
                            [&, who](const std::string& org, const std::string& uri) {
                                heard.push_back(who + org + " " + uri);
                            }});
    }
    catalog.listen({});  // one that wants nothing
    catalog.replace("acme", with_tools({"a"}));
    EXPECT_EQ(heard, (Names{"1acme tools there", "2acme tools there"}));
    heard.clear();
    catalog.replace("acme", with_tools({"a"}));  // the same again: no news
    catalog.replace("beta", nullptr);
    EXPECT_TRUE(heard.empty());
    catalog.resource_updated("acme", "n+a:b");
    EXPECT_EQ(heard, (Names{"1acme n+a:b", "2acme n+a:b"}));
    heard.clear();
    catalog.replace("acme", nullptr);
    EXPECT_EQ(heard, (Names{"1acme tools gone", "2acme tools gone"}));
}

TEST(Catalog, ListenersMayReplaceAgain) {
    Catalog catalog;
    const auto last = with_tools({"z"});
    catalog.listen({.lists_changed = [&](const std::string& org,
                                         const Changes&) { catalog.replace(org, last); },
                    .resource_updated = {}});
    catalog.replace("acme", with_tools({"a"}));
    EXPECT_EQ(catalog.of("acme"), last);
}

// For the thread sanitizer as much as for the assertions: every reader sees a whole snapshot.
TEST(Catalog, ReadersSeeWholeSnapshotsDuringReplacement) {
    Catalog catalog;
    const auto one = with_tools({"a"}), two = with_tools({"a", "b"});
    catalog.replace("acme", one);
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0}, reads{0};
    std::vector<std::jthread> readers;
    for (int i = 0; i < 4; ++i) {
        readers.emplace_back([&] {
            while (!stop) {
                const auto now = catalog.of("acme");
                const bool whole = now && now->tool("n__a") &&
                                   (now->tool("n__b") != nullptr) == (now->tools.size() == 2);
                if (!whole) ++wrong;
                ++reads;
            }
        });
    }
    std::vector<std::jthread> writers;
    for (int i = 0; i < 2; ++i) {
        writers.emplace_back([&, i] {
            for (int n = 0; n < 300; ++n) {
                catalog.replace("acme", n % 2 ? one : two);
                catalog.replace("org" + std::to_string(i), n % 3 ? one : nullptr);
            }
        });
    }
    writers.clear();  // joins
    while (reads < 1000)
        std::this_thread::yield();
    stop = true;
    readers.clear();
    EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace pb::catalog::test
