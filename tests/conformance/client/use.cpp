// SPDX-License-Identifier: Apache-2.0
#include "use.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "client/wait.h"
#include "json/parse.h"
#include "mcp/messages.h"

namespace pb::client {
namespace {

using json::Json;

constexpr auto capabilities = R"({"roots":{},"sampling":{},"elicitation":{"form":{},"url":{}}})";
constexpr int most_rounds = 5;

std::string text_of(std::string_view object, std::string_view member) {
    return json::string_value(json::member(object, member)).value_or("");
}

// What a person would fill in: the default where there is one, else something of the type.
Json filled_in(const Json& schema) {
    if (schema.contains("default")) return schema["default"];
    if (schema.contains("enum") && !schema["enum"].empty()) return schema["enum"][0];
    const auto type = schema.value("type", "string");
    if (type == "number" || type == "integer") return 1;
    if (type == "boolean") return true;
    if (type == "array") return Json::array();
    if (type == "object") return Json::object();
    return "text";
}

// Every property of an object's schema; of arguments only the required ones.
Json object_for(const Json& schema, bool only_required) {
    Json out = Json::object();
    if (!schema.contains("properties")) return out;
    const auto required = schema.value("required", Json::array());
    for (const auto& [name, each] : schema["properties"].items())
        if (!only_required || std::find(required.begin(), required.end(), name) != required.end())
            out[name] = filled_in(each);
    return out;
}

// The answer to what a server asks its user.
std::string answer_to(std::string_view method, std::string_view params) {
    if (method == "roots/list") return R"({"roots":[]})";
    if (method == "sampling/createMessage")
        return R"({"role":"assistant","content":{"type":"text","text":"text"},"model":"none"})";
    const auto schema = json::parse(json::member(params, "requestedSchema"));
    Json out{{"action", "accept"}};
    if (schema) out["content"] = object_for(*schema, false);
    return json::dump(out);
}

// One request, and the server's questions meanwhile.
class Asking : public Wait {
  public:
    static Reply of(Client& client, CallRequest request) {
        const auto self = std::make_shared<Asking>();
        request.client_capabilities = capabilities;
        client.call(std::move(request), self);
        return self->wait();
    }

    void question(Question question) noexcept override {
        question.answer(answer_to(question.method, question.params));
    }
};

// A request, and again with the answers for as long as the server requires input.
Result<void> use(Client& client, CallRequest request) {
    for (int round = 0; round < most_rounds; ++round) {
        const auto reply = Asking::of(client, request);
        if (reply.kind == Reply::Kind::lost) return internal_error(reply.loss.message);
        if (!reply.ok()) return internal_error(request.name + " was refused: " + reply.text);
        if (text_of(reply.text, "resultType") != "input_required") return {};
        std::vector<json::Member> questions;
        json::members(json::member(reply.text, "inputRequests"), questions);
        std::string answers = "{";
        for (const auto& [key, value] : questions)
            answers.append(answers.size() > 1 ? ",\"" : "\"")
                .append(key)
                .append("\":")
                .append(answer_to(text_of(value, "method"), json::member(value, "params")));
        request.params = json::with(request.params, "inputResponses", answers + "}");
        const auto state = json::member(reply.text, "requestState");
        request.params = state.empty() ? json::without(request.params, "requestState")
                                       : json::with(request.params, "requestState", state);
    }
    return internal_error("the server requires input for ever");
}

CallRequest tool_call(std::string_view tool, std::string_view arguments) {
    CallRequest out;
    out.method = "tools/call";
    out.name = text_of(tool, "name");
    out.params =
        "{\"name\":" + json::quote(out.name) + ",\"arguments\":" + std::string(arguments) + "}";
    if (const auto schema = json::parse(json::member(tool, "inputSchema")))
        if (auto params = json::header_params(*schema)) out.header_params = std::move(*params);
    return out;
}

std::string_view find_tool(const ServerLists& lists, std::string_view name) {
    for (const auto& tool : lists.tools)
        if (text_of(tool, "name") == name) return tool;
    return {};
}

// The calls that the scenario names, each of a tool that was listed.
Result<void> use_named(Client& client, std::string_view calls, const ServerLists& lists) {
    std::vector<std::string_view> all;
    json::elements(calls, all);
    for (const auto each : all) {
        const auto tool = find_tool(lists, text_of(each, "name"));
        if (tool.empty()) return internal_error("a tool that is to be called is not listed");
        if (auto used = use(client, tool_call(tool, json::member(each, "arguments"))); !used)
            return used;
    }
    return {};
}

Result<void> use_tools(Client& client, const Scenario& scenario, const ServerLists& lists) {
    if (const auto calls = json::member(scenario.context, "toolCalls"); !calls.empty())
        return use_named(client, calls, lists);
    for (const auto& tool : lists.tools) {
        auto arguments = std::string("{}");
        if (const auto schema = json::parse(json::member(tool, "inputSchema")))
            arguments = json::dump(object_for(*schema, true));
        // The one tool whose argument is another's schema, as it came.
        if (text_of(tool, "name") == "json_schema_echo")
            arguments = json::with(
                arguments, "schema",
                json::member(find_tool(lists, "json_schema_2020_12_tool"), "inputSchema"));
        if (auto used = use(client, tool_call(tool, arguments)); !used) return used;
    }
    return {};
}

}  // namespace

Result<void> use_all(Client& client, const Scenario& scenario, const ServerLists& lists) {
    if (lists.tools.empty()) {
        CallRequest list;
        list.method = "tools/list";
        list.params = "{}";
        if (auto used = use(client, list); !used) return used;
    }
    if (auto used = use_tools(client, scenario, lists); !used) return used;
    for (const auto& resource : lists.resources) {
        CallRequest read;
        read.method = "resources/read";
        read.name = text_of(resource, "uri");
        read.params = "{\"uri\":" + json::quote(read.name) + "}";
        if (auto used = use(client, read); !used) return used;
    }
    for (const auto& prompt : lists.prompts) {
        CallRequest get;
        get.method = "prompts/get";
        get.name = text_of(prompt, "name");
        get.params = "{\"name\":" + json::quote(get.name) + "}";
        if (auto used = use(client, get); !used) return used;
    }
    return {};
}

}  // namespace pb::client
