// SPDX-License-Identifier: Apache-2.0
// Everything here comes from plugins or another host: any member may be absent or of another type.
#include "cli/tools.h"

#include <istream>
#include <ostream>

#include "cli/print.h"
#include "json/parse.h"

namespace pb::cli {
namespace {

constexpr int max_pages = 100;
constexpr std::size_t max_input = 8U << 20U;

std::string text_of(const Json& object, const char* name) {
    const auto member = object.find(name);
    return member != object.end() && member->is_string() ? member->get<std::string>() : "";
}

int report(const Error& error, Streams streams) {
    streams.err << "patchbay: " << printable(error.message) << '\n';
    return exit_code(error);
}

Result<std::vector<Json>> all_tools(const Requester& requester) {
    std::vector<Json> tools;
    Json params = Json::object();
    for (int page = 0; page < max_pages; ++page) {
        auto result = requester("tools/list", params, {});
        if (!result) return result.error();
        const auto listed = result->find("tools");
        if (listed == result->end() || !listed->is_array()) {
            return invalid("the answer to tools/list has no list of tools");
        }
        for (const Json& tool : *listed) {
            if (tool.is_object()) tools.push_back(tool);
        }
        const std::string next = text_of(*result, "nextCursor");
        if (next.empty()) return tools;
        params["cursor"] = next;
    }
    return invalid("the list of tools has more than 100 pages");
}

// The first sentence of a description that fits on a line.
std::string summary(const Json& tool) {
    constexpr std::size_t longest = 100;
    std::string text = text_of(tool, "description");
    if (text.empty()) text = text_of(tool, "title");
    text = text.substr(0, text.find('\n'));
    if (text.size() > longest) {
        std::size_t end = longest;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
            --end;
        text = text.substr(0, end) + "...";
    }
    return printable(text);
}

std::string names_of(const std::vector<Json>& tools) {
    constexpr std::size_t most = 20;
    std::string out;
    for (std::size_t i = 0; i < tools.size() && i < most; ++i) {
        out += (out.empty() ? "" : ", ") + text_of(tools[i], "name");
    }
    return tools.size() > most ? out + ", ..." : out;
}

Result<Json> arguments_from(const Options& options, std::istream& in) {
    std::string text = options.tool.arguments;
    if (text == "-") {
        text.clear();
        for (int c = in.get(); c != std::istream::traits_type::eof(); c = in.get()) {
            if (text.size() >= max_input) {
                return invalid("the arguments on standard input are larger than 8 MiB");
            }
            text += static_cast<char>(c);
        }
    }
    auto arguments = json::parse(text);
    if (!arguments) return invalid("the arguments are " + arguments.error().message);
    if (!arguments->is_object()) {
        return invalid("the arguments must be a JSON object, for example '{\"city\":\"Paris\"}'");
    }
    return std::move(*arguments);
}

std::string block_text(const Json& block) {
    const std::string type = text_of(block, "type");
    if (type == "text") return printable(text_of(block, "text"), true);
    if (type == "resource_link") return "[resource " + printable(text_of(block, "uri")) + "]";
    if (type == "resource" && block.contains("resource") && block["resource"].is_object()) {
        const Json& resource = block["resource"];
        const std::string text = text_of(resource, "text");
        return text.empty() ? "[resource " + printable(text_of(resource, "uri")) + "]"
                            : printable(text, true);
    }
    return "[" + printable(type.empty() ? "content" : type) + " " +
           printable(text_of(block, "mimeType")) + "; --json shows it]";
}

void print_result(const Json& result, std::ostream& out) {
    bool printed = false;
    const auto content = result.find("content");
    if (content != result.end() && content->is_array()) {
        for (const Json& block : *content) {
            if (!block.is_object()) continue;
            out << block_text(block) << '\n';
            printed = true;
        }
    }
    if (!printed && result.contains("structuredContent")) {
        const std::string text =
            result["structuredContent"].dump(2, ' ', false, Json::error_handler_t::replace);
        out << printable(text, true) << '\n';
    }
}

int finish_call(const Json& result, const Options& options, Streams streams) {
    const bool asks = text_of(result, "resultType") == "input_required";
    if (options.json) streams.out << json::dump(result) << '\n';
    if (asks) {
        streams.err << "patchbay: the tool asks for further input, which this command cannot give; "
                       "call it from an MCP client\n";
        return exit_failed;
    }
    const auto flag = result.find("isError");
    const bool failed = flag != result.end() && flag->is_boolean() && flag->get<bool>();
    if (!options.json) print_result(result, failed ? streams.err : streams.out);
    return failed ? exit_tool_error : exit_ok;
}

}  // namespace

int exit_code(const Error& error) {
    const bool nobody = error.kind == ErrorKind::gone || error.kind == ErrorKind::deadline;
    return nobody ? exit_unreachable : exit_failed;
}

int list_tools(const Requester& requester, const Options& options, Streams streams) {
    auto tools = all_tools(requester);
    if (!tools) return report(tools.error(), streams);
    if (options.json) {
        streams.out << json::dump(Json{{"tools", *tools}}) << '\n';
        return exit_ok;
    }
    std::vector<std::vector<std::string>> rows;
    for (const Json& tool : *tools) {
        rows.push_back({printable(text_of(tool, "name")), summary(tool)});
    }
    streams.out << table(rows);
    if (rows.empty()) streams.err << "patchbay: no tools\n";
    return exit_ok;
}

int call_tool(const Requester& requester, const Options& options, Streams streams) {
    auto arguments = arguments_from(options, streams.in);
    if (!arguments) {
        streams.err << "patchbay: " << printable(arguments.error().message) << '\n';
        return exit_usage;
    }
    // The definition says which arguments go into headers as well.
    auto tools = all_tools(requester);
    if (!tools) return report(tools.error(), streams);
    const Json* tool = nullptr;
    for (const Json& candidate : *tools) {
        if (text_of(candidate, "name") == options.tool.name) tool = &candidate;
    }
    if (tool == nullptr) {
        return report(not_found("there is no tool \"" + options.tool.name +
                                "\"; there are: " + names_of(*tools)),
                      streams);
    }
    const Json schema = tool->value("inputSchema", Json::object());
    auto result = requester("tools/call", {{"name", options.tool.name}, {"arguments", *arguments}},
                            parameter_headers(schema, *arguments));
    if (!result) return report(result.error(), streams);
    return finish_call(*result, options, streams);
}

}  // namespace pb::cli
