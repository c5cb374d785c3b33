// SPDX-License-Identifier: Apache-2.0
// What the tests of HTTP as a client share: servers, resolvers and receivers that show what
// happens.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/descriptor.h"
#include "http/server.h"
#include "outbound/http.h"

namespace pb::outbound::testing {

// Long enough for a loaded machine; no test waits for it unless it fails.
inline constexpr std::chrono::seconds patience{60};

// Looks again and again until it is so.
inline bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

inline std::unique_ptr<http::Server> serve(http::Handler handler,
                                           http::ServerOptions options = {}) {
    options.port = 0;
    auto server = http::Server::start(std::move(options), std::move(handler));
    if (!server) {
        ADD_FAILURE() << server.error().message;
        std::abort();
    }
    return std::move(*server);
}

inline void echo(const std::shared_ptr<const http::Request>& request,
                 const std::shared_ptr<http::Exchange>& exchange) {
    exchange->respond({200, "text/plain", request->body, {}});
}

// One connection of a RawServer, as the server sees it.
class RawConnection {
  public:
    RawConnection(int socket, int index) : index(index), socket_(socket) {}

    // A request with its body; empty if the connection ended first.
    std::string request() {
        std::size_t end;
        while ((end = input_.find("\r\n\r\n")) == std::string::npos) {
            if (!fill()) return {};
        }
        std::size_t size = end + 4;
        const std::size_t at = input_.find("Content-Length: ");
        if (at < end) size += std::strtoul(input_.c_str() + at + 16, nullptr, 10);
        while (input_.size() < size) {
            if (!fill()) return {};
        }
        std::string out = input_.substr(0, size);
        input_.erase(0, size);
        return out;
    }
    bool write(std::string_view bytes) const {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    bool answer(std::string_view body, std::string_view fields = {}) const {
        return write("HTTP/1.1 200 OK\r\n" + std::string(fields) + "Content-Length: " +
                     std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
    }
    // Waits until the client has closed.
    void await_end() {
        while (fill())
            input_.clear();
    }

    const int index;  // 0: the server's first connection

  private:
    bool fill() {
        char bytes[4096];
        const ssize_t got = ::recv(socket_, bytes, sizeof bytes, 0);
        if (got > 0) input_.append(bytes, static_cast<std::size_t>(got));
        return got > 0;
    }
    int socket_;
    std::string input_;
};

// A server that sends what a test tells it to, however wrong. The connection is closed when `talk`
// comes back.
class RawServer {
  public:
    using Talk = std::function<void(RawConnection&)>;

    explicit RawServer(Talk talk, const char* address = "127.0.0.1", std::uint16_t port = 0)
        : talk_(std::move(talk)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in own{};
        own.sin_family = AF_INET;
        own.sin_port = htons(port);
        ::inet_pton(AF_INET, address, &own.sin_addr);
        socklen_t size = sizeof own;
        auto* const any = reinterpret_cast<sockaddr*>(&own);
        bound_ = ::bind(listener_.get(), any, size) == 0 && ::listen(listener_.get(), 64) == 0;
        ::getsockname(listener_.get(), any, &size);
        port_ = ntohs(own.sin_port);
        accepting_ = std::thread([this] { accept(); });
    }
    ~RawServer() {
        ::shutdown(listener_.get(), SHUT_RDWR);
        accepting_.join();
        {
            std::lock_guard lock(mutex_);
            for (const auto& one : connections_) {
                if (one.socket) ::shutdown(one.socket.get(), SHUT_RDWR);
            }
        }
        for (auto& one : connections_)
            one.thread.join();
    }

    bool bound() const { return bound_; }
    std::uint16_t port() const { return port_; }
    int connections() const { return accepted_; }
    int closed() const { return closed_; }

  private:
    struct Connection {
        Descriptor socket;
        std::thread thread;
    };
    void accept() {
        for (;;) {
            Descriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!socket) return;
            std::lock_guard lock(mutex_);
            Connection& one = connections_.emplace_back();
            one.socket = std::move(socket);
            one.thread = std::thread([this, &one, index = accepted_++] {
                RawConnection connection(one.socket.get(), index);
                talk_(connection);
                std::lock_guard closing(mutex_);
                one.socket.reset();
                ++closed_;
            });
        }
    }

    Talk talk_;
    Descriptor listener_;
    bool bound_ = false;
    std::uint16_t port_ = 0;
    std::atomic<int> accepted_{0}, closed_{0};
    std::mutex mutex_;
    std::list<Connection> connections_;
    std::thread accepting_;
};

// Names as a test wants them: the n-th question gets the n-th answer, the last one for ever.
class FakeResolver : public Resolver {
  public:
    using Addresses = std::vector<std::string>;
    explicit FakeResolver(std::vector<Addresses> answers) : answers_(std::move(answers)) {}

    Result<std::vector<sockaddr_storage>> resolve(const std::string& host,
                                                  std::uint16_t port) override {
        const auto at = std::min(static_cast<std::size_t>(asked++), answers_.size() - 1);
        std::vector<sockaddr_storage> out;
        for (const std::string& text : answers_[at])
            out.push_back(address(text, port));
        if (out.empty()) return not_found("The name " + host + " has no address.");
        return out;
    }

    static sockaddr_storage address(const std::string& text, std::uint16_t port = 0) {
        sockaddr_storage out{};
        auto& v4 = reinterpret_cast<sockaddr_in&>(out);
        auto& v6 = reinterpret_cast<sockaddr_in6&>(out);
        if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
            v4.sin_family = AF_INET;
            v4.sin_port = htons(port);
        } else {
            EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr), 1) << text;
            v6.sin6_family = AF_INET6;
            v6.sin6_port = htons(port);
        }
        return out;
    }

    std::atomic<int> asked{0};

  private:
    std::vector<Addresses> answers_;
};

inline std::shared_ptr<FakeResolver> resolving(std::vector<FakeResolver::Addresses> answers) {
    return std::make_shared<FakeResolver>(std::move(answers));
}

inline AddressPolicy opened(const std::vector<std::string>& ranges) {
    auto policy = AddressPolicy::make(ranges);
    EXPECT_TRUE(policy.ok());
    return *policy;
}

// Options that let requests reach the tests' own servers.
inline Http::Options local(ResolverPtr resolver = system_resolver()) {
    Http::Options options;
    options.policy = opened({"127.0.0.0/8", "::1"});
    options.resolver = std::move(resolver);
    return options;
}

inline std::string url(std::uint16_t port, const std::string& path = "/",
                       const std::string& host = "127.0.0.1") {
    return "http://" + host + ":" + std::to_string(port) + path;
}

inline Request get(std::string url) {
    Request request;
    request.url = std::move(url);
    return request;
}

inline Request post(std::string url, std::string body) {
    Request request = get(std::move(url));
    request.method = "POST";
    request.body = std::move(body);
    return request;
}

// How a request ended.
struct Outcome {
    Answer answer;
    std::optional<Failure> failure;

    int status() const { return failure ? 0 : answer.head.status; }
    bool failed(Fault fault, bool sent) const {
        return failure && failure->fault == fault && failure->sent == sent;
    }
};

inline std::ostream& operator<<(std::ostream& to, const Outcome& out) {
    if (!out.failure) return to << out.answer.head.status << " " << out.answer.body;
    return to << "fault " << static_cast<int>(out.failure->fault) << ", sent " << out.failure->sent
              << ": " << out.failure->message;
}

inline Outcome fetch(Http& http, Request request) {
    auto result = http.fetch(std::move(request));
    Outcome out;
    if (auto* failure = std::get_if<Failure>(&result)) {
        out.failure = *failure;
    } else {
        out.answer = std::get<Answer>(std::move(result));
    }
    return out;
}

// Records a transfer; a test waits for its parts.
class Recorder : public Receiver {
  public:
    void head(const Head& head) override {
        std::lock_guard lock(mutex_);
        outcome_.answer.head = head;
        note(heads_);
    }
    bool data(std::string_view bytes) override {
        std::lock_guard lock(mutex_);
        outcome_.answer.body.append(bytes);
        changed_.notify_all();
        return taking;
    }
    void end(const std::optional<Failure>& failure) override {
        std::lock_guard lock(mutex_);
        outcome_.failure = failure;
        note(ends_);
    }

    bool await_head() {
        return await([this] { return heads_ > 0; });
    }
    bool await_body(std::string_view text) {
        return await([&] { return outcome_.answer.body.find(text) != std::string::npos; });
    }
    Outcome await_end() {
        EXPECT_TRUE(await([this] { return ends_ > 0; }));
        std::lock_guard lock(mutex_);
        return outcome_;
    }
    int heads() const {
        std::lock_guard lock(mutex_);
        return heads_;
    }
    int ends() const {
        std::lock_guard lock(mutex_);
        return ends_;
    }

    std::atomic<bool> taking{true};

  private:
    void note(int& count) {
        ++count;
        changed_.notify_all();
    }
    bool await(const std::function<bool()>& condition) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, patience, condition);
    }
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    int heads_ = 0, ends_ = 0;
    Outcome outcome_;
};

}  // namespace pb::outbound::testing
