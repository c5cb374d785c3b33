// SPDX-License-Identifier: Apache-2.0
#include "mcp/server.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/log.h"
#include "json/scan.h"
#include "mcp/failure.h"
#include "mcp/header_rules.h"

namespace pb::mcp {
namespace {

constexpr std::string_view version_key = "io.modelcontextprotocol/protocolVersion";
constexpr std::string_view version_header = "MCP-Protocol-Version";

// The inside of a JSON string literal without escapes (versions have none).
std::string_view inside(std::string_view literal) {
    return literal.size() >= 2 && literal.front() == '"' ? literal.substr(1, literal.size() - 2)
                                                         : std::string_view();
}

std::string_view meta_version(const Message& message) {
    return inside(json::member(json::member(message.params, "_meta"), version_key));
}

// What every legacy message but initialize needs.
std::optional<RpcError> check_session(const Request& request, std::string_view header,
                                      int header_count) {
    if (!request.session)
        return RpcError{code::invalid_request,
                        "no session: send initialize first and repeat its Mcp-Session-Id",
                        {},
                        400};
    if (header_count > 0 && !version_from(header))
        return RpcError{code::invalid_request, "unsupported MCP-Protocol-Version", {}, 400};
    return std::nullopt;
}

// A version that this server does not know is a modern client's, unless it comes with a session.
bool modern_by_header(std::string_view header, bool in_session) {
    if (header.empty()) return false;
    const auto version = version_from(header);
    return version ? is_modern(*version) : !in_session;
}

bool modern_by_params(std::string_view params, std::string_view header, bool in_session) {
    return !json::member(json::member(params, "_meta"), version_key).empty() ||
           modern_by_header(header, in_session);
}

// JSON may write "/" as "\/", and some encoders always do. With one spelling, names of methods and
// members can be compared as they stand.
std::optional<std::string> with_plain_slashes(std::string_view text) {
    if (text.find("\\/") == std::string_view::npos) return std::nullopt;
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escape = text[i] == '\\' && i + 1 < text.size();
        if (escape && text[i + 1] != '/') out += text[i];
        if (escape) ++i;
        out += text[i];
    }
    return out;
}

std::string make_server_info(const ServerOptions& options) {
    return "{\"name\":" + json::quote(options.name) + ",\"title\":" + json::quote(options.title) +
           ",\"version\":" + json::quote(options.version) + "}";
}

}  // namespace

Server::Server(const admission::Admission& admission, catalog::Catalog& catalog,
               ServerOptions options, const Seal::Key& key)
    : admission_(admission),
      options_(std::move(options)),
      server_info_(make_server_info(options_)),
      seal_(key, options_.state_ttl),
      sessions_(options_.max_sessions, options_.session_idle),
      subscriptions_(admission, sessions_, options_.max_subscriptions, server_info_),
      lists_(options_.page_size, server_info_),
      services_{admission, seal_, server_info_, options_.max_rounds, options_.patience} {
    catalog.listen({[this](const std::string& org, const catalog::Changes& changes) {
                        subscriptions_.lists_changed(org, changes);
                    },
                    [this](const std::string& org, const std::string& uri) {
                        subscriptions_.resource_updated(org, uri);
                    },
                    [this](const std::string& org) { subscriptions_.providers_changed(org); }});
}

const Server::Method* Server::find_method(std::string_view name, bool modern) {
    static const std::array methods = {
        Method{"tools/call", true, true, "name", &Server::call_by_name},
        Method{"tools/list", true, true, "", &Server::list_tools},
        Method{"resources/list", true, true, "", &Server::list_resources},
        Method{"resources/templates/list", true, true, "", &Server::list_templates},
        Method{"resources/read", true, true, "uri", &Server::read_resource},
        Method{"prompts/list", true, true, "", &Server::list_prompts},
        Method{"prompts/get", true, true, "name", &Server::call_by_name},
        Method{"completion/complete", true, true, "", &Server::complete},
        Method{"server/discover", true, false, "", &Server::discover},
        Method{"subscriptions/listen", true, false, "", &Server::listen},
        Method{"initialize", false, true, "", &Server::initialize},
        Method{"ping", false, true, "", &Server::ping},
        Method{"logging/setLevel", false, true, "", &Server::set_level},
        Method{"resources/subscribe", false, true, "", &Server::subscribe},
        Method{"resources/unsubscribe", false, true, "", &Server::unsubscribe},
    };
    for (const auto& method : methods)
        if (method.name == name && (modern ? method.modern : method.legacy)) return &method;
    return nullptr;
}

bool Server::is_modern_message(std::string_view text, std::string_view header, bool in_session) {
    return modern_by_params(json::member(text, "params"), header, in_session);
}

void Server::receive(const Incoming& incoming, std::shared_ptr<Outlet> outlet) {
    auto request = std::make_shared<Request>();
    request->owner = incoming.owner;
    auto text = incoming.text;
    if (auto plain = with_plain_slashes(text)) {
        auto owned = std::make_shared<const std::string>(std::move(*plain));
        text = *owned;
        request->owner = std::move(owned);
    }
    request->caller = incoming.caller;
    request->session = incoming.session;
    request->headers = incoming.headers;
    request->outlet = std::move(outlet);
    request->admission = &admission_;
    request->bytes = text.size();
    std::string_view header;
    const int header_count = incoming.headers ? incoming.headers->find(version_header, header) : 0;
    try {
        RpcError error;
        if (!read_message(text, request->message, error))
            return malformed(request, incoming, error);
        const bool modern =
            modern_by_params(request->message.params, header, request->session != nullptr);
        if (request->message.kind != MessageKind::request && !modern)
            if (auto wrong = check_session(*request, header, header_count))
                return request->outlet->answer(wrong->http_status, error_message({}, *wrong));
        if (request->message.kind == MessageKind::response) {
            // Accepted first: the answer may let a call go on, which takes its time.
            request->outlet->answer(202, {});
            if (request->session && !modern)
                request->session->resolve(request->message.id, request->message.result,
                                          request->message.error);
            return;
        }
        if (request->message.kind == MessageKind::notification) {
            notification(request);
        } else if (const auto wait = admission_.charge(*request->caller)) {
            request->fail(limited(*wait));
        } else if (modern) {
            receive_modern(request, header, header_count);
        } else {
            receive_legacy(request, header, header_count);
        }
    } catch (const std::exception& fault) {
        log::error("mcp.fault", {{"method", request->message.method}, {"reason", fault.what()}});
        request->fail({code::internal_error, "internal error", {}, 500});
    }
    request->headers = nullptr;
}

// What is no message costs its sender what a request does.
void Server::malformed(const RequestPtr& request, const Incoming& incoming, const RpcError& error) {
    // A notification is never answered, but a POST is.
    if (request->message.kind == MessageKind::notification && !request->headers)
        return request->outlet->answer(202, {});
    request->malformed = true;
    if (incoming.malformed_told && std::exchange(*incoming.malformed_told, true))
        request->admission = nullptr;
    const auto wait = admission_.charge(*request->caller);
    request->fail(wait ? limited(*wait) : error);
}

RpcError Server::refused(const runtime::Caller& caller, std::string_view method, std::size_t bytes,
                         RpcError error) const {
    const auto wait = admission_.charge(caller);
    if (wait) error = limited(*wait);
    admission::Ending ending{caller, nullptr, method};
    ending.outcome = wait ? "limited" : "error";
    ending.code = error.code;
    ending.reason = error.message;
    ending.began = std::chrono::steady_clock::now();
    ending.request_bytes = bytes;
    ending.sampled = true;
    admission_.tell(ending);
    return error;
}

bool Server::check_version(Request& request, std::string_view header, int header_count,
                           RpcError& error) {
    const auto meta = json::member(request.message.params, "_meta");
    const auto literal = json::member(meta, version_key);
    const auto named = meta_version(request.message);
    if (literal.empty() && header != name_of(newest)) {
        error = {code::unsupported_version, "unsupported protocol version",
                 "{\"supported\":" + std::string(supported_modern) +
                     ",\"requested\":" + json::quote(header) + "}",
                 400};
        return false;
    }
    if (named.empty()) {
        error = {code::invalid_params,
                 "_meta must name the protocol version in io.modelcontextprotocol/protocolVersion",
                 {},
                 400};
        return false;
    }
    if (request.headers) {
        const auto why = header_count == 0  ? "the required header MCP-Protocol-Version is missing"
                         : header != named  ? "MCP-Protocol-Version does not match the request body"
                         : header_count > 1 ? "MCP-Protocol-Version occurs more than once"
                                            : nullptr;
        if (why) {
            error = {code::header_mismatch, std::string("Header mismatch: ") + why, {}, 400};
            return false;
        }
    }
    const auto version = version_from(named);
    if (!version || !is_modern(*version)) {
        error = {code::unsupported_version, "unsupported protocol version",
                 "{\"supported\":" + std::string(supported_modern) +
                     ",\"requested\":" + std::string(literal) + "}",
                 400};
        return false;
    }
    request.version = *version;
    return true;
}

bool Server::check_headers(const Request& request, const Method& method, RpcError& error) {
    if (!request.headers || method.name_param.empty()) return true;
    const auto name = json::string_value(json::member(request.message.params, method.name_param));
    if (!name) return true;  // the handler says what is wrong with the body
    if (auto wrong = check_header(*request.headers, "Mcp-Name", *name, true)) {
        error = *wrong;
        return false;
    }
    return true;
}

void Server::receive_modern(const RequestPtr& request, std::string_view header, int header_count) {
    RpcError error;
    if (!check_version(*request, header, header_count, error)) return request->fail(error);
    if (request->headers)
        if (auto wrong =
                check_header(*request->headers, "Mcp-Method", request->message.method, false))
            return request->fail(*wrong);
    if (!read_modern_meta(*request, error)) return request->fail(error);
    const auto* method = find_method(request->message.method, true);
    if (!method) {
        std::string message = "Method not found";
        if (request->message.method == "initialize")
            message += "; send 2025-11-25 or older without _meta, or use server/discover";
        return request->fail({code::method_not_found, message, {}, 404});
    }
    // Sessions are a legacy matter; on stdio one stands for the process, to find what runs.
    if (request->headers) request->session = nullptr;
    if (!check_headers(*request, *method, error)) return request->fail(error);
    (this->*method->handle)(request);
}

void Server::receive_legacy(const RequestPtr& request, std::string_view header, int header_count) {
    const bool opening = request->message.method == "initialize";
    if (opening) {
        request->version = newest_legacy;
    } else {
        if (auto wrong = check_session(*request, header, header_count))
            return request->fail(*wrong);
        request->version = request->session->version;
    }
    read_legacy_meta(*request);
    const auto* method = find_method(request->message.method, false);
    if (!method) return request->fail({code::method_not_found, "Method not found", {}, 200});
    (this->*method->handle)(request);
}

// None is answered, and a wrong one is not worth an error: RFC-like leniency that the cancellation
// page asks for.
void Server::notification(const RequestPtr& request) {
    const auto& session = request->session;
    if (session) {
        if (request->message.method == "notifications/initialized") session->initialized = true;
        if (request->message.method == "notifications/cancelled")
            session->cancel(json::member(request->message.params, "requestId"));
    }
    request->outlet->answer(202, {});
}

void Server::close_session(const SessionPtr& session) {
    // Closed first: a closed session subscribes to nothing.
    if (session->id.empty() || !sessions_.remove(session->id)) session->close();
    subscriptions_.forget(session);
}

void Server::sweep() {
    for (const auto& session : sessions_.idle())
        close_session(session);
}

void Server::end_of(const runtime::StandingOf& standing) {
    for (const auto& session : sessions_.all()) {
        if (standing(*session->caller) == runtime::Standing::gone)
            close_session(session);
        else
            session->end_stream_of(standing);
    }
    subscriptions_.end_of(standing);
}

void Server::goodbye() {
    subscriptions_.goodbye();
    for (const auto& session : sessions_.all()) {
        std::shared_ptr<Outlet> stream;
        {
            std::lock_guard lock(session->mutex);
            stream.swap(session->standalone);
        }
        if (stream) stream->end();
    }
}

void Server::close_all() {
    for (const auto& session : sessions_.all())
        close_session(session);
}

}  // namespace pb::mcp
