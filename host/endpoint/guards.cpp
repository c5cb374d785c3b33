// SPDX-License-Identifier: Apache-2.0
#include "endpoint/guards.h"

#include <algorithm>

namespace pb::endpoint {
namespace {

// "[::1]:8080" -> "[::1]", "localhost:8080" -> "localhost"
std::string_view without_port(std::string_view host) {
    if (host.starts_with('[')) {
        const auto end = host.find(']');
        return end == std::string_view::npos ? std::string_view() : host.substr(0, end + 1);
    }
    return host.substr(0, host.find(':'));
}

bool equal(std::string_view a, std::string_view b) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

bool own_name(std::string_view host) {
    return host == "127.0.0.1" || host == "[::1]" || equal(host, "localhost");
}

}  // namespace

Guards::Guards(std::vector<std::string> hosts, std::vector<std::string> origins)
    : hosts_(std::move(hosts)), origins_(std::move(origins)) {}

bool Guards::host_allowed(std::string_view host) const {
    const auto name = without_port(host);
    return own_name(name) || std::any_of(hosts_.begin(), hosts_.end(),
                                         [&](const auto& allowed) { return equal(allowed, name); });
}

bool Guards::origin_allowed(std::string_view origin) const {
    const auto scheme = origin.find("://");
    if (scheme != std::string_view::npos && own_name(without_port(origin.substr(scheme + 3))))
        return true;
    return std::any_of(origins_.begin(), origins_.end(),
                       [&](const auto& allowed) { return equal(allowed, origin); });
}

bool Guards::is_direct(const http::Request& request) {
    constexpr std::string_view prefix = "x-forwarded-";
    const auto by_proxy = [&](const http::Header& header) {
        return equal(header.name.substr(0, prefix.size()), prefix) ||
               equal(header.name, "Forwarded") || equal(header.name, "X-Real-IP") ||
               equal(header.name, "Via");
    };
    return request.loopback && own_name(without_port(request.header("Host"))) &&
           std::none_of(request.headers.begin(), request.headers.end(), by_proxy);
}

std::string Guards::refuse_host(const http::Request& request) const {
    if (!host_allowed(request.header("Host"))) return "this server does not answer to that Host";
    return {};
}

std::string Guards::refuse(const http::Request& request) const {
    if (auto why = refuse_host(request); !why.empty()) return why;
    if (request.has_header("Origin") && !origin_allowed(request.header("Origin")))
        return "requests from that Origin are not allowed";
    return {};
}

}  // namespace pb::endpoint
