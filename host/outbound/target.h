// SPDX-License-Identifier: Apache-2.0
// Where a request goes: a URL in its one spelling, so that what is checked is what is connected to.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"

namespace pb::outbound {

struct Target {
    std::string url;   // as curl gets it
    std::string host;  // lower case, no brackets, no trailing dot; an address in its plain form
    std::uint16_t port = 0;
    bool secure = false;                      // https
    std::optional<sockaddr_storage> address;  // the host is written as one
    std::string place;                        // "example.com:443", "[::1]:80"

    bool same_origin(const Target& other) const {
        return secure == other.secure && place == other.place;
    }
};

Result<Target> parse_target(const std::string& url);
// What `reference`, a Location header, means here; its fragment is dropped.
Result<Target> resolve_reference(const Target& base, const std::string& reference);

}  // namespace pb::outbound
