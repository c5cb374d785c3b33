// SPDX-License-Identifier: Apache-2.0
#include "client/rpc.h"

#include <charconv>
#include <future>

#include "client/wait.h"
#include "json/scan.h"
#include "mcp/messages.h"

namespace pb::client {
namespace {

// How often requests over their time are looked for.
constexpr milliseconds look{100};

std::optional<RequestId> number(std::string_view text) {
    RequestId out = 0;
    if (text.size() > 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
    const auto end = text.data() + text.size();
    const auto [at, fault] = std::from_chars(text.data(), end, out);
    if (fault != std::errc() || at != end || out == no_request) return std::nullopt;
    return out;
}

Loss loss_of(Loss::Why why, std::string message, bool executed) {
    Loss out;
    out.why = why;
    out.message = std::move(message);
    out.executed = executed;
    return out;
}

Reply lost_reply(Loss loss) {
    Reply out;
    out.status = loss.status;
    out.loss = std::move(loss);
    return out;
}

}  // namespace

bool may_ask(std::string_view method) {
    return method == "tools/call" || method == "resources/read" || method == "prompts/get";
}

void Question::answer(std::string_view result) const {
    if (auto rpc = from.lock()) rpc->answer(mcp::result_message(id, result), about);
}

void Question::refuse(int code, std::string_view message) const {
    if (auto rpc = from.lock())
        rpc->answer(mcp::error_message(id, {code, std::string(message), {}, 200}), about);
}

// One message, in slices.
struct Rpc::Incoming {
    std::string_view id, method, params, result, error;

    bool read(std::string_view text) {
        thread_local std::vector<json::Member> found;
        found.clear();
        if (!json::members(text, found)) return false;
        for (const auto& [key, value] : found) {
            if (key == "id" && value != "null")
                id = value;
            else if (key == "method" && value.size() > 2 && value.front() == '"')
                method = value.substr(1, value.size() - 2);
            else if (key == "params")
                params = value;
            else if (key == "result")
                result = value;
            else if (key == "error")
                error = value;
        }
        return !method.empty() || json::type_of(result) == json::Type::object ||
               json::type_of(error) == json::Type::object;
    }
};

Rpc::Rpc(Engine& engine, TransportPtr transport, std::weak_ptr<Listener> listener, Limits limits)
    : engine_(engine),
      connections_(engine.connections),
      transport_(std::move(transport)),
      listener_(std::move(listener)),
      limits_(limits) {}

Rpc::~Rpc() {
    connections_->remove(this);
    transport_->close();
}

Result<void> Rpc::open(Deadline deadline) {
    if (connections_->add(this, weak_from_this()))
        return transport_->open(shared_from_this(), deadline);
    close();
    return Error{ErrorKind::gone, "the client is shutting down"};
}

RequestId Rpc::next_id() {
    static std::atomic<RequestId> next{1};
    return next++;
}

void Rpc::request(RequestId id, Call call, const HandlerPtr& handler) {
    Outgoing out;
    out.id = id;
    out.method = call.method;
    out.name = call.name;
    out.headers = std::move(call.headers);
    out.time = call.time;
    out.text = mcp::request_message(std::to_string(id), call.method, call.params);
    bool closed = false;
    {
        std::lock_guard lock(mutex_);
        closed = closed_;
        const auto until =
            call.time.count() > 0 ? Clock::now() + call.time : Clock::time_point::max();
        if (!closed) pending_.emplace(id, Pending{handler, until, may_ask(call.method)});
        if (!closed && !std::exchange(watching_, true)) watch();
    }
    if (closed)
        return handler->done(lost_reply(
            loss_of(Loss::Why::unreachable, "the connection to the server has ended", false)));
    transport_->send(std::move(out));
    sent(id);
}

// What was cancelled meanwhile can be cancelled now that it is on its way.
void Rpc::sent(RequestId id) {
    {
        std::lock_guard lock(mutex_);
        if (auto found = pending_.find(id); found != pending_.end()) found->second.sending = false;
        if (unsent_.erase(id) == 0) return;
    }
    tell_cancelled(id, "the request was cancelled");
}

void Rpc::watch() {
    engine_.timer.after(look, [weak = weak_from_this()] {
        if (auto self = weak.lock()) self->sweep();
    });
}

void Rpc::sweep() {
    std::vector<RequestId> late;
    {
        std::lock_guard lock(mutex_);
        const auto now = Clock::now();
        for (const auto& [id, pending] : pending_)
            if (pending.until <= now) late.push_back(id);
        if (pending_.empty())
            watching_ = false;
        else
            watch();
    }
    for (const auto id : late) {
        auto handler = take_cancelled(id, "it took too long");
        if (!handler) continue;
        handler->done(lost_reply(
            loss_of(Loss::Why::late, "the server did not answer within its time", true)));
    }
}

void Rpc::cancel(RequestId id, std::string_view reason) {
    auto handler = take_cancelled(id, reason);
    if (!handler) return;
    handler->done(lost_reply(loss_of(Loss::Why::cancelled, "the request was cancelled", true)));
}

void Rpc::tell_cancelled(RequestId id, std::string_view reason) {
    if (!transport_->per_request())
        notify("notifications/cancelled",
               "{\"requestId\":" + std::to_string(id) + ",\"reason\":" + json::quote(reason) + "}");
    transport_->abandon(id);
}

void Rpc::notify(std::string_view method, std::string_view params) {
    Outgoing out;
    out.method = method;
    out.text = mcp::notification_message(method, params);
    transport_->send(std::move(out));
}

void Rpc::tell(std::string_view method, std::string_view params, Deadline deadline) {
    const auto arrived = std::make_shared<std::promise<void>>();
    Outgoing out;
    out.method = method;
    out.text = mcp::notification_message(method, params);
    out.arrived = [arrived] { arrived->set_value(); };
    transport_->send(std::move(out));
    (void)arrived->get_future().wait_until(deadline);
}

void Rpc::answer(std::string text, RequestId about) {
    Outgoing out;
    out.text = std::move(text);
    transport_->send(std::move(out));
    go_on(about);
}

Reply Rpc::ask(Call call) {
    auto wait = std::make_shared<Wait>();
    request(next_id(), std::move(call), wait);
    return wait->wait();
}

void Rpc::close() {
    end(loss_of(Loss::Why::cancelled, "the connection was closed", true), nullptr);
    transport_->close();
}

HandlerPtr Rpc::find(RequestId id) {
    std::lock_guard lock(mutex_);
    auto found = pending_.find(id);
    return found == pending_.end() ? nullptr : found->second.handler;
}

// Whom a question is for; the request's time is its answer's from now on.
HandlerPtr Rpc::stand_still(RequestId id) {
    std::lock_guard lock(mutex_);
    auto found = pending_.find(id);
    if (found == pending_.end()) return nullptr;
    auto& pending = found->second;
    const auto now = Clock::now();
    if (pending.until != Clock::time_point::max()) {
        if (pending.questions++ == 0) pending.rest = pending.until - now;
        pending.until = now + limits_.question;
    }
    return pending.handler;
}

void Rpc::go_on(RequestId id) {
    std::lock_guard lock(mutex_);
    auto found = pending_.find(id);
    if (found == pending_.end() || found->second.questions == 0) return;
    auto& pending = found->second;
    if (--pending.questions == 0) pending.until = Clock::now() + pending.rest;
}

HandlerPtr Rpc::take(RequestId id) {
    std::lock_guard lock(mutex_);
    auto found = pending_.find(id);
    if (found == pending_.end()) return nullptr;
    auto handler = std::move(found->second.handler);
    pending_.erase(found);
    return handler;
}

HandlerPtr Rpc::take_cancelled(RequestId id, std::string_view reason) {
    HandlerPtr handler;
    bool sending = false;
    {
        std::lock_guard lock(mutex_);
        auto found = pending_.find(id);
        if (found == pending_.end()) return nullptr;
        handler = std::move(found->second.handler);
        sending = found->second.sending;
        if (sending) unsent_.insert(id);
        pending_.erase(found);
    }
    if (!sending) tell_cancelled(id, reason);
    return handler;
}

bool Rpc::received(std::string_view text, RequestId about, int status) {
    auto limits = limits_.json;
    limits.size = limits_.message;
    if (auto sound = json::scan(text, limits); !sound) {
        // With an HTTP error it is that: a proxy's page, or words of the server's own.
        if (about == no_request || status >= 300) return false;
        lost(about,
             loss_of(Loss::Why::malformed,
                     "the server's answer is not sound JSON: " + sound.error().message, true));
        return true;
    }
    // Batches were part of 2025-03-26 alone.
    std::vector<std::string_view> batch;
    if (!json::elements(text, batch)) return deal(text, about, status);
    bool answered = false;
    for (const auto each : batch)
        answered |= deal(each, about, status);
    return answered;
}

bool Rpc::deal(std::string_view text, RequestId about, int status) {
    Incoming message;
    if (!message.read(text)) return false;
    if (message.method.empty()) return answered(message, about, status);
    if (message.id.empty())
        notified(message, about);
    else
        asked(message, about);
    return false;
}

bool Rpc::answered(const Incoming& message, RequestId about, int status) {
    auto id = message.id.empty() ? std::optional(about) : number(message.id);
    if (!id) return false;
    // Each request's stream answers that request: another's answer there is a lie or a muddle.
    if (about != no_request && *id != about) return false;
    auto handler = take(*id);
    if (!handler) return about != no_request;
    Reply reply;
    reply.kind = message.error.empty() ? Reply::Kind::result : Reply::Kind::error;
    reply.text = message.error.empty() ? message.result : message.error;
    reply.status = status;
    handler->done(std::move(reply));
    return true;
}

// Whose stream, or whose token it is; with no hint the only call that runs, and otherwise nobody's:
// a guess might show one person what is another's. What is listed meanwhile is no call.
RequestId Rpc::owner_of(const Incoming& message, RequestId about) {
    if (message.method == "notifications/progress")
        return number(json::member(message.params, "progressToken")).value_or(no_request);
    if (about != no_request) return about;
    std::lock_guard lock(mutex_);
    RequestId only = no_request;
    for (const auto& [id, pending] : pending_) {
        if (!pending.may_ask) continue;
        if (only != no_request) return no_request;
        only = id;
    }
    return only;
}

void Rpc::asked(const Incoming& message, RequestId about) {
    // Modern servers ask in their results; nobody may answer them otherwise.
    if (modern_) return;
    if (message.method == "ping") return answer(mcp::result_message(message.id, "{}"), no_request);
    Question question{std::string(message.id), std::string(message.method),
                      message.params.empty() ? "{}" : std::string(message.params),
                      weak_from_this()};
    if (question.method != "sampling/createMessage" && question.method != "elicitation/create" &&
        question.method != "roots/list")
        return question.refuse(mcp::code::method_not_found, "method not found");
    // Legacy servers ask for roots when it suits them, about no request in particular: what is
    // shared by many callers has none.
    if (question.method == "roots/list" && about == no_request)
        return question.answer("{\"roots\":[]}");
    question.about = owner_of(message, about);
    auto handler = stand_still(question.about);
    if (!handler)
        return question.refuse(
            mcp::code::invalid_request,
            "it cannot be told which request this is about, so nobody can be asked");
    handler->question(std::move(question));
}

void Rpc::notified(const Incoming& message, RequestId about) {
    const bool progress = message.method == "notifications/progress";
    if (progress || message.method == "notifications/message") {
        auto handler = find(owner_of(message, about));
        if (!handler) return;
        if (progress)
            handler->progress(message.params);
        else
            handler->message(message.params);
        return;
    }
    if (message.method == "notifications/cancelled") return torn_down(message);
    if (auto listener = listener_.lock()) listener->notified(message.method, message.params);
}

// A server says this of a subscription alone, where no stream of its own can end.
void Rpc::torn_down(const Incoming& message) {
    const auto id = number(json::member(message.params, "requestId")).value_or(no_request);
    HandlerPtr handler;
    {
        std::lock_guard lock(mutex_);
        auto found = pending_.find(id);
        if (found == pending_.end() || found->second.until != Clock::time_point::max()) return;
        handler = std::move(found->second.handler);
        pending_.erase(found);
    }
    transport_->abandon(id);
    handler->done(
        lost_reply(loss_of(Loss::Why::broken, "the server has ended the subscription", true)));
}

void Rpc::lost(RequestId id, Loss loss) {
    if (auto handler = take(id)) handler->done(lost_reply(std::move(loss)));
}

void Rpc::closed(Loss loss) {
    const auto listener = listener_.lock();
    end(loss, listener.get());
}

void Rpc::stale(Loss loss) {
    if (auto listener = listener_.lock()) listener->ended(*this, loss);
}

void Rpc::agreed(const ServerInfo& info) {
    modern_ = info.modern();
    transport_->agreed(info);
}

bool Rpc::has_ended() const {
    std::lock_guard lock(mutex_);
    return closed_;
}

// Nobody gets an answer any more. Whoever keeps us hears of it first, so that nobody comes back.
void Rpc::end(const Loss& loss, Listener* told) {
    std::unordered_map<RequestId, Pending> all;
    {
        std::lock_guard lock(mutex_);
        if (std::exchange(closed_, true)) return;
        all.swap(pending_);
    }
    if (told) told->ended(*this, loss);
    for (auto& [id, pending] : all)
        pending.handler->done(lost_reply(loss));
}

}  // namespace pb::client
