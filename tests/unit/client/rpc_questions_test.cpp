// SPDX-License-Identifier: Apache-2.0
// Whose question it is that a server asks on a connection which all calls share, and whose time
// passes until it is answered.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "client/rpc.h"
#include "support.h"

namespace pb::client::rpc_questions_test {
namespace {

// Keeps what is sent.
class Line : public Transport {
  public:
    Result<void> open(std::shared_ptr<Inbox>, Deadline) override { return {}; }
    void send(Outgoing message) override { sent.push_back(std::move(message.text)); }
    void abandon(RequestId) override {}
    void agreed(const ServerInfo&) override {}
    void listen() override {}
    void close() override {}
    bool per_request() const override { return false; }

    std::vector<std::string> sent;
};

class Caller : public Handler {
  public:
    void progress(std::string_view) noexcept override {}
    void message(std::string_view params) noexcept override { messages.emplace_back(params); }
    void question(Question question) noexcept override {
        questions.push_back(std::move(question.method));
    }
    void done(Reply) noexcept override {}

    std::vector<std::string> questions, messages;
};

class RpcQuestions : public ::testing::Test {
  protected:
    std::shared_ptr<Caller> request(std::string_view method) {
        auto caller = std::make_shared<Caller>();
        Rpc::Call call;
        call.method = method;
        call.params = "{}";
        rpc_->request(Rpc::next_id(), std::move(call), caller);
        return caller;
    }
    void ask() {
        rpc_->received(
            R"({"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"?"}})",
            no_request, 0);
    }
    void log() {
        rpc_->received(
            R"({"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info"}})",
            no_request, 0);
    }

    Engine engine_{{}};
    std::shared_ptr<Line> line_ = std::make_shared<Line>();
    std::shared_ptr<Rpc> rpc_ =
        std::make_shared<Rpc>(engine_, line_, std::weak_ptr<Listener>(), Limits{});
};

TEST_F(RpcQuestions, TheOnlyCallIsMeantWhateverIsListedMeanwhile) {
    auto listing = request("tools/list");
    auto call = request("tools/call");
    auto completing = request("completion/complete");
    ask();
    log();
    EXPECT_EQ(call->questions, std::vector<std::string>{"elicitation/create"});
    EXPECT_EQ(call->messages.size(), 1U);
    for (const auto& other : {listing, completing}) {
        EXPECT_TRUE(other->questions.empty());
        EXPECT_TRUE(other->messages.empty());
    }
}

TEST_F(RpcQuestions, OfTwoCallsNoneIsMeant) {
    auto one = request("tools/call");
    auto other = request("prompts/get");
    ask();
    log();
    for (const auto& call : {one, other}) {
        EXPECT_TRUE(call->questions.empty());
        EXPECT_TRUE(call->messages.empty());
    }
    EXPECT_NE(line_->sent.back().find("it cannot be told which request"), std::string::npos);
}

TEST_F(RpcQuestions, WithoutACallThereIsNobodyToAsk) {
    auto listing = request("tools/list");
    ask();
    EXPECT_TRUE(listing->questions.empty());
    EXPECT_NE(line_->sent.back().find("\"error\""), std::string::npos);
}

// A call that takes a second at most, and a question to it.
class QuestionTime : public RpcQuestions {
  protected:
    void call(milliseconds question) {
        Limits limits;
        limits.question = question;
        rpc_ = std::make_shared<Rpc>(engine_, line_, std::weak_ptr<Listener>(), limits);
        rpc_->request(id_, {"tools/call", {}, "{}", {}, milliseconds(1'000)}, heard_);
        ask();
        ASSERT_EQ(heard_->questions().size(), 1U);
    }

    const RequestId id_ = Rpc::next_id();
    std::shared_ptr<testing::Recorder> heard_ = std::make_shared<testing::Recorder>();
};

TEST_F(QuestionTime, IsNotTheCalls) {
    call(testing::patience);
    std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
    EXPECT_EQ(heard_->ends(), 0);
    heard_->questions()[0].answer("{}");
    rpc_->received(R"({"jsonrpc":"2.0","id":)" + std::to_string(id_) + R"(,"result":{}})",
                   no_request, 0);
    EXPECT_TRUE(heard_->wait().ok());
}

TEST_F(QuestionTime, EndsWithTheLastAnswer) {
    call(testing::patience);
    ask();
    heard_->questions()[0].answer("{}");
    std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
    EXPECT_EQ(heard_->ends(), 0);
    heard_->questions()[1].refuse(-1, "no");
    const auto reply = heard_->wait();
    EXPECT_EQ(reply.loss.why, Loss::Why::late);
    EXPECT_TRUE(reply.loss.executed);
}

TEST_F(QuestionTime, IsBounded) {
    call(milliseconds(10));
    EXPECT_EQ(heard_->wait().loss.why, Loss::Why::late);
}

}  // namespace
}  // namespace pb::client::rpc_questions_test
