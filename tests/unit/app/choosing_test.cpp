// SPDX-License-Identifier: Apache-2.0
// What a person is shown to choose among: what manifests name, what capabilities answer, and that
// one which does not answer holds up nobody.
#include "app/choosing.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string_view>

#include "../catalog/fakes.h"
#include "../plugin/support.h"

namespace pb::app {
namespace {

using catalog::Binding;
using plugin::Signal;
using Ids = std::vector<std::string>;

constexpr std::string_view asked_for = "patchbay/access/choices";

Ids ids(const std::vector<oauth::Choosable>& choices) {
    Ids out;
    for (const auto& each : choices)
        out.push_back(each.id);
    return out;
}

class ChoosingTest : public testing::Test {
  protected:
    // Ends before what questions that still run stand on.
    ~ChoosingTest() override { go_on.raise(); }

    Binding& add(const std::string& name_space, catalog::test::Answer answer = nullptr) {
        auto provider = catalog::test::fake(name_space);
        if (answer) provider->on(std::string(asked_for), std::move(answer));
        auto& made = bindings.emplace_back();
        made.capability = "the " + name_space;
        made.name_space = name_space;
        made.provider = std::move(provider);
        return made;
    }
    static catalog::test::Answer says(const std::string& body) {
        return [body](std::string_view) -> Result<std::string> { return body; };
    }
    void serve() {
        auto snapshot = std::make_shared<catalog::Snapshot>();
        for (const auto& each : bindings)
            snapshot->bindings.push_back(std::make_shared<const Binding>(each));
        catalog.replace("acme", snapshot);
    }
    oauth::Choices look() {
        serve();
        return Choosing(catalog, workers, ask, plugin::long_enough).in("acme");
    }

    catalog::Ask ask = [this](const auto& provider, const std::string& org, std::string_view method,
                              std::string_view params) -> Result<std::string> {
        EXPECT_EQ(org, "acme");
        EXPECT_EQ(params, "{}");
        ++questions;
        return dynamic_cast<catalog::test::FakeProvider&>(*provider).ask(method, params);
    };
    std::atomic<int> questions = 0;
    Signal go_on;
    std::vector<Binding> bindings;
    catalog::Catalog catalog;
    Workers workers;
};

TEST_F(ChoosingTest, NamespacesAreNamedAsTheirCapabilitiesAre) {
    auto& wiki = add("wiki");
    wiki.title = "Wiki";
    wiki.description = "Pages";
    add("");
    const auto seen = look();
    ASSERT_EQ(seen.namespaces.size(), 1u) << "without a namespace there is no scope for it";
    EXPECT_EQ(seen.namespaces[0].id, "wiki");
    EXPECT_EQ(seen.namespaces[0].title, "Wiki");
    EXPECT_EQ(seen.namespaces[0].text, "Pages");
    EXPECT_EQ(questions, 0) << "nobody is asked who does not say so";
    EXPECT_TRUE(
        Choosing(catalog, workers, ask, plugin::long_enough).in("other").namespaces.empty());
}

TEST_F(ChoosingTest, WhatIsNamedAndWhatIsAnsweredComeTogether) {
    add("a").choices.sources.named = {{"crm", "Customers", "All"}, {"mail", "", ""}};
    auto& asked = add("b", says(R"({"sources":[{"id":"crm","title":"other"},{"id":"files"}],
                                    "objects":[{"id":"not asked for"}]})"));
    asked.choices.sources.asked = true;
    asked.choices.objects.named = {{"note", "Notes", ""}};
    auto seen = look();
    // An answer is taken whole or not at all, also of what it was not asked for.
    EXPECT_EQ(ids(seen.sources), (Ids{"crm", "mail"}));
    bindings.back().provider = catalog::test::fake("b");
    dynamic_cast<catalog::test::FakeProvider&>(*bindings.back().provider)
        .on(std::string(asked_for), R"({"sources":[{"id":"crm","title":"other"},{"id":"files"}],
                                        "objects":[{"id":"unasked"}]})");
    seen = look();
    EXPECT_EQ(ids(seen.sources), (Ids{"crm", "mail", "files"}));
    EXPECT_EQ(seen.sources[0].title, "Customers") << "the first one's";
    EXPECT_EQ(ids(seen.objects), Ids{"note"});
}

TEST_F(ChoosingTest, WhoAnswersWronglyOrNotCostsTheOthersNothing) {
    for (const char* body : {"", "[]", R"({"sources":true})", R"({"sources":[{"id":"a b"}]})"})
        add("wrong" + std::to_string(bindings.size()), says(body)).choices.sources.asked = true;
    add("silent").choices.sources.asked = true;
    add("well", says(R"({"sources":[{"id":"crm"}]})")).choices.sources.asked = true;
    const auto seen = look();
    EXPECT_EQ(ids(seen.sources), Ids{"crm"});
    EXPECT_EQ(seen.namespaces.size(), bindings.size());
}

TEST_F(ChoosingTest, NobodyIsWaitedForLongNorAskedTwice) {
    auto& hung = add("hung", [this](std::string_view) -> Result<std::string> {
        go_on.wait();
        return std::string(R"({"sources":[{"id":"late"}]})");
    });
    hung.choices.sources.asked = true;
    add("well").choices.sources.named = {{"crm", "", ""}};
    serve();
    Choosing choosing(catalog, workers, ask, std::chrono::milliseconds(1));
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(ids(choosing.in("acme").sources), Ids{"crm"});
    go_on.raise();
    Choosing patient(catalog, workers, ask, plugin::long_enough);
    EXPECT_EQ(ids(patient.in("acme").sources), (Ids{"late", "crm"}));
    EXPECT_LE(questions, 2) << "one of each that looks";
}

TEST_F(ChoosingTest, APageHasAnEnd) {
    for (const char* name : {"a", "b", "c"}) {
        auto& named = add(name).choices.objects.named;
        for (std::size_t i = 0; i < catalog::most_choices; ++i)
            named.push_back({name + std::to_string(i), "", ""});
    }
    EXPECT_EQ(look().objects.size(), 2 * catalog::most_choices);
}

}  // namespace
}  // namespace pb::app
