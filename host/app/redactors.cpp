// SPDX-License-Identifier: Apache-2.0
#include "app/redactors.h"

#include "base/log.h"

namespace pb::app {

std::string Redactors::operator()(std::string_view org, bool result, std::string_view json) {
    const auto now = policies_.of(org);
    if (!now || json.empty()) return {};
    const auto& wanted = now->access.audit;
    if (!(result ? wanted.results : wanted.arguments)) return {};
    std::shared_ptr<const audit::Redactor> redactor;
    {
        std::lock_guard lock(mutex_);
        auto& made = made_[std::string(org)];
        if (made.from != now) {
            auto fresh = audit::Redactor::make({.fields = wanted.redact});
            if (!fresh)
                log::warning("audit.bad_field",
                             {{"org", std::string(org)}, {"reason", fresh.error().message}});
            // Without knowing what to leave out, nothing is kept.
            made = {now,
                    fresh ? std::make_shared<const audit::Redactor>(std::move(*fresh)) : nullptr};
        }
        redactor = made.redactor;
    }
    return redactor ? (*redactor)(json) : std::string();
}

}  // namespace pb::app
