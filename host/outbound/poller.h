// SPDX-License-Identifier: Apache-2.0
// The sockets that the loop waits for. One that curl keeps in its pool stays watched: when its
// server closes it or speaks unasked, it is made unfit for another request at once.
// [one thread at a time, but for wake() and wait()]
#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace pb::outbound {

class Poller {
  public:
    struct Ready {
        int descriptor = -1;
        bool readable = false, writable = false, failed = false;
    };

    Poller();
    ~Poller();
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    // [any thread] wait() comes back.
    void wake();

    // [one thread, beside the others] Waits until something is ready. True if something is.
    bool wait(std::chrono::milliseconds most);
    static constexpr std::chrono::milliseconds forever{-1};
    // What the last wait() has found. The list is good until the next call.
    const std::vector<Ready>& ready();

    void watch(int descriptor, bool read, bool write);
    void rest(int descriptor);   // nobody waits for it now; it may be in the pool
    void close(int descriptor);  // forgets and closes it
    // Its server may speak unasked (HTTP/2): only its end makes it unfit.
    void talks(int descriptor);

  private:
    struct Socket {
        std::uint32_t events = 0;
        bool resting = false;
        bool talks = false;
    };
    void set(int descriptor, Socket& socket, std::uint32_t events);
    void disturbed(int descriptor, Socket& socket, bool ended);

    int epoll_ = -1;
    int wake_ = -1;
    std::unordered_map<int, Socket> sockets_;
    std::vector<epoll_event> events_;
    int found_ = 0;  // of them by the last wait()
    std::vector<Ready> ready_;
};

}  // namespace pb::outbound
