// SPDX-License-Identifier: Apache-2.0
// The OAuth 2.1 authorization server: a client finds it, registers or is described, sends a person
// here to sign in and to choose what it may do, and gets tokens for the MCP endpoint.
//
//   /.well-known/oauth-protected-resource, /oauth-authorization-server, /openid-configuration
//   /oauth/register, /oauth/token, /oauth/revoke, /oauth/jwks      programs, of any origin
//   /oauth/authorize ─► /oauth/sign-in ─► /oauth/consent           a person's browser
//   /oauth/grants, /oauth/grants/revoke, /oauth/sign-out           the person's own affairs
// https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization
#pragma once

#include <memory>
#include <string_view>

#include "http/server.h"
#include "oauth/options.h"

namespace pb::oauth {

struct Desk;

class Server {
  public:
    Server(Parts parts, Options options);
    ~Server();

    // Whether a path is one of these. Capabilities may have others below /oauth/.
    static bool covers(std::string_view path);
    // Whether pages of any origin may ask there (the programs' part): whoever guards against
    // foreign origins lets them pass.
    static bool takes_any_origin(std::string_view path);

    // [worker, may wait: for passwords and for documents that describe clients] One request to such
    // a path. Its Host header has been checked.
    void handle(const std::shared_ptr<const http::Request>& request,
                const std::shared_ptr<http::Exchange>& exchange);

  private:
    const std::unique_ptr<Desk> desk_;
};

}  // namespace pb::oauth
