// SPDX-License-Identifier: Apache-2.0
#include "mcp/failure.h"

#include "json/scan.h"

namespace pb::mcp {

using runtime::Status;

namespace {

// A code that a provider may give to its error: JSON-RPC's own, one that servers define, or one
// outside the reserved range. Those of the protocol itself would tell the client about our own.
bool allowed_code(std::int64_t value) {
    return (value <= code::invalid_request && value >= code::internal_error) || value > -32020 ||
           value < -32768;
}

}  // namespace

RpcError rpc_error(Status status, std::string_view method, bool modern, std::string_view body) {
    RpcError error;
    std::string_view sentence = "the request failed";
    switch (status) {
        case Status::invalid:
            error.code = code::invalid_params;
            sentence = "invalid params";
            break;
        case Status::not_found:
            error.code = method == "resources/read" && !modern ? code::resource_not_found
                                                               : code::invalid_params;
            sentence = "not found";
            break;
        case Status::unsupported:
            error.code = code::method_not_found;
            sentence = "not supported";
            break;
        case Status::denied:
            sentence = "not permitted";
            break;
        case Status::cancelled:
            sentence = "the request was cancelled";
            break;
        case Status::deadline:
            sentence = "the request was not answered in time";
            break;
        case Status::busy:
        case Status::again:
            sentence = "busy; try again later";
            break;
        default:
            break;
    }
    error.message = json::string_value(json::member(body, "message")).value_or("");
    if (error.message.empty()) error.message = sentence;
    error.data = json::member(body, "data");
    if (auto given = json::integer_value(json::member(body, "code")); given && allowed_code(*given))
        error.code = static_cast<int>(*given);
    if (error.code == admission::rate_limited && status == Status::busy) {
        error.http_status = 429;
        error.retry_after = static_cast<int>(
            json::integer_value(json::member(error.data, "retry_after_seconds")).value_or(1));
    }
    return error;
}

RpcError limited(std::chrono::milliseconds wait) {
    return rpc_error(Status::busy, {}, true, admission::limited_body(wait));
}

}  // namespace pb::mcp
