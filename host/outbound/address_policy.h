// SPDX-License-Identifier: Apache-2.0
// Which addresses outbound requests may reach: the public ones, and what the operator opened.
// Never, unless opened: loopback, private, carrier-grade NAT, link-local (cloud metadata),
// unspecified, multicast, broadcast, documentation, benchmarking and reserved ranges, of both
// families; IPv4 inside IPv6 (mapped, compatible, NAT64, 6to4, Teredo) is judged by the IPv4
// address as well.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

struct sockaddr;

namespace pb::outbound {

class AddressPolicy {
  public:
    // Only public addresses.
    AddressPolicy() = default;
    // `allowed`: "10.0.0.0/8", "::1/128", or a single address. The error names the wrong one.
    static Result<AddressPolicy> make(const std::vector<std::string>& allowed);

    // Empty if the address may be connected to; otherwise why not ("127.0.0.1 is a loopback
    // address").
    std::string refusal(const sockaddr& address) const;

  private:
    struct Range {
        unsigned char bytes[16];  // an IPv4 address as ::ffff:a.b.c.d
        int prefix;               // bits of 128
    };
    std::vector<Range> allowed_;
};

}  // namespace pb::outbound
