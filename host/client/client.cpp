// SPDX-License-Identifier: Apache-2.0
#include "client/client.h"

#include <future>

#include "client/wait.h"
#include "json/scan.h"

namespace pb::client {

namespace {

// Neither credentials that are missing nor our own lack of connections.
bool is_its_fault(const Error& error) {
    return error.kind != ErrorKind::denied && error.kind != ErrorKind::busy;
}

}  // namespace

std::shared_ptr<Client> Client::make(Engine& engine, ServerSpec spec, CredentialsPtr credentials,
                                     std::weak_ptr<Events> events,
                                     std::optional<mcp::Version> remembered, LoadPtr load) {
    return std::shared_ptr<Client>(new Client(engine, std::move(spec), std::move(credentials),
                                              std::move(events), remembered, std::move(load)));
}

Client::Client(Engine& engine, ServerSpec spec, CredentialsPtr credentials,
               std::weak_ptr<Events> events, std::optional<mcp::Version> remembered, LoadPtr load)
    : engine_(engine),
      spec_(std::move(spec)),
      credentials_(std::move(credentials)),
      events_(std::move(events)),
      load_(std::move(load)),
      remembered_(remembered) {}

Client::~Client() { close(); }

LinkPtr Client::link() const {
    std::lock_guard lock(mutex_);
    return link_;
}

Result<LinkPtr> Client::open(Deadline deadline, bool regardless) {
    // What is sent over the link that is there is the breaker's probe, not looking for it.
    if (auto ready = link()) return ready;
    const auto found = std::make_shared<std::promise<Result<LinkPtr>>>();
    auto result = found->get_future();
    when_open([found](const Result<LinkPtr>& link) { found->set_value(link); }, regardless);
    if (result.wait_until(deadline) != std::future_status::ready)
        return Error{ErrorKind::deadline, "the server could not be reached in time"};
    return result.get();
}

// With the lock. Why nobody may come to the server now.
std::optional<Error> Client::refusal(bool regardless) {
    if (closed_) return Error{ErrorKind::gone, "the connection to the server was closed"};
    if (opening_ || regardless) return std::nullopt;
    const auto seconds = [](milliseconds time) {
        return std::to_string(time.count() / 1000 + 1) + " s";
    };
    if (const auto left = restarts_.left(); !link_ && left.count() > 0)
        return Error{ErrorKind::busy, restarts_.why() + "; restarting in " + seconds(left)};
    if (breaker_.admits()) return std::nullopt;
    return Error{ErrorKind::busy, "the server has failed repeatedly; it is tried again in " +
                                      seconds(breaker_.opens_in())};
}

// Calls the waiter with a link, on the thread that has it: this one, or the one that opens it.
void Client::when_open(Waiter waiter, bool regardless) {
    LinkPtr ready;
    std::optional<Error> refused;
    {
        std::lock_guard lock(mutex_);
        ready = link_;
        refused = refusal(regardless);
        if (!refused && !ready) {
            waiters_.push_back(std::move(waiter));
            if (!std::exchange(opening_, true))
                engine_.workers.post([self = shared_from_this()] { self->open_now(); });
            return;
        }
    }
    waiter(refused ? Result<LinkPtr>(*refused) : Result<LinkPtr>(ready));
}

void Client::open_now() {
    std::optional<mcp::Version> remembered;
    {
        std::lock_guard lock(mutex_);
        remembered = remembered_;
    }
    const auto deadline = std::chrono::steady_clock::now() + spec_.handshake_time;
    try {
        opened(negotiate({engine_, spec_, credentials_, weak_from_this(), remembered, deadline}));
    } catch (const std::exception& fault) {
        opened(internal_error(fault.what()));
    }
}

void Client::opened(Result<LinkPtr> result) {
    std::vector<Waiter> waiters;
    bool closed = false;
    {
        std::lock_guard lock(mutex_);
        opening_ = false;
        closed = closed_;
        waiters.swap(waiters_);
        if (result && !closed) {
            link_ = *result;
            remembered_ = link_->info.version;
            feed_ = std::make_shared<Feed>(engine_, spec_, link_);
        }
    }
    if (result && closed) {
        (*result)->rpc->close();
        result = Error{ErrorKind::gone, "the connection to the server was closed"};
    }
    if (result)
        breaker_.succeeded();
    else if (!closed && is_its_fault(result.error()))
        breaker_.failed();
    if (spec_.kind == Kind::stdio && !closed)
        result ? restarts_.began() : restarts_.ended(result.error().message);
    if (result) {
        if (auto events = events_.lock()) events->opened((*result)->info);
        feed_what_is_wanted();
    }
    for (auto& waiter : waiters)
        waiter(result);
    // It may have ended before it was known to be ours.
    if (result && (*result)->rpc->has_ended()) {
        Loss loss;
        loss.message = "the connection ended";
        ended(*(*result)->rpc, loss);
    }
}

void Client::discard(const LinkPtr& stale) {
    std::shared_ptr<Feed> feed;
    {
        std::lock_guard lock(mutex_);
        if (!stale || link_ != stale) return;
        link_.reset();
        feed.swap(feed_);
    }
    if (feed) feed->stop();
    // Other calls on it may still be answered: it ends with the last of them.
}

std::shared_ptr<Running> Client::call(CallRequest request, HandlerPtr handler) {
    auto running =
        std::make_shared<Running>(shared_from_this(), std::move(request), std::move(handler));
    running->start();
    return running;
}

Reply Client::ask(CallRequest request) {
    auto wait = std::make_shared<Wait>();
    request.own = true;
    call(std::move(request), wait);
    return wait->wait();
}

void Client::subscribe(std::set<std::string> uris) {
    {
        std::lock_guard lock(mutex_);
        subscriptions_ = std::move(uris);
    }
    feed_what_is_wanted();
}

void Client::feed_what_is_wanted() {
    std::lock_guard one(feeding_);
    std::shared_ptr<Feed> feed;
    std::set<std::string> wanted;
    {
        std::lock_guard lock(mutex_);
        wanted = subscriptions_;
        feed = feed_;
    }
    if (feed) feed->want(wanted);
}

void Client::close() {
    LinkPtr link;
    std::shared_ptr<Feed> feed;
    std::vector<Waiter> waiters;
    {
        std::lock_guard lock(mutex_);
        if (std::exchange(closed_, true)) return;
        link.swap(link_);
        feed.swap(feed_);
        waiters.swap(waiters_);
    }
    if (feed) feed->stop();
    if (link) link->rpc->close();
    for (auto& waiter : waiters)
        waiter(Error{ErrorKind::gone, "the connection to the server was closed"});
}

void Client::notified(std::string_view method, std::string_view params) noexcept {
    if (method == "notifications/subscriptions/acknowledged") {
        std::shared_ptr<Feed> feed;
        {
            std::lock_guard lock(mutex_);
            feed = feed_;
        }
        if (feed) feed->acknowledged(params);
        return;
    }
    if (auto events = events_.lock()) events->notified(method, params);
}

void Client::ended(const Rpc& rpc, const Loss& loss) noexcept {
    LinkPtr link;
    {
        std::lock_guard lock(mutex_);
        // One that is still being negotiated, or was discarded, is not the one in use.
        if (closed_ || !link_ || link_->rpc.get() != &rpc) return;
        link = link_;
    }
    discard(link);
    if (spec_.kind == Kind::stdio) restarts_.ended(loss.message);
    if (loss.why != Loss::Why::session_gone) breaker_.failed();
    if (auto events = events_.lock()) events->ended(loss.message);
}

}  // namespace pb::client
