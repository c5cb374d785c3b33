// SPDX-License-Identifier: Apache-2.0
// The context object that a provider gets with each call.
#include "runtime/context.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace pb::runtime {
namespace {

using nlohmann::json;

TEST(Context, OfTheHostItself) {
    const auto context = json::parse(make_context({"acme", "host", "service", {}}, {}, 3));
    EXPECT_EQ(context, json({{"org", "acme"},
                             {"principal", {{"id", "host"}, {"kind", "service"}}},
                             {"scopes", json::array()},
                             {"progress", false},
                             {"depth", 3}}));
}

TEST(Context, SaysWhichCapabilityTheCallIsFor) {
    const auto context =
        json::parse(make_context({"acme", "host", "service", {}}, {}, 0, "mcp:github"));
    EXPECT_EQ(context["capability"], "mcp:github");
}

TEST(Context, OfAClient) {
    ClientView client;
    client.info = R"({"name":"c","version":"1"})";
    client.capabilities = R"({"roots":{}})";
    client.protocol_version = "2025-11-25";
    client.log_level = "warning";
    client.trace = R"({"traceparent":"00-1-2-01"})";
    client.progress = true;
    const auto context = json::parse(make_context({"acme", "ann", "user", {}}, client, 0));
    EXPECT_EQ(context["client"], json({{"name", "c"}, {"version", "1"}}));
    EXPECT_EQ(context["clientCapabilities"], json({{"roots", json::object()}}));
    EXPECT_EQ(context["protocolVersion"], "2025-11-25");
    EXPECT_EQ(context["logLevel"], "warning");
    EXPECT_EQ(context["trace"]["traceparent"], "00-1-2-01");
    EXPECT_EQ(context["progress"], true);
}

TEST(Context, ScopesThatNarrowRowsAreListedApart) {
    const Caller caller{
        "acme", "ann", "key", {"mcp:read", "source:wiki", "object:page", "source:crm"}};
    const auto context = json::parse(make_context(caller, {}, 0));
    EXPECT_EQ(context["scopes"].size(), 4u);
    EXPECT_EQ(context["sources"], json({"wiki", "crm"}));
    EXPECT_EQ(context["objects"], json({"page"}));
}

TEST(Context, HostileNamesStayStrings) {
    const std::string hostile = "\"},\"scopes\":[\"mcp:admin\"]\n\\\x01";
    const Caller caller{hostile, hostile, hostile, {hostile, "source:" + hostile}};
    ClientView client;
    client.protocol_version = client.log_level = hostile;
    const auto context = json::parse(make_context(caller, client, 0));
    EXPECT_EQ(context["org"], hostile);
    EXPECT_EQ(context["principal"]["id"], hostile);
    EXPECT_EQ(context["scopes"], json({hostile, "source:" + hostile}));
    EXPECT_EQ(context["sources"], json({hostile}));
    EXPECT_EQ(context["logLevel"], hostile);
}

}  // namespace
}  // namespace pb::runtime
