// SPDX-License-Identifier: Apache-2.0
// Small helpers for functions that plugins call: views in, status out, nothing thrown.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "catalog/provider.h"
#include "patchbay/plugin.h"

namespace pb::plugin {

inline patchbay_str as_str(std::string_view text) { return {text.data(), text.size()}; }

inline bool is_view(patchbay_str text) { return text.data || text.size == 0; }

// Only for what is_view() said yes to.
inline std::string_view as_view(patchbay_str text) {
    return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size);
}

inline patchbay_status as_abi(catalog::Status status) {
    return static_cast<patchbay_status>(status);
}

inline patchbay_status as_abi(const Error& error) {
    switch (error.kind) {
        case ErrorKind::invalid:
            return PATCHBAY_E_INVALID;
        case ErrorKind::not_found:
            return PATCHBAY_E_NOT_FOUND;
        case ErrorKind::unsupported:
            return PATCHBAY_E_UNSUPPORTED;
        case ErrorKind::denied:
            return PATCHBAY_E_DENIED;
        case ErrorKind::cancelled:
            return PATCHBAY_E_CANCELLED;
        case ErrorKind::deadline:
            return PATCHBAY_E_DEADLINE;
        case ErrorKind::busy:
            return PATCHBAY_E_BUSY;
        case ErrorKind::gone:
            return PATCHBAY_E_GONE;
        case ErrorKind::internal:
            break;
    }
    return PATCHBAY_E_INTERNAL;
}

// The barrier of every function in a host table: no exception leaves it (rule 5).
template <class Body>
patchbay_status guarded(Body&& body) noexcept {
    try {
        return std::forward<Body>(body)();
    } catch (...) {
        return PATCHBAY_E_INTERNAL;
    }
}

}  // namespace pb::plugin
