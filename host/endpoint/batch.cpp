// SPDX-License-Identifier: Apache-2.0
#include "endpoint/batch.h"

namespace pb::endpoint {
namespace {

class Batch : public std::enable_shared_from_this<Batch> {
  public:
    Batch(std::shared_ptr<mcp::Outlet> outlet, std::size_t members)
        : outlet_(std::move(outlet)), open_(members) {}

    const mcp::Outlet& outlet() const { return *outlet_; }
    mcp::Outlet& outlet() { return *outlet_; }

    mcp::Sent send(std::string_view message) {
        std::lock_guard lock(mutex_);
        if (!streaming_) {
            streaming_ = true;
            for (const auto& earlier : answers_)
                outlet_->send(earlier);
            answers_.clear();
        }
        return outlet_->send(message);
    }

    // One member has ended; with an empty message it had nothing to say.
    void ended(std::string_view message) {
        std::lock_guard lock(mutex_);
        --open_;
        if (streaming_) {
            if (!message.empty()) outlet_->send(message);
            if (open_ == 0) outlet_->end();
            return;
        }
        if (!message.empty()) answers_.emplace_back(message);
        if (open_ > 0) return;
        if (answers_.empty()) return outlet_->answer(202, {});
        std::string all = "[";
        for (const auto& answer : answers_) {
            if (all.size() > 1) all += ',';
            all += answer;
        }
        outlet_->answer(200, all + "]");
    }

  private:
    std::shared_ptr<mcp::Outlet> outlet_;
    std::mutex mutex_;
    std::size_t open_;
    bool streaming_ = false;
    std::vector<std::string> answers_;
};

class Member : public mcp::Outlet {
  public:
    explicit Member(std::shared_ptr<Batch> batch) : batch_(std::move(batch)) {}

    bool can_send() const override { return batch_->outlet().can_send(); }
    mcp::Sent send(std::string_view message) override { return batch_->send(message); }
    void answer(int, std::string_view message) override { finish(message); }
    void end() override { finish({}); }
    void lasting() override { batch_->outlet().lasting(); }
    void release(int) override {}
    void on_gone(std::function<void()>) override {}
    void opened(const std::shared_ptr<mcp::Session>& session) override {
        batch_->outlet().opened(session);
    }

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
    for (const auto& message : messages) {
        auto one = incoming;
        one.text = message;
        server.receive(one, std::make_shared<Member>(batch));
    }
}

}  // namespace pb::endpoint
