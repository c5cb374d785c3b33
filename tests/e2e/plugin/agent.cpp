// SPDX-License-Identifier: Apache-2.0
// A plugin that calls others in its caller's name, among servers that the caller brings along: what
// an agent does with its own mcpServers and those of its session.
#include <chrono>
#include <patchbay/plugin.hpp>
#include <string>

namespace {

using patchbay::Call;
using patchbay::json;

constexpr const char* schema = R"({"type":"object","properties":{
    "scope":{"type":"array"},"method":{"type":"string"},"params":{"type":"object"},
    "timeout_ms":{"type":"integer"}},"required":["method"]})";

json request(const json& in, Call& call) {
    const std::chrono::milliseconds time{in.value("timeout_ms", 0)};
    const std::string method = in["method"];
    const auto params = in.value("params", json::object());
    // Without a scope: what everybody sees.
    if (!in.contains("scope")) return call.request(method, params, time).raw();
    return call.request_in(in["scope"], method, params, time).raw();
}

}  // namespace

PATCHBAY_PLUGIN("agent", "1.0.0", plugin) {
    plugin.tool("within")
        .describe("The result of a request within a scope")
        .input_schema(schema)
        .handle([&plugin](const json& in, Call& call) {
            const auto result = request(in, call);
            plugin.log(patchbay::Level::info, "ended",
                       {{"failed", result.value("isError", false)}});
            return patchbay::structured({{"result", result}});
        });
    // Says of itself that it only reads: what it calls is another matter.
    plugin.tool("look")
        .describe("The result of a request, in its caller's name")
        .input_schema(schema)
        .read_only()
        .handle([](const json& in, Call& call) {
            return patchbay::structured({{"result", request(in, call)}});
        });
}
