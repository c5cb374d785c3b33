// SPDX-License-Identifier: Apache-2.0
// What an organisation gets of what is loaded, and why not the rest.
#include "app/capabilities.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

namespace pb::app {
namespace {

plugin::LibraryPtr library(const std::string& id, const std::vector<std::string>& capabilities,
                           const std::string& schema = {}) {
    auto made = std::make_shared<plugin::Library>();
    made->manifest.id = id;
    made->manifest.version = "1.0.0";
    made->sha256 = "hash of " + id;
    made->generation = 1;
    for (const auto& name : capabilities) {
        plugin::Capability capability;
        capability.name = name;
        capability.config_schema = schema;
        made->manifest.capabilities.push_back(std::move(capability));
    }
    return made;
}

std::vector<std::string> names(const Plan& plan) {
    std::vector<std::string> out;
    for (const auto& wanted : plan.wanted)
        out.push_back(wanted.spec.name_space + "=" + wanted.spec.capability);
    return out;
}

using Names = std::vector<std::string>;

class Capabilities : public testing::Test {
  protected:
    Capabilities() {
        org.name = "acme";
        folder.libraries = {library("one", {"wiki", "calendar"}), library("two", {"mail"})};
    }
    config::CapabilityConfig& configured(const std::string& name) {
        if (!org.capabilities) org.capabilities.emplace();
        return (*org.capabilities)[name];
    }
    config::OrgConfig org;
    plugin::FolderState folder;
};

TEST_F(Capabilities, EverythingByDefaultSortedByNamespace) {
    const auto made = plan(org, folder);
    EXPECT_EQ(names(made), (Names{"calendar=calendar", "mail=mail", "wiki=wiki"}));
    EXPECT_TRUE(made.problems.empty());
    EXPECT_EQ(made.wanted[0].spec.org, "acme");
    EXPECT_EQ(made.wanted[0].spec.config, "{}");
    EXPECT_FALSE(made.wanted[0].spec.recorded);
    org.recorded = true;
    const auto recorded = plan(org, folder);
    EXPECT_TRUE(recorded.wanted[0].spec.recorded);
    EXPECT_NE(recorded.wanted[0].identity(), made.wanted[0].identity()) << "it is told otherwise";
}

TEST_F(Capabilities, NamespacesAndWhatIsOff) {
    configured("wiki").name_space = "a";
    configured("mail").name_space = "";
    configured("calendar").enabled = false;
    EXPECT_EQ(names(plan(org, folder)), (Names{"=mail", "a=wiki"}));
    configured("elsewhere");
    org.others_enabled = false;
    org.capabilities->erase("mail");
    EXPECT_EQ(names(plan(org, folder)), (Names{"a=wiki"}));
}

TEST_F(Capabilities, OfTwoWithTheSameNameTheFirstServes) {
    folder.libraries.push_back(library("three", {"wiki", "notes"}));
    const auto made = plan(org, folder);
    EXPECT_EQ(made.wanted.size(), 4u);
    ASSERT_EQ(made.problems.size(), 1u);
    EXPECT_NE(made.problems[0].find("wiki"), std::string::npos);
    EXPECT_NE(made.problems[0].find("acme"), std::string::npos);
    EXPECT_NE(made.problems[0].find("three"), std::string::npos);
    for (const auto& wanted : made.wanted) {
        if (wanted.spec.capability != "wiki") continue;
        EXPECT_EQ(wanted.library->manifest.id, "one");
    }
}

TEST_F(Capabilities, AConfigurationIsHeldAgainstItsSchema) {
    folder.libraries = {library("one", {"wiki"},
                                R"({"type":"object","required":["url"],"properties":{
                                    "url":{"type":"string"}}})")};
    auto made = plan(org, folder);
    EXPECT_TRUE(made.wanted.empty());
    ASSERT_EQ(made.problems.size(), 1u);
    EXPECT_NE(made.problems[0].find("url"), std::string::npos) << made.problems[0];
    configured("wiki").config = {{"url", "https://wiki.example.com"}};
    made = plan(org, folder);
    ASSERT_EQ(made.wanted.size(), 1u);
    EXPECT_EQ(made.wanted[0].spec.config, R"({"url":"https://wiki.example.com"})");
    EXPECT_TRUE(made.problems.empty());
}

TEST_F(Capabilities, AnUnusableSchemaIsSaid) {
    for (const char* schema : {"{", R"({"type":3})"}) {
        folder.libraries = {library("one", {"wiki"}, schema), library("two", {"mail"})};
        const auto made = plan(org, folder);
        EXPECT_EQ(names(made), (Names{"mail=mail"})) << schema;
        EXPECT_EQ(made.problems.size(), 1u);
    }
}

TEST_F(Capabilities, ReferencesAreResolvedAndAMissingOneIsSaid) {
    ::setenv("PATCHBAY_TEST_TOKEN", "secret-value", 1);
    configured("wiki").config = {{"token", "${env:PATCHBAY_TEST_TOKEN}"}};
    auto made = plan(org, folder);
    EXPECT_EQ(made.wanted.back().spec.config, R"({"token":"secret-value"})");
    ::unsetenv("PATCHBAY_TEST_TOKEN");
    made = plan(org, folder);
    EXPECT_EQ(made.wanted.size(), 2u);
    ASSERT_EQ(made.problems.size(), 1u);
    EXPECT_NE(made.problems[0].find("PATCHBAY_TEST_TOKEN"), std::string::npos);
}

TEST_F(Capabilities, WhatACapabilityTakesOfTheFileIsInItsConfiguration) {
    ::setenv("PATCHBAY_TEST_TOKEN", "secret-value", 1);
    org.mcp_servers = {{"hub", {{"url", "https://hub"}, {"key", "${env:PATCHBAY_TEST_TOKEN}"}}},
                       {"bad", {{"key", "${env:PATCHBAY_TEST_ABSENT}"}}}};
    EXPECT_EQ(plan(org, folder).servers_not_served, 2u);
    auto taking = std::make_shared<plugin::Library>(*library(
        "remote", {"remote"},
        R"({"type":"object","additionalProperties":false,"properties":{"a":{"type":"integer"}}})"));
    taking->manifest.capabilities[0].takes = {"mcpServers"};
    folder.libraries = {taking};
    configured("remote").config = {{"a", 1}};
    auto made = plan(org, folder);
    EXPECT_EQ(made.servers_not_served, 0u);
    ASSERT_EQ(made.wanted.size(), 1u);
    const auto config = nlohmann::json::parse(made.wanted[0].spec.config);
    EXPECT_EQ(config["a"], 1);
    EXPECT_EQ(config["mcpServers"]["hub"]["key"], "secret-value");
    EXPECT_NE(config["mcpServers"]["bad"]["unresolved"].get<std::string>().find("PATCHBAY"),
              std::string::npos);
    ::unsetenv("PATCHBAY_TEST_TOKEN");
    configured("remote").config = {{"a", "b"}};
    EXPECT_EQ(plan(org, folder).misconfigured, std::vector<std::string>{"remote"});
    configured("remote").enabled = false;
    EXPECT_EQ(plan(org, folder).servers_not_served, 2u);
}

TEST_F(Capabilities, TheIdentityTellsInstancesApart) {
    const auto first = plan(org, folder).wanted[0];
    EXPECT_EQ(first.identity(), plan(org, folder).wanted[0].identity());
    auto other = first;
    other.spec.config = R"({"a":1})";
    EXPECT_EQ(other.identity(), first.identity());
    other.spec.name_space = "x";
    EXPECT_NE(other.identity(), first.identity());
    other = first;
    other.library = library("new", {"calendar"});
    EXPECT_NE(other.identity(), first.identity());
}

}  // namespace
}  // namespace pb::app
