// SPDX-License-Identifier: Apache-2.0
// Provider: everything that answers MCP methods - a plugin instance, later a worker or a remote
// server. The catalog and the runtime know providers only by this interface.
//
// A call is an id (never a pointer), so that a provider that answers late, twice or never harms
// nobody: the sink looks the id up and says "gone".
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pb::catalog {

using CallId = std::uint64_t;
inline constexpr CallId no_call = 0;

// How a call ends and what sink functions answer. The values are those of the plugin ABI
// (patchbay_status), so that plugin/ passes them through.
enum class Status : std::int32_t {
    ok = 0,
    input_required = 1,
    invalid = -1,
    not_found = -2,
    unsupported = -3,
    denied = -4,
    cancelled = -5,
    deadline = -6,
    again = -7,
    busy = -8,
    gone = -9,
    internal = -10,
};

// Views are valid until handle() returns.
struct ProviderRequest {
    CallId call = no_call;
    std::string_view method;       // an MCP method
    std::string_view params;       // JSON object, with the provider's own names
    std::string_view context;      // JSON object; sdk/include/patchbay/plugin.h documents it
    std::int64_t deadline_ns = 0;  // from now; 0 = none
};

// What the runtime remembers about a provider's behaviour: its concurrency bound and its breaker.
struct Health {
    std::atomic<int> inside{0};  // host threads inside handle() now
    std::atomic<int> stuck{0};   // calls in a row that never ended
    std::atomic<std::int64_t> closed_until_ns{
        0};  // the breaker: nothing is sent before (monotonic)
};

class Provider {
  public:
    virtual ~Provider() = default;
    Health health;  // the runtime's, nobody else's
    // "weather@1.0.0#2": plugin id, version, generation; for logs and messages.
    virtual std::string_view label() const = 0;
    // The capability that its calls are for, as their context says; empty: not said.
    virtual std::string_view capability() const { return {}; }
    // Who completes its calls: another one where it only stands in front of that.
    virtual const Provider& speaker() const { return *this; }
    // [any thread] Begins a call; the answer comes through the CallSink, perhaps before this
    // returns.
    virtual void handle(const ProviderRequest& request) noexcept = 0;
    // [any thread] The call was cancelled or is over its time. A hint; it must still be completed.
    // Must not block: the thread may be the one that keeps everybody's time.
    virtual void cancel(CallId call) noexcept = 0;
};

// Where providers answer; implemented by runtime/. [any thread], all of it.
class CallSink {
  public:
    virtual ~CallSink() = default;
    virtual Status complete(CallId call, Status status, std::string_view body) noexcept = 0;
    virtual Status notify(CallId call, std::string_view method,
                          std::string_view params) noexcept = 0;
    // Sleeps until the time is over (ok) or the call ends: cancelled, deadline, gone.
    virtual Status wait(CallId call, std::int64_t timeout_ns) noexcept = 0;
    // Whether the call runs and this provider is who completes it. Ids are easy to guess: what
    // comes from outside is held against it.
    virtual bool belongs(CallId call, const Provider& provider) const noexcept = 0;
};

// What a provider says without a call: list_changed, resources/updated, which capabilities it has.
// Implemented by the catalog's owner; `provider` is the one that speaks, so that a replaced one is
// no longer heard.
class ChangeSink {
  public:
    virtual ~ChangeSink() = default;
    virtual Status changed(const Provider& provider, std::string_view method,
                           std::string_view params) noexcept = 0;
    // What it offers besides its own capability is another set now.
    virtual void offers_changed(const Provider& provider) noexcept = 0;
    // Whether a capability of this provider's may come into the organisation: an Error (busy) that
    // names who else has its name or its namespace at this moment.
    virtual Result<void> vacant(const std::string& org, const Provider& provider,
                                std::string_view capability, std::string_view name_space) const = 0;
};

}  // namespace pb::catalog
