// SPDX-License-Identifier: Apache-2.0
// Everything here comes from another host: any member may be absent or of another type.
#include "cli/remote.h"

#include <istream>
#include <ostream>

#include "cli/print.h"
#include "cli/tools.h"
#include "json/parse.h"

namespace pb::cli {
namespace {

constexpr std::size_t max_input = 1U << 20U;

std::string text_of(const Json& object, const char* name) {
    const auto member = object.find(name);
    if (member == object.end()) return "";
    if (member->is_string()) return member->get<std::string>();
    return member->is_number() ? json::dump(*member) : "";
}

int usage(const std::string& message, Streams streams) {
    streams.err << "patchbay: " << message << '\n';
    return exit_usage;
}

// One tool of the capability: what it answered, or the exit code of what went wrong.
struct Answer {
    Json result;
    int code = exit_ok;
};

Answer ask(const char* tool, const Json& arguments, const Requester& requester,
           const Options& options, Streams streams) {
    auto result = requester(
        "tools/call", {{"name", options.remote.name_space + "__" + tool}, {"arguments", arguments}},
        {});
    if (!result) {
        streams.err << "patchbay: " << printable(result.error().message) << '\n';
        return {{}, exit_code(result.error())};
    }
    auto body = result->value("structuredContent", Json::object());
    if (result->value("isError", false)) {
        const auto why = text_of(body, "message");
        streams.err << "patchbay: " << printable(why.empty() ? "the host refused" : why) << '\n';
        return {{}, exit_tool_error};
    }
    return {std::move(body)};
}

void print(const Json& body, const Options& options, Streams streams) {
    const auto text = body.dump(options.json ? -1 : 2, ' ', false, Json::error_handler_t::replace);
    streams.out << (options.json ? text : printable(text, true)) << '\n';
}

// Settings from --settings (or standard input, where secrets are not seen by others), with what the
// other flags say on top.
Result<Json> settings_from(const Options& options, std::istream& in) {
    auto text = options.remote.settings;
    if (text == "-") {
        text.clear();
        for (int c = in.get(); c != std::istream::traits_type::eof(); c = in.get()) {
            if (text.size() >= max_input)
                return invalid("the settings on standard input are larger than 1 MiB");
            text += static_cast<char>(c);
        }
    }
    auto settings = json::parse(text.empty() ? "{}" : text);
    if (!settings) return invalid("the settings are " + settings.error().message);
    if (!settings->is_object()) return invalid("the settings must be a JSON object");
    auto& out = *settings;
    if (!options.remote.url.empty()) out["url"] = options.remote.url;
    if (!options.remote.type.empty()) out["type"] = options.remote.type;
    if (!options.remote.as_namespace.empty()) out["namespace"] = options.remote.as_namespace;
    for (const auto& header : options.remote.headers) {
        const auto colon = header.find(':');
        if (colon == std::string::npos || colon == 0)
            return invalid("--header is 'Name: value', for example 'X-Api-Key: ...'");
        const auto value = header.find_first_not_of(' ', colon + 1);
        out["headers"][header.substr(0, colon)] =
            value == std::string::npos ? "" : header.substr(value);
    }
    if (!out.contains("url") && !out.contains("command"))
        return invalid("where is the server? Give its URL, or --settings with a command");
    return std::move(out);
}

}  // namespace

int add_remote(const Requester& requester, const Options& options, Streams streams) {
    auto settings = settings_from(options, streams.in);
    if (!settings) return usage(printable(settings.error().message), streams);
    auto added = ask("add_server", {{"name", options.remote.name}, {"settings", *settings}},
                     requester, options, streams);
    if (added.code != exit_ok) return added.code;
    // Whoever adds a server wants to know whether it works.
    auto synced = ask("sync_server", {{"name", options.remote.name}}, requester, options, streams);
    if (synced.code != exit_ok) {
        streams.err << "patchbay: it is registered and will be tried again; 'patchbay remote list' "
                       "says how it is\n";
        return synced.code;
    }
    print(synced.result, options, streams);
    return exit_ok;
}

int list_remotes(const Requester& requester, const Options& options, Streams streams) {
    auto listed = ask("list_servers", Json::object(), requester, options, streams);
    if (listed.code != exit_ok) return listed.code;
    if (options.json) {
        print(listed.result, options, streams);
        return exit_ok;
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& server : listed.result.value("servers", Json::array())) {
        if (!server.is_object()) continue;
        auto where = text_of(server, "url");
        if (where.empty()) where = text_of(server, "command");
        auto state = text_of(server, "status");
        if (const auto why = text_of(server, "reason"); !why.empty()) state += ": " + why;
        rows.push_back({printable(text_of(server, "name")), printable(where),
                        printable(text_of(server, "protocol")), text_of(server, "tools") + " tools",
                        printable(state)});
    }
    streams.out << table(rows);
    if (rows.empty()) streams.err << "patchbay: no remote servers\n";
    return exit_ok;
}

int on_remote(const char* tool, const Requester& requester, const Options& options,
              Streams streams) {
    auto done = ask(tool, {{"name", options.remote.name}}, requester, options, streams);
    if (done.code == exit_ok) print(done.result, options, streams);
    return done.code;
}

namespace {

// Nobody should approve what they have not seen.
int show_withheld(const Requester& requester, const Options& options, Streams streams) {
    auto got = ask("get_server", {{"name", options.remote.name}}, requester, options, streams);
    if (got.code != exit_ok) return got.code;
    const auto trust = got.result.value("trust", Json::object());
    const auto withheld = trust.is_object() ? trust.value("withheld", Json::array()) : Json();
    if (options.json) {
        print({{"withheld", withheld}}, options, streams);
        return exit_ok;
    }
    for (const auto& each : withheld) {
        if (!each.is_object()) continue;
        streams.out << printable(text_of(each, "tool")) << ": "
                    << printable(text_of(each, "change")) << '\n';
        for (const char* which : {"before", "definition"}) {
            if (!each.contains(which)) continue;
            streams.out << which << ' ';
            print(each[which], options, streams);
        }
    }
    if (withheld.empty())
        streams.err << "patchbay: nothing is withheld\n";
    else
        streams.err << "patchbay: nothing was approved; name the tools that are to be approved, or "
                       "say --all\n";
    return exit_ok;
}

}  // namespace

int approve_remote(const Requester& requester, const Options& options, Streams streams) {
    if (options.remote.all && !options.remote.tools.empty())
        return usage("approve takes tools or --all, not both", streams);
    if (!options.remote.all && options.remote.tools.empty())
        return show_withheld(requester, options, streams);
    Json arguments{{"name", options.remote.name}};
    if (!options.remote.tools.empty()) arguments["tools"] = options.remote.tools;
    auto done = ask("approve_tools", arguments, requester, options, streams);
    if (done.code == exit_ok) print(done.result, options, streams);
    return done.code;
}

}  // namespace pb::cli
