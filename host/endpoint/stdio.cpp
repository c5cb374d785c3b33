// SPDX-License-Identifier: Apache-2.0
#include "endpoint/stdio.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/log.h"
#include "endpoint/batch.h"
#include "endpoint/sse.h"
#include "json/scan.h"

namespace pb::endpoint {
namespace {

// Whole lines out, one at a time.
class Writer {
  public:
    explicit Writer(int output) : output_(output) {}

    bool write(std::string_view message) {
        std::string storage;
        std::string line(one_line(message, storage));
        line += '\n';
        std::lock_guard lock(mutex_);
        for (std::size_t at = 0; at < line.size() && !broken_;) {
            const auto count = ::write(output_, line.data() + at, line.size() - at);
            if (count > 0)
                at += static_cast<std::size_t>(count);
            else if (errno != EINTR)
                broken_ = true;
        }
        return !broken_;
    }

  private:
    const int output_;
    std::mutex mutex_;
    bool broken_ = false;
};

// How many requests run, so that reading can wait and the end can be awaited.
class Running {
  public:
    void enter(std::size_t most) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return count_ < most; });
        ++count_;
    }
    void leave() {
        std::lock_guard lock(mutex_);
        --count_;
        changed_.notify_all();
    }
    bool wait_none(std::chrono::milliseconds limit) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, limit, [&] { return count_ == 0; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t count_ = 0;
};

class Line : public mcp::Outlet {
  public:
    explicit Line(std::shared_ptr<Writer> writer) : writer_(std::move(writer)) {}
    bool can_send() const override { return true; }
    mcp::Sent send(std::string_view message) override {
        if (over_) return mcp::Sent::gone;
        return writer_->write(message) ? mcp::Sent::ok : mcp::Sent::gone;
    }
    void answer(int, std::string_view message) override {
        if (over_.exchange(true) || message.empty()) return;
        writer_->write(message);
    }
    void end() override { over_ = true; }
    void lasting() override {}
    void release(int) override {}
    void on_gone(std::function<void()>) override {}
    void opened(const std::shared_ptr<mcp::Session>&) override {}

  private:
    std::shared_ptr<Writer> writer_;
    std::atomic<bool> over_{false};
};

class Channel {
  public:
    Channel(mcp::Server& server, runtime::CallerPtr caller, const StdioOptions& options)
        : server_(server),
          options_(options),
          writer_(std::make_shared<Writer>(options.output)),
          session_(std::make_shared<mcp::Session>()) {
        session_->caller = std::move(caller);
        session_->standalone = std::make_shared<Line>(writer_);
        server_.subscriptions().attach(session_);
    }

    void take(std::string text) {
        const auto owner = std::make_shared<const std::string>(std::move(text));
        const std::string_view line = *owner;
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
        if (auto sound = json::scan(line); !sound) {
            writer_->write(mcp::error_message(
                {}, {mcp::code::parse_error, "Parse error: " + sound.error().message, {}, 0}));
            return;
        }
        mcp::Incoming incoming{owner, line, session_->caller, nullptr, session_};
        // What must keep its place in the order of lines is done on this thread; calls, which may
        // take their time, are not.
        const auto method = json::string_value(json::member(line, "method")).value_or("");
        const bool quick = method.empty() || method == "initialize" || method == "ping" ||
                           method.starts_with("notifications/");
        if (quick && json::type_of(line) == json::Type::object) return dispatch(incoming);
        running_->enter(options_.max_running);
        // One that never comes back from a plugin outlives this object.
        std::thread([this, incoming, running = running_] {
            dispatch(incoming);
            running->leave();
        }).detach();
    }

    bool finish() {
        // Quick requests that were sent just before the end of the input still get their answers.
        const auto until = std::chrono::steady_clock::now() + options_.drain;
        running_->wait_none(options_.drain);
        while (asynchronous() && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        server_.close_session(session_);
        return running_->wait_none(options_.cancel);
    }

    void too_long() {
        writer_->write(mcp::error_message(
            {}, {mcp::code::invalid_request, "a message is longer than this server takes", {}, 0}));
    }

  private:
    // Requests that nobody is inside of, but that are still to be answered.
    bool asynchronous() {
        std::lock_guard lock(session_->mutex);
        return std::any_of(session_->running.begin(), session_->running.end(),
                           [](const auto& entry) { return !entry.second.expired(); });
    }

    void dispatch(const mcp::Incoming& incoming) {
        auto outlet = std::make_shared<Line>(writer_);
        std::vector<std::string_view> messages;
        if (!json::elements(incoming.text, messages))
            return server_.receive(incoming, std::move(outlet));
        if (session_->version.load() != mcp::Version::v2025_03_26 || messages.empty() ||
            messages.size() > most_in_batch)
            return outlet->answer(
                400, mcp::error_message({}, {mcp::code::invalid_request,
                                             "batches of 1 to 100 messages are for 2025-03-26",
                                             {},
                                             0}));
        receive_batch(server_, incoming, messages, std::move(outlet));
    }

    mcp::Server& server_;
    const StdioOptions& options_;
    std::shared_ptr<Writer> writer_;
    mcp::SessionPtr session_;
    std::shared_ptr<Running> running_ = std::make_shared<Running>();
};

// True when there is input; false at `stop`.
bool readable(int input, int stop) {
    pollfd both[2] = {{input, POLLIN, 0}, {stop, POLLIN, 0}};
    while (::poll(both, stop >= 0 ? 2 : 1, -1) < 0)
        if (errno != EINTR) return false;
    return stop < 0 || both[1].revents == 0;
}

}  // namespace

bool serve_stdio(mcp::Server& server, const runtime::CallerPtr& caller, const StdioOptions& options,
                 int stop) {
    Channel channel(server, caller, options);
    std::string pending, chunk(64u << 10, '\0');
    bool skipping = false;  // the rest of a line that was too long
    while (readable(options.input, stop)) {
        const auto count = ::read(options.input, chunk.data(), chunk.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        std::string_view fresh(chunk.data(), static_cast<std::size_t>(count));
        for (auto end = fresh.find('\n'); end != std::string_view::npos; end = fresh.find('\n')) {
            if (!skipping) pending.append(fresh.substr(0, end));
            fresh.remove_prefix(end + 1);
            if (pending.size() > options.max_message)
                channel.too_long();
            else if (!skipping)
                channel.take(std::move(pending));
            pending.clear();
            skipping = false;
        }
        if (!skipping) pending.append(fresh);
        if (pending.size() > options.max_message) {
            pending.clear();
            skipping = true;
            channel.too_long();
        }
    }
    if (!pending.empty()) channel.take(std::move(pending));
    return channel.finish();
}

}  // namespace pb::endpoint
