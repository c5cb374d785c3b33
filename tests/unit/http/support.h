// SPDX-License-Identifier: Apache-2.0
// What the tests of this folder share: a client on a raw socket, a server that echoes, a latch.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/descriptor.h"
#include "http/server.h"

namespace pb::http::testing {

// Long enough for a loaded machine; no test waits for it unless it fails.
inline constexpr int patience_ms = 60'000;

struct Answer {
    int status = 0;  // 0: the connection ended first
    std::string head;
    std::string body;

    bool has(std::string_view text) const { return head.find(text) != std::string::npos; }
};

// A client that sees every byte. Subclasses put another layer between it and the socket.
class Client {
  public:
    explicit Client(std::uint16_t port, int receive_buffer = 0) {
        socket_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (receive_buffer > 0) {
            ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer,
                         sizeof receive_buffer);
        }
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const auto* target = reinterpret_cast<const sockaddr*>(&address);
        connected_ = ::connect(socket_.get(), target, sizeof address) == 0;
    }
    virtual ~Client() = default;
    Client(Client&&) = default;

    bool connected() const { return connected_; }
    int descriptor() const { return socket_.get(); }

    // False if the other side is gone.
    virtual bool write(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    // Everything up to and with `mark`; less if the connection ended.
    std::string until(std::string_view mark) {
        std::size_t found;
        while ((found = input_.find(mark)) == std::string::npos && fill()) {
        }
        return take(found == std::string::npos ? input_.size() : found + mark.size());
    }

    std::string exactly(std::size_t size) {
        while (input_.size() < size && fill()) {
        }
        return take(std::min(size, input_.size()));
    }

    // One answer. With `head_only`, it has no body whatever its length says.
    Answer answer(bool head_only = false) {
        Answer answer;
        answer.head = until("\r\n\r\n");
        if (!answer.head.starts_with("HTTP/1.1 ") || !answer.head.ends_with("\r\n\r\n")) return {};
        answer.status = std::atoi(answer.head.c_str() + 9);
        const std::size_t at = answer.head.find("Content-Length: ");
        if (at != std::string::npos && !head_only) {
            answer.body = exactly(std::strtoul(answer.head.c_str() + at + 16, nullptr, 10));
        }
        return answer;
    }

    Answer ask(std::string_view request) { return write(request) ? answer() : Answer{}; }

    // One chunk of a stream; empty at its end, or at the connection's.
    std::string chunk() {
        const std::string size = until("\r\n");
        const std::string data = exactly(std::strtoul(size.c_str(), nullptr, 16));
        until("\r\n");
        return data;
    }

    // The other side has closed; whatever it still sends is dropped.
    bool ended() {
        input_.clear();
        while (fill())
            input_.clear();
        return !timed_out_;
    }

    void shut_write() { ::shutdown(socket_.get(), SHUT_WR); }
    void close() { socket_.reset(); }

  protected:
    // Positive: bytes; otherwise the end.
    virtual ssize_t read(char* into, std::size_t size) {
        return wait(POLLIN) ? ::recv(socket_.get(), into, size, 0) : -1;
    }
    bool wait(short events) {
        pollfd entry{socket_.get(), events, 0};
        timed_out_ = ::poll(&entry, 1, patience_ms) == 0;
        return !timed_out_;
    }

  private:
    bool fill() {
        char bytes[16384];
        const ssize_t got = read(bytes, sizeof bytes);
        if (got > 0) input_.append(bytes, static_cast<std::size_t>(got));
        return got > 0;
    }
    std::string take(std::size_t size) {
        if (size == input_.size()) return std::exchange(input_, {});
        std::string taken = input_.substr(0, size);
        input_.erase(0, size);
        return taken;
    }

    Descriptor socket_;
    std::string input_;
    bool connected_ = false;
    bool timed_out_ = false;
};

// Counts up; others wait until it has reached a number.
class Latch {
  public:
    void arrive() {
        std::lock_guard lock(mutex_);
        ++count_;
        changed_.notify_all();
    }
    bool wait_for(int count = 1) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::milliseconds(patience_ms),
                                 [&] { return count_ >= count; });
    }
    int count() const {
        std::lock_guard lock(mutex_);
        return count_;
    }

  private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    int count_ = 0;
};

// Looks again and again until it is so.
inline bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

inline void echo(std::shared_ptr<const Request> request, std::shared_ptr<Exchange> exchange) {
    exchange->respond({200, "text/plain", request->body, {}});
}

inline std::unique_ptr<Server> serve(Handler handler = echo, ServerOptions options = {}) {
    options.port = 0;
    auto server = Server::start(std::move(options), std::move(handler));
    if (!server) {
        ADD_FAILURE() << server.error().message;
        std::abort();
    }
    return std::move(*server);
}

inline std::string post(std::string_view body, std::string_view fields = {},
                        std::string_view target = "/") {
    std::string text = "POST ";
    text.append(target).append(" HTTP/1.1\r\nHost: localhost\r\n").append(fields);
    text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
    return text.append(body);
}

inline const std::string get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

}  // namespace pb::http::testing
