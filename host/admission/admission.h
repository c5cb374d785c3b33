// SPDX-License-Identifier: Apache-2.0
// Admission: the one path in front of every call, whoever makes it (client, plugin, command line).
// In this order, a file for each link:
//
//   authenticate -> visible -> arguments -> [runtime: deadline, call] -> result
//
// What a tool's caller should read and may act on (bad arguments, time-outs, a paused provider)
// comes back as a result with isError; what only a program can act on comes back as an error
// status.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "catalog/catalog.h"
#include "runtime/calls.h"

namespace pb::admission {

// What a call goes to: found in one snapshot, which it keeps alive.
struct Target {
    catalog::SnapshotPtr snapshot;
    std::shared_ptr<const catalog::Binding> binding;
    const catalog::Tool* tool = nullptr;  // for tools/call; inside *snapshot
    std::string local_name;               // the provider's own name or URI
};

struct Admitted {
    std::string_view method;  // tools/call, resources/read, prompts/get, completion/complete
    std::string_view params;  // as the client sent them: exposed names; checked JSON object
    runtime::CallerPtr caller;
    runtime::ClientViewPtr client;
    catalog::CallId parent = catalog::no_call;
    std::chrono::nanoseconds timeout{0};
    bool resumed = false;  // answers to questions arrived: arguments were checked before
};

class Admission {
  public:
    Admission(catalog::Catalog& catalog, runtime::Calls& calls)
        : catalog_(catalog), calls_(calls) {}

    // [any thread] What this caller sees; never null (an unknown organisation sees nothing).
    catalog::SnapshotPtr visible(const runtime::Caller& caller) const;

    // [any thread] The target of `name` (tool or prompt name, resource URI; for completion/complete
    // a resource template or URI) for this caller; ErrorKind::not_found if there is none or it is
    // not theirs to see.
    Result<Target> find(const runtime::Caller& caller, std::string_view method,
                        std::string_view name) const;

    // The same in a snapshot that is this caller's to see.
    static Result<Target> find_in(catalog::SnapshotPtr snapshot, std::string_view method,
                                  std::string_view name);

    // [any thread] The rest of the way. The observer hears the end exactly once, perhaps before
    // this returns. Bodies it gets carry exposed names. no_call if the call never began.
    catalog::CallId call(const Target& target, const Admitted& admitted,
                         std::shared_ptr<runtime::CallObserver> observer) const;

    runtime::Calls& calls() const { return calls_; }

  private:
    catalog::Catalog& catalog_;
    runtime::Calls& calls_;
};

}  // namespace pb::admission
