// SPDX-License-Identifier: Apache-2.0
// An MCP server over stdio for the tests, as good or as bad as its first argument says. With
// "parent" it is no server but the parent of a child that is to end with it.
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "client/child.h"

namespace {

using Json = nlohmann::json;

void say(const Json& message) { std::cout << message.dump() << "\n" << std::flush; }

void answer(const Json& id, const Json& result) {
    say({{"jsonrpc", "2.0"}, {"id", id}, {"result", result}});
}

void refuse(const Json& id, int code) {
    say({{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", code}, {"message", "no"}}}});
}

void discover(const std::string& mode, const Json& id) {
    if (mode == "silent") return;
    if (mode == "exits") std::exit(4);
    if (mode == "legacy") return refuse(id, -32602);
    if (mode == "named")
        return say(
            {{"jsonrpc", "2.0"},
             {"id", id},
             {"error",
              {{"code", -32022}, {"message", "no"}, {"data", {{"supported", {"2025-06-18"}}}}}}});
    answer(id, {{"supportedVersions", {"2026-07-28"}},
                {"capabilities", {{"tools", {{"listChanged", true}}}}}});
}

void call(const std::string& name, const Json& id) {
    if (name == "crash") std::_Exit(3);
    if (name == "hang") return;
    if (name == "long") {
        std::cout << std::string(2U << 20U, 'x') << "\n" << std::flush;
        return;
    }
    if (name == "flood")
        for (int i = 0; i < 20'000; ++i) {
            std::cerr << "a line of no interest, number " << i << "\n";
            std::cout << "not even JSON " << i << "\n\n";
        }
    answer(id, {{"pid", ::getpid()}});
}

void take(const std::string& mode, const Json& message) {
    const auto method = message.value("method", "");
    const auto id = message.value("id", Json());
    if (method == "server/discover") return discover(mode, id);
    if (method == "initialize")
        return mode == "modern" ? refuse(id, -32601)
                                : answer(id, {{"protocolVersion", "2025-06-18"},
                                              {"capabilities", {{"tools", Json::object()}}},
                                              {"serverInfo", {{"name", "peer"}}}});
    if (method == "tools/call") return call(message["params"].value("name", ""), id);
    if (method == "subscriptions/listen") {
        say({{"jsonrpc", "2.0"}, {"method", "test/listen"}});
        return say({{"jsonrpc", "2.0"},
                    {"method", "notifications/cancelled"},
                    {"params", {{"requestId", id}}}});
    }
    if (method == "notifications/cancelled")
        say({{"jsonrpc", "2.0"}, {"method", "test/cancelled"}, {"params", message["params"]}});
}

int be_parent() {
    pb::client::Children children;
    pb::client::ChildSpec spec;
    spec.command = "/bin/sh";
    spec.arguments = {"-c", "echo $$; exec sleep 600"};
    pb::client::Child::Hooks hooks;
    hooks.line = [](std::string_view line) { std::cout << line << std::endl; };
    hooks.error = [](std::string_view) {};
    hooks.ended = [](const std::string&) {};
    const auto child = pb::client::Child::start(children, spec, hooks);
    if (!child) return 1;
    std::string line;
    while (std::getline(std::cin, line)) {
    }
    for (;;)
        ::pause();  // only a signal that it cannot catch ends it
}

}  // namespace

int main(int count, char** arguments) {
    const std::string mode = count > 1 ? arguments[1] : "modern";
    if (mode == "parent") return be_parent();
    std::string line;
    while (std::getline(std::cin, line))
        take(mode, Json::parse(line, nullptr, false));
    return 0;
}
