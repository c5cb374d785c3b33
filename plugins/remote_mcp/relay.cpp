// SPDX-License-Identifier: Apache-2.0
#include "relay.h"

#include "calls.h"
#include "json/scan.h"
#include "parking.h"

namespace pb::remote {
namespace {

using client::may_ask;
using Failure = patchbay::Error;  // beside the host's own Error
using std::chrono::milliseconds;

// Questions that one call of a legacy server may ask.
constexpr int most_questions = 32;
// Notices that wait because the host's reader is behind; more end the waiting.
constexpr std::size_t most_notices = 1'000;
constexpr milliseconds flush_pause{10};
// How long a call waits for a person who was given the link to sign in.
constexpr std::chrono::seconds sign_in_time{45};
constexpr milliseconds sign_in_look{250};
// Nobody comes back to a call any more before its server is told that it has waited in vain.
static_assert(Parking::patience < client::Limits{}.question);
constexpr std::string_view tasks_extension = "io.modelcontextprotocol/tasks";

// What the caller can be asked, without what is not passed on.
std::string capabilities_for(std::string_view context) {
    auto out = std::string(json::member(context, "clientCapabilities"));
    if (out.empty()) return "{}";
    const auto extensions = json::member(out, "extensions");
    if (json::member(extensions, tasks_extension).empty()) return out;
    return json::with(out, "extensions", json::without(extensions, tasks_extension));
}

std::string text_of(std::string_view object, std::string_view name) {
    return json::string_value(json::member(object, name)).value_or("");
}

// Of a Retry-After header; a date says nothing here.
std::optional<double> seconds_in(std::string_view retry_after) {
    if (retry_after.empty() || retry_after.size() > 9 ||
        retry_after.find_first_not_of("0123456789") != std::string_view::npos)
        return std::nullopt;
    return std::stol(std::string(retry_after));
}

// What a modern server would ask if it could: a question for each capability that it misses in the
// caller, as far as the caller does not have it. Empty if there is none.
std::string unaskable(std::string_view error, const HostCall& call) {
    const auto needed = json::member(json::member(error, "data"), "requiredCapabilities");
    std::string out;
    auto add = [&](std::string_view method, std::string_view params) {
        out += out.empty() ? "{" : ",";
        out += json::quote(method) + ":{\"method\":" + json::quote(method) + ",\"params\":";
        (out += params) += "}";
    };
    if (const auto elicits = json::member(needed, "elicitation"); !elicits.empty()) {
        const bool url = !json::member(elicits, "url").empty();
        if (!call.can("elicitation", url ? "url" : "form"))
            add("elicitation/create", url ? R"({"mode":"url"})" : R"({"mode":"form"})");
    }
    if (!json::member(needed, "sampling").empty() && !call.can("sampling"))
        add("sampling/createMessage", "{}");
    if (!json::member(needed, "roots").empty() && !call.can("roots")) add("roots/list", "{}");
    return out.empty() ? out : out + "}";
}

patchbay_status status_of(std::int64_t code) {
    if (code == -32602) return PATCHBAY_E_INVALID;
    if (code == -32002) return PATCHBAY_E_NOT_FOUND;
    if (code == -32601) return PATCHBAY_E_UNSUPPORTED;
    return PATCHBAY_E_INTERNAL;
}

}  // namespace

std::string HostCall::principal() const {
    return text_of(json::member(context, "principal"), "id");
}

bool HostCall::is_admin() const {
    return json::member(context, "scopes").find("\"mcp:admin\"") != std::string_view::npos;
}

bool HostCall::can(std::string_view capability, std::string_view mode) const {
    const auto found = json::member(json::member(context, "clientCapabilities"), capability);
    if (found.empty()) return false;
    if (mode.empty() || (mode == "form" && json::member(found, "url").empty())) return true;
    return !json::member(found, mode).empty();
}

Relay::Relay(Port port, client::Engine& engine, UpstreamPtr upstream,
             std::shared_ptr<Parking> parking, std::shared_ptr<Calls> calls, HostCall call)
    : port_(std::move(port)),
      engine_(engine),
      upstream_(std::move(upstream)),
      parking_(std::move(parking)),
      calls_(std::move(calls)),
      principal_(call.principal()),
      call_(std::move(call)),
      begun_(std::chrono::steady_clock::now()) {}

void Relay::start() {
    calls_->add(call_.id, shared_from_this());
    record();
    auto who = upstream_->client_for(principal_);
    if (!who) {
        client::Loss loss;
        loss.why = client::Loss::Why::unreachable;
        loss.message = who.error().message;
        return finish_lost(loss);
    }
    who_ = std::move(*who);
    // Our state from the round before, if there was one; a modern server gets its own back.
    const auto state = text_of(call_.params, "requestState");
    if (state == "s") {
        const auto answers = json::member(call_.params, "inputResponses");
        signing_in_ = true;
        declined_ = text_of(json::member(answers, "sign_in"), "action") != "accept";
        call_.params = json::without(json::without(call_.params, "requestState"), "inputResponses");
    } else if (state == "m") {
        call_.params = json::without(call_.params, "requestState");
    } else if (state.starts_with("m:")) {
        call_.params = json::with(call_.params, "requestState",
                                  json::quote(std::string_view(state).substr(2)));
    }
    if (!waits_for_sign_in()) send();
}

// True as long as a person who has the link may still be signing in.
bool Relay::waits_for_sign_in() {
    if (!signing_in_ || declined_ || !who_.identity->state().needed ||
        std::chrono::steady_clock::now() - begun_ > sign_in_time)
        return false;
    {
        std::lock_guard lock(mutex_);
        if (ended_) return true;
    }
    engine_.timer.after(sign_in_look, [self = shared_from_this()] {
        if (!self->waits_for_sign_in()) self->send();
    });
    return true;
}

void Relay::send() {
    {
        std::lock_guard lock(mutex_);
        if (ended_) return;  // while it waited for a sign-in, or for a look at the server
    }
    auto running = who_.client->call(request(), shared_from_this());
    {
        std::lock_guard lock(mutex_);
        if (!ended_) {
            running_ = std::move(running);
            return;
        }
    }
    running->cancel("the caller cancelled");
}

client::CallRequest Relay::request() const {
    client::CallRequest out;
    out.method = call_.method;
    out.params = call_.params.empty() ? "{}" : call_.params;
    const auto exposed = upstream_->exposed();
    if (out.method == "tools/call") {
        out.name = text_of(out.params, "name");
        const auto found = exposed->by_name.find(out.name);
        if (found != exposed->by_name.end()) {
            if (found->second.name != out.name) {
                out.name = found->second.name;
                out.params = json::with(out.params, "name", json::quote(out.name));
            }
            out.header_params = found->second.header_params;
        }
    } else if (out.method == "prompts/get") {
        out.name = text_of(out.params, "name");
    } else if (out.method == "resources/read") {
        out.name = text_of(out.params, "uri");
    }
    out.time = upstream_->settings().spec.call_time;
    out.client_capabilities = capabilities_for(call_.context);
    out.log_level = text_of(call_.context, "logLevel");
    out.trace = json::member(call_.context, "trace");
    out.progress = json::member(call_.context, "progress") == "true";
    return out;
}

void Relay::record() const {
    port_.notify(call_.id, "patchbay/record",
                 "{\"server\":" + json::quote(upstream_->settings().name) + ",\"acts_as\":\"" +
                     std::string(name_of(upstream_->settings().acts_as)) + "\"}");
}

void Relay::cancel() {
    std::shared_ptr<client::Running> running;
    {
        std::lock_guard lock(mutex_);
        running = running_;
    }
    if (running) return running->cancel("the caller cancelled");
    end(PATCHBAY_E_CANCELLED, "{}");
}

// --- what comes before the answer ----------------------------------------------------------------

void Relay::progress(std::string_view params) noexcept {
    send_notice("notifications/progress", json::without(params, "progressToken"));
}

void Relay::message(std::string_view params) noexcept {
    send_notice("notifications/message", params);
}

// In order, and never blocking: what the host does not take now waits.
void Relay::send_notice(std::string_view method, std::string_view params) {
    {
        std::lock_guard lock(mutex_);
        if (ended_ || call_.id == PATCHBAY_NO_CALL) return;
        if (notices_.empty() && port_.notify(call_.id, method, params) != PATCHBAY_E_AGAIN) return;
        const bool progress = method == "notifications/progress";
        if (progress && !notices_.empty() && notices_.back().first == method)
            notices_.back().second = params;  // only how far it is now matters
        else if (notices_.size() < most_notices)
            notices_.emplace_back(method, params);
    }
    flush_later();
}

// True if nothing waits any more. With the lock.
bool Relay::flush() {
    while (!notices_.empty()) {
        const auto& [method, params] = notices_.front();
        if (call_.id != PATCHBAY_NO_CALL &&
            port_.notify(call_.id, method, params) == PATCHBAY_E_AGAIN)
            return false;
        notices_.pop_front();
    }
    return true;
}

void Relay::flush_later() {
    {
        std::lock_guard lock(mutex_);
        if (std::exchange(flushing_, true)) return;
    }
    engine_.timer.after(flush_pause, [self = shared_from_this()] {
        std::optional<client::Reply> reply;
        bool again = false;
        {
            std::lock_guard lock(self->mutex_);
            self->flushing_ = false;
            again = !self->ended_ && !self->flush();
            if (!again && self->call_.id != PATCHBAY_NO_CALL) reply.swap(self->reply_);
        }
        if (again) self->flush_later();
        if (reply) self->finish(*reply);
    });
}

// --- questions -----------------------------------------------------------------------------------

void Relay::question(client::Question question) noexcept {
    const auto mode = text_of(question.params, "mode");
    const bool elicits = question.method == "elicitation/create";
    bool can = false;
    {
        std::lock_guard lock(mutex_);
        can = elicits ? call_.can("elicitation", mode.empty() ? "form" : mode)
                      : call_.can(question.method == "roots/list" ? "roots" : "sampling");
        can = can && may_ask(call_.method) && !ended_;
        if (can && ++questions_ <= most_questions)
            asked_.push_back({"q" + std::to_string(questions_), question, false});
        else if (can)
            can = false;
    }
    if (!can) return question.refuse(-32601, "the client cannot be asked this");
    show_questions();
}

// Hands what is asked to the caller, if there is one now; the call waits in the parking.
void Relay::show_questions() {
    patchbay_call call = PATCHBAY_NO_CALL;
    std::string body;
    std::deque<Asked> refused;
    {
        std::lock_guard lock(mutex_);
        if (ended_ || call_.id == PATCHBAY_NO_CALL || asked_.empty()) return;
        const auto key = parking_->add(shared_from_this());
        if (key.empty()) {
            refused.swap(asked_);
        } else {
            for (auto& [name, question, shown] : asked_) {
                body += body.empty() ? "{\"inputRequests\":{" : ",";
                body += json::quote(name) + ":{\"method\":" + json::quote(question.method) +
                        ",\"params\":" + question.params + "}";
                shown = true;
            }
            body += "},\"requestState\":" + json::quote("p:" + key) + "}";
            call = std::exchange(call_.id, PATCHBAY_NO_CALL);
            notices_.clear();
        }
    }
    for (auto& asked : refused)
        asked.question.refuse(-32000, "too many questions are open");
    if (call == PATCHBAY_NO_CALL) return;
    calls_->remove(call);
    port_.complete(call, PATCHBAY_INPUT_REQUIRED, body);
}

void Relay::resume(HostCall call) {
    std::optional<client::Reply> reply;
    const auto responses = std::string(json::member(call.params, "inputResponses"));
    calls_->add(call.id, shared_from_this());
    std::deque<std::pair<client::Question, std::string>> answers;
    {
        std::lock_guard lock(mutex_);
        call_.id = call.id;
        call_.context = std::move(call.context);
        reply.swap(reply_);
        for (auto at = asked_.begin(); at != asked_.end();) {
            const auto answer = json::member(responses, at->key);
            if (!at->shown || answer.empty()) {
                ++at;
                continue;
            }
            answers.emplace_back(at->question, answer);
            at = asked_.erase(at);
        }
    }
    record();
    if (reply) return finish(*reply);
    for (const auto& [question, answer] : answers)
        question.answer(answer);
    show_questions();  // what is still open, or came meanwhile
}

void Relay::expire() {
    std::shared_ptr<client::Running> running;
    {
        std::lock_guard lock(mutex_);
        ended_ = true;
        running.swap(running_);
        asked_.clear();
    }
    if (running) running->cancel("nobody answered in time");
}

// --- the end -------------------------------------------------------------------------------------

void Relay::done(client::Reply reply) noexcept {
    try {
        std::optional<client::Reply> now;
        {
            std::lock_guard lock(mutex_);
            running_.reset();
            if (ended_) return;
            const bool may = call_.id != PATCHBAY_NO_CALL && flush();
            (may ? now : reply_) = std::move(reply);
        }
        if (now) return finish(*now);
        flush_later();
    } catch (const std::exception& fault) {
        end(PATCHBAY_E_INTERNAL, "{\"message\":" + json::quote(fault.what()) + "}");
    }
}

void Relay::finish(const client::Reply& reply) {
    if (reply.kind == client::Reply::Kind::result) return finish_result(reply.text);
    if (reply.kind == client::Reply::Kind::error) return finish_error(reply.text);
    finish_lost(reply.loss);
}

void Relay::finish_result(std::string_view result) {
    const bool asks = result.find("\"input_required\"") != std::string_view::npos &&
                      text_of(result, "resultType") == "input_required";
    if (!asks) return end(PATCHBAY_OK, std::string(result));
    auto requests = json::member(result, "inputRequests");
    if (requests.empty()) requests = "{}";
    const auto state = json::string_value(json::member(result, "requestState"));
    end(PATCHBAY_INPUT_REQUIRED,
        "{\"inputRequests\":" + std::string(requests) +
            ",\"requestState\":" + json::quote(state ? "m:" + *state : "m") + "}");
}

// A JSON-RPC error of the server is one here too. "URL elicitation required" (2025-11-25) is a
// question in disguise.
void Relay::finish_error(std::string_view error) {
    const auto code = json::integer_value(json::member(error, "code")).value_or(-32603);
    if (sync_and_repeat(code)) return;
    std::vector<std::string_view> urls;
    if (code == -32042 && call_.can("elicitation", "url") && may_ask(call_.method))
        json::elements(json::member(json::member(error, "data"), "elicitations"), urls);
    if (!urls.empty()) {
        std::string requests;
        for (std::size_t i = 0; i < urls.size() && i < most_questions; ++i) {
            requests += requests.empty() ? "" : ",";
            requests += "\"u" + std::to_string(i) +
                        "\":{\"method\":\"elicitation/create\",\"params\":" + std::string(urls[i]) +
                        "}";
        }
        return end(PATCHBAY_INPUT_REQUIRED,
                   "{\"inputRequests\":{" + requests + "},\"requestState\":\"s\"}");
    }
    // The host says in the caller's era what it cannot be asked.
    if (code == -32021 && may_ask(call_.method))
        if (const auto requests = unaskable(error, call_); !requests.empty())
            return end(PATCHBAY_INPUT_REQUIRED, "{\"inputRequests\":" + requests + "}");
    end(status_of(code), std::string(error));
}

// A tool's headers follow from its schema; where the server sees others, ours is an old one. Such a
// request was not executed.
bool Relay::sync_and_repeat(std::int64_t code) {
    constexpr std::int64_t header_mismatch = -32020;
    if (code != header_mismatch || call_.method != "tools/call") return false;
    {
        std::lock_guard lock(mutex_);
        if (std::exchange(resynced_, true)) return false;
    }
    engine_.workers.post([self = shared_from_this()] {
        const auto deadline = client::Deadline::clock::now() + std::chrono::seconds(30);
        (void)self->upstream_->sync(deadline);
        self->send();
    });
    return true;
}

void Relay::finish_lost(const client::Loss& loss) {
    using Why = client::Loss::Why;
    const auto server = "The server '" + upstream_->settings().name + "' ";
    switch (loss.why) {
        case Why::cancelled:
            return end(PATCHBAY_E_CANCELLED, "{}");
        case Why::challenged:
            return offer_sign_in(loss.message);
        case Why::busy:
            return fail(
                Failure("mcp_server_busy", server + "is busy: " + loss.message).transient());
        case Why::late:
            return fail(Failure("tool_timeout", server + "did not answer in time")
                            .transient()
                            .may_have_run());
        case Why::unreachable:
        case Why::session_gone: {
            Failure failure("mcp_server_unreachable",
                            server + "cannot be reached: " + loss.message);
            failure.transient();
            return fail(loss.executed ? failure.may_have_run() : failure);
        }
        case Why::status:
            if (loss.status == 429 || loss.status == 503)
                return fail(Failure("mcp_server_busy", server + "failed: " + loss.message)
                                .transient(seconds_in(loss.retry_after)));
            break;
        case Why::broken:
            return fail(Failure("mcp_server_failed", server + "failed: " + loss.message)
                            .transient()
                            .may_have_run());
        case Why::malformed:
            break;
    }
    fail({"mcp_server_failed", server + "failed: " + loss.message});
}

// Tools fail in their result, so that a model can read it; everything else by an error.
void Relay::fail(const Failure& error) {
    if (call_.method != "tools/call")
        return end(error.code() == "tool_timeout"                 ? PATCHBAY_E_DEADLINE
                   : error.category() == patchbay::Category::auth ? PATCHBAY_E_DENIED
                                                                  : PATCHBAY_E_INTERNAL,
                   "{\"message\":" + json::quote(error.what()) + "}");
    const auto exposed = upstream_->exposed();
    const auto tool = exposed->by_name.find(text_of(call_.params, "name"));
    const bool declared = tool != exposed->by_name.end() && tool->second.structured;
    end(PATCHBAY_OK, patchbay::detail::failure_text(error, declared));
}

// The link goes to the person who may use it: each to their own account, administrators to the
// organisation's.
void Relay::offer_sign_in(const std::string& why) {
    const bool own = upstream_->settings().acts_as == ActsAs::user;
    if (!who_.identity || !who_.identity->state().needed || (!own && !call_.is_admin()))
        return fail(
            Failure("permission_denied", "The server '" + upstream_->settings().name +
                                             "' refuses our credentials: " + why +
                                             (own ? "" : "; an administrator has to see to it"))
                .auth());
    engine_.workers.post([self = shared_from_this()] {
        const auto& name = self->upstream_->settings().name;
        const auto deadline = client::Deadline::clock::now() + std::chrono::seconds(20);
        auto link = self->who_.identity->sign_in_link(self->principal_, deadline);
        if (!link)
            return self->fail(
                Failure("permission_denied",
                        "The server '" + name + "' needs a sign-in: " + link.error().message)
                    .auth());
        if (self->signing_in_ || !may_ask(self->call_.method) ||
            !self->call_.can("elicitation", "url"))
            return self->fail(Failure("needs_sign_in", "The server '" + name +
                                                           "' needs you to sign in. Open " + *link +
                                                           " and then try again.")
                                  .auth());
        const auto message = "Sign in to use the server '" + name + "'.";
        self->end(PATCHBAY_INPUT_REQUIRED,
                  "{\"inputRequests\":{\"sign_in\":{\"method\":\"elicitation/create\",\"params\":{"
                  "\"mode\":\"url\",\"message\":" +
                      json::quote(message) + ",\"url\":" + json::quote(*link) +
                      ",\"elicitationId\":" + json::quote("sign-in-" + name) +
                      "}}},\"requestState\":\"s\"}");
    });
}

void Relay::end(patchbay_status status, const std::string& body) {
    patchbay_call call = PATCHBAY_NO_CALL;
    {
        std::lock_guard lock(mutex_);
        if (std::exchange(ended_, true)) return;
        call = std::exchange(call_.id, PATCHBAY_NO_CALL);
        running_.reset();
    }
    if (call == PATCHBAY_NO_CALL) return;
    calls_->remove(call);
    port_.complete(call, status, body);
}

}  // namespace pb::remote
