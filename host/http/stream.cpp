// SPDX-License-Identifier: Apache-2.0
// Answers and event streams: what a connection writes, at once if the socket takes it, else from a
// queue when it does.
#include <sys/socket.h>

#include <array>
#include <charconv>

#include "http/connection.h"
#include "http/limits.h"
#include "http/reactor.h"

namespace pb::http {

bool Connection::respond(std::uint64_t exchange, Response response) {
    Callback dropped;  // destroyed without the mutex
    Lock lock(mutex_);
    if (exchange != exchange_ || phase_ != Phase::handling) return false;
    dropped = end_exchange();
    keep_alive_ = keep_alive_ && !reactor_.stopping() && !asks_to_close(response.headers);
    thread_local std::string out;
    out.clear();
    append_head(out, response, {http11_, keep_alive_});
    const bool body = !head_only_ && has_body(response.status) && !response.content_type.empty();
    if (!body || response.body.size() <= copied_body) {
        if (body) out.append(response.body);
        put(out);
    } else {
        put(out, true);
        put_body(std::move(response.body));
    }
    close_after_ = !keep_alive_;
    settle();
    lock.unlock();
    return true;
}

bool Connection::start_stream(std::uint64_t exchange, const HeaderList& headers) {
    Lock lock(mutex_);
    if (exchange != exchange_ || phase_ != Phase::handling) return false;
    // Without chunks (HTTP/1.0) only the connection's end marks the stream's.
    keep_alive_ = keep_alive_ && http11_ && !reactor_.stopping() && !asks_to_close(headers);
    chunked_ = http11_;
    std::string out;
    append_stream_head(out, headers, {http11_, keep_alive_});
    phase_ = Phase::streaming;
    reactor_.streams(+1);
    set_deadline(reactor_.options().keep_alive_comment);
    put(out);
    // From here the client is watched even if the handler goes on.
    owner_ = 0;
    arm();
    return true;
}

SendResult Connection::send(std::uint64_t exchange, std::string_view bytes) {
    Lock lock(mutex_);
    if (exchange != exchange_ || phase_ != Phase::streaming || broken_) return SendResult::gone;
    if (bytes.empty() || head_only_) return SendResult::ok;
    const std::size_t waiting = unsent();
    if (waiting > 0 && waiting + bytes.size() > reactor_.options().stream_buffer) {
        return SendResult::again;
    }
    put_chunk(bytes);
    if (broken_) return SendResult::gone;
    if (waiting == 0 && unsent() > 0) arm();
    return SendResult::ok;
}

void Connection::finish(std::uint64_t exchange, std::string_view last) {
    Callback dropped;
    Lock lock(mutex_);
    if (exchange != exchange_ || phase_ != Phase::streaming) return;
    if (!last.empty() && !head_only_ && !broken_) put_chunk(last);
    dropped = end_exchange();
    if (chunked_ && !head_only_) put("0\r\n\r\n");
    close_after_ = !keep_alive_;
    settle();
    lock.unlock();
}

void Connection::on_disconnect(std::uint64_t exchange, Callback callback) {
    Lock lock(mutex_);
    if (exchange == lost_) {
        if (!callback) return;
        lost_ = 0;
        lock.unlock();
        tell(callback);
        return;
    }
    if (exchange == exchange_ && (phase_ == Phase::handling || phase_ == Phase::streaming)) {
        std::swap(on_disconnect_, callback);
    }
    lock.unlock();  // before the earlier callback is destroyed
}

bool Connection::streaming(std::uint64_t exchange) {
    Lock lock(mutex_);
    return exchange == exchange_ && phase_ == Phase::streaming;
}

void Connection::abandon(std::uint64_t exchange) {
    finish(exchange);
    respond(exchange, error_response(500, "The request was not answered."));
}

// Writes what the transport takes now, behind nothing.
std::size_t Connection::write(std::string_view bytes, bool more) {
    std::size_t written = 0;
    while (!broken_ && written < bytes.size()) {
        const Transfer transfer = transport_->write(bytes.substr(written), more);
        write_waits_ = transfer.state == Transfer::State::wait_read;
        if (transfer.state == Transfer::State::closed) break_off();
        if (transfer.state != Transfer::State::done) break;
        written += transfer.bytes;
    }
    return written;
}

// Writes, or queues behind what waits already.
void Connection::put(std::string_view bytes, bool more) {
    const std::size_t written = unsent() == 0 ? write(bytes, more) : 0;
    if (!broken_) pending_.append(bytes.substr(written));
}

// As put(), for a large body: what the socket does not take is kept without a copy.
void Connection::put_body(std::string body) {
    if (unsent() > 0) return put(body);
    sent_ = write(body, false);
    if (broken_ || sent_ == body.size()) {
        sent_ = 0;
    } else {
        pending_ = std::move(body);
    }
}

void Connection::put_chunk(std::string_view bytes) {
    const bool waited = unsent() > 0;
    if (!chunked_) {
        put(bytes);
    } else {
        std::array<char, 20> size;
        const auto end =
            std::to_chars(size.data(), size.data() + size.size(), bytes.size(), 16).ptr;
        thread_local std::string out;
        out.assign(size.data(), end).append("\r\n").append(bytes).append("\r\n");
        put(out);
        if (out.capacity() > read_size) discard(out);
    }
    // The reader's time runs from its last progress; the comment's from the last bytes.
    const auto& options = reactor_.options();
    if (unsent() == 0) set_deadline(options.keep_alive_comment);
    if (unsent() > 0 && !waited) set_deadline(options.stream_stall);
}

void Connection::flush() {
    if (unsent() == 0) return;
    const std::size_t written = write(std::string_view(pending_).substr(sent_), false);
    if (broken_) return;
    sent_ += written;
    if (unsent() == 0) {
        discard(pending_);
        sent_ = 0;
    } else if (sent_ > pending_.size() / 2 && phase_ == Phase::streaming) {
        pending_.erase(0, sent_);
        sent_ = 0;
    }
    if (written == 0) return;
    const auto& options = reactor_.options();
    if (phase_ == Phase::flushing) set_deadline(options.write_time);
    if (phase_ == Phase::streaming)
        set_deadline(unsent() > 0 ? options.stream_stall : options.keep_alive_comment);
}

// The answer is written or queued: what comes next, and what is waited for.
void Connection::settle() {
    if (broken_ || unsent() > 0) {
        if (phase_ != Phase::flushing) set_deadline(reactor_.options().write_time);
        phase_ = Phase::flushing;
    } else {
        next();
    }
    arm();
}

void Connection::next() {
    if (close_after_) return begin_drain();
    phase_ = Phase::reading;
    timing_ = Timing::idle;
    set_deadline(reactor_.options().idle_time);
}

// The socket is of no use any more. Shut down, it reports a hang-up, and a worker does the rest:
// this may run inside send(), where nobody must be called.
void Connection::break_off() {
    broken_ = true;
    ::shutdown(descriptor_.get(), SHUT_RDWR);
}

void Connection::set_deadline(std::chrono::milliseconds from_now) {
    deadline_.store(reactor_.now() + from_now.count(), std::memory_order_relaxed);
}

}  // namespace pb::http
