// SPDX-License-Identifier: Apache-2.0
// What the tests of HTTP as a client share: servers, resolvers and receivers that show what
// happens.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "http/descriptor.h"
#include "http/server.h"
#include "outbound/http.h"

namespace pb::outbound::testing {

// Long enough for a loaded machine; no test waits for it unless it fails.
inline constexpr std::chrono::seconds patience{60};

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

inline void echo(std::shared_ptr<const http::Request> request,
                 std::shared_ptr<http::Exchange> exchange) {
    exchange->respond({200, "text/plain", request->body, {}});
}

inline std::string url(std::uint16_t port, const std::string& path = "/") {
    return "http://127.0.0.1:" + std::to_string(port) + path;
}

inline AddressPolicy opened(const std::vector<std::string>& ranges) {
    auto policy = AddressPolicy::make(ranges);
    EXPECT_TRUE(policy.ok());
    return *policy;
}

// Options that let requests reach the tests' own servers.
inline Http::Options local() {
    Http::Options options;
    options.policy = opened({"127.0.0.0/8", "::1"});
    return options;
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

// What fetch() gave, for a test that expects the one or the other.
struct Outcome {
    Answer answer;
    std::optional<Failure> failure;

    int status() const { return failure ? 0 : answer.head.status; }
};

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

}  // namespace pb::outbound::testing
