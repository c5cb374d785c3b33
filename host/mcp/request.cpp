// SPDX-License-Identifier: Apache-2.0
#include "mcp/request.h"

#include "json/scan.h"

namespace pb::mcp {
namespace {

constexpr std::string_view prefix = "io.modelcontextprotocol/";

// traceparent, tracestate and baggage as one object, empty if there is none.
struct Trace {
    std::string text;
    void add(std::string_view key, std::string_view value) {
        if (json::type_of(value) != json::Type::string) return;
        text += text.empty() ? "{" : ",";
        json::append_quoted(text, key);
        (text += ':') += value;
    }
    std::string done() { return text.empty() ? text : text + "}"; }
};

// A token is a string or an integer; anything else is as good as none.
bool is_token(std::string_view value) {
    const auto type = json::type_of(value);
    return type == json::Type::string || type == json::Type::number;
}

}  // namespace

void Request::answer(std::string_view result) const {
    if (registered) session->ended(message.id);
    tell(result.size(), {});
    outlet->answer(200, result_message(message.id, result));
}

void Request::answer_failure(std::string_view result, std::string_view reason) const {
    if (registered) session->ended(message.id);
    tell(result.size(), {"tool_error", 0, reason});
    outlet->answer(200, result_message(message.id, result));
}

void Request::fail(const RpcError& error) const {
    if (registered) session->ended(message.id);
    const auto text = error_message(message.id, error);
    const auto outcome = error.code == admission::rate_limited    ? "limited"
                         : error.code == code::insufficient_scope ? "denied"
                                                                  : "error";
    tell(text.size(), {outcome, error.code, error.message});
    if (error.scope.empty() && error.retry_after == 0)
        return outlet->answer(error.http_status, text);
    outlet->refuse(error.http_status, text, {error.scope, error.retry_after});
}

void Request::end() const {
    tell(0, {});
    outlet->end();
}

void Request::cancelled() const { tell(0, {"cancelled"}); }

void Request::tell(std::size_t bytes_out, const End& end) const {
    if (!admission || passed_on || !caller || message.method == "ping") return;
    admission::Ending ending{*caller, client.get(), message.method};
    std::string name;
    if (!message.params.empty())
        name = json::string_value(json::member(message.params, "name"))
                   .value_or(json::string_value(json::member(message.params, "uri")).value_or(""));
    ending.name = name;
    ending.binding = binding.get();
    ending.original = original;
    ending.outcome = end.outcome;
    ending.code = end.code;
    ending.reason = end.reason;
    ending.began = began;
    ending.request_bytes = bytes;
    ending.response_bytes = bytes_out;
    ending.sampled = malformed;
    admission->tell(ending);
}

bool begin(Request& request, const std::shared_ptr<Cancellable>& what) {
    if (!request.session) return true;
    const auto begun = request.session->begin(request.message.id, what);
    request.registered = begun == Session::Begun::yes;
    if (begun == Session::Begun::already_running)
        request.fail({code::invalid_request, "a request with this id is still running", {}, 400});
    if (begun == Session::Begun::closed)
        request.fail({code::invalid_request, "the session was closed", {}, 404});
    return request.registered;
}

bool read_modern_meta(Request& request, RpcError& error) {
    auto client = std::make_shared<runtime::ClientView>();
    client->protocol_version = name_of(request.version);
    Trace trace;
    auto refuse = [&](std::string why) {
        error = {code::invalid_params, std::move(why), {}, 400};
        return false;
    };
    thread_local std::vector<json::Member> found;
    found.clear();
    json::members(json::member(request.message.params, "_meta"), found);
    for (const auto& [key, value] : found) {
        if (key == "progressToken") {
            if (is_token(value)) request.progress_token = value;
        } else if (key.starts_with(prefix)) {
            const auto name = key.substr(prefix.size());
            if (name == "clientInfo") {
                if (json::type_of(value) == json::Type::object) client->info = value;
            } else if (name == "clientCapabilities") {
                if (json::type_of(value) != json::Type::object)
                    return refuse(
                        "_meta io.modelcontextprotocol/clientCapabilities must be an object");
                client->capabilities = value;
            } else if (name == "logLevel") {
                client->log_level = json::string_value(value).value_or("");
                if (!log_severity(client->log_level))
                    return refuse("_meta io.modelcontextprotocol/logLevel is not a log level");
            }
        } else if (key == "traceparent" || key == "tracestate" || key == "baggage") {
            trace.add(key, value);
        }
    }
    if (client->capabilities.empty())
        return refuse("_meta lacks io.modelcontextprotocol/clientCapabilities");
    client->progress = !request.progress_token.empty();
    client->trace = trace.done();
    request.client = std::move(client);
    return true;
}

void read_legacy_meta(Request& request) {
    auto client = std::make_shared<runtime::ClientView>();
    client->protocol_version = name_of(request.version);
    if (request.session) {
        std::lock_guard lock(request.session->mutex);
        client->info = request.session->client_info;
        client->capabilities = request.session->client_capabilities;
        client->log_level = request.session->log_level;
    }
    Trace trace;
    const auto meta = json::member(request.message.params, "_meta");
    if (!meta.empty()) {
        if (auto token = json::member(meta, "progressToken"); !token.empty() && is_token(token))
            request.progress_token = token;
        for (std::string_view key : {"traceparent", "tracestate", "baggage"})
            if (auto value = json::member(meta, key); !value.empty()) trace.add(key, value);
    }
    client->progress = !request.progress_token.empty();
    client->trace = trace.done();
    request.client = std::move(client);
}

}  // namespace pb::mcp
