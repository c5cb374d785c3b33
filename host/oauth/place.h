// SPDX-License-Identifier: Apache-2.0
// Under which URLs a request found the host: they are the issuer's name and the resource's.
#pragma once

#include <string>
#include <string_view>

#include "http/server.h"
#include "oauth/options.h"

namespace pb::oauth {

struct Place {
    std::string origin;    // "https://host"
    std::string prefix;    // the path before all of ours, mostly empty
    std::string resource;  // the MCP endpoint
    bool secure = false;
    bool loopback = false;  // the host is this machine, by name

    // Whether passwords, codes and tokens may be sent here: authorization endpoints are https
    // (OAuth 2.1, 1.5), but for this machine alone.
    bool is_safe() const { return secure || loopback; }
    std::string issuer() const { return origin + prefix; }
    std::string url(std::string_view path) const { return issuer() + std::string(path); }
    // For links and forms of our pages.
    std::string local(std::string_view path) const { return prefix + std::string(path); }
    // Whether a resource parameter (RFC 8707) means the endpoint; scheme and host in any case.
    bool is_resource(std::string_view uri) const;
};

Result<Place> place_of(const http::Request& request, const Options& options);

}  // namespace pb::oauth
