// SPDX-License-Identifier: Apache-2.0
// What a provider is told about a call: the context object of sdk/include/patchbay/plugin.h.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/caller.h"

namespace pb::runtime {

// The client side of a call. The texts are JSON slices as the client sent them, or empty.
struct ClientView {
    std::string info;          // object: name, version
    std::string capabilities;  // object
    std::string protocol_version;
    std::string log_level;  // plain text; empty = wants no log messages
    std::string trace;      // object made of traceparent, tracestate, baggage
    bool progress = false;
};

using ClientViewPtr = std::shared_ptr<const ClientView>;

// `capability`: what the call is for; left out where it is empty.
std::string make_context(const Caller& caller, const ClientView& client, int depth,
                         std::string_view capability = {});

}  // namespace pb::runtime
