// SPDX-License-Identifier: Apache-2.0
// JSON-RPC 2.0 envelopes as slices of the text they came in, and the texts that go back.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pb::mcp {

// JSON-RPC and MCP error codes that this server emits.
namespace code {
inline constexpr int parse_error = -32700;
inline constexpr int invalid_request = -32600;
inline constexpr int method_not_found = -32601;
inline constexpr int invalid_params = -32602;
inline constexpr int internal_error = -32603;
inline constexpr int insufficient_scope = -32006;  // our own, as admission::rate_limited
inline constexpr int resource_not_found = -32002;  // legacy only
inline constexpr int header_mismatch = -32020;     // modern only, as the next two
inline constexpr int missing_client_capability = -32021;
inline constexpr int unsupported_version = -32022;
}  // namespace code

struct RpcError {
    int code = code::internal_error;
    std::string message;
    std::string data;       // JSON text, or empty
    int http_status = 200;  // where the transport has one and nothing was sent yet
    // For the transport's headers: what it would take to be let in, and when to come again.
    std::string scope = {};
    int retry_after = 0;  // seconds
};

enum class MessageKind { request, notification, response };

struct Message {
    MessageKind kind = MessageKind::request;
    std::string_view id;      // as written (a JSON string or integer); empty for a notification
    std::string_view method;  // without quotes
    std::string_view params;  // object, or empty
    std::string_view result;  // of a response, or empty
    std::string_view error;   // of a response, or empty
};

// One envelope out of checked JSON text. Of a wrong one, message.id and that it is a notification
// are told as far as they could be read.
bool read_message(std::string_view text, Message& message, RpcError& error);

std::string result_message(std::string_view id, std::string_view result);
std::string error_message(std::string_view id, const RpcError& error);  // id may be empty
std::string notification_message(std::string_view method, std::string_view params);
std::string request_message(std::string_view id, std::string_view method, std::string_view params);

}  // namespace pb::mcp
