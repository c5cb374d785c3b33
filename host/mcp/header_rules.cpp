// SPDX-License-Identifier: Apache-2.0
#include "mcp/header_rules.h"

#include <algorithm>

#include "base/base64.h"
#include "json/scan.h"

namespace pb::mcp {
namespace {

constexpr std::string_view form_begin = "=?base64?", form_end = "?=";

RpcError mismatch(std::string why) {
    return {code::header_mismatch, "Header mismatch: " + std::move(why), {}, 400};
}

bool visible(std::string_view value) {
    return std::all_of(value.begin(), value.end(),
                       [](char c) { return c == '\t' || (c >= 0x20 && c <= 0x7e); });
}

bool same(std::string_view type, std::string_view header, std::string_view body) {
    if (type == "string") return json::string_value(body) == std::optional<std::string>(header);
    if (type == "boolean") return header == body && (body == "true" || body == "false");
    const auto in_header = json::scan(header).ok() ? json::integer_value(header) : std::nullopt;
    const auto in_body = json::integer_value(body);
    return in_header && in_body && *in_header == *in_body;
}

}  // namespace

std::optional<std::string> decode_header(std::string_view value) {
    if (!visible(value)) return std::nullopt;
    if (value.size() < form_begin.size() + form_end.size() || !value.starts_with(form_begin) ||
        !value.ends_with(form_end))
        return std::string(value);
    value.remove_prefix(form_begin.size());
    value.remove_suffix(form_end.size());
    return base64_decode(value, Alphabet::standard);
}

std::optional<RpcError> check_header(const HeaderView& headers, std::string_view name,
                                     std::string_view expected, bool may_be_encoded) {
    std::string_view value;
    const int count = headers.find(name, value);
    if (count == 0) return mismatch("the required header " + std::string(name) + " is missing");
    if (count > 1) return mismatch(std::string(name) + " occurs more than once");
    if (value == expected && !value.starts_with(form_begin) && visible(value)) return std::nullopt;
    const auto decoded = may_be_encoded   ? decode_header(value)
                         : visible(value) ? std::optional(std::string(value))
                                          : std::nullopt;
    if (!decoded) return mismatch(std::string(name) + " has an invalid value");
    if (*decoded != expected)
        return mismatch(std::string(name) + " does not match the request body");
    return std::nullopt;
}

std::optional<RpcError> check_params(const HeaderView& headers,
                                     const std::vector<json::HeaderParam>& params,
                                     std::string_view arguments) {
    for (const auto& param : params) {
        std::string_view in_body = arguments;
        for (const auto& step : param.path)
            in_body = in_body.empty() ? in_body : json::member(in_body, step);
        const bool expected = !in_body.empty() && json::type_of(in_body) != json::Type::null;
        const auto name = "Mcp-Param-" + param.header;
        std::string_view value;
        const int count = headers.find(name, value);
        if (count > 1) return mismatch(name + " occurs more than once");
        if (count == 0) {
            if (expected) return mismatch(name + " is missing, but the arguments have its value");
            continue;
        }
        if (!expected) return mismatch(name + " is there, but the arguments have no such value");
        const auto decoded = decode_header(value);
        if (!decoded) return mismatch(name + " has an invalid value");
        if (!same(param.type, *decoded, in_body))
            return mismatch(name + " does not match the arguments");
    }
    return std::nullopt;
}

}  // namespace pb::mcp
