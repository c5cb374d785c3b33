// SPDX-License-Identifier: Apache-2.0
// Gate: a world whose calls are made as admission's callers make them.
#pragma once

#include <gtest/gtest.h>

#include "support/witness.h"
#include "support/world.h"

namespace pb::test {

class Gate : public testing::Test {
  protected:
    explicit Gate(const runtime::CallOptions& options = World::quick()) : world(options) {}

    // One call all the way; what the caller hears.
    WitnessPtr call(const std::string& method, const std::string& name, const json& params,
                    bool resumed = false) {
        auto witness = std::make_shared<Witness>();
        auto target = world.admission.find(*caller, method, name);
        if (!target) {
            ADD_FAILURE() << target.error().message;
            return witness;
        }
        const auto text = params.dump();
        admission::Admitted admitted;
        admitted.method = method;
        admitted.params = text;
        admitted.caller = caller;
        admitted.resumed = resumed;
        world.admission.call(*target, admitted, witness);
        EXPECT_TRUE(witness->wait());
        return witness;
    }
    WitnessPtr tool(const std::string& name, const json& arguments = json::object()) {
        return call("tools/call", name, {{"name", name}, {"arguments", arguments}});
    }
    // A method that the provider ends with this status and body.
    void ends(const std::string& method, Status status, const std::string& body = {}) {
        world.provider->handlers[method] = [this, status, body](auto id, const json&, const json&) {
            world.calls.complete(id, status, body);
        };
    }
    // A method that the provider answers; what it was asked is kept in `asked`.
    void answers(const std::string& method, const json& body) {
        world.provider->handlers[method] = [this, body](auto id, const json& params, const json&) {
            asked = params;
            world.provider->ok(id, body);
        };
    }

    World world;
    runtime::CallerPtr caller = world.authenticator.local();
    json asked;
};

inline json failure_of(const WitnessPtr& witness) {
    return witness->result()["_meta"]["patchbay/error"];
}

}  // namespace pb::test
