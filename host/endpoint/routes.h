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

#include "admission/admission.h"
#include "catalog/catalog.h"
#include "endpoint/gate.h"
#include "http/server.h"
#include "runtime/calls.h"

namespace pb::endpoint {

class Routes {
  public:
    // All outlive it.
    Routes(const catalog::Catalog& catalog, const admission::Admission& admission, const Gate& gate)
        : catalog_(catalog), admission_(admission), gate_(gate) {}

    // Whether a path is one that capabilities can have.
    static bool covers(std::string_view path);

    // [worker] One request to such a path.
    void handle(const std::shared_ptr<const http::Request>& sent,
                const std::shared_ptr<http::Exchange>& exchange);

  private:
    struct Found {
        catalog::SnapshotPtr snapshot;  // keeps what follows
        std::shared_ptr<const catalog::Binding> binding;
        const catalog::Route* route = nullptr;
        std::string_view rest;
    };
    // A public route: the segment after its path is the organisation.
    std::optional<Found> find_public(std::string_view path) const;
    std::optional<Found> find_own(const std::string& org, std::string_view path) const;
    class Answer;
    void call(const Found& found, const http::Request& request,
              const std::shared_ptr<http::Exchange>& exchange,
              const std::shared_ptr<Answer>& answer);

    const catalog::Catalog& catalog_;
    const admission::Admission& admission_;
    const Gate& gate_;
};

}  // namespace pb::endpoint
