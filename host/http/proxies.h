// SPDX-License-Identifier: Apache-2.0
// Proxies: whose request it is that a proxy of ours hands on. Nobody else is believed.
// https://www.rfc-editor.org/rfc/rfc7239#section-5.2
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pb::http {

struct Request;

class Proxies {
  public:
    // Ranges of addresses: "10.0.0.0/8", "::1/128". The error names the wrong one.
    static Result<Proxies> make(const std::vector<std::string>& ranges);

    // The address that counts as the client's: the peer's own, or where that is a proxy of ours the
    // right-most one of X-Forwarded-For or Forwarded that is none. Where it cannot be told (both
    // came, or one is malformed) the last proxy of ours that vouches for the rest.
    std::string client_of(const Request& request) const;

  private:
    using Address = std::array<unsigned char, 16>;  // an IPv4 one as ::ffff:a.b.c.d
    struct Range {
        Address bytes;
        int prefix;  // bits of 128
    };
    static std::optional<Address> parse(std::string_view text);
    bool trusts(const Address& address) const;

    std::vector<Range> ranges_;
};

}  // namespace pb::http
