// SPDX-License-Identifier: Apache-2.0
#include "app/redactors.h"

#include "base/log.h"

namespace pb::app {

std::shared_ptr<const audit::Redactor> Redactors::of(std::string_view org, bool result) {
    const auto now = policies_.of(org);
    if (!now) return nullptr;
    const auto& wanted = now->access.audit;
    if (!(result ? wanted.results : wanted.arguments)) return nullptr;
    std::lock_guard lock(mutex_);
    auto& made = made_[std::string(org)];
    if (made.from != now) {
        auto fresh = audit::Redactor::make({.fields = wanted.redact});
        if (!fresh)
            log::warning("audit.bad_field",
                         {{"org", std::string(org)}, {"reason", fresh.error().message}});
        // Without knowing what to leave out, nothing is kept.
        made = {now, fresh ? std::make_shared<const audit::Redactor>(std::move(*fresh)) : nullptr};
    }
    return made.redactor;
}

}  // namespace pb::app
