// SPDX-License-Identifier: Apache-2.0
#include "endpoint/stdio.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

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

class Line : public mcp::Outlet {
  public:
    explicit Line(std::shared_ptr<Writer> writer) : writer_(std::move(writer)) {}
    bool can_send() const override { return true; }
    mcp::Sent send(std::string_view message) override {
        std::lock_guard lock(order_);
        if (over_) return mcp::Sent::gone;
        return writer_->write(message) ? mcp::Sent::ok : mcp::Sent::gone;
    }
    void answer(int, std::string_view message) override {
        std::lock_guard lock(order_);
        if (over_.exchange(true) || message.empty()) return;
        writer_->write(message);
    }
    // Waits for nobody who writes: the client may not be reading.
    void end() override { over_ = true; }
    void lasting() override {}
    void release(int) override {}
    void on_gone(std::function<void()> gone) override {
        {
            std::lock_guard lock(mutex_);
            if (!cancelled_) {
                gone_ = std::move(gone);
                return;
            }
        }
        gone();
    }
    void opened(const std::shared_ptr<mcp::Session>&) override {}

    // The client does not want the answer any more, perhaps before anybody has begun to find it.
    void cancel() {
        std::function<void()> gone;
        {
            std::lock_guard lock(mutex_);
            cancelled_ = true;
            gone.swap(gone_);
        }
        gone ? gone() : end();
    }

  private:
    std::shared_ptr<Writer> writer_;
    std::mutex order_;  // nothing is written behind the answer
    std::atomic<bool> over_{false};
    std::mutex mutex_;  // guards what follows
    bool cancelled_ = false;
    std::function<void()> gone_;
};
using LinePtr = std::shared_ptr<Line>;

// The messages that threads are inside of, by the ids of their requests: so that reading can wait,
// the end can be awaited, and one can be cancelled before its session knows of it.
class Running {
  public:
    using Place = std::multimap<std::string, LinePtr, std::less<>>::iterator;

    Place enter(std::string_view id, LinePtr line, std::size_t most) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return lines_.size() < most; });
        return lines_.emplace(id, std::move(line));
    }
    void leave(Place place) {
        std::lock_guard lock(mutex_);
        lines_.erase(place);
        changed_.notify_all();
    }
    void cancel(std::string_view id) {
        std::vector<LinePtr> found;
        {
            std::lock_guard lock(mutex_);
            const auto [first, last] = lines_.equal_range(id);
            for (auto at = first; at != last && !id.empty(); ++at)
                found.push_back(at->second);
        }
        for (const auto& line : found)
            line->cancel();
    }
    bool wait_none(std::chrono::milliseconds limit) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, limit, [&] { return lines_.empty(); });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::multimap<std::string, LinePtr, std::less<>> lines_;
};

// True if `stop` (none if negative) becomes readable in this time.
bool stopped(int stop, std::chrono::milliseconds within) {
    pollfd one{stop, POLLIN, 0};
    return ::poll(&one, 1, static_cast<int>(within.count())) > 0;
}

class Channel {
  public:
    Channel(mcp::Server& server, runtime::CallerPtr caller, const StdioOptions& options)
        : server_(server),
          options_(options),
          writer_(std::make_shared<Writer>(options.output)),
          session_(std::make_shared<mcp::Session>()) {
        session_->caller = session_->listener = std::move(caller);
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
        const auto method = json::string_value(json::member(line, "method")).value_or("");
        if (method == "notifications/cancelled")
            running_->cancel(json::member(json::member(line, "params"), "requestId"));
        auto outlet = std::make_shared<Line>(writer_);
        // What must keep its place in the order of lines is done on this thread; what may reach a
        // plugin and take its time is not, and a response may, for it lets a call go on.
        if (method == "initialize" || method == "ping" || method == "logging/setLevel" ||
            method.starts_with("notifications/"))
            return dispatch(incoming, outlet);
        const auto id = method.empty() ? std::string_view() : json::member(line, "id");
        const auto place = running_->enter(id, outlet, options_.max_running);
        // One that never comes back from a plugin outlives this object.
        std::thread([this, incoming, outlet, place, running = running_] {
            dispatch(incoming, outlet);
            running->leave(place);
        }).detach();
    }

    // A signal at `stop` ends the time that is left to what runs.
    bool finish(int stop) {
        within(options_.cancel, [&server = server_] { server.goodbye(); });
        // Quick requests that were sent just before the end of the input still get their answers.
        const auto until = std::chrono::steady_clock::now() + options_.drain;
        while (!idle() && std::chrono::steady_clock::now() < until)
            if (stopped(stop, std::chrono::milliseconds(5))) break;
        const bool closed = within(options_.cancel, [&server = server_, session = session_] {
            server.close_session(session);
        });
        return running_->wait_none(options_.cancel) && closed;
    }

    void too_long() {
        writer_->write(mcp::error_message(
            {}, {mcp::code::invalid_request, "a message is longer than this server takes", {}, 0}));
    }

  private:
    // Does what may write, apart: a client that does not read must not hold up the end. False if
    // it is not done after `limit`.
    static bool within(std::chrono::milliseconds limit, std::function<void()> work) {
        std::promise<void> done;
        const auto future = done.get_future();
        std::thread([work = std::move(work), done = std::move(done)]() mutable {
            work();
            done.set_value();
        }).detach();
        return future.wait_for(limit) == std::future_status::ready;
    }

    // No thread is inside of a request, and none is still to be answered.
    bool idle() {
        if (!running_->wait_none({})) return false;
        std::lock_guard lock(session_->mutex);
        return std::all_of(session_->running.begin(), session_->running.end(),
                           [](const auto& entry) { return entry.second.expired(); });
    }

    void dispatch(const mcp::Incoming& incoming, const LinePtr& outlet) {
        std::vector<std::string_view> messages;
        if (!json::elements(incoming.text, messages)) return server_.receive(incoming, outlet);
        if (session_->version.load() != mcp::Version::v2025_03_26 || messages.empty() ||
            messages.size() > most_in_batch)
            return outlet->answer(
                400, mcp::error_message({}, {mcp::code::invalid_request,
                                             "batches of 1 to 100 messages are for 2025-03-26",
                                             {},
                                             0}));
        receive_batch(server_, incoming, messages, outlet);
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
    log::info("stopping", {{"input_ended", !stopped(stop, {})}});
    return channel.finish(stop);
}

}  // namespace pb::endpoint
