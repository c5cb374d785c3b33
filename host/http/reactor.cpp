// SPDX-License-Identifier: Apache-2.0
// Waiting, accepting, and the pool of connections.
#include "http/reactor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "base/log.h"
#include "http/limits.h"

namespace pb::http {
namespace {

constexpr int accepts_in_a_row = 64;
constexpr std::size_t looks_for_free = 8;

Peer peer_of(const sockaddr_storage& address) {
    char text[INET6_ADDRSTRLEN] = "";
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
        return {text, (ntohl(v4.sin_addr.s_addr) >> 24) == 127};
    }
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
        inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, sizeof text);
        return {text, v6.sin6_addr.s6_addr[12] == 127};
    }
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    return {text, IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) != 0};
}

}  // namespace

Reactor::Reactor(ServerOptions options, Handler handler, TlsContext tls)
    : options_(std::move(options)), handler_(std::move(handler)), tls_(std::move(tls)) {
    set_now();
}

Result<void> Reactor::open(int listener) {
    listener_ = listener;
    epoll_ = Descriptor(::epoll_create1(EPOLL_CLOEXEC));
    ends_ = Descriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE));
    epoll_event event{EPOLLIN, {.ptr = &ends_}};
    if (!epoll_ || !ends_ || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, ends_.get(), &event) < 0) {
        return internal_error(std::string("No epoll set could be made: ") + std::strerror(errno));
    }
    event = {EPOLLIN | EPOLLONESHOT, {.ptr = &listener_}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_, &event) < 0) {
        return internal_error(std::string("The socket cannot be watched: ") + std::strerror(errno));
    }
    return {};
}

void Reactor::set_now() {
    using namespace std::chrono;
    const auto since = steady_clock::now().time_since_epoch();
    now_.store(duration_cast<milliseconds>(since).count(), std::memory_order_relaxed);
}

Connection* Reactor::wait() {
    for (;;) {
        epoll_event event;
        if (::epoll_wait(epoll_.get(), &event, 1, -1) != 1) continue;
        if (event.data.ptr == &listener_) {
            accept_some();
        } else if (event.data.ptr == &ends_) {
            std::uint64_t one = 0;
            if (::read(ends_.get(), &one, sizeof one) == sizeof one) return nullptr;
        } else {
            return static_cast<Connection*>(event.data.ptr);
        }
    }
}

void Reactor::end_workers(std::size_t count) {
    const std::uint64_t value = count;
    while (::write(ends_.get(), &value, sizeof value) < 0 && errno == EINTR) {
    }
}

bool Reactor::add(int descriptor, Connection* connection, std::uint32_t events) {
    epoll_event event{events | EPOLLONESHOT, {.ptr = connection}};
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Reactor::arm(int descriptor, Connection* connection, std::uint32_t events) {
    epoll_event event{events | EPOLLONESHOT, {.ptr = connection}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, descriptor, &event);
}

void Reactor::remove(int descriptor) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr);
}

void Reactor::accept_some() {
    Accepted accepted = Accepted::one;
    for (int i = 0; i < accepts_in_a_row && accepted == Accepted::one; ++i)
        accepted = accept_one();
    if (accepted == Accepted::exhausted) {
        // Watching on would spin. The ticker tries again; meanwhile clients wait in the backlog.
        if (!exhausted_.exchange(true)) {
            log::warning("http.accept_exhausted", {{"reason", std::strerror(errno)}});
        }
        return;
    }
    exhausted_.store(false);
    watch_listener();
}

void Reactor::watch_listener() {
    epoll_event event{EPOLLIN | EPOLLONESHOT, {.ptr = &listener_}};
    if (!stopping()) ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, listener_, &event);
}

Reactor::Accepted Reactor::accept_one() {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    Descriptor accepted(::accept4(listener_, reinterpret_cast<sockaddr*>(&address), &size,
                                  SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (accepted) {
        admit(std::move(accepted), peer_of(address));
        return Accepted::one;
    }
    if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO) return Accepted::one;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        return Accepted::exhausted;
    }
    return Accepted::none;
}

void Reactor::admit(Descriptor descriptor, Peer peer) try {
    std::unique_ptr<Transport> transport =
        tls_ ? tls_transport(tls_.get(), descriptor.get()) : plain_transport(descriptor.get());
    std::shared_ptr<Connection> connection;
    bool refused = false;
    {
        std::lock_guard lock(pool_mutex_);
        const std::size_t bound = options_.max_connections;
        refused = open_ >= bound;
        if (!stopping() && transport && open_ < bound + refused_at_once) {
            std::size_t& of_peer = per_peer_[peer.text];
            const std::size_t own = options_.max_connections_per_peer;
            refused = refused || (own > 0 && of_peer >= own);
            connection = take_free();
            ++of_peer;
            ++open_;
        }
    }
    if (!connection) return count_refused();
    static const Refusal full{503, "The server has too many connections; try again later."};
    connection->open(std::move(descriptor), std::move(transport), std::move(peer), tls_ != nullptr,
                     refused ? &full : nullptr);
} catch (const std::bad_alloc&) {
    count_refused();
}

// An object whose exchange somebody still holds is left alone, so that the holder can yet be told
// of the loss.
std::shared_ptr<Connection> Reactor::take_free() {
    for (std::size_t i = 0; i < looks_for_free && !free_.empty(); ++i) {
        Connection* const candidate = free_.front();
        free_.pop_front();
        auto held = candidate->shared_from_this();
        if (held.use_count() == 2) return held;
        free_.push_back(candidate);
    }
    return all_.emplace_back(std::make_shared<Connection>(*this));
}

void Reactor::released(Connection& connection, const Peer& peer) {
    std::lock_guard lock(pool_mutex_);
    free_.push_back(&connection);
    --open_;
    const auto found = per_peer_.find(peer.text);
    if (found != per_peer_.end() && --found->second == 0) per_peer_.erase(found);
}

void Reactor::collect_expired(std::vector<Connection*>& into) {
    const std::int64_t at = now();
    std::lock_guard lock(pool_mutex_);
    for (const auto& connection : all_) {
        const std::int64_t deadline = connection->deadline();
        if (deadline != 0 && deadline <= at) into.push_back(connection.get());
    }
}

void Reactor::listen_again() {
    if (exhausted_.load()) watch_listener();
}

void Reactor::refuse_new() {
    std::lock_guard lock(pool_mutex_);
    stopping_.store(true);
    ::shutdown(listener_, SHUT_RDWR);
    remove(listener_);
}

void Reactor::each(const std::function<void(Connection&)>& visit) {
    std::vector<Connection*> all;
    {
        std::lock_guard lock(pool_mutex_);
        all.reserve(all_.size());
        for (const auto& connection : all_)
            all.push_back(connection.get());
    }
    for (Connection* connection : all)
        visit(*connection);
}

std::size_t Reactor::open_connections() const {
    std::lock_guard lock(pool_mutex_);
    return open_;
}

void Reactor::fill(Server::Counters& counters) const {
    counters.connections = open_connections();
    counters.streams = static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, streams_.load(std::memory_order_relaxed)));
    counters.refused = refused_.load(std::memory_order_relaxed);
}

}  // namespace pb::http
