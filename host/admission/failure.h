// SPDX-License-Identifier: Apache-2.0
// A tool failure as its caller reads it: a result with isError, a sentence for people and models,
// and a structured body for programs.
#pragma once

#include <string>
#include <string_view>

namespace pb::admission {

struct Failure {
    std::string_view code;      // "invalid_arguments", "tool_timeout", ...
    std::string_view category;  // "transient" | "permanent" | "validation" | "auth"
    bool retryable = false;
    std::string_view message;
};

// `structured`: also as structuredContent; not where the tool declares an outputSchema, which that
// body would violate.
std::string failure_result(const Failure& failure, bool structured);

}  // namespace pb::admission
