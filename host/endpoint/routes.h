// SPDX-License-Identifier: Apache-2.0
// Routes: plain HTTP for capabilities that declare paths in their manifest. A request becomes one
// call of the capability's provider, with a deadline, cancelled when the client goes away.
//
//   /api/mcp-servers/github       the caller's organisation; needs the declared scope
//   /oauth/callback/acme/github   public: no credentials, and the path names the organisation
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "admission/authenticate.h"
#include "catalog/catalog.h"
#include "endpoint/guards.h"
#include "http/server.h"
#include "runtime/calls.h"

namespace pb::endpoint {

class Routes {
  public:
    Routes(const catalog::Catalog& catalog, runtime::Calls& calls,
           const admission::Authenticator& authenticator, Guards guards)
        : catalog_(catalog),
          calls_(calls),
          authenticator_(authenticator),
          guards_(std::move(guards)) {}

    // Whether a path is one that capabilities can have.
    static bool covers(std::string_view path);

    // [worker] One request to such a path.
    void handle(const std::shared_ptr<const http::Request>& request,
                const std::shared_ptr<http::Exchange>& exchange);

  private:
    struct Found {
        catalog::SnapshotPtr snapshot;  // keeps what follows
        std::shared_ptr<catalog::Provider> provider;
        const catalog::Route* route = nullptr;
        std::string_view rest;
    };
    // A public route: the segment after its path is the organisation.
    std::optional<Found> find_public(std::string_view path) const;
    std::optional<Found> find_own(const std::string& org, std::string_view path) const;
    void call(const Found& found, const runtime::CallerPtr& caller, const http::Request& request,
              const std::shared_ptr<http::Exchange>& exchange);

    const catalog::Catalog& catalog_;
    runtime::Calls& calls_;
    const admission::Authenticator& authenticator_;
    const Guards guards_;
};

}  // namespace pb::endpoint
