// SPDX-License-Identifier: Apache-2.0
// Redactors: what each organisation wants in its trail of arguments and results, as its file says
// now.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "admission/policies.h"
#include "audit/redact.h"

namespace pb::app {

class Redactors {
  public:
    explicit Redactors(const admission::Policies& policies) : policies_(policies) {}

    // [any thread] Of its results or its arguments; null: they are not kept.
    std::shared_ptr<const audit::Redactor> of(std::string_view org, bool result);

  private:
    struct Made {
        config::OrgPtr from;
        std::shared_ptr<const audit::Redactor> redactor;
    };

    const admission::Policies& policies_;
    std::mutex mutex_;
    std::map<std::string, Made, std::less<>> made_;
};

}  // namespace pb::app
