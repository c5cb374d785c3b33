// SPDX-License-Identifier: Apache-2.0
#include "http/proxies.h"

#include <arpa/inet.h>
#include <strings.h>

#include <algorithm>
#include <charconv>

#include "http/server.h"

namespace pb::http {
namespace {

constexpr std::size_t most_hops = 32;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view space = " \t";
    const auto first = text.find_first_not_of(space);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(space) - first + 1);
}

// All elements of all fields with this name, in their order.
std::vector<std::string_view> elements(const Request& request, std::string_view name) {
    std::vector<std::string_view> out;
    for (const auto& field : request.headers) {
        if (field.name.size() != name.size() ||
            ::strncasecmp(field.name.data(), name.data(), name.size()) != 0)
            continue;
        for (auto rest = field.value;; rest.remove_prefix(rest.find(',') + 1)) {
            out.push_back(trimmed(rest.substr(0, rest.find(','))));
            if (rest.find(',') == std::string_view::npos) break;
        }
    }
    return out;
}

// for=192.0.2.60;proto=http, For="[2001:db8::1]:4711": the node, or empty.
std::string_view node_of(std::string_view element) {
    for (auto rest = element; !rest.empty();) {
        const auto pair = trimmed(rest.substr(0, rest.find(';')));
        rest.remove_prefix(std::min(rest.find(';'), rest.size() - 1) + 1);
        if (pair.size() < 4 || ::strncasecmp(pair.data(), "for=", 4) != 0) continue;
        auto node = pair.substr(4);
        if (node.size() >= 2 && node.front() == '"' && node.back() == '"')
            node = node.substr(1, node.size() - 2);
        return node;
    }
    return {};
}

// "192.0.2.1:80", "[::1]:80", "[::1]" without what is not the address.
std::string_view without_port(std::string_view node) {
    if (node.starts_with('[')) {
        const auto end = node.find(']');
        return end == std::string_view::npos ? std::string_view() : node.substr(1, end - 1);
    }
    const auto colon = node.find(':');
    return colon != std::string_view::npos && node.find(':', colon + 1) == std::string_view::npos
               ? node.substr(0, colon)
               : node;
}

std::string text_of(const std::array<unsigned char, 16>& bytes) {
    char text[INET6_ADDRSTRLEN] = "";
    in6_addr address{};
    std::copy(bytes.begin(), bytes.end(), address.s6_addr);
    if (IN6_IS_ADDR_V4MAPPED(&address))
        inet_ntop(AF_INET, &address.s6_addr[12], text, sizeof text);
    else
        inet_ntop(AF_INET6, &address, text, sizeof text);
    return text;
}

}  // namespace

std::optional<Proxies::Address> Proxies::parse(std::string_view text) {
    const std::string whole(text.substr(0, INET6_ADDRSTRLEN));
    Address out{};
    in_addr v4{};
    if (inet_pton(AF_INET, whole.c_str(), &v4) == 1) {
        out[10] = out[11] = 0xff;
        const auto* bytes = reinterpret_cast<const unsigned char*>(&v4);
        std::copy(bytes, bytes + 4, out.begin() + 12);
        return out;
    }
    if (inet_pton(AF_INET6, whole.c_str(), out.data()) == 1) return out;
    return std::nullopt;
}

Result<Proxies> Proxies::make(const std::vector<std::string>& ranges) {
    Proxies out;
    for (const auto& text : ranges) {
        const auto slash = text.find('/');
        const auto address = parse(std::string_view(text).substr(0, slash));
        int prefix = -1;
        if (slash != std::string::npos)
            std::from_chars(text.data() + slash + 1, text.data() + text.size(), prefix);
        const bool v4 = text.find(':') == std::string::npos;
        if (!address || prefix < 0 || prefix > (v4 ? 32 : 128))
            return invalid("\"" + text + "\" is no range of addresses such as 10.0.0.0/8");
        out.ranges_.push_back({*address, v4 ? prefix + 96 : prefix});
    }
    return out;
}

bool Proxies::trusts(const Address& address) const {
    return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
        const int whole = range.prefix / 8, rest = range.prefix % 8;
        if (!std::equal(address.begin(), address.begin() + whole, range.bytes.begin()))
            return false;
        const auto at = static_cast<std::size_t>(whole);
        return rest == 0 || (address[at] ^ range.bytes[at]) >> (8 - rest) == 0;
    });
}

std::string Proxies::client_of(const Request& request) const {
    auto last = ranges_.empty() ? std::nullopt : parse(request.peer);
    if (!last || !trusts(*last)) return request.peer;
    auto hops = elements(request, "X-Forwarded-For");
    auto nodes = elements(request, "Forwarded");
    // What a proxy does not write itself it may hand on as the client made it up.
    if (!hops.empty() && !nodes.empty()) return request.peer;
    if (hops.empty()) std::transform(nodes.begin(), nodes.end(), std::back_inserter(hops), node_of);
    std::size_t looked = 0;
    for (auto hop = hops.rbegin(); hop != hops.rend() && ++looked <= most_hops; ++hop) {
        const auto address = parse(without_port(*hop));
        if (!address) break;
        last = address;
        if (!trusts(*address)) break;
    }
    return text_of(*last);
}

}  // namespace pb::http
