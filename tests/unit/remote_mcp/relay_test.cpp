// SPDX-License-Identifier: Apache-2.0
// One call of the host and a remote server that answers, asks, or does not.
#include "relay.h"

#include <atomic>
#include <thread>

#include "calls.h"
#include "parking.h"
#include "support.h"

namespace pb::remote {
namespace {

using client::testing::eventually;
using client::testing::Got;
using client::testing::legacy;
using client::testing::modern;
using client::testing::Out;
using client::testing::TestServer;

const std::string hello = R"({"content":[],  "x":1.50})";
const std::string asks_name =
    R"({"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{"message":"Who?"}})";

// With what calls need besides.
class Around : public Docs {
  public:
    explicit Around(const std::string& url, int timeout = 60'000)
        : Docs(url, {{"timeout", timeout}}) {}
    ~Around() { parking->clear(); }

    std::shared_ptr<Relay> call(patchbay_call id, const std::string& params,
                                const std::string& principal = "ada",
                                const std::string& capabilities = R"({"elicitation":{}})") {
        auto relay = std::make_shared<Relay>(port_, *engine_, upstream, parking, calls,
                                             host_call(id, params, principal, capabilities));
        relay->start();
        return relay;
    }
    static HostCall host_call(patchbay_call id, const std::string& params,
                              const std::string& principal, const std::string& capabilities) {
        return {id, "tools/call", params,
                R"({"principal":{"id":")" + principal + R"("},"progress":true,)" +
                    R"("clientCapabilities":)" + capabilities + "}"};
    }

    client::Engine& engine() { return *engine_; }

    const std::shared_ptr<Calls> calls = std::make_shared<Calls>();
    const std::shared_ptr<Parking> parking = std::make_shared<Parking>(engine_->timer);
};

const std::string echo = R"({"name":"echo","arguments":{}})";

TEST(Relay, AnAnswerPassesAsItCame) {
    TestServer server([](const Got& got, const Out& out) {
        if (!modern(got, out)) out.result(hello);
    });
    Around around(server.url());
    around.call(1, echo);
    const auto ended = around.host.ended(1);
    EXPECT_EQ(ended.status, PATCHBAY_OK);
    EXPECT_EQ(ended.text, hello);
    EXPECT_EQ(around.host.completions(1), 1);
    EXPECT_EQ(around.calls->find(1), nullptr);
    EXPECT_EQ(around.host.notices("patchbay/record").at(0).params["server"], "docs");
}

TEST(Relay, FailuresOfTheServerAreTheToolsResult) {
    TestServer server([](const Got& got, const Out& out) {
        if (!modern(got, out)) out.empty(503, {{"Retry-After", "7"}});
    });
    Around around(server.url());
    around.call(1, echo);
    const auto ended = around.host.ended(1);
    EXPECT_EQ(ended.status, PATCHBAY_OK);
    EXPECT_EQ(ended.body["isError"], true);
    EXPECT_EQ(ended.body["structuredContent"]["code"], "mcp_server_busy");
    EXPECT_EQ(ended.body["structuredContent"]["retry_after_seconds"], 7);
}

// The host's reader is behind at first: nothing is lost, nothing changes places.
TEST(Relay, NoticesComeInOrderAndBeforeTheAnswer) {
    TestServer server([](const Got& got, const Out& out) {
        if (modern(got, out)) return;
        out.stream();
        for (int i = 1; i <= 5; ++i)
            out.event(R"({"jsonrpc":"2.0","method":"notifications/message","params":{"data":)" +
                      std::to_string(i) + "}}");
        out.event(out.message(hello));
        out.end();
    });
    Around around(server.url());
    around.host.answer_notify(
        {PATCHBAY_OK, PATCHBAY_OK, PATCHBAY_E_AGAIN, PATCHBAY_E_AGAIN, PATCHBAY_E_AGAIN});
    around.call(1, echo);
    EXPECT_EQ(around.host.ended(1).status, PATCHBAY_OK);
    const auto notices = around.host.notices("notifications/message");
    ASSERT_EQ(notices.size(), 5U);
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(notices[i].params["data"], i + 1);
}

// A legacy server that asks, and gives the answer as its result.
TestServer::Serve asking() {
    struct State {
        std::mutex mutex;
        std::optional<Out> call;
    };
    return [state = std::make_shared<State>()](const Got& got, const Out& out) {
        std::lock_guard lock(state->mutex);
        if (got.json.is_object() && got.json.contains("result") && got.json["id"] == 7) {
            out.empty(202);
            state->call->event(state->call->message(got.json["result"].dump()));
            return state->call->end();
        }
        if (legacy(got, out)) return;
        if (got.method() != "tools/call") return out.result(R"({"tools":[]})");
        out.stream();
        out.event(asks_name);
        state->call = out;
    };
}

std::string retry_of(const sdk_test::Ended& asked, const std::string& answer) {
    const auto& requests = asked.body["inputRequests"];
    Json params = Json::parse(echo);
    params["requestState"] = asked.body["requestState"];
    params["inputResponses"] = {{requests.begin().key(), Json::parse(answer)}};
    return params.dump();
}

std::string key_of(const sdk_test::Ended& asked) {
    return asked.body["requestState"].get<std::string>().substr(2);
}

TEST(Relay, ALegacyServersQuestionParksTheCallAndItsRetryResumesIt) {
    TestServer server(asking());
    Around around(server.url());
    around.call(1, echo);
    const auto asked = around.host.ended(1);
    ASSERT_EQ(asked.status, PATCHBAY_INPUT_REQUIRED) << asked.text;
    EXPECT_EQ(asked.body["inputRequests"].begin().value()["method"], "elicitation/create");
    // Only for the one who was asked.
    EXPECT_EQ(around.parking->take(key_of(asked), "mallory"), nullptr);
    EXPECT_EQ(around.parking->take("p:guess", "ada"), nullptr);
    const auto parked = around.parking->take(key_of(asked), "ada");
    ASSERT_NE(parked, nullptr);
    EXPECT_EQ(around.parking->take(key_of(asked), "ada"), nullptr);  // and once
    parked->resume(Around::host_call(2, retry_of(asked, R"({"action":"accept"})"), "ada",
                                     R"({"elicitation":{}})"));
    const auto ended = around.host.ended(2);
    EXPECT_EQ(ended.status, PATCHBAY_OK);
    EXPECT_EQ(ended.body["action"], "accept");
    EXPECT_EQ(server.count("tools/call"), 1U);
    EXPECT_EQ(around.host.completions(1), 1);
}

TEST(Relay, AParkedCallsOwnTimeStandsStill) {
    TestServer server(asking());
    Around around(server.url(), 1'000);
    around.call(1, echo);
    const auto asked = around.host.ended(1);
    ASSERT_EQ(asked.status, PATCHBAY_INPUT_REQUIRED) << asked.text;
    std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
    const auto parked = around.parking->take(key_of(asked), "ada");
    ASSERT_NE(parked, nullptr);
    parked->resume(Around::host_call(2, retry_of(asked, R"({"action":"accept"})"), "ada",
                                     R"({"elicitation":{}})"));
    const auto ended = around.host.ended(2);
    EXPECT_EQ(ended.body["action"], "accept") << ended.text;
    EXPECT_EQ(server.count("notifications/cancelled"), 0U);
}

TEST(Relay, WhoCannotBeAskedIsNot) {
    TestServer server([](const Got& got, const Out& out) {
        static std::mutex mutex;
        static std::optional<Out> call;
        std::lock_guard lock(mutex);
        if (got.json.is_object() && got.json.contains("error")) {
            out.empty(202);
            call->event(call->message(hello));
            return call->end();
        }
        if (legacy(got, out)) return;
        out.stream();
        out.event(asks_name);
        call = out;
    });
    Around around(server.url());
    around.call(1, echo, "ada", "{}");
    EXPECT_EQ(around.host.ended(1).text, hello);
}

TEST(Relay, AParkedCallThatNobodyResumesIsCancelledAtTheServer) {
    TestServer server(asking());
    Around around(server.url());
    around.call(1, echo);
    ASSERT_EQ(around.host.ended(1).status, PATCHBAY_INPUT_REQUIRED);
    around.parking->clear();
    EXPECT_TRUE(server.wait_for("notifications/cancelled"));
    EXPECT_EQ(around.host.completions(1), 1);
}

TEST(Relay, OnePersonParksOnlySoMany) {
    TestServer server(asking());
    Around around(server.url());
    for (patchbay_call id = 1; id <= Parking::most_for_one; ++id)
        EXPECT_FALSE(around.parking
                         ->add(std::make_shared<Relay>(Port(around.host.table()), around.engine(),
                                                       nullptr, around.parking, around.calls,
                                                       Around::host_call(id, echo, "ada", "{}")))
                         .empty());
    around.call(1'000, echo);
    EXPECT_TRUE(server.wait_for("tools/call"));
    EXPECT_TRUE(eventually([&] {
        for (const auto& got : server.all())
            if (got.json.is_object() && got.json.contains("error")) return true;
        return false;
    }));
}

TEST(Relay, AModernServersQuestionTravelsWithItsState) {
    TestServer server([](const Got& got, const Out& out) {
        if (modern(got, out)) return;
        const auto params = got.params();
        if (!params.contains("inputResponses"))
            return out.result(
                R"({"resultType":"input_required","requestState":"theirs",)"
                R"("inputRequests":{"n":{"method":"elicitation/create","params":{}}}})");
        EXPECT_EQ(params["requestState"], "theirs");
        out.result(params["inputResponses"].dump());
    });
    Around around(server.url());
    around.call(1, echo);
    const auto asked = around.host.ended(1);
    ASSERT_EQ(asked.status, PATCHBAY_INPUT_REQUIRED);
    EXPECT_EQ(asked.body["requestState"], "m:theirs");
    around.call(2, retry_of(asked, R"({"action":"decline"})"));
    EXPECT_EQ(around.host.ended(2).body["n"]["action"], "decline");
}

TEST(Relay, ACancelledCallEndsOnceAndTheServerHearsIt) {
    TestServer server([](const Got& got, const Out& out) {
        if (!legacy(got, out)) out.on_gone([out] {});
    });
    Around around(server.url());
    const auto relay = around.call(1, echo);
    ASSERT_TRUE(server.wait_for("tools/call"));
    relay->cancel();
    relay->cancel();
    EXPECT_EQ(around.host.ended(1).status, PATCHBAY_E_CANCELLED);
    EXPECT_TRUE(server.wait_for("notifications/cancelled"));
    EXPECT_EQ(around.host.completions(1), 1);
}

// A look at the server comes between the refusal and the repetition.
TEST(Relay, ACallThatIsCancelledDuringALookEndsAtOnce) {
    std::atomic<bool> go{false};
    TestServer server([&](const Got& got, const Out& out) {
        if (got.method() == "tools/list") {
            EXPECT_TRUE(eventually([&] { return go.load(); }));
            return out.result(R"({"tools":[]})");
        }
        if (!modern(got, out)) out.error(400, -32020);
    });
    Around around(server.url());
    const auto relay = around.call(1, echo);
    ASSERT_TRUE(server.wait_for("tools/list"));
    relay->cancel();
    EXPECT_EQ(around.host.ended(1).status, PATCHBAY_E_CANCELLED);
    go = true;
    around.call(2, echo);  // refused, looked up, and refused again
    EXPECT_EQ(around.host.ended(2).status, PATCHBAY_E_INTERNAL);
    EXPECT_EQ(around.host.completions(1), 1);
}

}  // namespace
}  // namespace pb::remote
