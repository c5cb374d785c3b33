// SPDX-License-Identifier: Apache-2.0
// The transport: what is refused before anybody reads the message, sessions and their end, which
// answers are JSON and which are streams, cross-origin headers.
#include "door.h"

namespace pb::test {
namespace {

class Http : public Door {};

class HttpLasting : public Door {
  protected:
    HttpLasting() : Door(lasting()) {}
};

void expect_refused(const FakeExchangePtr& exchange, int status, int code) {
    EXPECT_EQ(exchange->status(), status) << exchange->body();
    EXPECT_EQ(exchange->type(), "application/json");
    const auto reply = reply_of(exchange);
    EXPECT_EQ(reply["jsonrpc"], "2.0");
    EXPECT_FALSE(reply.contains("id"));
    EXPECT_EQ(reply["error"]["code"], code);
    EXPECT_FALSE(reply["error"]["message"].get<std::string>().empty());
}

TEST_F(Http, GuardsComeFirst) {
    const auto text = message("ping").dump();
    expect_refused(send("POST", {{"Host", "evil.example.com"}}, text), 403, -32600);
    expect_refused(send("POST", {{"Origin", "https://evil.example.com"}}, text), 403, -32600);
    auto foreign = send("OPTIONS", {{"Origin", "https://evil.example.com"}}, {});
    expect_refused(foreign, 403, -32600);
    EXPECT_EQ(foreign->header("Access-Control-Allow-Origin"), "");
}

TEST_F(Http, WithoutCredentialsOnlyThisMachine) {
    auto exchange =
        send("POST", {{"Content-Type", "application/json"}}, message("ping").dump(), false);
    expect_refused(exchange, 401, -32600);
    EXPECT_TRUE(exchange->header("WWW-Authenticate").starts_with("Bearer"));
}

TEST_F(Http, WithoutCredentialsNobodyBehindAProxy) {
    const auto text = message("ping").dump();
    for (const auto& header : HeaderList{{"Host", "mcp.example.com"}, {"X-Forwarded-For", "::1"}}) {
        auto exchange = send("POST", {{"Content-Type", "application/json"}, header}, text);
        expect_refused(exchange, 401, -32600);
        const auto why = reply_of(exchange)["error"]["message"].get<std::string>();
        EXPECT_NE(why.find("forwarded"), std::string::npos) << why;
    }
}

TEST_F(Http, TheContentIsJson) {
    const auto text = message("ping").dump();
    for (const char* type : {"text/plain", "", "application/x-www-form-urlencoded",
                             "multipart/form-data", "application/jsonp", "text/json"})
        expect_refused(send("POST", {{"Content-Type", type}}, text), 415, -32600);
    expect_refused(send("POST", {}, text), 415, -32600);
    for (const char* type : {"application/json", "Application/JSON; charset=utf-8",
                             " application/json ;charset=utf-8"})
        EXPECT_NE(send("POST", {{"Content-Type", type}}, text)->status(), 415) << type;
}

TEST_F(Http, TheClientAcceptsOneOfTheTwo) {
    auto accepting = [&](const std::string& accept) {
        return post(message("ping"), {{"Accept", accept}})->status();
    };
    for (const char* accept : {"text/html", "image/*", "application/xml, text/plain", "json"})
        EXPECT_EQ(accepting(accept), 406) << accept;
    for (const char* accept : {"application/json", "text/event-stream", "*/*", "application/*",
                               "text/html, */*;q=0.1", "TEXT/*", ""})
        EXPECT_NE(accepting(accept), 406) << accept;
}

TEST_F(Http, WhatIsNoJsonIsAParseError) {
    for (const char* body : {"", "{", "nonsense", "{\"a\":1}{}", "{\"a\":\"\xff\"}", "{'a':1}"})
        expect_refused(send("POST", {{"Content-Type", "application/json"}}, body), 400, -32700);
    const std::string deep(100'000, '[');
    expect_refused(send("POST", {{"Content-Type", "application/json"}}, deep), 400, -32700);
    expect_refused(send("POST", {{"Content-Type", "application/json"}}, "3"), 400, -32600);
}

TEST_F(Http, OtherMethodsAreNamed) {
    auto exchange = send("PUT", {}, {});
    expect_refused(exchange, 405, -32600);
    EXPECT_EQ(exchange->header("Allow"), "POST, GET, DELETE");
    expect_refused(send("GET", {{"Accept", "text/event-stream"}}, {}), 405, -32600);
    expect_refused(send("DELETE", {}, {}), 405, -32600);
}

TEST_F(Http, ABrowserMayReadTheAnswer) {
    auto preflight = send("OPTIONS",
                          {{"Origin", "https://app.example.com"},
                           {"Access-Control-Request-Method", "POST"},
                           {"Access-Control-Request-Headers", "content-type, mcp-method"}},
                          {});
    EXPECT_EQ(preflight->status(), 204);
    EXPECT_EQ(preflight->header("Access-Control-Allow-Origin"), "https://app.example.com");
    EXPECT_EQ(preflight->header("Access-Control-Allow-Headers"), "content-type, mcp-method");
    auto answer = post(message("initialize", {{"protocolVersion", "2025-11-25"}}),
                       {{"Origin", "https://app.example.com"}});
    EXPECT_EQ(answer->header("Access-Control-Allow-Origin"), "https://app.example.com");
    EXPECT_NE(answer->header("Access-Control-Expose-Headers").find("Mcp-Session-Id"),
              std::string::npos);
    EXPECT_EQ(post(message("ping"))->header("Access-Control-Allow-Origin"), "");
}

TEST_F(Http, ASessionFromInitializeToDelete) {
    const auto id = open();
    EXPECT_EQ(id.size(), 22u);
    EXPECT_EQ(legacy(id, message("ping"))->status(), 200);
    EXPECT_EQ(legacy(id, message("ping"))->header("Mcp-Session-Id"), "")
        << "the id is named once, by initialize";
    auto ended = send("DELETE", {{"Mcp-Session-Id", id}}, {});
    EXPECT_EQ(ended->status(), 200);
    expect_refused(legacy(id, message("ping")), 404, -32600);
    expect_refused(get(id), 404, -32600);
    expect_refused(send("DELETE", {{"Mcp-Session-Id", id}}, {}), 404, -32600);
}

TEST_F(Http, ASessionThatNobodyOpened) {
    for (const char* id : {"x", "", "0123456789abcdef0123456789abcdef"})
        expect_refused(legacy(id, message("ping")), 404, -32600);
    auto none = post(message("tools/list"));
    EXPECT_EQ(none->status(), 400);
    EXPECT_EQ(reply_of(none)["id"], 7);
}

TEST_F(Http, DeleteEndsWhatRuns) {
    const auto id = open();
    auto running = legacy(id, call("keep"));
    auto standing = get(id);
    EXPECT_FALSE(running->answered());
    send("DELETE", {{"Mcp-Session-Id", id}}, {});
    EXPECT_TRUE(running->ended());
    EXPECT_TRUE(standing->ended());
    EXPECT_EQ(world.provider->cancelled, std::vector{kept});
}

TEST_F(Http, NotificationsAndResponsesAreAccepted) {
    const auto id = open();
    for (const json& what : {json{{"jsonrpc", "2.0"}, {"method", "notifications/anything"}},
                             json{{"jsonrpc", "2.0"}, {"id", "x"}, {"result", json::object()}},
                             json{{"jsonrpc", "2.0"}, {"id", 1}, {"error", {{"code", 1}}}}}) {
        auto exchange = legacy(id, what);
        EXPECT_EQ(exchange->status(), 202) << what;
        EXPECT_EQ(exchange->body(), "");
    }
}

TEST_F(Http, AQuickAnswerIsJsonInBothEras) {
    for (const auto& exchange : {modern("echo"), legacy(open(), call("echo"))}) {
        EXPECT_EQ(exchange->status(), 200);
        EXPECT_FALSE(exchange->streaming());
        EXPECT_EQ(reply_of(exchange)["result"]["content"][0]["text"], "hi");
    }
}

TEST_F(Http, OneWithProgressIsAStreamInBothEras) {
    for (const auto& exchange :
         {modern("talk", "t"), legacy(open(), call("talk", 7, {{"progressToken", "t"}}))}) {
        EXPECT_TRUE(exchange->ended());
        json last;
        int progress = 0;
        for (const auto& event : exchange->events()) {
            if (event.data.empty()) continue;
            last = data_of(event);
            if (last.value("method", "") == "notifications/progress") ++progress;
        }
        EXPECT_EQ(progress, 1);
        EXPECT_EQ(last["id"], 7);
    }
}

TEST_F(Http, ModernStreamsCannotBeResumedAndSaySo) {
    for (const auto& event : modern("talk", "t")->events()) {
        EXPECT_EQ(event.id, "");
        EXPECT_EQ(event.retry, "");
    }
}

TEST_F(Http, AClientWithoutStreamsGetsJson) {
    auto exchange = modern("talk", "t", "application/json");
    EXPECT_FALSE(exchange->streaming());
    EXPECT_EQ(reply_of(exchange)["result"]["content"][0]["text"], "done");
}

TEST_F(HttpLasting, ACallThatLastsBecomesAStreamWhereTheClientTakesOne) {
    auto plain = modern("keep", nullptr, "application/json");
    const auto first = kept;
    // One after the other: when the second is a stream, the host has long been told of the plain
    // one, which is older than both.
    for (int time = 0; time < 2; ++time) {
        auto patient = modern("keep");
        ASSERT_TRUE(patient->wait_streaming());
        answer_kept();
        EXPECT_EQ(data_of(patient->events().back())["id"], 7);
    }
    EXPECT_FALSE(plain->answered());
    kept = first;
    answer_kept();
    EXPECT_FALSE(plain->streaming());
    EXPECT_EQ(reply_of(plain)["id"], 7);
}

TEST_F(Http, LeavingCancelsAModernCallAndNoLegacyOne) {
    auto exchange = modern("keep");
    exchange->leave();
    ASSERT_TRUE(world.provider->wait_cancelled(kept));
    legacy(open(), call("keep"))->leave();
    EXPECT_EQ(world.provider->cancels(), 1u);
}

TEST_F(Http, LegacyCancellationEndsTheRequestWithoutAnAnswer) {
    const auto id = open();
    auto exchange = legacy(id, call("keep"));
    legacy(id, {{"jsonrpc", "2.0"},
                {"method", "notifications/cancelled"},
                {"params", {{"requestId", 7}}}});
    EXPECT_EQ(exchange->status(), 202);
    EXPECT_EQ(exchange->body(), "");
    EXPECT_EQ(world.provider->cancelled, std::vector{kept});
}

TEST_F(Http, TheStandaloneStreamHearsChanges) {
    const auto id = open();
    auto first = get(id);
    EXPECT_TRUE(first->streaming());
    world.tool(simple_tool("new"), [](auto, const json&, const json&) {});
    world.publish();
    EXPECT_EQ(data_of(first->events().back())["method"], "notifications/tools/list_changed");
    auto second = get(id);
    EXPECT_TRUE(first->ended()) << "the newest connection is the one that is alive";
    EXPECT_FALSE(second->ended());
    expect_refused(send("GET", {{"Mcp-Session-Id", id}, {"Accept", "application/json"}}, {}), 406,
                   -32600);
}

// PHP's encoder, for one, writes every slash so.
TEST_F(Http, ASlashMayBeEscaped) {
    auto escaped = [](std::string text) {
        for (std::size_t at = 0; (at = text.find('/', at)) != std::string::npos; at += 2)
            text.insert(at, "\\");
        return text;
    };
    auto what = call("echo", 7, World::modern_meta());
    what["params"]["arguments"]["text"] = "a/b\\/c";
    auto exchange = send("POST",
                         {{"Content-Type", "application/json"},
                          {"MCP-Protocol-Version", "2026-07-28"},
                          {"Mcp-Method", "tools/call"},
                          {"Mcp-Name", "echo"}},
                         escaped(what.dump()));
    EXPECT_EQ(exchange->status(), 200) << exchange->body();
    EXPECT_EQ(reply_of(exchange)["result"]["content"][0]["text"], "a/b\\/c");
    auto old = send("POST", {{"Content-Type", "application/json"}, {"Mcp-Session-Id", open()}},
                    escaped(message("tools/list").dump()));
    EXPECT_TRUE(reply_of(old).contains("result")) << old->body();
}

}  // namespace
}  // namespace pb::test
