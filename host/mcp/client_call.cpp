// SPDX-License-Identifier: Apache-2.0
#include "mcp/client_call.h"

#include "admission/failure.h"
#include "base/log.h"
#include "json/scan.h"
#include "mcp/failure.h"
#include "mcp/render.h"

namespace pb::mcp {

using runtime::Status;

namespace {

Status status_of(Sent sent) {
    if (sent == Sent::ok) return Status::ok;
    return sent == Sent::again ? Status::again : Status::gone;
}

}  // namespace

ClientCall::ClientCall(const CallServices& services, RequestPtr request, admission::Target target,
                       std::string_view name)
    : services_(services), request_(std::move(request)), target_(std::move(target)), name_(name) {
    request_->binding = target_.binding;
    request_->original = target_.local_name;
}

Seal::Binding ClientCall::binding() const {
    const auto& message = request_->message;
    return {request_->caller->org, request_->caller->principal, message.method, name_,
            json::member(message.params, "arguments")};
}

void ClientCall::start() {
    std::string params(request_->message.params.empty() ? "{}" : request_->message.params);
    if (!open_state(params)) return;
    if (!begin(*request_, shared_from_this())) return;
    request_->outlet->on_gone([weak = weak_from_this()] {
        if (auto call = weak.lock()) call->cancel();
    });
    run(params, round_ > 0);
}

// A modern client comes again with answers, and with the state that it was given. Never trusted.
bool ClientCall::open_state(std::string& params) {
    auto refuse = [&](std::string why) {
        request_->fail({code::invalid_params, std::move(why), {}, 400});
        return false;
    };
    const auto responses = json::member(params, "inputResponses");
    const auto sealed = json::member(params, "requestState");
    if (!request_->modern()) {
        // Legacy clients have neither; what they send there is not for the provider to believe.
        if (!responses.empty()) params = json::without(params, "inputResponses");
        if (!json::member(params, "requestState").empty())
            params = json::without(params, "requestState");
        return true;
    }
    if (!responses.empty() && !valid_responses(responses))
        return refuse("inputResponses must be an object that holds an object for each answer");
    if (sealed.empty()) return true;
    const auto text = json::string_value(sealed);
    if (!text) return refuse("requestState must be a string");
    auto opened = services_.seal.open(binding(), *text);
    if (!opened) return refuse(opened.error().message);
    if (opened->round >= services_.max_rounds)
        return refuse("this request has asked for input too often; start again");
    round_ = opened->round;
    params = json::with(params, "requestState", json::quote(opened->state));
    return true;
}

void ClientCall::run(const std::string& params, bool resumed) {
    admission::Admitted admitted;
    admitted.method = request_->message.method;
    admitted.params = params;
    admitted.caller = request_->caller;
    admitted.client = request_->client;
    admitted.resumed = resumed;
    admitted.counted = resumed && !request_->modern();
    request_->passed_on = true;
    services_.admission.call(target_, admitted, shared_from_this());
}

void ClientCall::begun(catalog::CallId id) noexcept {
    bool cancelled = false;
    {
        std::lock_guard lock(mutex_);
        running_ = id;
        cancelled = cancelled_;
    }
    if (cancelled) services_.admission.calls().cancel(id);
}

void ClientCall::cancel() {
    catalog::CallId id = catalog::no_call;
    std::shared_ptr<LegacyAsk> asking;
    {
        std::lock_guard lock(mutex_);
        if (ended_ || cancelled_) return;
        cancelled_ = true;
        id = running_;
        asking.swap(asking_);
    }
    if (asking) {
        asking->cancel();
        request_->cancelled();
    }
    if (id != catalog::no_call) services_.admission.calls().cancel(id);
    request_->outlet->end();
}

void ClientCall::completed(Status status, std::string_view body) noexcept {
    try {
        settle(status, body);
    } catch (const std::exception& fault) {
        log::error("mcp.fault", {{"method", request_->message.method}, {"reason", fault.what()}});
        request_->fail({code::internal_error, "internal error", {}, 500});
    }
}

void ClientCall::settle(Status status, std::string_view body) {
    const bool asks = status == Status::input_required;
    bool cancelled = false;
    {
        std::lock_guard lock(mutex_);
        running_ = catalog::no_call;
        if (!asks) ended_ = true;
        // The provider's part is told; where it asks, how the whole request ends is not.
        if (asks) request_->passed_on = false;
        cancelled = cancelled_;
    }
    if (cancelled) {
        if (asks) request_->cancelled();
        return;
    }
    if (status == Status::ok)
        return request_->answer(render_result(request_->version, request_->message.method, body,
                                              services_.server_info));
    if (asks) return input_required(body);
    fail(status, body);
}

void ClientCall::input_required(std::string_view body) {
    const auto questions = json::member(body, "inputRequests");
    const auto state = json::member(body, "requestState");
    const bool may_ask = request_->message.method != "completion/complete";
    if (!may_ask || (questions.empty() && state.empty()))
        return fail(Status::internal,
                    "{\"message\":\"the provider asked for input where it cannot\"}");
    if (!questions.empty()) {
        auto missing =
            missing_capabilities(request_->version, questions, request_->client->capabilities);
        if (!missing) return fail_asking(missing.error());
        if (!missing->empty()) {
            if (!request_->modern())
                return fail_asking({ErrorKind::unsupported,
                                    "this needs a client capability that the client did not "
                                    "declare: " +
                                        *missing});
            std::lock_guard lock(mutex_);
            ended_ = true;
            return request_->fail({code::missing_client_capability,
                                   "the request needs a client capability that was not declared",
                                   "{\"requiredCapabilities\":" + *missing + "}", 400});
        }
    }
    if (!request_->modern()) return ask_legacy(questions, state);
    std::string result = "{\"resultType\":\"input_required\"";
    if (!questions.empty()) (result += ",\"inputRequests\":") += questions;
    if (!state.empty()) {
        // A state is a string; a provider that gives another JSON value gets its text back.
        const auto text = json::string_value(state).value_or(std::string(state));
        result +=
            ",\"requestState\":" + json::quote(services_.seal.close(binding(), round_ + 1, text));
    }
    result += ",\"_meta\":{\"io.modelcontextprotocol/serverInfo\":" + services_.server_info + "}}";
    {
        std::lock_guard lock(mutex_);
        ended_ = true;
    }
    // With the questions: what the provider's part was told as.
    request_->passed_on = true;
    request_->answer(result);
}

void ClientCall::ask_legacy(std::string_view questions, std::string_view state) {
    if (++round_ > services_.max_rounds)
        return fail_asking({ErrorKind::invalid, "the request has asked for input too often"});
    std::string again(request_->message.params.empty() ? "{}" : request_->message.params);
    if (!state.empty())
        again = json::with(again, "requestState",
                           json::quote(json::string_value(state).value_or(std::string(state))));
    if (questions.empty()) return run(again, true);
    if (!request_->outlet->can_send())
        return fail_asking({ErrorKind::unsupported,
                            "the user has to be asked, and this client accepts no event stream"});
    auto self = shared_from_this();
    auto ask = std::make_shared<LegacyAsk>(request_, [self, again](Result<std::string> responses) {
        {
            std::lock_guard lock(self->mutex_);
            self->asking_ = nullptr;
            if (self->cancelled_) return;
        }
        if (!responses) return self->fail_asking(responses.error());
        self->run(json::with(again, "inputResponses", *responses), true);
    });
    bool cancelled = false;
    {
        std::lock_guard lock(mutex_);
        cancelled = cancelled_;
        if (!cancelled) asking_ = ask;
    }
    if (cancelled) return request_->cancelled();
    ask->start(questions, services_.admission.calls().timer(), services_.patience);
}

// The user could not be asked: a tool says so in its result, for the model to read.
void ClientCall::fail_asking(const Error& error) {
    if (!target_.tool)
        return fail(Status::internal, "{\"message\":" + json::quote(error.message) + "}");
    {
        std::lock_guard lock(mutex_);
        ended_ = true;
    }
    const auto result = admission::failure_result(
        {"input_unavailable", "permanent", false, error.message}, target_.tool->output == nullptr);
    request_->answer_failure(
        render_result(request_->version, request_->message.method, result, services_.server_info),
        "input_unavailable");
}

void ClientCall::fail(Status status, std::string_view body) {
    {
        std::lock_guard lock(mutex_);
        ended_ = true;
    }
    auto error = rpc_error(status, request_->message.method, request_->modern(), body);
    // The provider knows its own URI; the client must read the one that it asked for.
    if (status == Status::not_found && request_->message.method == "resources/read")
        error.data = json::with(error.data.starts_with('{') ? error.data : std::string("{}"), "uri",
                                json::quote(name_));
    request_->fail(error);
}

Status ClientCall::notified(std::string_view method, std::string_view params) noexcept {
    try {
        if (method == "notifications/progress") return progress(params);
        if (method == "notifications/message") return log_message(params);
        if (method == "patchbay/stream/release") {
            const auto retry = json::integer_value(json::member(params, "retry_ms")).value_or(1000);
            request_->outlet->release(static_cast<int>(std::clamp<std::int64_t>(retry, 0, 60'000)));
            return Status::ok;
        }
        return Status::unsupported;
    } catch (const std::exception& fault) {
        log::error("mcp.fault", {{"method", method}, {"reason", fault.what()}});
        return Status::internal;
    }
}

// Only what somebody listens to, only forward. A reader that is behind misses steps, not messages.
Status ClientCall::progress(std::string_view params) {
    const auto value = json::number_value(json::member(params, "progress"));
    if (!value) return Status::invalid;
    if (request_->progress_token.empty() || !request_->outlet->can_send()) return Status::ok;
    std::lock_guard forward(progress_mutex_);
    {
        std::lock_guard lock(mutex_);
        if (cancelled_ || ended_) return Status::gone;
    }
    if (last_progress_ && *value <= *last_progress_) return Status::ok;
    last_progress_ = *value;
    const auto sent = request_->outlet->send(notification_message(
        "notifications/progress", json::with(params, "progressToken", request_->progress_token)));
    return sent == Sent::gone ? Status::gone : Status::ok;
}

Status ClientCall::log_message(std::string_view params) {
    const auto level = log_severity(json::string_value(json::member(params, "level")).value_or(""));
    if (!level || json::member(params, "data").empty()) return Status::invalid;
    const auto least = log_severity(request_->client->log_level);
    if (!least || *level < *least || !request_->outlet->can_send()) return Status::ok;
    {
        std::lock_guard lock(mutex_);
        if (cancelled_ || ended_) return Status::gone;
    }
    return status_of(request_->outlet->send(notification_message("notifications/message", params)));
}

void ClientCall::still_running() noexcept { request_->outlet->lasting(); }

}  // namespace pb::mcp
