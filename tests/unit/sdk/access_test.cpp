// SPDX-License-Identifier: Apache-2.0
// What callers can be narrowed to, and what a caller may have of it.
#include <gtest/gtest.h>

#include "fake_host.h"

namespace {

using namespace sdk_test;

constexpr const char* refusal = "Not permitted by current access scope";

void offer_shelves(patchbay::Plugin& plugin) {
    plugin.access_choices([](patchbay::Call& call) {
        patchbay::AccessChoices out{{{"crm", "Customers", "All of them"}}, {}};
        out.sources.push_back({call.caller().org});
        return out;
    });
    plugin.tool("may").handle([](patchbay::Call& call) -> json {
        return {{"crm", call.permits_source("crm")}, {"note", call.permits_object("note")}};
    });
    plugin.tool("look").handle([](patchbay::Call& call) {
        if (!call.permits_source("crm")) throw patchbay::not_permitted();
        return "seen";
    });
    plugin.resource_template("shelf://{source}")
        .read([](const patchbay::Variables& in, patchbay::Call& call) {
            if (!call.permits_source(in.at("source"))) throw patchbay::not_permitted();
            return std::string("seen");
        });
}

class AccessChoices : public testing::Test {
  protected:
    json may(const json& context) {
        return plugin.call("tools/call", {{"name", "may"}}, context).body["structuredContent"];
    }
    Instance plugin{offer_shelves};
};

TEST_F(AccessChoices, AreAnswered) {
    const auto answer = plugin.call("patchbay/access/choices", json::object(), {{"org", "acme"}});
    EXPECT_EQ(answer.status, PATCHBAY_OK);
    EXPECT_EQ(answer.body, json::parse(R"({"sources":[{"id":"crm","title":"Customers",
        "description":"All of them"},{"id":"acme"}],"objects":[]})"));
}

TEST_F(AccessChoices, ArePermittedUnlessTheCallerIsNarrowed) {
    EXPECT_EQ(may(json::object()), (json{{"crm", true}, {"note", true}}));
    EXPECT_EQ(may({{"sources", {"crm", "wiki"}}}), (json{{"crm", true}, {"note", true}}));
    EXPECT_EQ(may({{"sources", {"crm2"}}, {"objects", json::array()}}),
              (json{{"crm", false}, {"note", false}}));
}

TEST_F(AccessChoices, ARefusalOfAToolIsAResultThatSaysWhy) {
    const json look = {{"name", "look"}};
    EXPECT_EQ(plugin.call("tools/call", look, {{"sources", {"crm"}}}).body["content"][0]["text"],
              "seen");
    const auto refused = plugin.call("tools/call", look, {{"sources", {"wiki"}}});
    EXPECT_EQ(refused.status, PATCHBAY_OK);
    EXPECT_EQ(refused.body["isError"], true);
    const auto& body = refused.body["structuredContent"];
    EXPECT_EQ(body["message"], refusal);
    EXPECT_EQ(body["code"], "permission_denied");
    EXPECT_EQ(body["category"], "auth");
    EXPECT_EQ(body["retryable"], false);
}

TEST_F(AccessChoices, ARefusalOfAResourceIsAnError) {
    const json read = {{"uri", "shelf://crm"}};
    EXPECT_EQ(plugin.call("resources/read", read, {{"sources", {"crm"}}}).status, PATCHBAY_OK);
    const auto refused = plugin.call("resources/read", read, {{"sources", {"wiki"}}});
    EXPECT_EQ(refused.status, PATCHBAY_E_DENIED);
    EXPECT_EQ(refused.body["message"], refusal);
}

TEST(NoAccessChoices, AreUnknownAsAnyMethodIs) {
    Instance plugin([](patchbay::Plugin&) {});
    EXPECT_EQ(plugin.call("patchbay/access/choices", json::object()).status,
              PATCHBAY_E_UNSUPPORTED);
}

}  // namespace
