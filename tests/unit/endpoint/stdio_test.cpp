// SPDX-License-Identifier: Apache-2.0
// The stdio transport over pipes: framing, both eras on one channel, the end of the input.
#include "endpoint/stdio.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <future>
#include <thread>

#include "support/world.h"

namespace pb::test {
namespace {

class Stdio : public testing::Test {
  protected:
    Stdio() {
        world.tool(simple_tool("echo"), [this](auto id, const json& params, const json&) {
            world.provider->ok(
                id, text_result(params.value("arguments", json::object()).value("text", "hi")));
        });
        world.tool(simple_tool("keep"), [this](auto id, const json&, const json&) { kept = id; });
        world.tool(simple_tool("pretty"), [this](auto id, const json&, const json&) {
            world.calls.complete(id, Status::ok, text_result("a\nb").dump(2));
        });
        world.publish();
        EXPECT_EQ(::pipe(in_.data()), 0);
        EXPECT_EQ(::pipe(out_.data()), 0);
        EXPECT_EQ(::pipe(stop_.data()), 0);
        options.input = in_[0];
        options.output = out_[1];
    }
    ~Stdio() override {
        end();
        for (int each : {in_[0], out_[0], out_[1], stop_[0], stop_[1]})
            if (each >= 0) ::close(each);
    }

    void serve() {
        thread_ = std::jthread([this] {
            clean =
                endpoint::serve_stdio(world.server, world.authenticator.local(), options, stop_[0]);
            ::close(std::exchange(out_[1], -1));
        });
    }
    void write(std::string_view text) {
        while (!text.empty()) {
            const auto count = ::write(in_[1], text.data(), text.size());
            ASSERT_GT(count, 0);
            text.remove_prefix(static_cast<std::size_t>(count));
        }
    }
    void send(const json& message) { write(message.dump() + "\n"); }
    // Returns when the provider has the call, which it keeps.
    void send_kept(const json& call) {
        send(call);
        while (kept == catalog::no_call)
            std::this_thread::yield();
    }
    // The next line that was written; null at the end.
    json next() {
        for (;;) {
            if (const auto end = read_.find('\n'); end != std::string::npos) {
                const auto line = read_.substr(0, end);
                read_.erase(0, end + 1);
                return json::parse(line);
            }
            std::array<char, 4096> chunk;
            const auto count = ::read(out_[0], chunk.data(), chunk.size());
            if (count <= 0) return nullptr;
            read_.append(chunk.data(), static_cast<std::size_t>(count));
        }
    }
    void close_input() {
        if (in_[1] >= 0) ::close(std::exchange(in_[1], -1));
    }
    // The end of the input, and then the server's.
    void end() {
        close_input();
        if (thread_.joinable()) thread_.join();
    }
    void stop() { EXPECT_EQ(::write(stop_[1], "x", 1), 1); }

    static json message(const std::string& method, const json& id,
                        const json& params = json::object()) {
        return {{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}};
    }
    static json modern(const std::string& method, const json& id, json params = json::object()) {
        params["_meta"] = World::modern_meta();
        return message(method, id, params);
    }
    void initialize(const std::string& version = "2025-11-25",
                    const json& capabilities = json::object()) {
        send(message("initialize", 0,
                     {{"protocolVersion", version}, {"capabilities", capabilities}}));
        EXPECT_EQ(next()["result"]["protocolVersion"], version);
        send({{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}});
    }

    World world;
    endpoint::StdioOptions options;
    std::atomic<catalog::CallId> kept{catalog::no_call};
    std::atomic<bool> clean = false;

  private:
    std::array<int, 2> in_{}, out_{}, stop_{};
    std::string read_;
    std::jthread thread_;
};

TEST_F(Stdio, BothErasOnOneChannel) {
    serve();
    send(modern("tools/call", "m", {{"name", "echo"}}));
    auto answer = next();
    EXPECT_EQ(answer["id"], "m");
    EXPECT_EQ(answer["result"]["resultType"], "complete");
    initialize();
    send(message("tools/call", 1, {{"name", "echo"}}));
    answer = next();
    EXPECT_EQ(answer["id"], 1);
    EXPECT_FALSE(answer["result"].contains("resultType"));
    end();
    EXPECT_TRUE(clean);
    EXPECT_EQ(next(), nullptr);
}

TEST_F(Stdio, LinesInAnyPieces) {
    serve();
    const auto one = modern("tools/list", 1).dump(), two = modern("tools/list", 2).dump();
    for (char c : one + "\r\n")
        write(std::string_view(&c, 1));
    EXPECT_EQ(next()["id"], 1);
    write("\n\r\n \t\n" + two + "\n" + message("ping", 3).dump());
    EXPECT_EQ(next()["id"], 2);
    end();  // the last line has no end of its own
    EXPECT_EQ(next()["id"], 3);
    EXPECT_EQ(next(), nullptr);
}

TEST_F(Stdio, AnswersStayOnOneLine) {
    serve();
    send(modern("tools/call", 1, {{"name", "pretty"}}));
    EXPECT_EQ(next()["result"]["content"][0]["text"], "a\nb");
    end();
    EXPECT_EQ(next(), nullptr);
}

TEST_F(Stdio, WhatIsNoJsonIsAnsweredAndForgotten) {
    serve();
    write("nonsense\n{\"jsonrpc\":\n");
    for (int i = 0; i < 2; ++i) {
        const auto answer = next();
        EXPECT_EQ(answer["error"]["code"], -32700);
        EXPECT_FALSE(answer.contains("id"));
    }
    send(modern("tools/list", 1));
    EXPECT_EQ(next()["id"], 1);
}

TEST_F(Stdio, AMalformedNotificationIsNotAnswered) {
    serve();
    send({{"jsonrpc", "2.0"}, {"method", "notifications/cancelled"}, {"params", {1}}});
    send({{"jsonrpc", "1.0"}, {"method", "notifications/initialized"}});
    send(message("ping", 1));
    EXPECT_EQ(next()["id"], 1);
}

TEST_F(Stdio, ALineThatIsTooLongIsRefusedOnceWhateverItsLength) {
    options.max_message = 2000;
    serve();
    for (std::size_t size : {2001u, 5000u, 70'000u, 300'000u}) {
        write(std::string(size, 'x') + "\n");
        EXPECT_EQ(next()["error"]["code"], -32600) << size;
        send(modern("tools/list", size));
        EXPECT_EQ(next()["id"], size);
    }
    auto longest = modern("tools/list", 1).dump();
    longest.resize(2000, ' ');
    write(longest + "\n");
    EXPECT_EQ(next()["id"], 1);
    end();
    EXPECT_EQ(next(), nullptr);
}

TEST_F(Stdio, ASlowCallHoldsUpNobodyAndCanBeCancelled) {
    serve();
    initialize();
    send_kept(message("tools/call", 1, {{"name", "keep"}}));
    send(message("ping", 2));
    EXPECT_EQ(next()["id"], 2);
    send({{"jsonrpc", "2.0"},
          {"method", "notifications/cancelled"},
          {"params", {{"requestId", 1}}}});
    ASSERT_TRUE(world.provider->wait_cancelled(kept));
    send(message("ping", 3));
    EXPECT_EQ(next()["id"], 3);  // and nothing for the cancelled one
    end();
    EXPECT_EQ(next(), nullptr);
}

// With room for one thread the echo is read when that of the call has gone.
TEST_F(Stdio, ACancellationRightBehindItsRequestIsHeard) {
    options.max_running = 1;
    serve();
    initialize();
    for (int id = 1; id <= 100; id += 2) {
        kept = catalog::no_call;
        const json cancelled{{"jsonrpc", "2.0"},
                             {"method", "notifications/cancelled"},
                             {"params", {{"requestId", id}}}};
        write(message("tools/call", id, {{"name", "keep"}}).dump() + "\n" + cancelled.dump() +
              "\n" + message("tools/call", id + 1, {{"name", "echo"}}).dump() + "\n");
        EXPECT_EQ(next()["id"], id + 1);
        std::lock_guard lock(world.provider->mutex);
        const auto& all = world.provider->cancelled;
        ASSERT_TRUE(kept == catalog::no_call || std::count(all.begin(), all.end(), kept) == 1);
    }
}

TEST_F(Stdio, AnAnswerThatLetsACallGoOnHoldsUpNobody) {
    std::promise<void> go_on;
    world.tool(simple_tool("ask"), [&](auto id, const json& params, const json&) {
        if (!params.contains("inputResponses"))
            return world.calls.complete(
                id, Status::input_required,
                json{{"inputRequests", {{"r", {{"method", "roots/list"}}}}}}.dump());
        go_on.get_future().wait();
        world.provider->ok(id, text_result("there"));
        return Status::ok;
    });
    world.publish();
    serve();
    initialize("2025-11-25", {{"roots", json::object()}});
    send(message("tools/call", 1, {{"name", "ask"}}));
    const auto asked = next();
    EXPECT_EQ(asked["method"], "roots/list");
    send({{"jsonrpc", "2.0"}, {"id", asked["id"]}, {"result", {{"roots", json::array()}}}});
    send(message("ping", 2));
    EXPECT_EQ(next()["id"], 2);
    go_on.set_value();
    EXPECT_EQ(next()["result"]["content"][0]["text"], "there");
}

TEST_F(Stdio, TheEndOfTheInputWaitsForAnswers) {
    options.drain = std::chrono::hours(1);
    serve();
    send_kept(modern("tools/call", 1, {{"name", "keep"}}));
    close_input();
    std::jthread late([&] { world.provider->ok(kept, text_result("late")); });
    end();
    EXPECT_TRUE(clean);
    EXPECT_EQ(next()["id"], 1);
}

TEST_F(Stdio, ASignalEndsTheWaiting) {
    options.drain = std::chrono::hours(1);
    serve();
    send_kept(modern("tools/call", 1, {{"name", "keep"}}));
    close_input();
    stop();
    end();
    EXPECT_TRUE(clean);
    EXPECT_TRUE(world.provider->wait_cancelled(kept));
}

// Nothing that has to be waited for, and the client is told.
class StdioListen : public Stdio {
  protected:
    StdioListen() {
        options.drain = std::chrono::hours(1);
        serve();
        send(modern("subscriptions/listen", "news",
                    {{"notifications", {{"toolsListChanged", true}}}}));
        EXPECT_EQ(next()["method"], "notifications/subscriptions/acknowledged");
    }
    void expect_goodbye() {
        const auto cancelled = next();
        EXPECT_EQ(cancelled["method"], "notifications/cancelled");
        EXPECT_EQ(cancelled["params"]["requestId"], "news");
        const auto answer = next();
        EXPECT_EQ(answer["id"], "news");
        EXPECT_EQ(answer["result"]["resultType"], "complete");
        EXPECT_TRUE(answer["result"]["_meta"].contains("io.modelcontextprotocol/serverInfo"));
        EXPECT_EQ(next(), nullptr);
        EXPECT_TRUE(clean);
    }
};

TEST_F(StdioListen, EndsWithTheInput) {
    close_input();
    expect_goodbye();
}

TEST_F(StdioListen, EndsWithASignal) {
    stop();
    expect_goodbye();
}

TEST_F(Stdio, WhatIsNeverAnsweredDoesNotKeepItOpen) {
    options.drain = std::chrono::milliseconds(1);
    serve();
    send_kept(modern("tools/call", 1, {{"name", "keep"}}));
    end();
    EXPECT_TRUE(clean);
    EXPECT_TRUE(world.provider->wait_cancelled(kept));
    EXPECT_EQ(next(), nullptr);
}

TEST_F(Stdio, StopsWhenItIsTold) {
    options.drain = std::chrono::milliseconds(1);
    serve();
    send(message("ping", 1));
    stop();
    while (!next().is_null()) {
    }
    EXPECT_TRUE(clean);
}

TEST_F(Stdio, BatchesAreFor20250326) {
    serve();
    const json batch{message("ping", 1), message("tools/list", 2)};
    initialize();
    send(batch);
    EXPECT_EQ(next()["error"]["code"], -32600);
    send(json::array());
    EXPECT_EQ(next()["error"]["code"], -32600);
    initialize("2025-03-26");
    send(batch);
    EXPECT_EQ(next().size(), 2u);
}

TEST_F(Stdio, ChangesAreHeardOnTheChannel) {
    serve();
    initialize();
    send(message("ping", 1));
    next();  // so that initialized has been read
    world.tool(simple_tool("new"), [](auto, const json&, const json&) {});
    world.publish();
    EXPECT_EQ(next(), json({{"jsonrpc", "2.0"}, {"method", "notifications/tools/list_changed"}}));
}

}  // namespace
}  // namespace pb::test
