// SPDX-License-Identifier: Apache-2.0
// A connection's life: opening, reading requests, waiting while they are handled, closing.
#include "http/connection.h"

#include <poll.h>

#include <exception>

#include "base/log.h"
#include "http/limits.h"
#include "http/reactor.h"
#include "http/workers.h"

namespace pb::http {
namespace {

// One for each worker instead of one for each connection: nothing idle holds a buffer.
char* read_buffer() {
    thread_local const std::unique_ptr<char[]> buffer(new char[read_size]);
    return buffer.get();
}

bool polled(int descriptor, short events) {
    pollfd entry{descriptor, events, 0};
    return ::poll(&entry, 1, 0) == 1 && entry.revents != 0;
}

}  // namespace

void Connection::open(Descriptor descriptor, std::unique_ptr<Transport> transport, Peer peer,
                      bool secure, const Refusal* refused) {
    Lock lock(mutex_);
    descriptor_ = std::move(descriptor);
    transport_ = std::move(transport);
    peer_ = std::move(peer);
    secure_ = secure;
    http11_ = keep_alive_ = true;
    head_only_ = chunked_ = close_after_ = broken_ = hungry_ = false;
    read_waits_ = write_waits_ = false;
    drained_ = 0;
    phase_ = Phase::reading;
    timing_ = Timing::idle;
    set_deadline(secure ? reactor_.options().header_time : reactor_.options().idle_time);
    if (!reactor_.add(descriptor_.get(), this, refused ? 0u : std::uint32_t{EPOLLIN}))
        return close();
    if (refused) refuse(*refused);
}

void Connection::ready(Worker& worker) {
    Callback gone;
    {
        Lock lock(mutex_);
        if (owner_ != 0) return;  // the worker in the handler arms it again
        switch (phase_) {
            case Phase::closed:
                return;
            case Phase::handling:
            case Phase::streaming:
                if (!broken_) flush();
                if (broken_ || hung_up()) {
                    gone = disconnect();
                } else {
                    arm();
                }
                break;
            case Phase::flushing:
                if (!broken_) flush();
                if (broken_) {
                    close();
                } else {
                    settle();
                }
                break;
            case Phase::draining:
                drain();
                break;
            case Phase::reading:
                serve(lock, worker);
                break;
        }
    }
    if (!gone) return;
    worker.enter(this, 0, reactor_.now());
    tell(gone);
    worker.leave();
}

// Reads and dispatches until there is nothing more to do without waiting.
void Connection::serve(Lock& lock, Worker& worker) {
    if (unsent() > 0) flush();  // a "100 Continue"
    do {
        if (broken_) return close();
        switch (read_request()) {
            case Input::wait:
                watch_time();
                return arm();
            case Input::closed:
                return close();
            case Input::refused:
                return refuse(Refusal(reader_->refusal()));
            case Input::complete:
                break;
        }
        if (!dispatch(lock, worker)) return;
    } while (phase_ == Phase::reading && (!input_.empty() || transport_->buffered()));
    arm();
}

Connection::Input Connection::read_request() {
    if (!reader_) reader_.emplace(reactor_.options().max_header, reactor_.options().max_body);
    for (std::size_t reads = 0; reads < reads_in_a_row; ++reads) {
        std::string_view data;
        Transfer transfer;
        const bool stored = !input_.empty() && !hungry_;
        if (stored) {
            data = std::string_view(input_).substr(taken_);
        } else {
            data = receive(transfer);
            read_waits_ = transfer.state == Transfer::State::wait_write;
            if (transfer.state == Transfer::State::closed) return Input::closed;
            if (transfer.state != Transfer::State::done) return Input::wait;
        }
        const Input taken = take_input(data);
        if (taken != Input::wait) return taken;
        if (reader_->wants_continue() && input_.empty()) {
            reader_->continued();
            put("HTTP/1.1 100 Continue\r\n\r\n");
        }
        // A short read has emptied a plain socket; TLS may hold another record.
        if (!stored && !secure_ && transfer.bytes < read_size) return Input::wait;
    }
    return Input::wait;
}

// The next bytes, behind those that did not suffice by themselves.
std::string_view Connection::receive(Transfer& transfer) {
    char* const buffer = read_buffer();
    transfer = transport_->read(buffer, read_size);
    if (transfer.state != Transfer::State::done) return {};
    if (transfer.bytes == 0) transfer.state = Transfer::State::closed;
    if (input_.empty()) return {buffer, transfer.bytes};
    input_.erase(0, taken_);
    taken_ = 0;
    input_.append(buffer, transfer.bytes);
    return input_;
}

// Feeds the reader and keeps what it leaves.
Connection::Input Connection::take_input(std::string_view data) {
    const char* const begin = data.data();
    const RequestReader::Step step = reader_->feed(data);
    if (data.empty()) {
        discard(input_);
        taken_ = 0;
    } else if (!input_.empty()) {
        taken_ += static_cast<std::size_t>(data.data() - begin);
    } else {
        input_.assign(data);
        taken_ = 0;
    }
    hungry_ = step == RequestReader::Step::need_more;
    if (step == RequestReader::Step::refused) return Input::refused;
    return hungry_ ? Input::wait : Input::complete;
}

// Runs the handler with the mutex released. False: the connection is somebody else's by now.
bool Connection::dispatch(Lock& lock, Worker& worker) {
    std::shared_ptr<OwnedRequest> request = reader_->take();
    keep_alive_ = reader_->keep_alive();
    http11_ = reader_->http11();
    head_only_ = request->method == "HEAD";
    reader_.reset();
    request->peer = peer_.text;
    request->peer = reactor_.options().proxies.client_of(*request);
    request->loopback = peer_.loopback;
    request->secure = secure_;
    phase_ = Phase::handling;
    timing_ = Timing::idle;
    deadline_.store(0, std::memory_order_relaxed);
    const std::uint64_t mine = owner_ = ++exchange_;
    std::shared_ptr<Exchange> exchange = make_exchange(shared_from_this(), mine);
    lock.unlock();
    worker.enter(this, mine, reactor_.now());
    try {
        reactor_.handler()(std::move(request), std::move(exchange));
    } catch (const std::exception& error) {
        log::error("http.handler_failed", {{"reason", error.what()}});
    } catch (...) {
        log::error("http.handler_failed", {{"reason", "unknown exception"}});
    }
    exchange.reset();
    worker.leave();
    worker.count_request();
    lock.lock();
    if (owner_ != mine) return false;
    owner_ = 0;
    return true;
}

// A deadline begins with the first byte of what it is for, and further bytes do not move it.
void Connection::watch_time() {
    const Timing now = !reader_ || !reader_->started() ? Timing::idle
                       : reader_->in_body()            ? Timing::body
                                                       : Timing::header;
    if (now == timing_) return;
    timing_ = now;
    const auto& options = reactor_.options();
    set_deadline(now == Timing::body ? options.body_time : options.header_time);
}

void Connection::arm() {
    if (phase_ == Phase::closed || owner_ != 0) return;
    std::uint32_t events = 0;
    if (unsent() > 0) events |= write_waits_ ? EPOLLIN : EPOLLOUT;
    if (phase_ == Phase::handling || phase_ == Phase::streaming) {
        // Without EPOLLIN: further requests stay in the kernel until this one is answered.
        events |= EPOLLRDHUP;
    } else if (phase_ != Phase::flushing) {
        // A writable socket wakes a worker at once for what has been read already.
        const bool at_once = (!input_.empty() && !hungry_) || transport_->buffered();
        events |= EPOLLIN | (at_once || read_waits_ ? EPOLLOUT : 0u);
    }
    reactor_.arm(descriptor_.get(), this, events);
}

bool Connection::hung_up() const { return polled(descriptor_.get(), POLLRDHUP); }

// The current exchange is over: its number is void and its callback leaves, to be destroyed (or
// called) without the mutex.
Connection::Callback Connection::end_exchange() {
    if (phase_ == Phase::streaming) reactor_.streams(-1);
    ++exchange_;
    return std::exchange(on_disconnect_, nullptr);
}

Connection::Callback Connection::disconnect() {
    Callback callback;
    if (phase_ == Phase::handling || phase_ == Phase::streaming) {
        const std::uint64_t lost = exchange_;
        callback = end_exchange();
        lost_ = callback ? 0 : lost;
    }
    close();
    return callback;
}

void Connection::close() {
    if (phase_ == Phase::closed) return;
    phase_ = Phase::closed;
    deadline_.store(0, std::memory_order_relaxed);
    owner_ = 0;
    transport_->close();
    transport_.reset();
    reactor_.remove(descriptor_.get());
    descriptor_.reset();
    reader_.reset();
    discard(input_);
    discard(pending_);
    taken_ = sent_ = 0;
    reactor_.released(*this, peer_);
}

void Connection::detach(std::uint64_t exchange) {
    Lock lock(mutex_);
    if (owner_ != exchange || owner_ == 0) return;
    owner_ = 0;
    arm();
}

void Connection::expire(std::int64_t now) {
    Lock lock(mutex_);
    const std::int64_t due = deadline();
    if (due == 0 || due > now) return;
    switch (phase_) {
        case Phase::reading:
            if (timing_ == Timing::idle) return close();
            return refuse({408, timing_ == Timing::body ? "The body did not arrive in time."
                                                        : "The header did not arrive in time."});
        case Phase::streaming:
            if (unsent() > 0) return break_off();
            put_chunk(":\n\n");
            return arm();
        case Phase::flushing:
        case Phase::draining:
            return close();
        default:
            return;
    }
}

void Connection::close_if_idle() {
    Lock lock(mutex_);
    if (phase_ != Phase::reading || owner_ != 0 || !input_.empty()) return;
    if (reader_ && reader_->started()) return;
    // A request that has arrived already is still answered.
    if (!polled(descriptor_.get(), POLLIN)) close();
}

bool Connection::in_exchange() {
    Lock lock(mutex_);
    return phase_ == Phase::handling || phase_ == Phase::streaming || phase_ == Phase::flushing;
}

void Connection::abort() {
    Callback gone;
    {
        Lock lock(mutex_);
        if (phase_ == Phase::closed) return;
        gone = disconnect();
    }
    if (gone) tell(gone);
}

// The callback is somebody else's code on our thread.
void Connection::tell(const Callback& callback) {
    try {
        callback();
    } catch (const std::exception& error) {
        log::error("http.disconnect_callback_failed", {{"reason", error.what()}});
    } catch (...) {
        log::error("http.disconnect_callback_failed", {{"reason", "unknown exception"}});
    }
}

}  // namespace pb::http
