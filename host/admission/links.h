// SPDX-License-Identifier: Apache-2.0
// The links of the chain that admission.cpp puts together; nobody else includes this.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "admission/admission.h"

namespace pb::admission {

// arguments.cpp: empty if params.arguments are valid under the tool's inputSchema, else the result
// (isError) that says what is wrong.
std::string check_arguments(const catalog::Tool& tool, std::string_view params);

// visible.cpp: what a name means in a snapshot, whoever asks; not_found if nothing.
Result<Target> look_up(catalog::SnapshotPtr snapshot, std::string_view method,
                       std::string_view name);

// visible.cpp: params with the exposed name or URI replaced by the provider's own.
std::string localize(std::string_view method, std::string_view params,
                     const std::string& local_name);

// result.cpp: an observer before the caller's: names of the organisation in what the provider
// answers, outputSchema held, failures of tools made into results.
std::shared_ptr<runtime::CallObserver> watch_result(const Target& target, std::string_view method,
                                                    std::shared_ptr<runtime::CallObserver> next);

}  // namespace pb::admission
