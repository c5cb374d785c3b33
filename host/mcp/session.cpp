// SPDX-License-Identifier: Apache-2.0
#include "mcp/session.h"

#include <algorithm>

#include "base/tokens.h"

namespace pb::mcp {
namespace {

// Of all sessions, one principal has at most this share: nobody fills the place of all.
constexpr std::size_t shares = 20;

}  // namespace

void Session::touch() {
    std::lock_guard lock(mutex);
    last_used = std::chrono::steady_clock::now();
}

Session::Begun Session::begin(std::string_view request_id,
                              const std::shared_ptr<Cancellable>& request) {
    std::lock_guard lock(mutex);
    if (closed) return Begun::closed;
    auto [place, fresh] = running.try_emplace(std::string(request_id), request);
    if (!fresh && !place->second.expired()) return Begun::already_running;
    place->second = request;
    return Begun::yes;
}

void Session::ended(std::string_view request_id) {
    std::lock_guard lock(mutex);
    if (auto found = running.find(request_id); found != running.end()) running.erase(found);
}

void Session::cancel(std::string_view request_id) {
    std::shared_ptr<Cancellable> request;
    {
        std::lock_guard lock(mutex);
        auto found = running.find(request_id);
        if (found == running.end()) return;
        request = found->second.lock();
        running.erase(found);
    }
    if (request) request->cancel();
}

std::string Session::expect(AskDone done) {
    std::lock_guard lock(mutex);
    if (closed) return {};
    auto ask_id = "\"patchbay-" + std::to_string(next_ask++) + "\"";
    asks.emplace(ask_id, std::move(done));
    return ask_id;
}

void Session::forget(const std::string& ask_id) {
    std::lock_guard lock(mutex);
    asks.erase(ask_id);
}

bool Session::resolve(std::string_view ask_id, std::string_view result, std::string_view error) {
    AskDone done;
    {
        std::lock_guard lock(mutex);
        auto found = asks.find(ask_id);
        if (found == asks.end()) return false;
        done = std::move(found->second);
        asks.erase(found);
    }
    done(result, error);
    return true;
}

std::optional<EventLog::Replay> Session::replay(std::string_view last_event_id) {
    std::lock_guard lock(mutex);
    return events.replay(last_event_id);
}

bool Session::idle_since(std::chrono::steady_clock::time_point before) {
    std::shared_ptr<Outlet> stream;
    {
        std::lock_guard lock(mutex);
        if (last_used > before) return false;
        for (const auto& [id, request] : running)
            if (!request.expired()) return false;
        stream = standalone;
    }
    // Not under the mutex: a stream takes it while it holds its own.
    return !stream || !stream->connected();
}

void Session::end_stream_of(const runtime::StandingOf& standing) {
    std::shared_ptr<Outlet> stream;
    runtime::CallerPtr who;
    {
        std::lock_guard lock(mutex);
        stream = standalone;
        who = listener;
    }
    if (!stream || !who || standing(*who) == runtime::Standing::good) return;
    {
        std::lock_guard lock(mutex);
        if (standalone == stream) standalone.reset();
    }
    stream->end();
}

void Session::close() {
    std::map<std::string, std::weak_ptr<Cancellable>, std::less<>> requests;
    std::map<std::string, AskDone, std::less<>> questions;
    std::shared_ptr<Outlet> stream;
    {
        std::lock_guard lock(mutex);
        closed = true;
        requests.swap(running);
        questions.swap(asks);
        stream.swap(standalone);
    }
    for (auto& [id, request] : requests)
        if (auto alive = request.lock()) alive->cancel();
    for (auto& [id, done] : questions)
        done({}, {});
    if (stream) stream->end();
}

// With the mutex, as the next. Whoever needs no credential is alone on this machine.
bool Sessions::has_its_share(const runtime::Caller& caller) const {
    if (caller.principal_kind == "anonymous") return false;
    const auto found = of_.find({caller.org, caller.principal});
    return found != of_.end() && found->second >= std::max<std::size_t>(most_ / shares, 1);
}

void Sessions::forget_one_of(const runtime::Caller& caller) {
    const auto found = of_.find({caller.org, caller.principal});
    if (found != of_.end() && --found->second == 0) of_.erase(found);
}

SessionPtr Sessions::surplus_of(const runtime::Caller& caller) const {
    std::vector<SessionPtr> own;
    {
        std::lock_guard lock(mutex_);
        if (!has_its_share(caller)) return nullptr;
        for (const auto& [id, session] : sessions_)
            if (session->caller->org == caller.org &&
                session->caller->principal == caller.principal)
                own.push_back(session);
    }
    SessionPtr out;
    auto oldest = std::chrono::steady_clock::time_point::max();
    for (const auto& session : own) {
        if (!session->idle_since(oldest)) continue;
        std::lock_guard lock(session->mutex);
        oldest = session->last_used;
        out = session;
    }
    return out;
}

SessionPtr Sessions::open(runtime::CallerPtr caller) {
    auto session = std::make_shared<Session>();
    session->id = random_text(16);
    session->caller = std::move(caller);
    session->last_used = std::chrono::steady_clock::now();
    std::lock_guard lock(mutex_);
    if (sessions_.size() >= most_ || has_its_share(*session->caller)) return nullptr;
    sessions_.emplace(session->id, session);
    ++of_[{session->caller->org, session->caller->principal}];
    return session;
}

SessionPtr Sessions::find(std::string_view id) {
    SessionPtr session;
    {
        std::lock_guard lock(mutex_);
        auto found = sessions_.find(std::string(id));
        if (found == sessions_.end()) return nullptr;
        session = found->second;
    }
    session->touch();
    return session;
}

bool Sessions::remove(std::string_view id) {
    SessionPtr session;
    {
        std::lock_guard lock(mutex_);
        auto found = sessions_.find(std::string(id));
        if (found == sessions_.end()) return false;
        session = std::move(found->second);
        sessions_.erase(found);
        forget_one_of(*session->caller);
    }
    session->close();
    return true;
}

std::vector<SessionPtr> Sessions::all() const {
    std::lock_guard lock(mutex_);
    std::vector<SessionPtr> out;
    out.reserve(sessions_.size());
    for (const auto& entry : sessions_)
        out.push_back(entry.second);
    return out;
}

std::size_t Sessions::size() const {
    std::lock_guard lock(mutex_);
    return sessions_.size();
}

std::vector<SessionPtr> Sessions::idle() const {
    const auto before = std::chrono::steady_clock::now() - idle_;
    auto out = all();
    std::erase_if(out, [&](const auto& session) { return !session->idle_since(before); });
    return out;
}

}  // namespace pb::mcp
