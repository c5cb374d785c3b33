// SPDX-License-Identifier: Apache-2.0
#include "client/param_headers.h"

#include <algorithm>

#include "base/base64.h"
#include "json/scan.h"

namespace pb::client {
namespace {

bool plain(std::string_view value) {
    const bool visible =
        std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
    const bool padded = !value.empty() && (value.front() == ' ' || value.back() == ' ');
    const bool form = value.starts_with("=?base64?") && value.ends_with("?=");
    return visible && !padded && !form;
}

std::string text_of(std::string_view value) {
    if (auto text = json::string_value(value)) return *text;
    if (auto number = json::integer_value(value)) return std::to_string(*number);
    return std::string(value);  // true, false, a number beyond int64
}

}  // namespace

std::string encode_header(std::string_view value) {
    if (plain(value)) return std::string(value);
    return "=?base64?" + base64_encode(value, Alphabet::standard) + "?=";
}

outbound::Headers param_headers(const std::vector<json::HeaderParam>& params,
                                std::string_view arguments) {
    outbound::Headers out;
    for (const auto& param : params) {
        auto value = arguments;
        for (const auto& step : param.path)
            value = json::member(value, step);
        if (value.empty()) continue;
        const auto type = json::type_of(value);
        if (type == json::Type::null || type == json::Type::object || type == json::Type::array)
            continue;
        out.emplace_back("Mcp-Param-" + param.header, encode_header(text_of(value)));
    }
    return out;
}

}  // namespace pb::client
