// SPDX-License-Identifier: Apache-2.0
#include "outbound/names.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace pb::outbound {
namespace {

template <class Address>
Address as(const void* address) {
    Address out;
    std::memcpy(&out, address, sizeof out);
    return out;
}

}  // namespace

bool Checked::holds(const sockaddr& address) const {
    return std::any_of(addresses.begin(), addresses.end(), [&](const sockaddr_storage& one) {
        if (one.ss_family != address.sa_family) return false;
        if (one.ss_family == AF_INET) {
            const auto a = as<sockaddr_in>(&one), b = as<sockaddr_in>(&address);
            return a.sin_addr.s_addr == b.sin_addr.s_addr && a.sin_port == b.sin_port;
        }
        const auto a = as<sockaddr_in6>(&one), b = as<sockaddr_in6>(&address);
        return std::memcmp(&a.sin6_addr, &b.sin6_addr, sizeof a.sin6_addr) == 0 &&
               a.sin6_port == b.sin6_port;
    });
}

std::string refusal_of(const AddressPolicy& policy,
                       const std::vector<sockaddr_storage>& addresses) {
    for (const sockaddr_storage& address : addresses) {
        auto refusal = policy.refusal(reinterpret_cast<const sockaddr&>(address));
        if (!refusal.empty()) return refusal;
    }
    return {};
}

std::string text_of(const sockaddr_storage& address) {
    char text[INET6_ADDRSTRLEN] = "";
    if (address.ss_family == AF_INET) {
        const auto v4 = as<sockaddr_in>(&address);
        return ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    }
    const auto v6 = as<sockaddr_in6>(&address);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
    return "[" + std::string(text) + "]";
}

CheckedPtr Names::find(const std::string& place) const {
    const auto found = entries_.find(place);
    if (found == entries_.end() || found->second.until <= Clock::now()) return nullptr;
    return found->second.checked;
}

void Names::remember(const std::string& place, CheckedPtr checked) {
    const auto now = Clock::now();
    if (entries_.size() >= most && entries_.count(place) == 0) {
        std::erase_if(entries_, [now](const auto& entry) { return entry.second.until <= now; });
        if (entries_.size() >= most) {
            const auto sooner = [](const auto& a, const auto& b) {
                return a.second.until < b.second.until;
            };
            entries_.erase(std::min_element(entries_.begin(), entries_.end(), sooner));
        }
    }
    entries_[place] = {std::move(checked), now + kept_};
}

}  // namespace pb::outbound
