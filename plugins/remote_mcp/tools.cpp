// SPDX-License-Identifier: Apache-2.0
#include "tools.h"

namespace pb::remote {
namespace {

using patchbay::Call;
using patchbay::json;

constexpr const char* by_name = R"({"type":"object","properties":{
    "name":{"type":"string","description":"The server's name"}},
    "required":["name"],"additionalProperties":false})";

constexpr const char* add_schema = R"({"type":"object","properties":{
    "name":{"type":"string","description":"A name of your choice, unique in the organisation"},
    "settings":{"type":"object","description":"As an entry of mcpServers: type (http, sse or stdio), url, headers, namespace, tools {include, exclude, rename, describe, annotations}, timeout, protocol, auth, acts_as, enabled, on_tool_change"}},
    "required":["name","settings"],"additionalProperties":false})";

constexpr const char* update_schema = R"({"type":"object","properties":{
    "name":{"type":"string","description":"The server's name"},
    "settings":{"type":"object","description":"What changes (a JSON merge patch): null removes a member, what is not named stays"}},
    "required":["name","settings"],"additionalProperties":false})";

constexpr const char* approve_schema = R"({"type":"object","properties":{
    "name":{"type":"string","description":"The server's name"},
    "tools":{"type":["array","object"],"minItems":1,"minProperties":1,"items":{"type":"string"},"additionalProperties":{"type":"string"},"description":"Withheld tools to be offered again, by the server's own names: a list, or an object of names with the digests that get_server shows, so that nothing else is approved than what was seen; all if left out"}},
    "required":["name"],"additionalProperties":false})";

constexpr const char* test_schema = R"({"type":"object","properties":{
    "name":{"type":"string","description":"A registered server"},
    "settings":{"type":"object","description":"Or the settings of one that is not registered"}},
    "additionalProperties":false})";

patchbay::Error failure(const Error& error) {
    switch (error.kind) {
        case ErrorKind::not_found:
            return patchbay::Error("server_not_found", error.message).validation();
        case ErrorKind::invalid:
            return patchbay::Error("invalid_settings", error.message).validation();
        case ErrorKind::busy:
            return patchbay::Error("conflict", error.message).validation();
        case ErrorKind::denied:
            return patchbay::Error("needs_sign_in", error.message).auth();
        case ErrorKind::deadline:
            return patchbay::Error("mcp_server_unreachable", error.message).transient();
        default:
            return patchbay::Error("mcp_server_unreachable", error.message);
    }
}

patchbay::Result answer(Result<Json> result) {
    if (!result) throw failure(result.error());
    return patchbay::structured(*result);
}

// Registering servers is for administrators, whatever the tool's hints let through.
void need_admin(Call& call) {
    if (call.caller().has_scope("mcp:admin")) return;
    throw patchbay::Error("permission_denied", "this is for administrators (mcp:admin)").auth();
}

std::string name_of(const json& arguments) { return arguments.value("name", ""); }

void offer_reading(patchbay::Plugin& plugin, Hub& hub) {
    plugin.tool("list_servers")
        .title("List remote MCP servers")
        .describe("The organisation's remote MCP servers: what each offers and how it is")
        .read_only()
        .handle([&hub](Call& call) {
            need_admin(call);
            return answer(hub.list());
        });
    plugin.tool("get_server")
        .title("Look at a remote MCP server")
        .describe(
            "One server: status, settings without secrets, changes of its tools; what is withheld "
            "with its definition")
        .read_only()
        .input_schema(by_name)
        .handle([&hub](const json& in, Call& call) {
            need_admin(call);
            return answer(hub.get(name_of(in)));
        });
    plugin.tool("test_server")
        .title("Test a remote MCP server")
        .describe("Connects to a server and says what it is; changes nothing")
        .read_only()
        .open_world()
        .input_schema(test_schema)
        .handle([&hub](const json& in, Call& call) {
            need_admin(call);
            if (in.contains("settings")) return answer(hub.test(in["settings"]));
            return answer(hub.test(name_of(in)));
        });
}

void offer_changing(patchbay::Plugin& plugin, Hub& hub) {
    plugin.tool("add_server")
        .title("Register a remote MCP server")
        .describe("Its tools, resources and prompts appear under its namespace")
        .destructive()
        .open_world()
        .input_schema(add_schema)
        .handle([&hub](const json& in, Call& call) {
            need_admin(call);
            return answer(hub.add(name_of(in), in["settings"]));
        });
    plugin.tool("update_server")
        .title("Change a remote MCP server's settings")
        .describe("Changes what was registered at run time; what is not named stays")
        .destructive()
        .input_schema(update_schema)
        .handle([&hub](const json& in, Call& call) {
            need_admin(call);
            return answer(hub.update(name_of(in), in["settings"]));
        });
    plugin.tool("remove_server")
        .title("Remove a remote MCP server")
        .describe("Forgets a server that was registered at run time, and its credentials")
        .destructive()
        .input_schema(by_name)
        .handle([&hub](const json& in, Call& call) {
            need_admin(call);
            return answer(hub.remove(name_of(in)));
        });
    plugin.tool("sync_server")
        .title("Sync a remote MCP server")
        .describe("Looks at the server now; says what was added, updated and removed")
        .destructive(false)
        .open_world()
        .input_schema(by_name)
        .handle([&hub](const json& in, Call& call) {
            need_admin(call);
            return answer(hub.sync(name_of(in)));
        });
    plugin.tool("approve_tools")
        .title("Approve changed tools")
        .describe("Offers tools again that were withheld because they are new or have changed")
        .destructive()
        .input_schema(approve_schema)
        .handle([&hub](const json& in, Call& call) {
            need_admin(call);
            auto what = in;
            what.erase("name");
            return answer(hub.approve(name_of(in), what));
        });
}

// For everybody: each signs in for themselves, where a server is used as each person.
void offer_sign_in(patchbay::Plugin& plugin, Hub& hub) {
    plugin.tool("sign_in")
        .title("Sign in to a remote MCP server")
        .describe("Gives the link under which you sign in to a server that asks for it")
        .destructive(false)
        .open_world()
        .input_schema(by_name)
        .handle([&hub](const json& in, Call& call) -> patchbay::Result {
            if (!hub.acts_as_user(name_of(in))) need_admin(call);
            auto link = hub.sign_in(name_of(in), call.caller().principal);
            if (!link) throw failure(link.error());
            return patchbay::structured({{"url", *link}});
        });
    plugin.tool("sign_out")
        .title("Sign out of a remote MCP server")
        .describe("Forgets and revokes what signing in has given")
        .destructive()
        .input_schema(by_name)
        .handle([&hub](const json& in, Call& call) {
            if (!hub.acts_as_user(name_of(in))) need_admin(call);
            return answer(hub.sign_out(name_of(in), call.caller().principal));
        });
}

}  // namespace

void offer_tools(patchbay::Plugin& plugin, Hub& hub) {
    offer_reading(plugin, hub);
    offer_changing(plugin, hub);
    offer_sign_in(plugin, hub);
    plugin.method("patchbay/scope/open", [&hub](Call& call) -> json {
        auto opened = hub.open_scope(call.params().value("mcpServers", json::object()));
        if (!opened) throw patchbay::ProtocolError(PATCHBAY_E_INVALID, opened.error().message);
        return *opened;
    });
    plugin.method("patchbay/scope/close", [&hub](Call& call) -> json {
        hub.close_scope(call.params().value("capabilities", json::array()));
        return json::object();
    });
}

}  // namespace pb::remote
