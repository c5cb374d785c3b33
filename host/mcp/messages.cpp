// SPDX-License-Identifier: Apache-2.0
#include "mcp/messages.h"

#include <vector>

#include "json/scan.h"

namespace pb::mcp {
namespace {

bool valid_id(std::string_view id) {
    const auto type = json::type_of(id);
    return id.size() <= 256 &&
           (type == json::Type::string ||
            (type == json::Type::number && id.find_first_of(".eE") == std::string_view::npos));
}

std::string_view unquoted(std::string_view literal) {
    return literal.substr(1, literal.size() - 2);
}

}  // namespace

bool read_message(std::string_view text, Message& message, RpcError& error) {
    auto refuse = [&](std::string why) {
        error = {code::invalid_request, std::move(why), {}, 400};
        return false;
    };
    thread_local std::vector<json::Member> found;
    found.clear();
    if (!json::members(text, found)) return refuse("a JSON-RPC message must be an object");
    std::string_view version, method;
    bool has_id = false;
    for (const auto& [key, value] : found) {
        if (key == "jsonrpc")
            version = value;
        else if (key == "id")
            message.id = value, has_id = true;
        else if (key == "method")
            method = value;
        else if (key == "params")
            message.params = value;
        else if (key == "result")
            message.result = value;
        else if (key == "error")
            message.error = value;
    }
    if (has_id && !valid_id(message.id)) {
        message.id = {};
        return refuse("\"id\" must be a string or an integer");
    }
    if (!has_id && !method.empty()) message.kind = MessageKind::notification;
    if (version != "\"2.0\"") return refuse("\"jsonrpc\" must be \"2.0\"");
    if (method.empty()) {
        if (!has_id || (message.result.empty() && message.error.empty()))
            return refuse("neither a request, a notification nor a response");
        message.kind = MessageKind::response;
        return true;
    }
    // No MCP method has an escape in its name, so the literal's inside is the name.
    if (json::type_of(method) != json::Type::string || method.size() > 258)
        return refuse("\"method\" must be a string");
    message.method = unquoted(method);
    if (!message.params.empty() && json::type_of(message.params) != json::Type::object) {
        error = {code::invalid_params, "\"params\" must be an object", {}, 400};
        return false;
    }
    return true;
}

std::string result_message(std::string_view id, std::string_view result) {
    std::string out;
    out.reserve(id.size() + result.size() + 40);
    out += "{\"jsonrpc\":\"2.0\",\"id\":";
    out += id;
    out += ",\"result\":";
    out += result;
    out += '}';
    return out;
}

std::string error_message(std::string_view id, const RpcError& error) {
    std::string out = "{\"jsonrpc\":\"2.0\"";
    if (!id.empty()) (out += ",\"id\":") += id;
    out += ",\"error\":{\"code\":";
    out += std::to_string(error.code);
    out += ",\"message\":";
    json::append_quoted(out, error.message);
    if (!error.data.empty()) (out += ",\"data\":") += error.data;
    out += "}}";
    return out;
}

std::string notification_message(std::string_view method, std::string_view params) {
    std::string out = "{\"jsonrpc\":\"2.0\",\"method\":";
    json::append_quoted(out, method);
    if (!params.empty()) (out += ",\"params\":") += params;
    out += '}';
    return out;
}

std::string request_message(std::string_view id, std::string_view method, std::string_view params) {
    std::string out = "{\"jsonrpc\":\"2.0\",\"id\":";
    out += id;
    out += ",\"method\":";
    json::append_quoted(out, method);
    if (!params.empty()) (out += ",\"params\":") += params;
    out += '}';
    return out;
}

}  // namespace pb::mcp
