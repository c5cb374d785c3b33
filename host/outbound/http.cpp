// SPDX-License-Identifier: Apache-2.0
#include "outbound/http.h"

#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "outbound/loop.h"

namespace pb::outbound {
namespace {

// Gathers a whole answer for the thread that waits.
class Collector : public Receiver {
  public:
    void head(const Head& head) override { answer_.head = head; }
    bool data(std::string_view bytes) override {
        answer_.body.append(bytes);
        return true;
    }
    void end(const std::optional<Failure>& failure) override {
        std::lock_guard lock(mutex_);
        failure_ = failure;
        ended_ = true;
        changed_.notify_all();
    }
    std::variant<Answer, Failure> wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return ended_; });
        if (failure_) return *std::move(failure_);
        return std::move(answer_);
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool ended_ = false;
    Answer answer_;
    std::optional<Failure> failure_;
};

}  // namespace

std::size_t connections_by_descriptors() {
    constexpr rlim_t least = 64, most = 4096, share = 4;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return std::clamp(limit.rlim_max / share, least, most);  // a host raises its limit to that
}

Http::Http(Options options) : loop_(std::make_unique<Loop>(std::move(options))) {}

Http::~Http() = default;

Http::Ticket Http::start(Request request, std::shared_ptr<Receiver> receiver) {
    return loop_->start(std::move(request), std::move(receiver));
}

void Http::stop() { loop_->stop(); }

void Http::cancel(Ticket ticket) { loop_->cancel(ticket); }

std::variant<Answer, Failure> Http::fetch(Request request) {
    if (request.max_answer == 0) request.max_answer = Request().max_answer;
    const auto collector = std::make_shared<Collector>();
    start(std::move(request), collector);
    return collector->wait();
}

}  // namespace pb::outbound
