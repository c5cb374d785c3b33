// SPDX-License-Identifier: Apache-2.0
// The invoke service: a plugin's calls into its organisation's catalog, by the same admission as a
// client's; with a scope, into the catalog with that scope's servers laid over it.
#pragma once

#include <functional>
#include <string>

#include "admission/admission.h"
#include "app/scopes.h"
#include "catalog/invoker.h"

namespace pb::app {

class Invoker : public catalog::Invoker {
  public:
    explicit Invoker(const admission::Admission& admission) : admission_(admission) {}

    // Before anything else; without it there are no scopes.
    void use(Scopes& scopes) { scopes_ = &scopes; }

    catalog::Status invoke(
        const catalog::Invocation& what,
        std::function<void(catalog::Status, std::string_view)> done) noexcept override;

  private:
    using Done = std::function<void(catalog::Status, std::string_view)>;
    struct Answer {
        catalog::Status status;
        std::string body;
    };
    struct Authority {
        runtime::CallerPtr caller;
        runtime::ClientViewPtr client;
    };
    // On whose authority it runs; another status than ok if it may not run.
    catalog::Status authority_of(const catalog::Invocation& what, Authority& out) const;
    catalog::Status invoke_in_scope(const catalog::Invocation& what, const Authority& authority,
                                    Done done);
    catalog::Status invoke_in(const Scopes::View& view, const catalog::Invocation& what,
                              const Authority& authority, Done done) const;
    void settle(const catalog::Invocation& what, const Authority& authority, const Done& done,
                const std::function<Answer()>& make) const;

    const admission::Admission& admission_;
    Scopes* scopes_ = nullptr;
};

}  // namespace pb::app
