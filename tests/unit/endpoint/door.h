// SPDX-License-Identifier: Apache-2.0
// Door: a world behind the Streamable HTTP endpoint.
#pragma once

#include <gtest/gtest.h>

#include "endpoint/streamable_http.h"
#include "support/exchange.h"
#include "support/world.h"

namespace pb::test {

class Door : public testing::Test {
  protected:
    explicit Door(const runtime::CallOptions& options = World::quick()) : world(options) {
        world.tool(simple_tool("echo"), [this](auto id, const json& params, const json&) {
            world.provider->ok(
                id, text_result(params.value("arguments", json::object()).value("text", "hi")));
        });
        world.tool(simple_tool("keep"), [this](auto id, const json&, const json&) { kept = id; });
        world.tool(simple_tool("talk"), [this](auto id, const json&, const json&) {
            said = world.calls.notify(id, "notifications/progress", R"({"progress":1})");
            world.provider->ok(id, text_result("done"));
        });
        world.publish();
    }
    // Calls last as soon as anybody looks.
    static runtime::CallOptions lasting() {
        auto out = World::quick();
        out.lasting = std::chrono::milliseconds(1);
        return out;
    }
    ~Door() override {
        world.server.close_all();
        world.calls.drain(std::chrono::seconds(5));
    }

    FakeExchangePtr send(const std::string& method, HeaderList headers, const std::string& body,
                         bool loopback = true) {
        auto exchange = std::make_shared<FakeExchange>();
        if (std::none_of(headers.begin(), headers.end(),
                         [](const auto& header) { return header.first == "Host"; }))
            headers.emplace_back("Host", "127.0.0.1:8080");
        auto request = make_request(method, std::move(headers), body);
        request->loopback = loopback;
        endpoint.handle(request, exchange);
        return exchange;
    }
    FakeExchangePtr post(const json& message, HeaderList headers = {}) {
        headers.emplace_back("Content-Type", "application/json");
        return send("POST", std::move(headers), message.dump());
    }
    static json message(const std::string& method, const json& params = json::object(),
                        const json& id = 7) {
        return {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}};
    }
    static json call(const std::string& tool, const json& id = 7, const json& meta = nullptr) {
        json params{{"name", tool}, {"arguments", json::object()}};
        if (!meta.is_null()) params["_meta"] = meta;
        return message("tools/call", params, id);
    }

    FakeExchangePtr modern(const std::string& tool, const json& progress_token = nullptr,
                           const std::string& accept = "application/json, text/event-stream") {
        auto meta = World::modern_meta();
        if (!progress_token.is_null()) meta["progressToken"] = progress_token;
        return post(call(tool, 7, meta), {{"MCP-Protocol-Version", "2026-07-28"},
                                          {"Mcp-Method", "tools/call"},
                                          {"Mcp-Name", tool},
                                          {"Accept", accept}});
    }

    // Opens a legacy session; its id.
    std::string open(const std::string& version = "2025-11-25") {
        auto exchange =
            post(message("initialize", {{"protocolVersion", version},
                                        {"capabilities", json::object()},
                                        {"clientInfo", {{"name", "old"}, {"version", "1"}}}}));
        EXPECT_EQ(exchange->status(), 200) << exchange->body();
        const auto id = exchange->header("Mcp-Session-Id");
        auto ready = post({{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}},
                          {{"Mcp-Session-Id", id}});
        EXPECT_EQ(ready->status(), 202);
        return id;
    }
    FakeExchangePtr legacy(const std::string& session, const json& what) {
        return post(
            what, {{"Mcp-Session-Id", session}, {"Accept", "application/json, text/event-stream"}});
    }
    FakeExchangePtr get(const std::string& session, const std::string& last_event = {}) {
        HeaderList headers{{"Mcp-Session-Id", session}, {"Accept", "text/event-stream"}};
        if (!last_event.empty()) headers.emplace_back("Last-Event-ID", last_event);
        return send("GET", std::move(headers), {});
    }
    // The provider answers the call that it kept.
    void answer_kept(const std::string& text = "late") {
        world.provider->ok(kept, text_result(text));
    }
    void notify_kept(const std::string& params) {
        said = world.calls.notify(kept, "notifications/progress", params);
    }

    World world;
    endpoint::Gate gate{world.authenticator,
                        endpoint::Guards({"mcp.example.com"}, {"https://app.example.com"}),
                        {}};
    endpoint::StreamableHttp endpoint{world.server, gate};
    catalog::CallId kept = catalog::no_call;
    Status said = Status::internal;
};

inline json data_of(const Event& event) { return json::parse(event.data); }
inline json reply_of(const FakeExchangePtr& exchange) { return json::parse(exchange->body()); }

}  // namespace pb::test
