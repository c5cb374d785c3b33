// SPDX-License-Identifier: Apache-2.0
// Guards against DNS rebinding: which Host and Origin headers this server answers to.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#security--endpoint
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/server.h"

namespace pb::endpoint {

class Guards {
  public:
    // Hosts without port ("mcp.example.com"); origins whole ("https://app.example.com"). This
    // machine's own names (localhost, 127.0.0.1, [::1]) are always allowed, with any port and
    // scheme.
    Guards(std::vector<std::string> hosts, std::vector<std::string> origins);

    // Empty if the request may pass, else one sentence.
    std::string refuse(const http::Request& request) const;
    // By its Host alone, where pages of any origin may ask.
    std::string refuse_host(const http::Request& request) const;

    // Whether the request comes from another program on this machine that nobody stands behind, as
    // far as it says so: a proxy asks under the name that it has itself, or adds headers.
    static bool is_direct(const http::Request& request);
    // Whether requests to this Host, with any port or none, are answered.
    bool host_allowed(std::string_view host) const;

  private:
    bool origin_allowed(std::string_view origin) const;
    std::vector<std::string> hosts_, origins_;
};

}  // namespace pb::endpoint
