// SPDX-License-Identifier: Apache-2.0
// The methods that only the legacy era has.
// https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle
#include "json/scan.h"
#include "mcp/capabilities.h"
#include "mcp/server.h"

namespace pb::mcp {
namespace {

constexpr std::size_t most_info = 4096, longest_name = 256, most_capabilities = 16U << 10U;

// What is kept of a client for as long as its session lasts. Icons may make it large; what it is
// called is enough.
std::string kept_info(std::string_view info) {
    if (info.size() <= most_info) return std::string(info);
    std::string out;
    for (const char* name : {"name", "title", "version"}) {
        const auto value = json::member(info, name);
        const bool kept = !value.empty() && value.size() <= longest_name &&
                          json::type_of(value) == json::Type::string;
        if (!kept) continue;
        out.append(out.empty() ? "{\"" : ",\"").append(name).append("\":").append(value);
    }
    return out.empty() ? out : out + "}";
}

}  // namespace

void Server::initialize(const RequestPtr& request) {
    const auto& params = request->message.params;
    const auto asked = json::string_value(json::member(params, "protocolVersion"));
    if (!asked)
        return request->fail(
            {code::invalid_params, "params.protocolVersion must be a string", {}, 200});
    // What this era does not have is answered with the newest that it has; the client decides.
    auto version = version_from(*asked).value_or(newest_legacy);
    if (is_modern(version)) version = newest_legacy;

    const auto capabilities = json::member(params, "capabilities");
    if (capabilities.size() > most_capabilities)
        return request->fail(
            {code::invalid_params, "params.capabilities must be smaller than 16 KiB", {}, 200});
    auto session = request->session;
    const bool http = request->headers != nullptr;
    if (http) {
        if (const auto surplus = sessions_.surplus_of(*request->caller)) close_session(surplus);
        session = sessions_.open(request->caller);
        if (!session)
            return request->fail(
                {code::internal_error, "too many sessions; try again later", {}, 503});
    }
    session->version = version;
    request->version = version;
    {
        std::lock_guard lock(session->mutex);
        session->client_info = kept_info(json::member(params, "clientInfo"));
        if (!capabilities.empty() && json::type_of(capabilities) == json::Type::object)
            session->client_capabilities = capabilities;
    }
    if (http) request->outlet->opened(session);

    const auto snapshot = admission_.visible(*request->caller);
    std::string info = server_info_;
    if (version < Version::v2025_06_18) info = json::without(info, "title");
    std::string result = "{\"protocolVersion\":\"" + std::string(name_of(version)) +
                         "\",\"capabilities\":" + std::string(server_capabilities) +
                         ",\"serverInfo\":" + info;
    if (auto text = instructions(*snapshot); !text.empty())
        result += ",\"instructions\":" + json::quote(text);
    request->answer(result + "}");
}

void Server::set_level(const RequestPtr& request) {
    auto level = json::string_value(json::member(request->message.params, "level"));
    if (!level || !log_severity(*level))
        return request->fail({code::invalid_params, "params.level must be a log level", {}, 200});
    {
        std::lock_guard lock(request->session->mutex);
        request->session->log_level = std::move(*level);
    }
    request->answer("{}");
}

void Server::subscribe(const RequestPtr& request) {
    const auto uri = json::string_value(json::member(request->message.params, "uri"));
    if (!uri) return request->fail({code::invalid_params, "params.uri must be a string", {}, 200});
    subscriptions_.subscribe(request, *uri);
}

void Server::unsubscribe(const RequestPtr& request) {
    const auto uri = json::string_value(json::member(request->message.params, "uri"));
    if (!uri) return request->fail({code::invalid_params, "params.uri must be a string", {}, 200});
    subscriptions_.unsubscribe(request->session, *uri);
    request->answer("{}");
}

}  // namespace pb::mcp
