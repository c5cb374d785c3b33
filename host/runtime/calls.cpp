// SPDX-License-Identifier: Apache-2.0
#include "runtime/calls.h"

#include <algorithm>

#include "base/log.h"
#include "json/scan.h"

namespace pb::runtime {
namespace {

constexpr std::chrono::milliseconds sweep_every{50};

// A note for the call's record, which clients do not see.
constexpr std::string_view record_method = "patchbay/record";
constexpr std::size_t max_record = 4096;

constexpr std::string_view too_many = "too many calls are running; try again later";

// One of a number of seats, given back at the end of the scope.
class Seat {
  public:
    Seat() = default;
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;
    ~Seat() {
        if (count_) count_->fetch_sub(1, std::memory_order_relaxed);
    }
    bool take(std::atomic<int>& count, int most) {
        count_ = &count;
        return count.fetch_add(1, std::memory_order_relaxed) < most;
    }

  private:
    std::atomic<int>* count_ = nullptr;
};

std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

std::string message_body(std::string_view message) {
    return "{\"message\":" + json::quote(message) + "}";
}

}  // namespace

struct Calls::Call {
    explicit Call(std::atomic<std::size_t>& count) : presence{count} {
        count.fetch_add(1, std::memory_order_relaxed);
    }

    // First, so that it goes last: who sees the count fall knows that the provider was let go.
    struct Presence {
        std::atomic<std::size_t>& count;
        ~Presence() { count.fetch_sub(1, std::memory_order_release); }
    } presence;
    CallId id = 0;
    std::shared_ptr<catalog::Provider> provider;
    CallerPtr caller;
    ClientViewPtr client;
    int depth = 0;
    Clock::time_point started;
    Clock::time_point deadline;

    std::mutex mutex;
    std::condition_variable ended_or_cancelled;
    std::shared_ptr<CallObserver> observer;  // null once completed() has been called
    Status interrupted = Status::ok;         // cancelled or deadline: told to the provider
    Clock::time_point give_up;               // when interrupted
    bool over = false;                       // out of the table
    bool said_still_running = false;
    std::string method;  // only where the end is written to the log
    std::string record;  // the provider's note, a JSON object; or empty
    std::vector<CallId> children;
};

Calls::Calls(CallOptions options) : options_(options) {
    timer_.after(sweep_every, [this] { sweep(); });
}

Calls::~Calls() { closed_ = true; }

Calls::CallPtr Calls::find(CallId id) const {
    auto& part = shard(id);
    std::lock_guard lock(part.mutex);
    auto found = part.calls.find(id);
    return found == part.calls.end() ? nullptr : found->second;
}

Calls::CallPtr Calls::take(CallId id) {
    auto& part = shard(id);
    std::lock_guard lock(part.mutex);
    auto found = part.calls.find(id);
    if (found == part.calls.end()) return nullptr;
    auto call = std::move(found->second);
    part.calls.erase(found);
    running_.fetch_sub(1, std::memory_order_relaxed);
    return call;
}

CallId Calls::start(const CallSpec& spec) {
    auto call = std::make_shared<Call>(inside_);
    call->provider = spec.provider;
    call->caller = spec.caller;
    call->observer = spec.observer;
    call->client = spec.client ? spec.client : std::make_shared<const ClientView>();
    call->started = Clock::now();
    auto timeout = spec.timeout.count() > 0
                       ? std::min<std::chrono::nanoseconds>(spec.timeout, options_.max_timeout)
                       : std::chrono::nanoseconds(options_.default_timeout);
    call->deadline = call->started + timeout;
    call->id = next_id_.fetch_add(1, std::memory_order_relaxed);
    if (log::enabled(log::Level::debug)) call->method = spec.method;

    const bool nested = spec.parent != catalog::no_call;
    const CallPtr parent = nested ? join(call, spec.parent) : nullptr;
    if ((nested && !parent) || !admit(call)) return 0;
    // Neither a nested call, which takes no further thread, nor the host itself is refused for it.
    Seat seat;
    if (!nested && spec.client && !seat.take(threads_, options_.concurrency))
        return finish(call, Status::busy, message_body(too_many)), 0;
    const auto id = call->id;
    run(call, spec, parent);
    return id;
}

// What a nested call has from its parent. Null if that is over, and then so is this.
Calls::CallPtr Calls::join(const CallPtr& call, CallId id) {
    auto parent = find(id);
    auto ended = Status::gone;
    if (parent) {
        std::lock_guard lock(parent->mutex);
        ended = parent->interrupted;
        if (ended == Status::ok) {
            call->depth = parent->depth + 1;
            call->deadline = std::min(call->deadline, parent->deadline);
            parent->children.push_back(call->id);
            return parent;
        }
    }
    // Without the lock: the observer may do anything, also with the parent.
    finish(call, ended, message_body("the calling call has ended"));
    return nullptr;
}

// Everything that can refuse a call before the provider hears of it.
bool Calls::admit(const CallPtr& call) {
    auto refuse = [&](std::string_view why) {
        finish(call, Status::busy, message_body(why));
        return false;
    };
    auto& health = call->provider->health;
    if (closed_) return refuse("the server is shutting down");
    if (call->depth > options_.max_depth) return refuse("calls are nested too deep");
    if (running_.load(std::memory_order_relaxed) >= options_.max_calls) return refuse(too_many);
    if (auto until = health.closed_until_ns.load(std::memory_order_relaxed); until != 0) {
        if (now_ns() < until)
            return refuse(
                "this provider did not answer several calls and is paused; try again later");
        health.closed_until_ns.compare_exchange_strong(until, 0);
    }
    if (health.inside.load(std::memory_order_relaxed) >= options_.concurrency_per_provider)
        return refuse("this provider is busy with too many calls; try again later");
    return true;
}

bool Calls::interrupted(const CallPtr& call) {
    std::lock_guard lock(call->mutex);
    return call->interrupted != Status::ok;
}

void Calls::run(const CallPtr& call, const CallSpec& spec, const CallPtr& parent) {
    {
        auto& part = shard(call->id);
        std::lock_guard lock(part.mutex);
        part.calls.emplace(call->id, call);
        running_.fetch_add(1, std::memory_order_relaxed);
    }
    if (spec.observer) spec.observer->begun(call->id);
    if (parent && interrupted(parent)) cancel(call->id);  // it could not find this one before
    if (interrupted(call)) {
        complete(call->id, Status::cancelled, {});
        return;
    }
    const auto context =
        make_context(*call->caller, *call->client, call->depth, call->provider->capability());
    catalog::ProviderRequest request;
    request.call = call->id;
    request.method = spec.method;
    request.params = spec.params;
    request.context = context;
    request.deadline_ns = std::max<std::int64_t>(
        1, std::chrono::duration_cast<std::chrono::nanoseconds>(call->deadline - call->started)
               .count());
    // `call` keeps the provider alive: a replaced one finishes its calls first.
    auto& health = call->provider->health;
    health.inside.fetch_add(1, std::memory_order_relaxed);
    call->provider->handle(request);
    health.inside.fetch_sub(1, std::memory_order_relaxed);
}

// What is known of a call at its end.
void Calls::write_record(const Call& call, Status status, const std::string& record) {
    if (!log::enabled(log::Level::debug)) return;
    using std::chrono::microseconds;
    const auto took = std::chrono::duration_cast<microseconds>(Clock::now() - call.started);
    log::Fields fields = {{"call", static_cast<unsigned long>(call.id)},
                          {"org", call.caller->org},
                          {"principal", call.caller->principal},
                          {"provider", call.provider->label()},
                          {"method", call.method},
                          {"depth", call.depth},
                          {"status", static_cast<int>(status)},
                          {"took_us", static_cast<long long>(took.count())}};
    if (!record.empty()) fields.emplace_back("record", record);
    log::write(log::Level::debug, "call.ended", fields);
}

// Tells the observer, once, that it is over for it. The provider may still be at it.
void Calls::finish(const CallPtr& call, Status status, std::string_view body, bool said) noexcept {
    std::shared_ptr<CallObserver> observer;
    Status interrupted = Status::ok;
    std::string record;
    {
        std::lock_guard lock(call->mutex);
        if (log::enabled(log::Level::debug)) record = call->record;
        observer = std::move(call->observer);
        call->observer = nullptr;
        interrupted = call->interrupted;
    }
    if (!observer) return;
    // A provider that cancellation woke may be here before cancel() is: it is not heard any more.
    const bool cancelled = interrupted == Status::cancelled;
    // One whose time is over may end as if it had been cancelled: it is told in the same way.
    const bool late = interrupted == Status::deadline && status == Status::cancelled;
    if (cancelled || late) status = interrupted;
    write_record(*call, status, record);
    if (cancelled) return observer->completed(status, message_body("the call was cancelled"));
    if (late) return observer->completed(status, message_body("the call's time is over"));
    if (said) observer->said();
    observer->completed(status, body);
}

Status Calls::complete(CallId id, Status status, std::string_view body) noexcept {
    auto call = take(id);
    if (!call) return Status::gone;
    {
        std::lock_guard lock(call->mutex);
        call->over = true;
    }
    call->ended_or_cancelled.notify_all();
    // These may come of a provider's queue while it hangs: they do not say that it works.
    const bool tells_nothing =
        status == Status::busy || status == Status::cancelled || status == Status::deadline;
    if (!tells_nothing) call->provider->health.stuck.store(0, std::memory_order_relaxed);
    const bool may_be_empty = static_cast<std::int32_t>(status) < 0;
    const bool sound = (body.empty() && may_be_empty) ||
                       (json::scan(body).ok() && json::type_of(body) == json::Type::object);
    if (!sound) {
        log::warning("call.bad_answer", {{"provider", call->provider->label()}});
        finish(call, Status::internal,
               message_body("the provider's answer was not a valid JSON object"));
        return Status::invalid;
    }
    finish(call, status, body, true);
    return Status::ok;
}

Status Calls::notify(CallId id, std::string_view method, std::string_view params) noexcept {
    auto call = find(id);
    if (!call) return Status::gone;
    if (!json::scan(params).ok() || json::type_of(params) != json::Type::object)
        return Status::invalid;
    const bool record = method == record_method;
    if (record && params.size() > max_record) return Status::invalid;
    std::shared_ptr<CallObserver> observer;
    {
        std::lock_guard lock(call->mutex);
        if (call->over) return Status::gone;
        if (record) {
            call->record = params;
            return Status::ok;
        }
        observer = call->observer;
    }
    return observer ? observer->notified(method, params) : Status::ok;
}

Status Calls::wait(CallId id, std::int64_t timeout_ns) noexcept {
    auto call = find(id);
    if (!call) return Status::gone;
    const auto until = Clock::now() + std::chrono::nanoseconds(std::clamp<std::int64_t>(
                                          timeout_ns, 0, std::int64_t{24} * 3600 * 1'000'000'000));
    std::unique_lock lock(call->mutex);
    auto disturbed = [&] { return call->over || call->interrupted != Status::ok; };
    if (timeout_ns > 0) call->ended_or_cancelled.wait_until(lock, until, disturbed);
    if (call->interrupted != Status::ok) return call->interrupted;
    return call->over ? Status::gone : Status::ok;
}

void Calls::cancel(CallId id) {
    auto call = find(id);
    if (!call) return;
    std::vector<CallId> children;
    {
        std::lock_guard lock(call->mutex);
        if (call->over || call->interrupted == Status::cancelled) return;
        call->interrupted = Status::cancelled;
        call->give_up = Clock::now() + options_.grace;
        children = call->children;
    }
    call->ended_or_cancelled.notify_all();
    finish(call, Status::cancelled, {});
    for (auto child : children)
        cancel(child);
    call->provider->cancel(id);
}

bool Calls::belongs(CallId id, const catalog::Provider& provider) const noexcept {
    const auto call = find(id);
    return call && &call->provider->speaker() == &provider;
}

Calls::Origin Calls::origin(CallId id) const {
    auto call = find(id);
    if (!call) return {};
    return {call->caller, call->client, call->depth};
}

std::size_t Calls::running() const { return running_.load(std::memory_order_relaxed); }

// Looks at every call a few times a second: cheaper than a timer for each, which most never need.
void Calls::sweep() {
    const auto now = Clock::now();
    std::vector<CallPtr> late;
    for (auto& part : shards_) {
        std::lock_guard lock(part.mutex);
        for (auto& [id, call] : part.calls)
            if (now - call->started >= sweep_every) late.push_back(call);
    }
    for (auto& call : late)
        sweep_one(call, now);
    timer_.after(sweep_every, [this] { sweep(); });
}

void Calls::sweep_one(const CallPtr& call, Clock::time_point now) {
    enum { nothing, tell_lasting, tell_deadline, end } what = nothing;
    std::shared_ptr<CallObserver> observer;
    {
        std::lock_guard lock(call->mutex);
        if (call->over) return;
        if (call->interrupted != Status::ok) {
            if (now >= call->give_up) what = end;
        } else if (now >= call->deadline) {
            call->interrupted = Status::deadline;
            call->give_up = now + options_.grace;
            what = tell_deadline;
        } else if (!call->said_still_running && now - call->started >= options_.lasting) {
            call->said_still_running = true;
            observer = call->observer;
            what = tell_lasting;
        }
    }
    if (what == tell_lasting && observer) observer->still_running();
    if (what == tell_deadline) {
        call->ended_or_cancelled.notify_all();
        call->provider->cancel(call->id);
    }
    if (what == end) give_up(call);
}

void Calls::give_up(const CallPtr& call) {
    if (!take(call->id)) return;
    Status why = Status::deadline;
    {
        std::lock_guard lock(call->mutex);
        call->over = true;
        why = call->interrupted;
    }
    call->ended_or_cancelled.notify_all();
    auto& health = call->provider->health;
    if (Clock::now() < call->deadline) {
        // Cancelled, and yet within its own time: a sound provider may be too busy to look.
        log::info("call.cancel_ignored", {{"provider", call->provider->label()},
                                          {"call", static_cast<unsigned long>(call->id)}});
    } else if (health.stuck.fetch_add(1) + 1 >= options_.breaker_failures) {
        health.stuck = 0;
        health.closed_until_ns =
            now_ns() + std::chrono::nanoseconds(options_.breaker_cool_off).count();
        log::warning("provider.paused",
                     {{"provider", call->provider->label()},
                      {"for_ms", static_cast<long long>(options_.breaker_cool_off.count())}});
    } else {
        log::warning("call.stuck", {{"provider", call->provider->label()},
                                    {"call", static_cast<unsigned long>(call->id)}});
    }
    finish(call, why, message_body("the call was not answered in time"));
}

void Calls::drain(std::chrono::milliseconds limit) {
    closed_ = true;
    const auto until = Clock::now() + limit;
    std::vector<CallId> ids;
    for (auto& part : shards_) {
        std::lock_guard lock(part.mutex);
        for (auto& entry : part.calls)
            ids.push_back(entry.first);
    }
    for (auto id : ids)
        cancel(id);
    while (inside() > 0 && Clock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

}  // namespace pb::runtime
