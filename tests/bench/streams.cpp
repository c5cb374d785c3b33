// SPDX-License-Identifier: Apache-2.0
// Opens many subscriptions/listen streams and waits for a change of the tool list on each.
//
//   bench_streams PORT COUNT
//
// Prints JSON lines: {"open":N} when every stream has been acknowledged, then, when every stream
// has heard of a change, {"heard":N,"first_ns":...,"last_ns":...} on the clock CLOCK_MONOTONIC;
// again for each further change. Ends with standard input, and with 1 if a stream fails.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t opening_at_once = 128;
constexpr std::string_view acknowledged = "notifications/subscriptions/acknowledged";
constexpr std::string_view changed = "notifications/tools/list_changed";

std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

std::string listen_request(unsigned port, std::size_t id) {
    const std::string body =
        R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
        R"(,"method":"subscriptions/listen","params":{"_meta":{)"
        R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
        R"("io.modelcontextprotocol/clientInfo":{"name":"streams","version":"1"},)"
        R"("io.modelcontextprotocol/clientCapabilities":{}},)"
        R"("notifications":{"toolsListChanged":true}}})";
    return "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
           "\r\nContent-Type: application/json\r\n"
           "Accept: application/json, text/event-stream\r\n"
           "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: subscriptions/listen\r\n"
           "Content-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

class Streams {
  public:
    Streams(unsigned port, std::size_t count)
        : port_(port), streams_(count), set_(::epoll_create1(EPOLL_CLOEXEC)) {}

    // False when a stream failed.
    bool run() {
        epoll_event input{};
        input.events = EPOLLIN;
        input.data.u64 = streams_.size();
        ::epoll_ctl(set_, EPOLL_CTL_ADD, STDIN_FILENO, &input);
        std::array<epoll_event, 256> events;
        for (;;) {
            while (opened_ < streams_.size() && opened_ - acknowledged_ < opening_at_once) {
                if (!open(opened_++)) return false;
            }
            const int ready =
                ::epoll_wait(set_, events.data(), static_cast<int>(events.size()), -1);
            for (int i = 0; i < ready; ++i) {
                const auto which = events[static_cast<std::size_t>(i)].data.u64;
                if (which == streams_.size()) return true;
                if (!read(which)) return false;
            }
        }
    }

  private:
    struct Stream {
        int fd = -1;
        bool open = false, heard = false;
        std::string rest;  // what may be the beginning of a message
    };

    bool open(std::size_t which) {
        auto& stream = streams_[which];
        stream.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(static_cast<std::uint16_t>(port_));
        const auto request = listen_request(port_, which);
        if (stream.fd < 0 ||
            ::connect(stream.fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
            ::write(stream.fd, request.data(), request.size()) !=
                static_cast<ssize_t>(request.size())) {
            std::perror("bench_streams: opening a stream");
            return false;
        }
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = which;
        return ::epoll_ctl(set_, EPOLL_CTL_ADD, stream.fd, &event) == 0;
    }

    bool read(std::size_t which) {
        auto& stream = streams_[which];
        std::array<char, 4096> buffer;
        const auto got = ::read(stream.fd, buffer.data(), buffer.size());
        if (got <= 0) {
            std::fprintf(stderr, "bench_streams: stream %zu was closed\n", which);
            return false;
        }
        stream.rest.append(buffer.data(), static_cast<std::size_t>(got));
        if (!stream.open) {
            if (!take(stream, acknowledged)) return true;
            stream.open = true;
            if (++acknowledged_ == streams_.size()) {
                std::printf("{\"open\":%zu}\n", acknowledged_);
                std::fflush(stdout);
            }
        }
        while (take(stream, changed))
            heard(stream);
        return true;
    }

    // True if the text was there; drops it and what is before it.
    static bool take(Stream& stream, std::string_view text) {
        const auto at = stream.rest.find(text);
        if (at == std::string::npos) {
            if (stream.open && stream.rest.size() > text.size()) {
                stream.rest.erase(0, stream.rest.size() - text.size());
            }
            return false;
        }
        stream.rest.erase(0, at + text.size());
        return true;
    }

    void heard(Stream& stream) {
        if (stream.heard) return;
        stream.heard = true;
        last_ns_ = now_ns();
        if (heard_++ == 0) first_ns_ = last_ns_;
        if (heard_ < streams_.size()) return;
        std::printf("{\"heard\":%zu,\"first_ns\":%lld,\"last_ns\":%lld}\n", heard_,
                    static_cast<long long>(first_ns_), static_cast<long long>(last_ns_));
        std::fflush(stdout);
        heard_ = 0;
        for (auto& each : streams_)
            each.heard = false;
    }

    unsigned port_;
    std::vector<Stream> streams_;
    int set_;
    std::size_t opened_ = 0, acknowledged_ = 0, heard_ = 0;
    std::int64_t first_ns_ = 0, last_ns_ = 0;
};

bool parse(std::string_view text, std::size_t& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t port = 0, count = 0;
    if (argc != 3 || !parse(argv[1], port) || !parse(argv[2], count) || count == 0) {
        std::fprintf(stderr, "usage: bench_streams PORT COUNT\n");
        return 2;
    }
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return Streams(static_cast<unsigned>(port), count).run() ? 0 : 1;
}
