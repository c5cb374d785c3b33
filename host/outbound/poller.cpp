// SPDX-License-Identifier: Apache-2.0
#include "outbound/poller.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace pb::outbound {
namespace {

constexpr std::size_t events_at_once = 64;
constexpr int reads_at_once = 16;
constexpr std::uint32_t reading = EPOLLIN | EPOLLRDHUP;

}  // namespace

Poller::Poller()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      events_(events_at_once) {
    epoll_event event{EPOLLIN, {.fd = wake_}};
    if (epoll_ < 0 || wake_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0) {
        const int reason = errno;
        if (epoll_ >= 0) ::close(epoll_);
        if (wake_ >= 0) ::close(wake_);
        throw std::system_error(reason, std::generic_category(), "No epoll set can be made");
    }
}

Poller::~Poller() {
    ::close(wake_);
    ::close(epoll_);
}

void Poller::wake() {
    const std::uint64_t one = 1;
    while (::write(wake_, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

bool Poller::wait(std::chrono::milliseconds most) {
    found_ = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()),
                          static_cast<int>(most.count()));
    return found_ > 0;
}

const std::vector<Poller::Ready>& Poller::ready() {
    ready_.clear();
    for (int i = 0; i < found_; ++i) {
        const epoll_event& event = events_[static_cast<std::size_t>(i)];
        if (event.data.fd == wake_) {
            std::uint64_t number = 0;
            static_cast<void>(!::read(wake_, &number, sizeof number));
            continue;
        }
        const auto found = sockets_.find(event.data.fd);
        if (found == sockets_.end()) continue;
        if (found->second.resting) {
            disturbed(event.data.fd, found->second, (event.events & ~EPOLLIN) != 0);
        } else {
            ready_.push_back({event.data.fd,
                              (event.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0,
                              (event.events & EPOLLOUT) != 0, (event.events & EPOLLERR) != 0});
        }
    }
    return ready_;
}

void Poller::watch(int descriptor, bool read, bool write) {
    Socket& socket = sockets_[descriptor];
    socket.resting = false;
    set(descriptor, socket, (read ? reading : 0U) | (write ? EPOLLOUT : 0U));
}

void Poller::rest(int descriptor) {
    Socket& socket = sockets_[descriptor];
    socket.resting = true;
    set(descriptor, socket, reading);
}

void Poller::talks(int descriptor) {
    const auto found = sockets_.find(descriptor);
    if (found != sockets_.end()) found->second.talks = true;
}

void Poller::close(int descriptor) {
    if (sockets_.erase(descriptor) > 0) {
        ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
    }
    ::close(descriptor);
}

void Poller::set(int descriptor, Socket& socket, std::uint32_t events) {
    if (socket.events == events) return;
    epoll_event event{events, {.fd = descriptor}};
    const int what = socket.events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    ::epoll_ctl(epoll_, what, descriptor, &event);
    socket.events = events;
}

// curl looks at a pooled connection before it uses it, but takes one over TLS on which a farewell
// waits to be read for alive. So what waits is thrown away and the end made plain.
void Poller::disturbed(int descriptor, Socket& socket, bool ended) {
    if (socket.talks && !ended) return set(descriptor, socket, EPOLLRDHUP);
    char bytes[4096];
    for (int i = 0; i < reads_at_once; ++i) {
        const auto count = ::recv(descriptor, bytes, sizeof bytes, MSG_DONTWAIT);
        // What was found has been read meanwhile, by the transfer that it was for.
        if (count < 0 && errno == EAGAIN && i == 0 && !ended) return;
        if (count <= 0) break;
    }
    ::shutdown(descriptor, SHUT_RDWR);
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
    socket.events = 0;
}

}  // namespace pb::outbound
