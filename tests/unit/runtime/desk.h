// SPDX-License-Identifier: Apache-2.0
// Desk: a table of calls with a provider beside it, and short ways to begin a call.
#pragma once

#include <gtest/gtest.h>

#include "support/fake_provider.h"
#include "support/witness.h"

namespace pb::test {

using std::chrono::milliseconds;

constexpr std::chrono::hours never{1};  // a time that no test lives to see

struct Desk {
    explicit Desk(const runtime::CallOptions& options = slow()) : calls(options) {}
    ~Desk() { calls.drain(milliseconds(1)); }

    // Nothing happens by itself.
    static runtime::CallOptions slow() {
        runtime::CallOptions out;
        out.default_timeout = out.max_timeout = out.grace = out.lasting = never;
        return out;
    }
    // A call that is not answered is soon given up.
    static runtime::CallOptions hasty() {
        auto out = slow();
        out.default_timeout = out.grace = milliseconds(1);
        return out;
    }

    runtime::CallSpec spec(const WitnessPtr& witness, std::string_view method = "keep") const {
        runtime::CallSpec out;
        out.provider = provider;
        out.method = method;
        out.params = "{}";
        out.caller = caller;
        out.observer = witness;
        return out;
    }
    runtime::CallId start(const WitnessPtr& witness, std::string_view method = "keep") {
        return calls.start(spec(witness, method));
    }
    // One that the provider keeps to itself.
    WitnessPtr kept(runtime::CallId parent = catalog::no_call) {
        auto witness = std::make_shared<Witness>();
        auto what = spec(witness);
        what.parent = parent;
        calls.start(what);
        return witness;
    }

    runtime::Calls calls;
    runtime::CallerPtr caller = std::make_shared<runtime::Caller>(
        runtime::Caller{"acme", "ann", "user", {"mcp:read", "source:a"}});
    std::shared_ptr<FakeProvider> provider = make_provider();

  private:
    std::shared_ptr<FakeProvider> make_provider() {
        auto out = std::make_shared<FakeProvider>(calls);
        out->handlers["keep"] = [](auto, const json&, const json&) {};
        out->handlers["answer"] = [this](auto call, const json& params, const json&) {
            provider->ok(call, params);
        };
        return out;
    }
};

}  // namespace pb::test
