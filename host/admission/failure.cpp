// SPDX-License-Identifier: Apache-2.0
#include "admission/failure.h"

#include "json/scan.h"

namespace pb::admission {

std::string failure_result(const Failure& failure, bool structured) {
    std::string body = "{\"code\":" + json::quote(failure.code) +
                       ",\"category\":" + json::quote(failure.category) +
                       ",\"retryable\":" + (failure.retryable ? "true" : "false") +
                       ",\"message\":" + json::quote(failure.message) + "}";
    std::string out = "{\"content\":[{\"type\":\"text\",\"text\":" + json::quote(failure.message) +
                      "}],\"isError\":true,\"_meta\":{\"patchbay/error\":" + body + "}";
    if (structured) out += ",\"structuredContent\":" + body;
    return out + "}";
}

}  // namespace pb::admission
