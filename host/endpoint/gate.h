// SPDX-License-Identifier: Apache-2.0
// Gate: who sends an HTTP request; or the refusal, which says how to get in.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "admission/authenticate.h"
#include "audit/record.h"
#include "audit/sampler.h"
#include "endpoint/guards.h"
#include "http/server.h"

namespace pb::endpoint {

// Where the host is reached.
struct Place {
    std::string public_url;         // without a slash at its end; empty: as each request says
    std::string endpoint = "/mcp";  // the MCP endpoint's path

    // "https://mcp.example.com", for a request whose Host has passed the guards.
    std::string base(const http::Request& request) const;
    // Whether a token for this resource is one for the MCP endpoint (RFC 8707). Without a public
    // URL that is any host that the guards let pass, at `port`, where others have made the token: a
    // neighbour on this machine has another. 0: at any, which is for tokens that were made here,
    // for the place at which their client found this host, where ports may be mapped.
    bool is_ours(std::string_view resource, const Guards& guards, std::uint16_t port = 0) const;
};

// The same request without ?apiKey=, however often it is there: it says who asks, and what comes
// behind the gate hands queries on.
std::shared_ptr<const http::Request> without_key(std::shared_ptr<const http::Request> request);

class Gate {
  public:
    // `trail`: told of credentials that are not good; null: nobody is.
    Gate(admission::Authenticator& authenticator, Guards guards, Place place,
         audit::Sink* trail = nullptr)
        : authenticator_(authenticator),
          guards_(std::move(guards)),
          place_(std::move(place)),
          trail_(trail) {}

    struct Refusal {
        int status = 401;
        std::string why;
        http::HeaderList headers;
    };
    // [worker]
    std::variant<runtime::CallerPtr, Refusal> enter(const http::Request& request) const;

    // The value of WWW-Authenticate (RFC 6750, 3; RFC 9728, 5.1). `error`: empty if nothing was
    // sent that could be wrong.
    std::string challenge(const http::Request& request, std::string_view error,
                          std::string_view description, std::string_view scope) const;

    const Guards& guards() const { return guards_; }
    const Place& place() const { return place_; }

  private:
    void tell(const http::Request& request, const admission::Refused& refused) const;

    admission::Authenticator& authenticator_;
    const Guards guards_;
    const Place place_;
    audit::Sink* const trail_;
    mutable audit::Sampler told_;  // so that nobody fills the trail who cannot even come in
};

}  // namespace pb::endpoint
