// SPDX-License-Identifier: Apache-2.0
// The servers of an organisation as administrators see and change them, over HTTP.
#include "hub.h"

#include "client/support.h"
#include "sdk/fake_host.h"
#include "tools.h"

namespace pb::remote {
namespace {

using client::testing::eventually;
using client::testing::Got;
using client::testing::modern;
using client::testing::Out;
using client::testing::TestServer;
namespace services = sdk_test::services;

// A server whose list of tools is the test's.
class Listed {
  public:
    explicit Listed(std::string tools) : tools_(std::move(tools)) {}
    void set(std::string tools) {
        std::lock_guard lock(mutex_);
        tools_ = std::move(tools);
    }
    std::string url() const { return server_.url(); }

  private:
    std::mutex mutex_;
    std::string tools_;
    TestServer server_{[this](const Got& got, const Out& out) {
        if (modern(got, out)) return;
        std::lock_guard lock(mutex_);
        out.result("{\"tools\":[" + tools_ + "]}");
    }};
};

struct Answer {
    int status = 0;
    Json body;
};

class HubTest : public ::testing::Test {
  protected:
    HubTest() {
        services::reset();
        host_.offer(PATCHBAY_SERVICE_CAPABILITIES, services::capabilities());
        host_.offer(PATCHBAY_SERVICE_STORE, services::store());
        host_.offer(PATCHBAY_SERVICE_SECRETS, services::secrets());
    }
    ~HubTest() override { end(); }

    // The capability as the host starts it, with these servers in the organisation's file.
    void begin(const Json& servers = Json::object(), bool allow_stdio = false,
               const std::string& operator_org = "home", bool recorded = false) {
        const Json start{
            {"org", "acme"},
            {"config", {{"mcpServers", servers}}},
            {"recorded", recorded},
            {"host",
             {{"operator_org", operator_org},
              {"outbound",
               {{"allow_private_cidrs", {"127.0.0.0/8"}}, {"allow_stdio", allow_stdio}}}}}};
        hub_ = std::make_unique<Hub>(host_.table());
        plugin_ = std::make_unique<patchbay::Plugin>(host_.table());
        plugin_->start(start.dump(), [](patchbay::Plugin&) {});
        offer_routes(*plugin_, *hub_);
        offer_tools(*plugin_, *hub_);
        auto started = hub_->start(start);
        ASSERT_TRUE(started) << started.error().message;
    }
    void end() {
        if (hub_) hub_->stop();
        if (plugin_) plugin_->stop();
        plugin_.reset();
        hub_.reset();
    }

    Answer http(const std::string& method, const std::string& path, const std::string& body = "") {
        const auto ended = handle(
            "patchbay/http/request",
            {{"method", method}, {"route", "/api/mcp-servers"}, {"path", path}, {"body", body}});
        EXPECT_EQ(ended.status, PATCHBAY_OK) << ended.text;
        return {ended.body.value("status", 200),
                Json::parse(ended.body.value("body", ""), nullptr, false)};
    }
    Json tool(const std::string& name, const Json& arguments) {
        return handle("tools/call", {{"name", name}, {"arguments", arguments}}).body;
    }
    sdk_test::Ended handle(std::string_view method, const Json& params) {
        const auto text = params.dump();
        const std::string context = R"({"scopes":["mcp:admin"],"principal":{"id":"ada"}})";
        const auto str = [](std::string_view of) { return patchbay_str{of.data(), of.size()}; };
        patchbay_request request{};
        request.struct_size = sizeof request;
        request.method = str(method);
        request.params = str(text);
        request.context = str(context);
        plugin_->handle(++call_, request);
        return host_.ended(call_);
    }
    Json withheld(const std::string& name) {
        return http("GET", "/" + name).body["trust"]["withheld"];
    }

    sdk_test::FakeHost host_;
    std::unique_ptr<Hub> hub_;
    std::unique_ptr<patchbay::Plugin> plugin_;
    patchbay_call call_ = 0;
};

TEST_F(HubTest, OnlyWhatIsUnderstoodApproves) {
    Listed server(R"({"name":"a","description":"Adds","inputSchema":{"type":"object"}})");
    begin({{"docs", {{"url", server.url()}, {"on_tool_change", "quarantine"}}}});
    ASSERT_EQ(http("POST", "/docs/sync").status, 200);
    server.set(R"({"name":"a","description":"Sends","inputSchema":{"type":"object"}},)"
               R"({"name":"b"})");
    ASSERT_EQ(http("POST", "/docs/sync").body["withheld"], (Json{"a", "b"}));
    for (const char* wrong :
         {R"({"tool":["x"]})", R"({"tools":[]})", R"({"tools":["a")", "a", "[]", "null"}) {
        const auto answer = http("POST", "/docs/approve", wrong);
        EXPECT_EQ(answer.status, 400) << wrong;
        EXPECT_TRUE(answer.body["error"].is_string());
        EXPECT_EQ(withheld("docs").size(), 2U) << wrong;
    }
    const auto shown = withheld("docs");
    EXPECT_EQ(shown[0]["definition"]["description"], "Sends");
    EXPECT_EQ(shown[0]["before"]["description"], "Adds");
    EXPECT_EQ(shown[0]["before"]["inputSchema"], (Json{{"type", "object"}}));
    EXPECT_EQ(tool("approve_tools", {{"name", "docs"}, {"tools", {"b"}}})["structuredContent"],
              (Json{{"approved", {"b"}}}));
    EXPECT_EQ(http("POST", "/docs/approve").body, (Json{{"approved", {"a"}}}));
    EXPECT_EQ(withheld("docs"), Json::array());
}

TEST_F(HubTest, APastedFileIsServed) {
    Listed server(R"({"name":"a"},{"name":"b"})");
    const std::string key = "github.com/modelcontextprotocol/servers/tree/main/src/git";
    begin({{key, {{"url", server.url()}, {"tools", {"a"}}, {"timeout", 60}}},
           {"unset", {{"unresolved", "${X} is not set"}}}});
    const auto servers = http("GET", "").body["servers"];
    ASSERT_EQ(servers.size(), 2U);
    const auto name = servers[0]["name"].get<std::string>();
    EXPECT_EQ(servers[0]["namespace"], name);
    EXPECT_EQ(servers[0]["warnings"].size(), 2U);
    EXPECT_NE(servers[0]["warnings"].dump().find(key), std::string::npos);
    EXPECT_EQ(http("POST", "/" + name + "/sync").body["tools"], 1);
    EXPECT_EQ(servers[1]["status"], "misconfigured");
    EXPECT_EQ(servers[1]["reason"], "${X} is not set");
}

TEST_F(HubTest, SecretsAreResolvedWhenTheyAreUsed) {
    TestServer server([](const Got& got, const Out& out) {
        if (!modern(got, out)) out.result(R"({"tools":[]})");
    });
    const auto set = [&](const char* value) {
        patchbay::Secrets(host_.table()).put("own:key", value);
    };
    const auto seen = [&] { return server.all().back().header("x-key"); };
    begin();
    const Json entry{
        {"name", "docs"}, {"url", server.url()}, {"headers", {{"X-Key", "${secret:key}"}}}};
    auto refused = http("POST", "", entry.dump());
    EXPECT_EQ(refused.status, 400);
    EXPECT_NE(refused.body["error"].get<std::string>().find("${secret:key}"), std::string::npos);
    set("first");
    EXPECT_EQ(http("POST", "", entry.dump()).status, 201);
    EXPECT_EQ(http("POST", "/docs/sync").status, 200);
    EXPECT_EQ(seen(), "first");
    set("second");
    EXPECT_EQ(http("POST", "/docs/sync").status, 200);
    EXPECT_EQ(seen(), "second");
    EXPECT_EQ(http("PATCH", "/docs", R"({"headers":{"X-Key":"${env:HOME}"}})").status, 400);
    EXPECT_EQ(
        tool("test_server",
             {{"settings", {{"url", "http://127.0.0.1:1/${HOME}"}}}})["structuredContent"]["code"],
        "invalid_settings");
    // What is gone is said; what served before goes on.
    patchbay::Secrets(host_.table()).remove("own:key");
    EXPECT_EQ(http("POST", "/docs/sync").status, 200);
    const auto state = http("GET", "/docs").body;
    EXPECT_EQ(state["status"], "misconfigured");
    EXPECT_NE(state["reason"].get<std::string>().find("patchbay secrets set"), std::string::npos);
}

TEST_F(HubTest, WhoAsksForCredentialsAndHasNoneSaysWhatToDo) {
    TestServer server([](const Got&, const Out& out) { out.empty(401); });
    begin({{"docs", {{"url", server.url()}}}});
    EXPECT_NE(http("POST", "/docs/sync").status, 200);
    const auto reason = http("GET", "/docs").body["reason"].get<std::string>();
    EXPECT_NE(reason.find("oauth"), std::string::npos) << reason;
    EXPECT_NE(reason.find("headers"), std::string::npos) << reason;
}

TEST_F(HubTest, AChangeThatIsRefusedChangesNothing) {
    Listed server(R"({"name":"a"})"), other("");
    begin();
    const auto add = [&](const char* name, const std::string& url) {
        return http("POST", "", Json{{"name", name}, {"url", url}}.dump()).status;
    };
    ASSERT_EQ(add("docs", server.url()), 201);
    ASSERT_EQ(add("wiki", other.url()), 201);
    ASSERT_EQ(http("POST", "/docs/sync").body["tools"], 1);
    const auto kept = [] { return services::offered().at("mcp:docs"); };
    const auto before = kept();
    // Another server's namespace, another capability's, a wrong one; and a store that does not.
    EXPECT_EQ(http("PATCH", "/docs", R"({"namespace":"wiki"})").status, 409);
    EXPECT_EQ(http("PATCH", "/docs", R"({"namespace":"taken"})").status, 409);
    EXPECT_EQ(http("PATCH", "/docs", R"({"timeout":"1s"})").status, 400);
    EXPECT_EQ(http("PATCH", "/docs", "[").status, 400);
    services::fail_puts(true);
    EXPECT_EQ(http("PATCH", "/docs", R"({"namespace":"new"})").status, 502);
    EXPECT_EQ(http("POST", "", Json{{"name", "third"}, {"url", other.url()}}.dump()).status, 502);
    services::fail_puts(false);
    for (int restarts = 0; restarts < 2; ++restarts) {
        const auto state = http("GET", "/docs").body;
        EXPECT_EQ(state["namespace"], "docs");
        EXPECT_EQ(state["status"], "ready") << state;
        EXPECT_EQ(state["tools"], 1);
        EXPECT_EQ(state["settings"], (Json{{"url", server.url()}}));
        EXPECT_EQ(http("GET", "/third").status, 404);
        EXPECT_EQ(kept(), before);
        EXPECT_FALSE(services::offered().contains("mcp:third"));
        if (restarts > 0) break;
        end();
        begin();
        ASSERT_EQ(http("POST", "/docs/sync").status, 200);
    }
    EXPECT_EQ(http("PATCH", "/docs", R"({"namespace":"new"})").body["namespace"], "new");
    EXPECT_EQ(kept()["namespace"], "new");
    EXPECT_EQ(http("POST", "/docs/sync").body["tools"], 1);
    EXPECT_EQ(http("PATCH", "/docs", R"({"enabled":false})").body["status"], "disabled");
    EXPECT_FALSE(services::offered().contains("mcp:docs"));
    EXPECT_EQ(http("PATCH", "/docs", R"({"enabled":null,"namespace":null})").status, 200);
    EXPECT_EQ(kept()["namespace"], "docs");
}

// Administrators of organisations need not be people who may run programs on this machine.
TEST_F(HubTest, ProgramsAreTheOperatorsToName) {
    const Json program{{"command", "/nonexistent/program"}};
    const auto state = [&] { return http("GET", "/tool").body["status"]; };
    const auto add = [&] {
        return http("POST", "", Json{{"name", "more"}, {"command", "/nonexistent/program"}}.dump());
    };
    begin({{"tool", program}}, true);
    EXPECT_NE(state(), "misconfigured") << "the file is the operator's";
    const auto refused = add();
    EXPECT_EQ(refused.status, 400);
    EXPECT_NE(refused.body.dump().find("orgs/<org>.json"), std::string::npos) << refused.body;
    EXPECT_NE(refused.body.dump().find("'home'"), std::string::npos) << refused.body;
    const auto tested = tool("test_server", {{"settings", program}});
    EXPECT_NE(tested.dump().find("operator's to say"), std::string::npos) << tested;
    end();
    begin({{"tool", program}}, true, "home", true);
    EXPECT_EQ(state(), "misconfigured") << "an organisation that was made at run time";
    EXPECT_EQ(add().status, 400);
    end();
    begin({{"tool", program}}, true, "acme");
    EXPECT_EQ(add().status, 201) << "the operator's own";
    end();
    // What was registered once is not started for that.
    begin(Json::object(), true);
    EXPECT_EQ(http("GET", "/more").body["status"], "misconfigured");
}

// By the time the catalog is made the namespace may be another's.
TEST_F(HubTest, WhatIsNotOfferedSaysSo) {
    Listed server(R"({"name":"a"})");
    begin({{"docs", {{"url", server.url()}}}});
    ASSERT_EQ(http("POST", "/docs/sync").status, 200);
    EXPECT_EQ(http("GET", "/docs").body["status"], "ready");
    services::take("docs");
    const auto state = http("GET", "").body["servers"][0];
    EXPECT_EQ(state["status"], "misconfigured");
    EXPECT_NE(state["reason"].get<std::string>().find("wiki has it"), std::string::npos) << state;
}

TEST_F(HubTest, ACallOfAWithheldToolIsTold) {
    Listed server(R"({"name":"a"})");
    begin({{"docs", {{"url", server.url()}, {"on_tool_change", "quarantine"}}}});
    ASSERT_EQ(http("POST", "/docs/sync").status, 200);
    server.set(R"({"name":"a","description":"Sends"})");
    ASSERT_EQ(http("POST", "/docs/sync").body["withheld"], Json{"a"});
    hub_->handle("mcp:docs", {++call_, "tools/call", R"({"name":"a","arguments":{}})", "{}"});
    const auto ended = host_.ended(call_);
    EXPECT_EQ(ended.status, PATCHBAY_OK);
    EXPECT_EQ(ended.body["isError"], true);
    EXPECT_EQ(ended.body["structuredContent"]["code"], "tool_withheld");
}

}  // namespace
}  // namespace pb::remote
