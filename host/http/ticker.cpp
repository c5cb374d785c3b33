// SPDX-License-Identifier: Apache-2.0
// The clock's thread.
#include "http/ticker.h"

#include "http/limits.h"

namespace pb::http {

Ticker::Ticker(Reactor& reactor, Workers& workers)
    : reactor_(reactor), workers_(workers), thread_([this] { run(); }) {}

void Ticker::stop() {
    {
        std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Ticker::run() {
    int ticks = 0;
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, tick_length, [this] { return stopping_; })) {
        lock.unlock();
        reactor_.set_now();
        workers_.tick();
        if (++ticks >= ticks_between_scans) {
            ticks = 0;
            scan();
        }
        lock.lock();
    }
}

void Ticker::scan() {
    std::vector<Connection*> expired;
    reactor_.collect_expired(expired);
    for (Connection* connection : expired)
        connection->expire(reactor_.now());
    reactor_.listen_again();
}

}  // namespace pb::http
