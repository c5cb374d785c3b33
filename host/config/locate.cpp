// SPDX-License-Identifier: Apache-2.0
// Follows the pointer through slices of the text; a slice's distance from the start is its place.
#include "config/locate.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "json/scan.h"

namespace pb::config {
namespace {

std::string unescaped(std::string_view token) {
    std::string out;
    for (std::size_t i = 0; i < token.size(); ++i) {
        const bool escape = token[i] == '~' && i + 1 < token.size();
        out += escape ? (token[++i] == '1' ? '/' : '~') : token[i];
    }
    return out;
}

// The value one step further; empty if there is none.
std::string_view step(std::string_view value, const std::string& token) {
    std::vector<std::string_view> items;
    if (!json::elements(value, items)) return json::member(value, token);
    std::size_t index = 0;
    const auto read = std::from_chars(token.data(), token.data() + token.size(), index);
    const bool found = read.ec == std::errc{} && index < items.size();
    return found ? items[index] : std::string_view{};
}

}  // namespace

std::size_t line_of(std::string_view text, std::string_view pointer) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return 0;
    std::string_view value = text.substr(begin);
    value = value.substr(0, value.find_last_not_of(" \t\r\n") + 1);
    while (!pointer.empty()) {
        pointer.remove_prefix(1);
        const std::string token = unescaped(pointer.substr(0, pointer.find('/')));
        pointer.remove_prefix(std::min(pointer.size(), pointer.find('/')));
        value = step(value, token);
        if (value.empty()) return 0;
    }
    return 1 + static_cast<std::size_t>(std::count(text.data(), value.data(), '\n'));
}

}  // namespace pb::config
