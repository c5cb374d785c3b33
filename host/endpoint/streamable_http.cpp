// SPDX-License-Identifier: Apache-2.0
#include "endpoint/streamable_http.h"

#include <Poco/String.h>

#include "endpoint/batch.h"
#include "endpoint/json_or_stream.h"

namespace pb::endpoint {
namespace {

constexpr std::string_view session_header = "Mcp-Session-Id";
constexpr std::string_view version_header = "MCP-Protocol-Version";

class Headers : public mcp::HeaderView {
  public:
    explicit Headers(const http::Request& request) : request_(request) {}
    int find(std::string_view name, std::string_view& value) const override {
        const auto count = request_.count_header(name);
        if (count > 0) value = request_.header(name);
        return static_cast<int>(count);
    }

  private:
    const http::Request& request_;
};

// A browser may read the answer if its origin passed the guards.
http::HeaderList cross_origin(const http::Request& request) {
    const auto origin = request.header("Origin");
    if (origin.empty()) return {};
    return {{"Access-Control-Allow-Origin", std::string(origin)},
            {"Access-Control-Expose-Headers", "Mcp-Session-Id, WWW-Authenticate"},
            {"Vary", "Origin"}};
}

void respond(http::Exchange& exchange, const http::Request& request, int status,
             std::string body = {}, http::HeaderList headers = {}) {
    auto all = cross_origin(request);
    for (auto& header : headers)
        all.push_back(std::move(header));
    json_reply(exchange, status, std::move(body), std::move(all));
}

void refuse(http::Exchange& exchange, const http::Request& request, int status, int code,
            std::string why, http::HeaderList headers = {}) {
    respond(exchange, request, status, mcp::error_message({}, {code, std::move(why), {}, status}),
            std::move(headers));
}

// Whether a media range of the Accept header covers `type`. No header accepts everything.
bool accepts(const http::Request& request, std::string_view type) {
    const auto accept = request.header("Accept");
    if (accept.empty()) return true;
    const auto major = std::string(type.substr(0, type.find('/'))) + "/*";
    for (std::size_t at = 0; at < accept.size();) {
        const auto end = std::min(accept.find(',', at), accept.size());
        auto range = accept.substr(at, end - at);
        range = range.substr(0, range.find(';'));
        const auto name = Poco::toLower(Poco::trim(std::string(range)));
        if (name == type || name == major || name == "*/*") return true;
        at = end + 1;
    }
    return false;
}

bool is_json(const http::Request& request) {
    const auto type = request.header("Content-Type");
    return Poco::toLower(Poco::trim(std::string(type.substr(0, type.find(';'))))) ==
           "application/json";
}

// Requests without a body have their version in the header alone; without it they are old.
bool knows_version(const http::Request& request) {
    return !request.has_header(version_header) ||
           mcp::version_from(request.header(version_header)).has_value();
}

void preflight(http::Exchange& exchange, const http::Request& request) {
    auto wanted = request.header("Access-Control-Request-Headers");
    respond(
        exchange, request, 204, {},
        {{"Access-Control-Allow-Methods", "POST, GET, DELETE"},
         {"Access-Control-Allow-Headers", wanted.empty() ? "Content-Type" : std::string(wanted)},
         {"Access-Control-Max-Age", "600"}});
}

}  // namespace

void StreamableHttp::handle(const RequestPtr& request, const ExchangePtr& exchange) {
    // No page of a foreign origin may read even this.
    if (auto why = gate_.guards().refuse(*request); !why.empty())
        return json_reply(
            *exchange, 403,
            mcp::error_message({}, {mcp::code::invalid_request, std::move(why), {}, 403}), {});
    if (request->method == "OPTIONS") return preflight(*exchange, *request);
    auto entered = gate_.enter(*request);
    if (auto* refusal = std::get_if<Gate::Refusal>(&entered))
        return refuse(*exchange, *request, refusal->status, mcp::code::invalid_request,
                      std::move(refusal->why), std::move(refusal->headers));
    const auto& caller = std::get<runtime::CallerPtr>(entered);
    if (request->method == "POST") return post(request, exchange, caller);
    if (request->method == "GET") return get(request, exchange, caller);
    if (request->method == "DELETE") return remove(request, exchange, caller);
    turn_away(*exchange, *request, *caller, 405, mcp::code::invalid_request,
              "use POST, GET or DELETE", {{"Allow", "POST, GET, DELETE"}});
}

void StreamableHttp::turn_away(http::Exchange& exchange, const http::Request& request,
                               const runtime::Caller& caller, int status, int code, std::string why,
                               http::HeaderList headers) const {
    const auto error = server_.refused(caller, "http " + std::string(request.method),
                                       request.body.size(), {code, std::move(why), {}, status});
    if (error.retry_after > 0)
        headers.emplace_back("Retry-After", std::to_string(error.retry_after));
    respond(exchange, request, error.http_status, mcp::error_message({}, error),
            std::move(headers));
}

RefusalHeaders StreamableHttp::refusal(const RequestPtr& request) const {
    return [this, request](const mcp::RefusalHints& hints) {
        http::HeaderList out;
        if (hints.retry_after > 0)
            out.emplace_back("Retry-After", std::to_string(hints.retry_after));
        if (!hints.scope.empty())
            out.emplace_back(
                "WWW-Authenticate",
                gate_.challenge(*request, "insufficient_scope",
                                "this needs more scopes than the credential has", hints.scope));
        return out;
    };
}

mcp::SessionPtr StreamableHttp::session(const http::Request& request,
                                        const runtime::Caller& caller) const {
    auto found = server_.sessions().find(request.header(session_header));
    // Somebody else's session looks like none.
    if (found && (found->caller->org != caller.org || found->caller->principal != caller.principal))
        return nullptr;
    return found;
}

void StreamableHttp::post(const RequestPtr& request, const ExchangePtr& exchange,
                          const runtime::CallerPtr& caller) {
    if (!is_json(*request))
        return turn_away(*exchange, *request, *caller, 415, mcp::code::invalid_request,
                         "Content-Type must be application/json");
    const bool json = accepts(*request, "application/json");
    const bool streams = accepts(*request, "text/event-stream");
    if (!json && !streams)
        return turn_away(*exchange, *request, *caller, 406, mcp::code::invalid_request,
                         "Accept must include application/json and text/event-stream");
    if (auto sound = json::scan(request->body); !sound)
        return turn_away(*exchange, *request, *caller, 400, mcp::code::parse_error,
                         "Parse error: " + sound.error().message);

    const std::string_view text = request->body;
    const Headers headers(*request);
    mcp::Incoming incoming{request, text, caller, &headers, nullptr};
    if (mcp::Server::is_modern_message(text, request->header(version_header),
                                       request->has_header(session_header)))
        return server_.receive(
            incoming, std::make_shared<JsonOrStream>(exchange, streams, cross_origin(*request),
                                                     refusal(request)));
    if (request->has_header(session_header)) {
        incoming.session = session(*request, *caller);
        if (!incoming.session)
            return turn_away(*exchange, *request, *caller, 404, mcp::code::invalid_request,
                             "no such session; send initialize to open one");
    }
    auto outlet = std::make_shared<ResumableStream>(exchange, streams, cross_origin(*request),
                                                    refusal(request), incoming.session, streams_);
    std::vector<std::string_view> messages;
    if (!json::elements(text, messages)) return server_.receive(incoming, std::move(outlet));

    const bool has_batches =
        incoming.session && incoming.session->version.load() == mcp::Version::v2025_03_26;
    if (!has_batches || messages.empty() || messages.size() > most_in_batch)
        return turn_away(*exchange, *request, *caller, 400, mcp::code::invalid_request,
                         has_batches ? "a batch holds 1 to 100 messages"
                                     : "this protocol version has no batches");
    receive_batch(server_, incoming, messages, std::move(outlet));
}

void StreamableHttp::get(const RequestPtr& request, const ExchangePtr& exchange,
                         const runtime::CallerPtr& caller) {
    if (!request->has_header(session_header))
        return turn_away(*exchange, *request, *caller, 405, mcp::code::invalid_request,
                         "GET opens a legacy session's stream and needs Mcp-Session-Id",
                         {{"Allow", "POST"}});
    auto open = session(*request, *caller);
    if (!open)
        return turn_away(*exchange, *request, *caller, 404, mcp::code::invalid_request,
                         "no such session; send initialize to open one");
    if (!knows_version(*request))
        return turn_away(*exchange, *request, *caller, 400, mcp::code::invalid_request,
                         "unsupported MCP-Protocol-Version");
    if (!accepts(*request, "text/event-stream"))
        return turn_away(*exchange, *request, *caller, 406, mcp::code::invalid_request,
                         "Accept must include text/event-stream");

    if (const auto last = request->header("Last-Event-ID"); !last.empty()) {
        auto replay = open->replay(last);
        if (replay) {
            if (auto stream = streams_.find(open->id, replay->stream))
                return stream->resume(exchange, last);
            // It may have come to its end between the two looks; what it said last is there now.
            if (replay = open->replay(last); replay)
                return replay_finished(*exchange, cross_origin(*request), *replay);
        }
    }
    auto stream = std::make_shared<ResumableStream>(exchange, true, cross_origin(*request),
                                                    refusal(request), open, streams_);
    if (!stream->stand_alone()) return;
    std::shared_ptr<mcp::Outlet> earlier;
    {
        std::lock_guard lock(open->mutex);
        if (open->closed) {
            earlier = stream;
        } else {
            earlier = std::exchange(open->standalone, stream);
            open->listener = caller;
        }
    }
    // The newest connection is the one that is alive.
    if (earlier) earlier->end();
}

void StreamableHttp::remove(const RequestPtr& request, const ExchangePtr& exchange,
                            const runtime::CallerPtr& caller) {
    if (!request->has_header(session_header))
        return turn_away(*exchange, *request, *caller, 405, mcp::code::invalid_request,
                         "DELETE ends a legacy session and needs Mcp-Session-Id",
                         {{"Allow", "POST"}});
    auto open = session(*request, *caller);
    if (!open)
        return turn_away(*exchange, *request, *caller, 404, mcp::code::invalid_request,
                         "no such session");
    if (!knows_version(*request))
        return turn_away(*exchange, *request, *caller, 400, mcp::code::invalid_request,
                         "unsupported MCP-Protocol-Version");
    server_.close_session(open);
    respond(*exchange, *request, 200);
}

}  // namespace pb::endpoint
