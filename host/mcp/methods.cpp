// SPDX-License-Identifier: Apache-2.0
// The methods that both eras have, and server/discover.
#include "json/scan.h"
#include "mcp/capabilities.h"
#include "mcp/header_rules.h"
#include "mcp/server.h"

namespace pb::mcp {
namespace {

// What somebody with a credential sees is nobody else's to cache.
bool is_private(const runtime::Caller& caller) { return caller.principal_kind != "anonymous"; }

}  // namespace

std::string Server::instructions(const catalog::Snapshot& snapshot) const {
    if (options_.instructions.empty()) return snapshot.instructions;
    if (snapshot.instructions.empty()) return options_.instructions;
    return options_.instructions + "\n\n" + snapshot.instructions;
}

void Server::discover(const RequestPtr& request) {
    const auto snapshot = admission_.visible(*request->caller);
    std::string members = "\"supportedVersions\":" + std::string(supported_modern) +
                          ",\"capabilities\":" + std::string(server_capabilities);
    if (auto text = instructions(*snapshot); !text.empty())
        members += ",\"instructions\":" + json::quote(text);
    members += ",\"ttlMs\":" + std::to_string(snapshot->lists.ttl_ms) + ",\"cacheScope\":\"" +
               (snapshot->lists.is_private || is_private(*request->caller) ? "private" : "public") +
               "\"";
    request->answer(render_own(request->version, members, server_info_));
}

void Server::list(const RequestPtr& request, Listed kind) {
    const auto cursor = json::member(request->message.params, "cursor");
    const auto text = json::string_value(cursor);
    if (!cursor.empty() && !text)
        return request->fail(
            {code::invalid_params, "cursor must be a string", {}, request->modern() ? 400 : 200});
    auto page = lists_.page(admission_.visible(*request->caller), is_private(*request->caller),
                            request->version, kind, text.has_value(), text.value_or(""));
    if (!page) return request->fail({code::invalid_params, page.error().message, {}, 200});
    request->answer(*page);
}

void Server::call_by_name(const RequestPtr& request) {
    const auto name = json::string_value(json::member(request->message.params, "name"));
    if (!name)
        return request->fail({code::invalid_params,
                              "params.name must be a string",
                              {},
                              request->modern() ? 400 : 200});
    const auto arguments = json::member(request->message.params, "arguments");
    if (!arguments.empty() && json::type_of(arguments) != json::Type::object)
        return request->fail({code::invalid_params,
                              "params.arguments must be an object",
                              {},
                              request->modern() ? 400 : 200});
    call(request, request->message.method, *name);
}

void Server::read_resource(const RequestPtr& request) {
    const auto uri = json::string_value(json::member(request->message.params, "uri"));
    if (!uri)
        return request->fail({code::invalid_params,
                              "params.uri must be a string",
                              {},
                              request->modern() ? 400 : 200});
    call(request, request->message.method, *uri);
}

void Server::call(const RequestPtr& request, std::string_view reference, std::string_view name) {
    auto target = admission_.find(*request->caller, reference, name);
    if (!target) {
        RpcError error{code::invalid_params, target.error().message, {}, 200};
        if (target.error().kind == ErrorKind::denied) {
            error.code = code::insufficient_scope;
            error.http_status = 403;
            error.scope = admission_.scopes_for(*request->caller, reference, name);
            error.data = "{\"scope\":" + json::quote(error.scope) + "}";
        } else if (request->message.method == "resources/read") {
            error.data = "{\"uri\":" + json::quote(name) + "}";
            if (!request->modern()) error.code = code::resource_not_found;
        }
        return request->fail(error);
    }
    if (target->tool && request->modern() && request->headers)
        if (auto wrong = check_params(*request->headers, target->tool->header_params,
                                      json::member(request->message.params, "arguments")))
            return request->fail(*wrong);
    std::make_shared<ClientCall>(services_, request, std::move(*target), name)->start();
}

void Server::complete(const RequestPtr& request) {
    const auto ref = json::member(request->message.params, "ref");
    const auto type = json::string_value(json::member(ref, "type")).value_or("");
    const auto name = json::string_value(json::member(ref, type == "ref/prompt" ? "name" : "uri"));
    const auto argument = json::member(request->message.params, "argument");
    if ((type != "ref/prompt" && type != "ref/resource") || !name ||
        !json::string_value(json::member(argument, "name")) ||
        !json::string_value(json::member(argument, "value")))
        return request->fail(
            {code::invalid_params,
             "params needs ref (ref/prompt with name, or ref/resource with uri) and "
             "argument (name, value)",
             {},
             request->modern() ? 400 : 200});
    // A capability that completes nothing is asked nothing.
    const auto reference = type == "ref/prompt" ? "prompts/get" : "completion/complete";
    auto target = admission_.find(*request->caller, reference, *name);
    if (target && !target->binding->completions)
        return request->answer(
            render_own(request->version, "\"completion\":{\"values\":[]}", server_info_));
    call(request, reference, *name);
}

}  // namespace pb::mcp
