// SPDX-License-Identifier: Apache-2.0
// The ranges that are not public, after the special-purpose registries of IANA.
#include "outbound/address_policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

namespace pb::outbound {
namespace {

using Bytes = std::array<unsigned char, 16>;

constexpr int v4_prefix = 96;  // of ::ffff:0:0/96
constexpr Bytes mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct Special {
    const char* network;
    int prefix;
    const char* what;
};

constexpr Special v4_ranges[] = {
    {"0.0.0.0", 8, "an unspecified address"},
    {"10.0.0.0", 8, "a private address"},
    {"100.64.0.0", 10, "a carrier-grade NAT address"},
    {"127.0.0.0", 8, "a loopback address"},
    {"168.63.129.16", 32, "a cloud's metadata address"},
    {"169.254.0.0", 16, "a link-local address"},
    {"172.16.0.0", 12, "a private address"},
    {"192.0.0.0", 24, "a reserved address"},
    {"192.0.2.0", 24, "a documentation address"},
    {"192.88.99.0", 24, "a reserved address"},
    {"192.168.0.0", 16, "a private address"},
    {"198.18.0.0", 15, "a benchmarking address"},
    {"198.51.100.0", 24, "a documentation address"},
    {"203.0.113.0", 24, "a documentation address"},
    {"224.0.0.0", 4, "a multicast address"},
    {"255.255.255.255", 32, "the broadcast address"},
    {"240.0.0.0", 4, "a reserved address"},
};

// The first that fits counts. What stands in none and is not global unicast is reserved.
constexpr Special v6_ranges[] = {
    {"::", 128, "the unspecified address"},
    {"::1", 128, "a loopback address"},
    {"64:ff9b:1::", 48, "a local translation address"},
    {"100::", 48, "a discard-only address"},
    {"2001:2::", 48, "a benchmarking address"},
    {"2001::", 23, "a reserved address"},
    {"2001:db8::", 32, "a documentation address"},
    {"3fff::", 20, "a documentation address"},
    {"fc00::", 7, "a private address"},
    {"fe80::", 10, "a link-local address"},
    {"fec0::", 10, "a site-local address"},
    {"ff00::", 8, "a multicast address"},
};

bool within(const Bytes& address, const unsigned char* network, int prefix) {
    const auto whole = static_cast<std::size_t>(prefix / 8);
    if (std::memcmp(address.data(), network, whole) != 0) return false;
    if (prefix % 8 == 0) return true;
    const int mask = 0xff00 >> (prefix % 8) & 0xff;
    return ((address[whole] ^ network[whole]) & mask) == 0;
}

bool is_v4(const Bytes& address) { return within(address, mapped.data(), v4_prefix); }

Bytes from_v4(const void* four) {
    Bytes out = mapped;
    std::memcpy(out.data() + 12, four, 4);
    return out;
}

std::optional<Bytes> parse(const std::string& text, bool& v4) {
    Bytes out{};
    in_addr four{};
    v4 = ::inet_pton(AF_INET, text.c_str(), &four) == 1;
    if (v4) return from_v4(&four);
    if (::inet_pton(AF_INET6, text.c_str(), out.data()) == 1) return out;
    return {};
}

std::optional<Bytes> from(const sockaddr& address) {
    if (address.sa_family == AF_INET) {
        sockaddr_in four;
        std::memcpy(&four, &address, sizeof four);
        return from_v4(&four.sin_addr);
    }
    if (address.sa_family != AF_INET6) return {};
    sockaddr_in6 six;
    std::memcpy(&six, &address, sizeof six);
    Bytes out;
    std::memcpy(out.data(), &six.sin6_addr, out.size());
    return out;
}

std::string text_of(const Bytes& address) {
    char text[INET6_ADDRSTRLEN] = "";
    if (is_v4(address)) {
        ::inet_ntop(AF_INET, address.data() + 12, text, sizeof text);
    } else {
        ::inet_ntop(AF_INET6, address.data(), text, sizeof text);
    }
    return text;
}

struct Known {
    Bytes network;
    int prefix;
    const char* what;
};

std::vector<Known> known_ranges() {
    std::vector<Known> out;
    const auto add = [&](const Special& range) {
        bool v4 = false;
        const auto network = parse(range.network, v4);
        out.push_back({*network, range.prefix + (v4 ? v4_prefix : 0), range.what});
    };
    std::for_each(std::begin(v4_ranges), std::end(v4_ranges), add);
    std::for_each(std::begin(v6_ranges), std::end(v6_ranges), add);
    return out;
}

struct Embedded {
    std::array<Bytes, 2> addresses;
    std::size_t count = 0;
};

// The IPv4 addresses to which a packet for this IPv6 address may go in the end.
Embedded embedded(const Bytes& a) {
    static constexpr unsigned char nat64[16] = {0x00, 0x64, 0xff, 0x9b};
    static constexpr unsigned char six_to_four[16] = {0x20, 0x02};
    static constexpr unsigned char teredo[16] = {0x20, 0x01, 0x00, 0x00};
    if (within(a, nat64, 96)) return {{from_v4(&a[12])}, 1};
    if (within(a, six_to_four, 16)) return {{from_v4(&a[2])}, 1};
    if (!within(a, teredo, 32)) return {};
    unsigned char client[4];
    for (std::size_t i = 0; i < 4; ++i)
        client[i] = static_cast<unsigned char>(~a[12 + i]);
    return {{from_v4(&a[4]), from_v4(client)}, 2};
}

bool global_unicast(const Bytes& address) { return (address[0] & 0xe0) == 0x20; }

const char* forbidden(const Bytes& address) {
    static const std::vector<Known> known = known_ranges();
    for (const Known& range : known) {
        if (within(address, range.network.data(), range.prefix)) return range.what;
    }
    return is_v4(address) || global_unicast(address) ? nullptr : "a reserved address";
}

Error wrong(const std::string& text) {
    return invalid("\"" + text +
                   "\" is no address range: \"10.0.0.0/8\", \"fd00::/8\" or a single address such "
                   "as \"::1\" would be.");
}

}  // namespace

Result<AddressPolicy> AddressPolicy::make(const std::vector<std::string>& allowed) {
    AddressPolicy policy;
    for (const std::string& text : allowed) {
        const std::size_t slash = text.find('/');
        bool v4 = false;
        const auto network = parse(text.substr(0, slash), v4);
        if (!network || text.find('\0') != std::string::npos) return wrong(text);
        const int before = v4 ? v4_prefix : 0;
        int prefix = 128 - before;
        if (slash != std::string::npos) {
            const char* const end = text.data() + text.size();
            const auto parsed = std::from_chars(text.data() + slash + 1, end, prefix);
            if (parsed.ec != std::errc() || parsed.ptr != end || prefix < 0 ||
                prefix > 128 - before) {
                return wrong(text);
            }
        }
        Range range{{}, before + prefix};
        for (int bit = 0; bit < range.prefix; ++bit) {
            const auto at = static_cast<std::size_t>(bit / 8);
            range.bytes[at] = static_cast<unsigned char>(range.bytes[at] |
                                                         ((*network)[at] & (0x80 >> (bit % 8))));
        }
        if (std::memcmp(range.bytes, network->data(), sizeof range.bytes) != 0) {
            Bytes begin;
            std::copy(std::begin(range.bytes), std::end(range.bytes), begin.begin());
            return invalid("\"" + text + "\" has bits behind its prefix: \"" + text_of(begin) +
                           "/" + std::to_string(prefix) + "\" would be right.");
        }
        policy.allowed_.push_back(range);
    }
    return policy;
}

std::string AddressPolicy::refusal(const sockaddr& address) const {
    const auto bytes = from(address);
    if (!bytes) return "It is not an Internet address";
    const auto opened = [this](const Bytes& one) {
        // "::/0" means all of IPv6, not the IPv4 addresses that are written as such.
        return std::any_of(allowed_.begin(), allowed_.end(), [&](const Range& range) {
            return (!is_v4(one) || range.prefix >= v4_prefix) &&
                   within(one, range.bytes, range.prefix);
        });
    };
    if (opened(*bytes)) return {};
    const Embedded inner = embedded(*bytes);
    for (std::size_t i = 0; i < inner.count; ++i) {
        const Bytes& one = inner.addresses[i];
        if (opened(one)) continue;
        if (const char* what = forbidden(one)) {
            return text_of(*bytes) + " leads to " + text_of(one) + ", " + what;
        }
    }
    if (inner.count > 0) return {};
    if (const char* what = forbidden(*bytes)) return text_of(*bytes) + " is " + what;
    return {};
}

}  // namespace pb::outbound
