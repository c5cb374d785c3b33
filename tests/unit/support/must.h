// SPDX-License-Identifier: Apache-2.0
// must(): the value of what has to work in a test; otherwise the test ends with the error's
// message.
#pragma once

#include <stdexcept>
#include <utility>

#include "base/result.h"

namespace pb::test {

template <class Value>
Value must(Result<Value> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
}

inline void must(const Result<void>& result) {
    if (!result) throw std::runtime_error(result.error().message);
}

}  // namespace pb::test
