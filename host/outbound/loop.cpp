// SPDX-License-Identifier: Apache-2.0
#include "outbound/loop.h"

#include <algorithm>
#include <csignal>
#include <new>
#include <utility>

#include "base/log.h"

namespace pb::outbound {
namespace {

constexpr std::size_t most_idle_known = 1024;
// Many servers close a connection that was idle for five seconds and do not say so. Who may not be
// asked twice does not take one that is about as old.
constexpr std::chrono::seconds unsaid_idle{5};
constexpr std::chrono::seconds idle_margin{2};  // curl counts whole seconds, and the way takes time
// A loop that has just had something to do comes back by itself after this time: less than what is
// started meanwhile may take, which seldom has to wake it then.
constexpr std::chrono::seconds nap{5};

}  // namespace

struct Loop::Callbacks {
    static int socket(CURL* easy, curl_socket_t descriptor, int what, void* self, void*) {
        Poller& poller = static_cast<Loop*>(self)->poller_;
        Transfer* transfer = nullptr;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
        if (transfer != nullptr) transfer->socket = descriptor;
        if (what == CURL_POLL_REMOVE) {
            poller.rest(descriptor);
        } else {
            poller.watch(descriptor, (what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0);
        }
        return 0;
    }
    static int timer(CURLM*, long milliseconds, void* self) {
        auto& due = static_cast<Loop*>(self)->timer_;
        due.reset();
        if (milliseconds >= 0) due = Clock::now() + std::chrono::milliseconds(milliseconds);
        return 0;
    }
    static int close(void* self, curl_socket_t descriptor) {
        static_cast<Loop*>(self)->poller_.close(descriptor);
        return 0;
    }
};

class Loop::Here {
  public:
    explicit Here(bool& here) : here_(here) { here_ = true; }
    ~Here() { here_ = false; }
    Here(const Here&) = delete;
    Here& operator=(const Here&) = delete;

  private:
    bool& here_;
};

Loop::Loop(Http::Options options)
    : options_(std::move(options)),
      handles_(options_.ca_file, options_.user_agent),
      multi_(curl_multi_init()),
      names_(options_.resolved) {
    CURLM* const m = multi_.get();
    curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, &Callbacks::socket);
    curl_multi_setopt(m, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, &Callbacks::timer);
    curl_multi_setopt(m, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(m, CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(options_.connections));
    curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.connections));
    inbox_->poller = &poller_;
    thread_ = std::thread([this] { run(); });
    id_ = thread_.get_id();
}

void Loop::stop() {
    {
        std::lock_guard lock(inbox_->mutex);
        inbox_->stopping = true;
    }
    poller_.wake();
    if (thread_.joinable()) thread_.join();
}

Loop::~Loop() {
    stop();
    std::lock_guard lock(inbox_->mutex);
    inbox_->poller = nullptr;
}

Http::Ticket Loop::start(Request request, std::shared_ptr<Receiver> receiver) {
    const Http::Ticket ticket = next_ticket_.fetch_add(1, std::memory_order_relaxed);
    auto transfer = std::make_unique<Transfer>(ticket, std::move(request), std::move(receiver));
    if (start_here(transfer)) return ticket;
    bool first = false;
    std::unique_ptr<Transfer> too_late;
    {
        std::lock_guard lock(inbox_->mutex);
        first = inbox_->started.empty();
        (inbox_->stopping ? too_late : inbox_->started.emplace_back()) = std::move(transfer);
    }
    if (too_late) {
        too_late->fail(Fault::cancelled, "The client is shutting down");
        too_late->tell_end();
    } else if (first) {
        // Without the lock, which the loop takes at once; whoever was first has woken it for the
        // others.
        wake();
    }
    return ticket;
}

// True if it is on its way, and the transfer the loop's. TLS is left to a thread that has no
// signals.
bool Loop::start_here(std::unique_ptr<Transfer>& transfer) {
    if (is_ours() || transfer->failure() || transfer->target().secure) return false;
    const std::unique_lock turn(turning_, std::try_to_lock);
    if (!turn || !running_) return false;
    auto checked = known(*transfer);
    if (!checked) return false;
    Transfer& one = *transfer;
    transfers_.emplace(one.ticket(), std::move(transfer));
    {
        const Here here(here_);
        schedule(one);
        launch(one, std::move(checked));
        run_timer();
        collect();
    }
    if (!leftovers_.empty() || !finished_.empty() || due() < waits_until_) poller_.wake();
    return true;
}

void Loop::cancel(Http::Ticket ticket) {
    {
        std::lock_guard lock(inbox_->mutex);
        inbox_->cancelled.push_back(ticket);
    }
    wake();
}

// What will look by itself needs no call to the kernel.
void Loop::wake() {
    if (is_ours()) {
        posted_ = true;
    } else if (!looks_) {
        poller_.wake();
    }
}

void Loop::run() {
    // The process's signals are for other threads; and a write by the TLS library to a closed
    // connection must not raise one.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, nullptr);
    std::unique_lock turn(turning_);
    while (running_) {
        const auto most = patience();
        turn.unlock();
        busy_ = poller_.wait(most);
        looks_ = true;
        turn.lock();
        try {
            this->turn();
        } catch (const std::exception& error) {
            log::error("outbound.fault", {{"reason", error.what()}});
            posted_ = true;  // whoever saw that the inbox would be looked into has woken nobody
        }
    }
    while (!transfers_.empty()) {
        Transfer& transfer = *transfers_.begin()->second;
        transfer.fail(Fault::cancelled, "The client is shutting down");
        end(transfer.ticket());
    }
    multi_.reset();
}

void Loop::turn() {
    take_leftovers();
    read_sockets();
    running_ = take_inbox();
    run_timer();
    collect();
    finish();
    end_late();
}

// What was told while somebody else was at it.
bool Loop::holds(Transfer& transfer) {
    if (here_) leftovers_.push_back(transfer.ticket());
    return here_;
}

void Loop::take_leftovers() {
    std::vector<Http::Ticket> tickets;
    tickets.swap(leftovers_);
    for (const Http::Ticket ticket : tickets) {
        const auto at = transfers_.find(ticket);
        if (at == transfers_.end()) continue;
        at->second->tell_held();
        if (at->second->failure()) end(ticket);
    }
}

void Loop::read_sockets() {
    for (const Poller::Ready& ready : poller_.ready()) {
        const int mask = (ready.readable ? CURL_CSELECT_IN : 0) |
                         (ready.writable ? CURL_CSELECT_OUT : 0) |
                         (ready.failed ? CURL_CSELECT_ERR : 0);
        int running = 0;
        curl_multi_socket_action(multi_.get(), ready.descriptor, mask, &running);
    }
}

void Loop::run_timer() {
    int running = 0;
    while (timer_ && *timer_ <= Clock::now()) {
        timer_.reset();
        curl_multi_socket_action(multi_.get(), CURL_SOCKET_TIMEOUT, 0, &running);
    }
}

Clock::time_point Loop::due() const {
    auto due = timer_.value_or(Clock::time_point::max());
    if (!schedule_.empty()) due = std::min(due, schedule_.begin()->first);
    return due;
}

std::chrono::milliseconds Loop::patience() {
    if (posted_) return std::chrono::milliseconds(0);
    const auto now = Clock::now();
    waits_until_ = due();
    if (busy_) waits_until_ = std::min(waits_until_, now + nap);
    if (waits_until_ == Clock::time_point::max()) return Poller::forever;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(waits_until_ - now);
    return std::clamp(left, std::chrono::milliseconds(0), std::chrono::milliseconds(60'000));
}

bool Loop::take_inbox() {
    std::vector<std::unique_ptr<Transfer>> started;
    std::vector<Http::Ticket> cancelled;
    std::vector<Lookup> lookups;
    posted_ = false;
    {
        std::lock_guard lock(inbox_->mutex);
        looks_ = false;
        started.swap(inbox_->started);
        cancelled.swap(inbox_->cancelled);
        lookups.swap(inbox_->found);
        if (inbox_->stopping) {
            for (auto& transfer : started)
                transfers_.emplace(transfer->ticket(), std::move(transfer));
            return false;
        }
    }
    for (const Lookup& lookup : lookups)
        found(lookup);
    for (auto& transfer : started)
        admit(std::move(transfer));
    for (const Http::Ticket ticket : cancelled) {
        const auto at = transfers_.find(ticket);
        if (at == transfers_.end()) continue;
        at->second->fail(Fault::cancelled, "The request was cancelled");
        end(ticket);
    }
    return true;
}

void Loop::admit(std::unique_ptr<Transfer> transfer) {
    Transfer& one = *transfer;
    transfers_.emplace(one.ticket(), std::move(transfer));
    if (one.failure()) return end(one.ticket());
    schedule(one);
    begin(one);
}

void Loop::begin(Transfer& transfer) {
    const Target& target = transfer.target();
    if (auto checked = known(transfer)) return launch(transfer, std::move(checked));
    if (transfer.failure()) return end(transfer.ticket());
    auto& waiting = waiting_[target.place];
    waiting.push_back(transfer.ticket());
    if (waiting.size() == 1) look_up(target);
}

// The addresses that it may go to, without asking anybody.
CheckedPtr Loop::known(Transfer& transfer) {
    const Target& target = transfer.target();
    if (!target.address) return names_.find(target.place);
    auto checked = std::make_shared<Checked>(Checked{{*target.address}});
    const auto refusal = refusal_of(options_.policy, checked->addresses);
    if (refusal.empty()) return checked;
    transfer.fail(Fault::refused, refusal);
    return nullptr;
}

void Loop::look_up(const Target& target) {
    resolving_.post([inbox = std::weak_ptr(inbox_), resolver = options_.resolver,
                     policy = options_.policy, place = target.place, host = target.host,
                     port = target.port] {
        Lookup lookup{place, nullptr, {}};
        if (inbox.expired()) return;
        try {
            auto addresses = resolver->resolve(host, port);
            const auto refusal = addresses ? refusal_of(policy, *addresses) : "";
            if (!addresses) {
                lookup.failure = {Fault::unresolved, false, addresses.error().message};
            } else if (!refusal.empty()) {
                lookup.failure = {Fault::refused, false, refusal};
            } else {
                lookup.checked = std::make_shared<Checked>(Checked{std::move(*addresses)});
            }
        } catch (const std::exception& error) {
            lookup.failure = {Fault::unresolved, false, error.what()};
        }
        const auto to = inbox.lock();
        if (!to) return;
        std::lock_guard lock(to->mutex);
        to->found.push_back(std::move(lookup));
        if (to->poller != nullptr) to->poller->wake();
    });
}

void Loop::found(const Lookup& lookup) {
    if (lookup.checked) names_.remember(lookup.place, lookup.checked);
    const auto at = waiting_.find(lookup.place);
    if (at == waiting_.end()) return;
    const auto waiting = std::move(at->second);
    waiting_.erase(at);
    for (const Http::Ticket ticket : waiting) {
        const auto transfer = transfers_.find(ticket);
        if (transfer == transfers_.end()) continue;  // it did not wait so long
        if (lookup.checked) {
            launch(*transfer->second, lookup.checked);
        } else {
            transfer->second->fail(lookup.failure.fault, lookup.failure.message);
            end(ticket);
        }
    }
}

void Loop::launch(Transfer& transfer, CheckedPtr checked) try {
    std::optional<std::chrono::seconds> idle;
    const auto said = idle_.find(transfer.target().place);
    if (said != idle_.end()) idle = said->second;
    if (!idle && !transfer.safe()) idle = unsaid_idle;
    if (idle) idle = std::max(*idle - idle_margin, std::chrono::seconds(0));
    Easy easy = handles_.take();
    curl_easy_setopt(easy.get(), CURLOPT_CLOSESOCKETFUNCTION, &Callbacks::close);
    curl_easy_setopt(easy.get(), CURLOPT_CLOSESOCKETDATA, this);
    transfer.prepare(*this, std::move(easy), std::move(checked), idle);
    const CURLMcode code = curl_multi_add_handle(multi_.get(), transfer.easy());
    if (code == CURLM_OK) return;
    transfer.fail(Fault::broken, curl_multi_strerror(code));
    end(transfer.ticket());
} catch (const std::bad_alloc&) {
    transfer.fail(Fault::broken, "There is no memory for it");
    end(transfer.ticket());
}

void Loop::keeps(const std::string& place, std::chrono::seconds idle) {
    if (idle_.size() >= most_idle_known && idle_.count(place) == 0) idle_.clear();
    idle_[place] = idle;
}

void Loop::schedule(Transfer& transfer) {
    const auto due = transfer.due();
    if (due == transfer.scheduled) return;
    if (transfer.scheduled != Clock::time_point::max()) {
        schedule_.erase({transfer.scheduled, transfer.ticket()});
    }
    transfer.scheduled = due;
    if (due != Clock::time_point::max()) schedule_.emplace(due, transfer.ticket());
}

void Loop::end_late() {
    while (!schedule_.empty() && schedule_.begin()->first <= Clock::now()) {
        Transfer& transfer = *transfers_.at(schedule_.begin()->second);
        schedule(transfer);  // bytes that came have moved it
        if (transfer.scheduled > Clock::now()) continue;
        transfer.fail_late();
        end(transfer.ticket());
    }
}

void Loop::collect() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        Transfer* transfer = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        finished_.push_back({transfer->ticket(), message->data.result});
    }
}

void Loop::finish() {
    std::vector<Finished> all;
    all.swap(finished_);
    for (const auto& [ticket, code] : all) {
        const auto at = transfers_.find(ticket);
        if (at == transfers_.end()) continue;  // ended meanwhile, by its receiver
        Transfer& transfer = *at->second;
        if (transfer.multiplexed()) poller_.talks(transfer.socket);
        if (transfer.finished(code)) {
            curl_multi_remove_handle(multi_.get(), transfer.easy());
            handles_.give_back(transfer.release());
            schedule(transfer);
            begin(transfer);
        } else {
            end(ticket);
        }
    }
}

void Loop::end(Http::Ticket ticket) {
    if (here_) return leftovers_.push_back(ticket);
    const auto at = transfers_.find(ticket);
    const std::unique_ptr<Transfer> transfer = std::move(at->second);
    transfers_.erase(at);
    if (transfer->scheduled != Clock::time_point::max()) {
        schedule_.erase({transfer->scheduled, ticket});
    }
    if (transfer->easy() != nullptr) {
        curl_multi_remove_handle(multi_.get(), transfer->easy());
        handles_.give_back(transfer->release());
    }
    transfer->tell_end();
}

}  // namespace pb::outbound
