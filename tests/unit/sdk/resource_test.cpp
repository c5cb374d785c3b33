// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "fake_host.h"

namespace resource_test {
namespace {

using namespace sdk_test;

std::vector<std::string> subscribed;
patchbay::Plugin* inside = nullptr;

void offer(patchbay::Plugin& plugin) {
    inside = &plugin;
    plugin.resource("a://text")
        .name("text")
        .title("Text")
        .describe("A text")
        .mime_type("text/plain")
        .audience({"user"})
        .priority(0.5)
        .text("hello");
    plugin.resource("a://bytes").mime_type("image/png").bytes({'f', 'o', 'o'});
    plugin.resource("a://json").mime_type("application/json").read([] { return json{{"k", 1}}; });
    plugin.resource("a://gone").read([]() -> std::optional<std::string> { return std::nullopt; });
    plugin.resource("a://fails").read([](patchbay::Call&) -> std::string {
        throw std::runtime_error("disk is full");
    });
    plugin.resource_template("a://item/{id}")
        .name("item")
        .mime_type("text/plain")
        .complete("id", std::vector<std::string>{"one", "Two", "three"})
        .read([](const patchbay::Variables& in) -> std::optional<std::string> {
            if (in.at("id") == "none") return std::nullopt;
            return "item " + in.at("id");
        });
    plugin.resource_template("a://item/{id}/{+path}")
        .read([](const patchbay::Variables& in, patchbay::Call&) {
            return patchbay::Contents(in.at("path")).mime_type("text/x");
        });
    plugin.subscriptions([](const std::string& uri) { subscribed.push_back("+" + uri); },
                         [](const std::string& uri) { subscribed.push_back("-" + uri); });
}

class Resources : public testing::Test {
  protected:
    Ended read(const std::string& uri) { return plugin.call("resources/read", {{"uri", uri}}); }
    Instance plugin{offer};
};

TEST_F(Resources, AreListed) {
    const auto list = plugin.call("resources/list", json::object()).body["resources"];
    ASSERT_EQ(list.size(), 5u);
    EXPECT_EQ(list[4], json::parse(R"({"uri":"a://text","name":"text","title":"Text",
        "description":"A text","mimeType":"text/plain","size":5,
        "annotations":{"audience":["user"],"priority":0.5}})"));
    EXPECT_EQ(list[0]["uri"], "a://bytes");
    EXPECT_EQ(list[0]["size"], 3);
    const auto templates = plugin.call("resources/templates/list", json::object());
    EXPECT_EQ(templates.body, json::parse(R"({"resourceTemplates":[
        {"uriTemplate":"a://item/{id}","name":"item","mimeType":"text/plain"},
        {"uriTemplate":"a://item/{id}/{+path}","name":"a://item/{id}/{+path}"}]})"));
}

TEST_F(Resources, AreRead) {
    EXPECT_EQ(read("a://text").body, json::parse(R"({"contents":[
        {"uri":"a://text","mimeType":"text/plain","text":"hello"}]})"));
    EXPECT_EQ(read("a://bytes").body["contents"][0]["blob"], "Zm9v");
    EXPECT_EQ(read("a://json").body["contents"][0]["text"], "{\"k\":1}");
    EXPECT_EQ(read("a://item/x").body, json::parse(R"({"contents":[
        {"uri":"a://item/x","mimeType":"text/plain","text":"item x"}]})"));
    EXPECT_EQ(read("a://item/x/p/q").body, json::parse(R"({"contents":[
        {"uri":"a://item/x/p/q","mimeType":"text/x","text":"p/q"}]})"));
}

TEST_F(Resources, ThatDoNotExistAreNotFound) {
    for (const char* uri : {"a://nope", "a://gone", "a://item/none", ""}) {
        const auto ended = read(uri);
        EXPECT_EQ(ended.status, PATCHBAY_E_NOT_FOUND) << uri;
        EXPECT_EQ(ended.body, json({{"message", "Resource not found"}, {"data", {{"uri", uri}}}}));
    }
    EXPECT_EQ(plugin.call("resources/read", json::object()).status, PATCHBAY_E_INVALID);
}

TEST_F(Resources, AFailureIsAProtocolError) {
    const auto ended = read("a://fails");
    EXPECT_EQ(ended.status, PATCHBAY_E_INTERNAL);
    EXPECT_EQ(ended.body["message"], "disk is full");
    EXPECT_EQ(ended.body["data"]["code"], "internal");
}

TEST_F(Resources, CompleteTheirVariables) {
    const auto complete = [&](const char* uri, const char* name, const char* value) {
        return plugin.call("completion/complete",
                           {{"ref", {{"type", "ref/resource"}, {"uri", uri}}},
                            {"argument", {{"name", name}, {"value", value}}}});
    };
    EXPECT_EQ(complete("a://item/{id}", "id", "t").body,
              json::parse(R"({"completion":{"values":["Two","three"],"total":2,
                              "hasMore":false}})"));
    EXPECT_EQ(complete("a://item/{id}", "other", "").body["completion"]["values"], json::array());
    EXPECT_EQ(complete("a://other/{id}", "id", "").status, PATCHBAY_E_NOT_FOUND);
}

TEST_F(Resources, AreSubscribedTo) {
    subscribed.clear();
    EXPECT_EQ(plugin.call("resources/subscribe", {{"uri", "a://text"}}).body, json::object());
    EXPECT_EQ(plugin.call("resources/unsubscribe", {{"uri", "a://text"}}).body, json::object());
    EXPECT_EQ(subscribed, (std::vector<std::string>{"+a://text", "-a://text"}));
    EXPECT_TRUE(inside->resource_updated("a://text"));
    const auto notices = plugin.host().notices("notifications/resources/updated");
    ASSERT_EQ(notices.size(), 1u);
    EXPECT_EQ(notices[0].call, PATCHBAY_NO_CALL);
    EXPECT_EQ(notices[0].params, json({{"uri", "a://text"}}));
    plugin.host().answer_notify({PATCHBAY_E_AGAIN});
    EXPECT_FALSE(inside->resource_updated("a://text"));
}

TEST_F(Resources, ComeAndGo) {
    inside->resource("a://new").text("n");
    EXPECT_EQ(read("a://new").status, PATCHBAY_OK);
    EXPECT_TRUE(inside->remove_resource("a://new"));
    EXPECT_EQ(read("a://new").status, PATCHBAY_E_NOT_FOUND);
    EXPECT_TRUE(inside->remove_resource_template("a://item/{id}"));
    EXPECT_EQ(read("a://item/x").status, PATCHBAY_E_NOT_FOUND);
    EXPECT_EQ(plugin.host().notices("notifications/resources/list_changed").size(), 3u);
}

}  // namespace
}  // namespace resource_test
