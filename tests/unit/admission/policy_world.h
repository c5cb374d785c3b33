// SPDX-License-Identifier: Apache-2.0
// An organisation with tools of every level, a prompt and a resource, and what its file says.
#pragma once

#include "gate.h"
#include "support/notes.h"

namespace pb::test {

class PolicyWorld : public Gate {
  protected:
    PolicyWorld() {
        const auto hello = [this](auto id, const json&, const json&) {
            world.provider->ok(id, text_result("hi"));
        };
        auto look = simple_tool("look"), change = simple_tool("change"), drop = simple_tool("drop");
        look["annotations"] = {{"readOnlyHint", true}};
        drop["annotations"] = {{"destructiveHint", true}};
        for (const auto& tool : {look, change, drop})
            world.tool(tool, hello);
        world.list("prompts/list", "prompts", {{{"name", "greet"}}});
        world.list("resources/list", "resources", {{{"uri", "note://a"}, {"name", "a"}}});
        answers("prompts/get", {{"messages", json::array()}});
        answers("resources/read", {{"contents", json::array()}});
        world.publish("ns");
        uri = world.catalog.of("default")->resources.at(0).exposed;
        world.admission.recorder().use(&notes, {}, {});
    }

    void configure(const std::function<void(config::OrgAccess&)>& change) {
        allow(world.admission.policies(), change);
    }
    static runtime::CallerPtr with(const char* scopes, const std::string& role = {}) {
        auto out = std::make_shared<runtime::Caller>(*admission::Authenticator::external(
            "default", "ada", *access::Scopes::parse(scopes), "client"));
        out->role = role;
        out->permissions += "\n" + role;
        return out;
    }
    std::vector<std::string> tools_of(const runtime::CallerPtr& who) {
        std::vector<std::string> out;
        for (const auto& tool : world.admission.visible(*who)->tools)
            out.push_back(tool.exposed.substr(4));
        return out;
    }
    ErrorKind kind_of(const runtime::CallerPtr& who, const char* method, const std::string& name) {
        const auto target = world.admission.find(*who, method, name);
        return target ? ErrorKind::internal : target.error().kind;
    }

    Notes notes;
    std::string uri;
};

using Names = std::vector<std::string>;

}  // namespace pb::test
