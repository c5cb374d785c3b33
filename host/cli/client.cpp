// SPDX-License-Identifier: Apache-2.0
// Poco carries the request; each one gets its own connection, since a command makes two at most.
#include "cli/client.h"

#include <Poco/Base64Encoder.h>
#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/StreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <Poco/Timespan.h>
#include <Poco/URI.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include "base/url.h"
#include "base/version.h"
#include "json/parse.h"

namespace pb::cli {
namespace net = Poco::Net;
namespace {

constexpr std::size_t max_answer = 64U << 20U;

struct Endpoint {
    std::string url;
    std::string host;
    std::uint16_t port = 80;
    std::string path;
    std::chrono::milliseconds timeout{};
    std::string api_key;
};

Error unreachable(const Endpoint& endpoint, const std::string& why) {
    return {ErrorKind::gone, "no host answers at " + endpoint.url + " (" + why +
                                 "); start one with `patchbay serve`, name another with --url, or "
                                 "use --plugins DIR to run without one"};
}

// A socket whose every wait ends at the same moment: with a time for each read, a peer that sends a
// byte now and then would never be over it.
class DeadlineSocketImpl : public net::StreamSocketImpl {
  public:
    explicit DeadlineSocketImpl(std::chrono::steady_clock::time_point end) : end_(end) {}

    int receiveBytes(void* buffer, int length, int flags) override {
        setReceiveTimeout(left());
        return SocketImpl::receiveBytes(buffer, length, flags);
    }
    int sendBytes(const void* buffer, int length, int flags) override {
        int sent = 0;
        while (sent < length) {
            setSendTimeout(left());
            // StreamSocketImpl's would send all of it with the time that was left at first.
            // NOLINTNEXTLINE(bugprone-parent-virtual-call)
            sent += SocketImpl::sendBytes(static_cast<const char*>(buffer) + sent, length - sent,
                                          flags);
        }
        return sent;
    }

  private:
    Poco::Timespan left() const {
        const auto left = std::chrono::duration_cast<std::chrono::microseconds>(
            end_ - std::chrono::steady_clock::now());
        if (left.count() <= 0) throw Poco::TimeoutException();
        return Poco::Timespan(left.count());
    }

    std::chrono::steady_clock::time_point end_;
};

class DeadlineSocket : public net::StreamSocket {
  public:
    explicit DeadlineSocket(std::chrono::milliseconds time)
        : StreamSocket(new DeadlineSocketImpl(std::chrono::steady_clock::now() + time)) {}
};

std::string request_text(std::string_view method, const Json& params) {
    Json message{{"jsonrpc", "2.0"}, {"id", 1}, {"method", method}, {"params", params}};
    Json& meta = message["params"]["_meta"];
    meta["io.modelcontextprotocol/protocolVersion"] = protocol_versions.front();
    meta["io.modelcontextprotocol/clientInfo"] = {{"name", "patchbay-cli"},
                                                  {"version", build_info().version}};
    meta["io.modelcontextprotocol/clientCapabilities"] = Json::object();
    return json::dump(message);
}

void set_headers(net::HTTPRequest& request, const Endpoint& endpoint, std::string_view method,
                 const Json& params, const Headers& headers) {
    if (!endpoint.api_key.empty()) request.set("Authorization", "Bearer " + endpoint.api_key);
    request.setContentType("application/json");
    request.set("Accept", "application/json, text/event-stream");
    request.set("User-Agent", "patchbay/" + std::string(build_info().version));
    request.set("MCP-Protocol-Version", std::string(protocol_versions.front()));
    request.set("Mcp-Method", std::string(method));
    if (params.contains("name")) {
        request.set("Mcp-Name", header_value(params.at("name").get<std::string>()));
    }
    for (const auto& [name, value] : headers) {
        request.add(name, value);
    }
}

// The answer's text; of an event stream the event that holds the response. By the byte, so that a
// line without end is bounded like everything else.
Result<std::string> read_answer(std::istream& stream, bool is_stream) {
    std::string text;
    bool line_is_empty = true;
    for (int c = stream.get(); c != std::istream::traits_type::eof(); c = stream.get()) {
        if (text.size() >= max_answer) return invalid("the host's answer is larger than 64 MiB");
        text += static_cast<char>(c);
        if (c != '\n') {
            line_is_empty = line_is_empty && c == '\r';
            continue;
        }
        if (is_stream && line_is_empty) {
            if (response_in_events(text)) break;
            text.clear();
        }
        line_is_empty = true;
    }
    return text;
}

std::string text_member(const Json& object, const char* name, const char* otherwise) {
    const auto member = object.find(name);
    return member != object.end() && member->is_string() ? member->get<std::string>() : otherwise;
}

Result<Json> result_of(const Json& response) {
    if (response.contains("result") && response["result"].is_object()) return response["result"];
    if (response.contains("error") && response["error"].is_object()) {
        const Json& error = response["error"];
        return invalid(text_member(error, "message", "the request failed") + " (" +
                       json::dump(error.value("code", Json(nullptr))) + ")");
    }
    return invalid("the answer is not a JSON-RPC response; is this the MCP endpoint?");
}

Result<Json> understand(const Endpoint& endpoint, const net::HTTPResponse& head, bool is_stream,
                        const std::string& text) {
    if (is_stream) {
        auto response = response_in_events(text);
        if (!response) return unreachable(endpoint, "the event stream ended without an answer");
        return result_of(*response);
    }
    if (head.getStatus() == net::HTTPResponse::HTTP_UNAUTHORIZED) {
        const char* why = endpoint.api_key.empty() ? " wants an API key" : " refuses the API key";
        return Error{
            ErrorKind::denied,
            endpoint.url + why + ": the environment's PATCHBAY_API_KEY, or --api-key-file"};
    }
    auto response = json::parse(text, {.size = max_answer});
    if (response && response->is_object() && response->contains("jsonrpc")) {
        return result_of(*response);
    }
    return invalid(endpoint.url + " answered HTTP " + std::to_string(head.getStatus()) + " " +
                   head.getReason() + " without a JSON-RPC message; is this the MCP endpoint?");
}

Result<Json> exchange(const Endpoint& endpoint, std::string_view method, const Json& params,
                      const Headers& headers) {
    try {
        net::HTTPClientSession session{DeadlineSocket(endpoint.timeout)};
        session.setHost(endpoint.host);
        session.setPort(endpoint.port);
        session.setTimeout(Poco::Timespan(endpoint.timeout.count() * 1000));  // to connect
        net::HTTPRequest request(net::HTTPRequest::HTTP_POST, endpoint.path,
                                 net::HTTPMessage::HTTP_1_1);
        const std::string body = request_text(method, params);
        set_headers(request, endpoint, method, params, headers);
        request.setContentLength64(static_cast<Poco::Int64>(body.size()));
        session.sendRequest(request) << body << std::flush;
        net::HTTPResponse head;
        std::istream& stream = session.receiveResponse(head);
        const bool is_stream = head.getContentType().rfind("text/event-stream", 0) == 0;
        auto text = read_answer(stream, is_stream);
        if (!text) return text.error();
        // Poco keeps what goes wrong inside a body in the session instead of throwing it.
        if (const auto* fault = session.networkException()) fault->rethrow();
        return understand(endpoint, head, is_stream, *text);
    } catch (const Poco::TimeoutException&) {
        return Error{ErrorKind::deadline, endpoint.url + " did not answer within " +
                                              std::to_string(endpoint.timeout.count() / 1000) +
                                              " seconds; --timeout gives it longer"};
    } catch (const Poco::Exception& fault) {
        return unreachable(endpoint, fault.displayText());
    }
}

bool is_plain(std::string_view text) {
    const auto visible = [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; };
    const auto space = [](char c) { return c == ' ' || c == '\t'; };
    if (text.empty()) return true;
    if (space(text.front()) || space(text.back())) return false;
    const bool sentinel = text.substr(0, 9) == "=?base64?" && text.size() >= 11 &&
                          text.substr(text.size() - 2) == "?=";
    return !sentinel && std::all_of(text.begin(), text.end(), visible);
}

void add_parameter_headers(const Json& schema, const Json& value, Headers& headers) {
    if (!schema.is_object() || !value.is_object()) return;
    const auto properties = schema.find("properties");
    if (properties == schema.end() || !properties->is_object()) return;
    for (const auto& [name, property] : properties->items()) {
        if (!property.is_object() || !value.contains(name)) continue;
        const Json& member = value.at(name);
        const auto header = property.find("x-mcp-header");
        if (header != property.end() && header->is_string() && member.is_primitive() &&
            !member.is_null()) {
            const std::string text =
                member.is_string() ? member.get<std::string>() : json::dump(member);
            headers.emplace_back("Mcp-Param-" + header->get<std::string>(), header_value(text));
        }
        add_parameter_headers(property, member, headers);
    }
}

}  // namespace

Result<Requester> http_requester(const std::string& url, std::chrono::milliseconds timeout,
                                 const std::string& api_key) {
    try {
        const Poco::URI uri(url);
        if (uri.getScheme() != "http" || uri.getHost().empty()) {
            return invalid("--url \"" + url +
                           "\" is not of the form http://HOST:PORT/mcp (this client speaks plain "
                           "HTTP only)");
        }
        const auto parsed = parse_url(url, "--url");
        if (!api_key.empty() && !(parsed && parsed->loopback()))
            return invalid("the API key would go unencrypted to " + uri.getHost() +
                           "; use it on the host's own machine, or through a tunnel to it");
        Endpoint endpoint{url,     uri.getHost(), uri.getPort(), uri.getPathAndQuery(),
                          timeout, api_key};
        if (endpoint.path.empty()) endpoint.path = "/mcp";
        return Requester(
            [endpoint](std::string_view method, const Json& params, const Headers& headers) {
                return exchange(endpoint, method, params, headers);
            });
    } catch (const Poco::Exception&) {
        return invalid("--url \"" + url +
                       "\" is not a URL; it looks like http://127.0.0.1:8080/mcp");
    }
}

std::string header_value(std::string_view text) {
    if (is_plain(text)) return std::string(text);
    std::ostringstream encoded;
    Poco::Base64Encoder encoder(encoded);
    encoder.rdbuf()->setLineLength(0);
    encoder << text;
    encoder.close();
    return "=?base64?" + encoded.str() + "?=";
}

Headers parameter_headers(const Json& input_schema, const Json& arguments) {
    Headers headers;
    add_parameter_headers(input_schema, arguments, headers);
    return headers;
}

std::optional<Json> response_in_events(std::string_view events) {
    std::string data;
    while (!events.empty()) {
        const std::size_t end = std::min(events.find('\n'), events.size());
        std::string_view line = events.substr(0, end);
        events.remove_prefix(std::min(events.size(), end + 1));
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        if (line.substr(0, 5) == "data:") {
            line.remove_prefix(5);
            if (!line.empty() && line.front() == ' ') line.remove_prefix(1);
            if (!data.empty()) data += '\n';
            data += line;
        } else if (line.empty() && !data.empty()) {
            auto message = json::parse(data, {.size = max_answer});
            data.clear();
            if (message && message->is_object() && message->value("id", Json()) == 1) {
                return std::move(*message);
            }
        }
    }
    return std::nullopt;
}

}  // namespace pb::cli
