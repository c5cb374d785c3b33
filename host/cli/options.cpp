// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pb::cli {
namespace {

std::optional<std::uint16_t> port_from(std::string_view text) {
    std::uint16_t port = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, port);
    if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
    return port;
}

}  // namespace

Result<void> parse_listen(const std::string& text, config::Overrides& out) {
    const Error wrong = invalid("\"" + text +
                                "\" is not ADDRESS:PORT; it looks like 127.0.0.1:8080 or "
                                "[::1]:8080 (port 0 takes any free one)");
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) return wrong;
    std::string address = text.substr(0, colon);
    const bool brackets = address.size() > 2 && address.front() == '[' && address.back() == ']';
    if (brackets) address = address.substr(1, address.size() - 2);
    const auto port = port_from(std::string_view(text).substr(colon + 1));
    if (!port || (!brackets && address.find_first_of("[]:") != std::string::npos)) return wrong;
    out.address = address;
    out.port = port;
    return {};
}

Result<void> parse_port(const std::string& text, config::Overrides& out) {
    out.port = port_from(text);
    if (!out.port) return invalid("\"" + text + "\" is not a port; it is a number from 0 to 65535");
    return {};
}

Result<void> parse_level(const std::string& text, config::Overrides& out) {
    out.log_level = log::level_from(text);
    // level_from() takes what it does not know for info.
    if (out.log_level == log::Level::info && text != "info") {
        return invalid("\"" + text +
                       "\" is not a level; it is debug, info, notice, warning, error, critical or "
                       "off");
    }
    return {};
}

Result<void> parse_format(const std::string& text, config::Overrides& out) {
    if (text != "text" && text != "json") {
        return invalid("\"" + text + "\" is not a format; it is text or json");
    }
    out.log_format = text == "json" ? log::Format::json : log::Format::text;
    return {};
}

}  // namespace pb::cli
