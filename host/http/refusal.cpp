// SPDX-License-Identifier: Apache-2.0
// Refusing a request, and closing so that the client still sees why: a close with unread input
// would reset the connection and take the answer with it, so what the client sends is read and
// dropped for a while.
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "http/connection.h"
#include "http/limits.h"
#include "http/reactor.h"

namespace pb::http {

void Connection::refuse(const Refusal& refusal) {
    reactor_.count_refused();
    const Response response = error_response(refusal.status, refusal.reason);
    std::string out;
    append_head(out, response, {true, false});
    out.append(response.body);
    reader_.reset();
    discard(input_);
    taken_ = 0;
    hungry_ = false;
    put(out);
    close_after_ = true;
    settle();
}

void Connection::begin_drain() {
    phase_ = Phase::draining;
    drained_ = 0;
    discard(input_);
    taken_ = 0;
    set_deadline(drain_time);
    transport_->close();
    ::shutdown(descriptor_.get(), SHUT_WR);
}

void Connection::drain() {
    std::array<char, 16u << 10> dropped;
    for (std::size_t reads = 0; reads < reads_in_a_row; ++reads) {
        const ssize_t got = ::recv(descriptor_.get(), dropped.data(), dropped.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (got <= 0) return close();
        drained_ += static_cast<std::size_t>(got);
        if (drained_ > drained_bytes) return close();
    }
    arm();
}

}  // namespace pb::http
