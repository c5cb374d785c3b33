// SPDX-License-Identifier: Apache-2.0
#include "endpoint/batch.h"

#include <deque>

#include "json/scan.h"

namespace pb::endpoint {
namespace {

class Batch : public std::enable_shared_from_this<Batch> {
  public:
    Batch(std::shared_ptr<mcp::Outlet> outlet, std::size_t members)
        : outlet_(std::move(outlet)), open_(members) {}

    const mcp::Outlet& outlet() const { return *outlet_; }
    mcp::Outlet& outlet() { return *outlet_; }

    mcp::Sent send(std::string_view message) {
        if (!outlet_->can_send()) return mcp::Sent::gone;
        std::lock_guard lock(mutex_);
        streaming_ = true;
        send_answers();
        return outlet_->send(message);
    }

    // One member has ended; with an empty message it had nothing to say.
    void ended(std::string_view message) {
        std::lock_guard lock(mutex_);
        --open_;
        if (!message.empty()) answers_.emplace_back(message);
        if (streaming_) send_answers();
        if (open_ > 0) return;
        if (answers_.empty()) return streaming_ ? outlet_->end() : outlet_->answer(202, {});
        std::string all = "[";
        for (const auto& answer : answers_) {
            if (all.size() > 1) all += ',';
            all += answer;
        }
        outlet_->answer(200, all + "]");
    }

  private:
    // What a reader that is behind does not take stays for later; the last answer, which cannot be
    // refused, carries what is still there then.
    void send_answers() {
        while (!answers_.empty() && outlet_->send(answers_.front()) != mcp::Sent::again)
            answers_.pop_front();
    }

    std::shared_ptr<mcp::Outlet> outlet_;
    std::mutex mutex_;
    std::size_t open_;
    bool streaming_ = false;
    std::deque<std::string> answers_;  // not sent yet
};

class Member : public mcp::Outlet {
  public:
    explicit Member(std::shared_ptr<Batch> batch) : batch_(std::move(batch)) {}

    bool can_send() const override { return batch_->outlet().can_send(); }
    mcp::Sent send(std::string_view message) override {
        return over_ ? mcp::Sent::gone : batch_->send(message);
    }
    void answer(int, std::string_view message) override { finish(message); }
    void end() override { finish({}); }
    void lasting() override { batch_->outlet().lasting(); }
    void release(int) override {}
    void on_gone(std::function<void()>) override {}
    void opened(const std::shared_ptr<mcp::Session>&) override {}  // not by a batch

  private:
    void finish(std::string_view message) {
        if (!over_.exchange(true)) batch_->ended(message);
    }
    std::shared_ptr<Batch> batch_;
    std::atomic<bool> over_{false};
};

}  // namespace

void receive_batch(mcp::Server& server, const mcp::Incoming& incoming,
                   const std::vector<std::string_view>& messages,
                   std::shared_ptr<mcp::Outlet> outlet) {
    auto batch = std::make_shared<Batch>(std::move(outlet), messages.size());
    bool malformed_told = false;
    for (const auto& message : messages) {
        auto one = incoming;
        one.text = message;
        one.malformed_told = &malformed_told;
        auto member = std::make_shared<Member>(batch);
        // "MUST NOT be part of a JSON-RPC batch" (2025-03-26, lifecycle).
        if (json::string_value(json::member(message, "method")) == "initialize")
            member->answer(
                400,
                mcp::error_message(
                    json::member(message, "id"),
                    {mcp::code::invalid_request, "initialize cannot be part of a batch", {}, 400}));
        else
            server.receive(one, std::move(member));
    }
}

}  // namespace pb::endpoint
