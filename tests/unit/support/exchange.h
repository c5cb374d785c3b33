// SPDX-License-Identifier: Apache-2.0
// HTTP without a socket: requests made of text, and an exchange that remembers what left through it
// and can be a client that is slow or gone.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/server.h"

namespace pb::test {

using http::HeaderList;

inline std::shared_ptr<http::Request> make_request(std::string method, HeaderList headers,
                                                   std::string body = {}) {
    struct Owned {
        std::string method;
        HeaderList headers;
    };
    auto owned = std::make_shared<Owned>(Owned{std::move(method), std::move(headers)});
    auto out = std::make_shared<http::Request>();
    out->method = owned->method;
    out->path = "/mcp";
    for (const auto& [name, value] : owned->headers)
        out->headers.push_back({name, value});
    out->body = std::move(body);
    out->peer = "127.0.0.1";
    out->loopback = true;
    out->buffer = std::move(owned);
    return out;
}

// One event of a stream.
struct Event {
    std::string id, retry, data;
};

class FakeExchange : public http::Exchange {
  public:
    bool respond(http::Response response) override {
        std::lock_guard lock(mutex_);
        if (answered_ || lost_) return false;
        answered_ = ended_ = true;
        response_ = std::move(response);
        changed_.notify_all();
        return true;
    }
    bool start_stream(const HeaderList& headers) override {
        std::lock_guard lock(mutex_);
        if (answered_ || lost_) return false;
        answered_ = streaming_ = true;
        response_.headers = headers;
        changed_.notify_all();
        return true;
    }
    http::SendResult send(std::string_view bytes) override {
        std::lock_guard lock(mutex_);
        if (lost_ || !streaming_ || ended_) return http::SendResult::gone;
        if (full_) return http::SendResult::again;
        stream_ += bytes;
        changed_.notify_all();
        return http::SendResult::ok;
    }
    void finish(std::string_view last) override {
        std::lock_guard lock(mutex_);
        if (lost_ || !streaming_ || ended_) return;
        stream_ += last;
        ended_ = true;
        changed_.notify_all();
    }
    void on_disconnect(std::function<void()> callback) override {
        {
            std::lock_guard lock(mutex_);
            if (!lost_) return callback_.swap(callback);
            if (!callback || std::exchange(told_, true)) return;
        }
        callback();
    }
    bool streaming() const override { return read(streaming_); }

    // The client goes away.
    void leave() {
        std::function<void()> callback;
        {
            std::lock_guard lock(mutex_);
            if (ended_ || lost_) return;
            lost_ = true;
            callback.swap(callback_);
            told_ = callback != nullptr;
        }
        if (callback) callback();
    }
    // The client reads nothing any more, or again.
    void fill(bool full = true) {
        std::lock_guard lock(mutex_);
        full_ = full;
    }

    // Waits for the end of the answer.
    bool wait() {
        return until([this] { return ended_; });
    }
    bool wait_streaming() {
        return until([this] { return streaming_; });
    }
    bool wait_events(std::size_t count) {
        return until([&] { return split(stream_).size() >= count; });
    }

    bool ended() const { return read(ended_); }
    bool answered() const { return read(answered_); }
    int status() const { return read(response_.status); }
    std::string body() const { return read(response_.body); }
    std::string type() const { return read(response_.content_type); }
    std::string stream() const { return read(stream_); }
    std::string header(std::string_view name) const {
        std::lock_guard lock(mutex_);
        for (const auto& [key, value] : response_.headers)
            if (key == name) return value;
        return {};
    }
    std::vector<Event> events() const { return split(stream()); }

  private:
    template <class T>
    T read(const T& member) const {
        std::lock_guard lock(mutex_);
        return member;
    }
    bool until(const std::function<bool()>& condition) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(60), condition);
    }
    static std::vector<Event> split(std::string_view text) {
        std::vector<Event> out;
        Event event;
        while (!text.empty()) {
            const auto end = std::min(text.find('\n'), text.size());
            const auto line = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            if (line.empty())
                out.push_back(std::exchange(event, {}));
            else if (line.starts_with("id: "))
                event.id = line.substr(4);
            else if (line.starts_with("retry: "))
                event.retry = line.substr(7);
            else if (line.starts_with("data: "))
                event.data += line.substr(6);
        }
        return out;
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::function<void()> callback_;
    http::Response response_;
    std::string stream_;
    bool answered_ = false, streaming_ = false, ended_ = false;
    bool lost_ = false, told_ = false, full_ = false;
};
using FakeExchangePtr = std::shared_ptr<FakeExchange>;

}  // namespace pb::test
