// SPDX-License-Identifier: Apache-2.0
// Admission: the one path in front of every call, whoever makes it (client, plugin, command line).
// In this order, a file for each link:
//
//   authenticate -> visible -> limits -> arguments -> [runtime: deadline, call] -> result -> record
//
// What a tool's caller should read and may act on (bad arguments, time-outs, a paused provider)
// comes back as a result with isError; what only a program can act on comes back as an error
// status.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "admission/limits.h"
#include "admission/policies.h"
#include "admission/record.h"
#include "admission/views.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "runtime/calls.h"

namespace pb::admission {

// JSON-RPC codes of our own, outside the range that the specification keeps for itself.
inline constexpr int rate_limited = -32005;

// What a call goes to: found in one snapshot, which it keeps alive.
struct Target {
    catalog::SnapshotPtr snapshot;
    std::shared_ptr<const catalog::Binding> binding;
    const catalog::Tool* tool = nullptr;  // for tools/call; inside *snapshot
    std::string local_name;               // the provider's own name or URI
    std::string exposed;                  // as it was asked for
};

struct Admitted {
    std::string_view method;  // tools/call, resources/read, prompts/get, completion/complete
    std::string_view params;  // as the client sent them: exposed names; checked JSON object
    runtime::CallerPtr caller;
    runtime::ClientViewPtr client;
    catalog::CallId parent = catalog::no_call;
    bool nested = false;  // made by a capability, not by a client
    std::chrono::nanoseconds timeout{0};
    bool resumed = false;  // answers to questions arrived: arguments were checked before
    bool counted = false;  // the host itself goes on with a call that was let in before
};

class Admission {
  public:
    Admission(catalog::Catalog& catalog, runtime::Calls& calls)
        : catalog_(catalog), calls_(calls) {}

    // What organisations say of access, and who is told what happened; to be filled before the
    // first call.
    Policies& policies() { return policies_; }
    Recorder& recorder() { return recorder_; }

    // [any thread] What this caller sees; never null (an unknown organisation sees nothing).
    catalog::SnapshotPtr visible(const runtime::Caller& caller) const;
    // Everything that the caller's organisation has; never null.
    catalog::SnapshotPtr whole(const runtime::Caller& caller) const;
    // What the caller sees of it, or of another snapshot of the same organisation.
    catalog::SnapshotPtr visible_in(const catalog::SnapshotPtr& whole,
                                    const runtime::Caller& caller) const;

    // [any thread] The target of `name` (tool or prompt name, resource URI; for completion/complete
    // a resource template or URI) for this caller. not_found if there is none or it is not theirs
    // to see; denied where the organisation tells what scopes it would take (scopes_for).
    Result<Target> find(const runtime::Caller& caller, std::string_view method,
                        std::string_view name) const;
    // The same in another snapshot of the caller's organisation.
    Result<Target> find_in(const catalog::SnapshotPtr& whole, const runtime::Caller& caller,
                           std::string_view method, std::string_view name) const;
    // The scopes that the caller lacks for it; empty if that is not what is wrong.
    std::string scopes_for(const runtime::Caller& caller, std::string_view method,
                           std::string_view name) const;

    // [any thread] One request of a client, before anything else is done for it: nothing, or how
    // long it has to wait.
    Limiter::Wait charge(const runtime::Caller& caller) const;
    // The same for what a capability asks for without calling anybody.
    Limiter::Wait charge_nested(const runtime::Caller& caller) const;
    // One HTTP request to a capability's route may go on: to one that needs this level, or to a
    // public one.
    bool may_use(const runtime::Caller& caller, const catalog::Binding& binding,
                 access::Level level) const;
    bool may_answer(const runtime::Caller& nobody, const catalog::Binding& binding) const;
    // The scope to ask for where it may not; empty: none would help, or the organisation tells
    // nobody what there is.
    std::string scope_to_use(const runtime::Caller& caller, const catalog::Binding& binding,
                             access::Level level) const;

    // [any thread] The rest of the way. The observer hears the end exactly once, perhaps before
    // this returns. Bodies it gets carry exposed names. no_call if the call never began.
    catalog::CallId call(const Target& target, const Admitted& admitted,
                         std::shared_ptr<runtime::CallObserver> observer) const;
    // A request that reached no provider has ended.
    void tell(const Ending& ending) const noexcept { recorder_.tell(ending); }

    runtime::Calls& calls() const { return calls_; }

  private:
    Limiter::Wait limit(const Target& target, const Admitted& admitted) const;

    catalog::Catalog& catalog_;
    runtime::Calls& calls_;
    Policies policies_;
    Recorder recorder_;
    mutable Limiter limiter_;
};

// The body of an error that says to wait, for completed().
std::string limited_body(std::chrono::milliseconds wait);

}  // namespace pb::admission
