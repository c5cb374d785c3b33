// SPDX-License-Identifier: Apache-2.0
// Nested calls: how a provider calls what its organisation's catalog exposes. Implemented where
// admission and runtime are wired together (app/); used by plugin/ for the invoke service.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "catalog/provider.h"

namespace pb::catalog {

struct ServiceIdentity {
    std::string org;
    std::string capability;
};

struct Invocation {
    ServiceIdentity self;
    CallId parent = no_call;  // no_call: as `self`'s service identity
    std::string_view method;
    std::string_view params;
    std::int64_t timeout_ns = 0;
    std::string_view scope = {};  // JSON array of {"mcpServers":{...}}; empty: none
};

class Invoker {
  public:
    virtual ~Invoker() = default;
    // [any thread] ok: `done` will be called exactly once, on any thread, perhaps before this
    // returns; otherwise it will not.
    virtual Status invoke(const Invocation& what,
                          std::function<void(Status, std::string_view)> done) noexcept = 0;
};

}  // namespace pb::catalog
