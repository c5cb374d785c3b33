// SPDX-License-Identifier: Apache-2.0
// The invoke service: a plugin's calls into its organisation's catalog, by the same admission as a
// client's.
#pragma once

#include "admission/admission.h"
#include "catalog/invoker.h"

namespace pb::app {

class Invoker : public catalog::Invoker {
  public:
    explicit Invoker(const admission::Admission& admission) : admission_(admission) {}

    catalog::Status invoke(
        const catalog::ServiceIdentity& self, catalog::CallId parent, std::string_view method,
        std::string_view params, std::int64_t timeout_ns,
        std::function<void(catalog::Status, std::string_view)> done) noexcept override;

  private:
    const admission::Admission& admission_;
};

}  // namespace pb::app
