// SPDX-License-Identifier: Apache-2.0
// The ceiling for comparison: one thread, one epoll set, and for whatever arrives the same bytes
// back. Nothing is parsed, so each read must be one request: true of a client that waits for each
// answer and sends small requests. Prints its port; ends with standard input.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

namespace {

std::string fixed_answer() {
    const std::string body =
        R"({"jsonrpc":"2.0","id":100000001,"result":{"resultType":"complete",)"
        R"("content":[{"type":"text","text":"the quick brown fox 100000001"}]}})";
    return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
}

int listen_on_loopback(unsigned& port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(fd, 1024) != 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        return -1;
    }
    port = ntohs(address.sin_port);
    return fd;
}

void watch(int set, int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

void accept_all(int set, int listener) {
    for (;;) {
        const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        watch(set, fd);
    }
}

// False when standard input has ended.
bool serve(int set, int listener, int fd, const std::string& answer) {
    std::array<char, 65536> buffer;
    if (fd == listener) {
        accept_all(set, listener);
        return true;
    }
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (fd == STDIN_FILENO) return got > 0;
    const auto sent = got > 0 ? ::write(fd, answer.data(), answer.size()) : 0;
    if (sent != static_cast<ssize_t>(answer.size())) ::close(fd);
    return true;
}

}  // namespace

int main() {
    unsigned port = 0;
    const int listener = listen_on_loopback(port);
    const int set = ::epoll_create1(EPOLL_CLOEXEC);
    if (listener < 0 || set < 0) {
        std::perror("raw_epoll");
        return 1;
    }
    watch(set, listener);
    watch(set, STDIN_FILENO);
    std::printf("%u\n", port);
    std::fflush(stdout);
    const auto answer = fixed_answer();
    std::array<epoll_event, 64> events;
    for (;;) {
        const int ready = ::epoll_wait(set, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < ready; ++i) {
            if (!serve(set, listener, events[static_cast<std::size_t>(i)].data.fd, answer)) {
                return 0;
            }
        }
    }
}
