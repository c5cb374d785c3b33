// SPDX-License-Identifier: Apache-2.0
// The last link: what happened is measured and written into the audit trail. Every request that
// gets an answer is told once: those that reach a provider by the call itself, the others by who
// answers them.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "audit/record.h"
#include "audit/sampler.h"
#include "catalog/snapshot.h"
#include "runtime/calls.h"

namespace pb::admission {

struct Target;
struct Admitted;

// How a request ended. The views need to be good only while it is told.
struct Ending {
    const runtime::Caller& caller;
    const runtime::ClientView* client = nullptr;  // null: unknown
    std::string_view method = {}, name = {};      // name: exposed, or a URI
    const catalog::Binding* binding = nullptr;    // what it was for; null: it came to none
    std::string_view original = {};               // the provider's own name
    std::string_view outcome = "ok";
    std::int64_t code = 0;
    std::string_view reason = {};
    std::chrono::steady_clock::time_point began = {};
    std::size_t request_bytes = 0, response_bytes = 0;
    std::string_view address = {};
    bool sampled = false;  // anybody can bring it about: a sample is enough
};

class Recorder {
  public:
    // `capability`: the plugin's that it came to; empty where it came to none.
    using Measure =
        std::function<void(const Ending& ending, std::string_view capability, double seconds)>;
    // JSON text without the secrets in it.
    using Redactor = std::function<std::string(std::string_view json)>;
    // What an organisation wants kept of results or of arguments goes through; null: nothing.
    using Redact = std::function<Redactor(std::string_view org, bool result)>;

    // Before anything else; what is null is not done.
    void use(audit::Sink* trail, Measure measure, Redact redact);

    // [any thread] Of requests over a limit a sample is recorded, too.
    void tell(const Ending& ending) const noexcept;
    // An observer before the caller's, which tells of the call's end.
    std::shared_ptr<runtime::CallObserver> watch(const Target& target, const Admitted& admitted,
                                                 std::shared_ptr<runtime::CallObserver> next) const;

  private:
    class Watcher;
    void write(const Ending& ending, audit::Record&& record) const noexcept;

    audit::Sink* trail_ = nullptr;
    Measure measure_;
    Redact redact_;
    mutable audit::Sampler sampler_;
};

}  // namespace pb::admission
