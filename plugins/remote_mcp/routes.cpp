// SPDX-License-Identifier: Apache-2.0
// The capability over HTTP: /api/mcp-servers for administrators, /oauth/callback/<org> where
// people come back from a sign-in, /oauth/client/<org> for those who ask who we are.
#include "identities.h"
#include "tools.h"

namespace pb::remote {
namespace {

using patchbay::HttpRequest;
using patchbay::HttpResponse;

HttpResponse json_response(int status, const Json& body) {
    HttpResponse out;
    out.status = status;
    out.headers["content-type"] = "application/json";
    out.body = patchbay::dump(body);
    return out;
}

int status_of(const Error& error) {
    switch (error.kind) {
        case ErrorKind::not_found:
            return 404;
        case ErrorKind::invalid:
            return 400;
        case ErrorKind::busy:
            return 409;
        case ErrorKind::denied:
            return 403;
        case ErrorKind::deadline:
            return 504;
        default:
            return 502;
    }
}

HttpResponse respond(Result<Json> result, int status = 200) {
    if (result) return json_response(status, *result);
    return json_response(status_of(result.error()), {{"error", result.error().message}});
}

// A page without anything that could run in it.
HttpResponse page(int status, const std::string& title, const std::string& text) {
    const auto escaped = [](const std::string& raw) {
        std::string out;
        for (const char c : raw) {
            if (c == '<')
                out += "&lt;";
            else if (c == '&')
                out += "&amp;";
            else
                out += c;
        }
        return out;
    };
    HttpResponse out;
    out.status = status;
    out.headers["content-type"] = "text/html; charset=utf-8";
    out.body = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>" +
               escaped(title) + "</title><body><main><h1>" + escaped(title) + "</h1><p>" +
               escaped(text) + "</p></main></body></html>";
    return out;
}

// {"name": ..., <settings>}: an entry as in mcpServers with its name beside.
HttpResponse add(Hub& hub, const std::string& body) {
    auto entry = Json::parse(body, nullptr, false);
    if (!entry.is_object() || !entry.contains("name") || !entry["name"].is_string())
        return respond(invalid("the body must be a JSON object: the server's settings with its "
                               "\"name\""));
    const auto name = entry["name"].get<std::string>();
    entry.erase("name");
    return respond(hub.add(name, entry), 201);
}

HttpResponse on_server(Hub& hub, const HttpRequest& request, const std::string& name) {
    if (request.method == "GET") return respond(hub.get(name));
    if (request.method == "DELETE") return respond(hub.remove(name));
    if (request.method == "PATCH") {
        const auto patch = Json::parse(request.body, nullptr, false);
        return respond(hub.update(name, patch));
    }
    return json_response(405, {{"error", "use GET, PATCH or DELETE"}});
}

HttpResponse act(Hub& hub, const HttpRequest& request, const std::string& name,
                 const std::string& action) {
    if (request.method != "POST") return json_response(405, {{"error", "use POST"}});
    if (action == "sync") return respond(hub.sync(name));
    if (action == "test") return respond(hub.test(name));
    if (action == "approve") {
        const auto body = Json::parse(request.body, nullptr, false);
        std::set<std::string> tools;
        if (body.is_object())
            for (const auto& tool : body.value("tools", Json::array()))
                if (tool.is_string()) tools.insert(tool.get<std::string>());
        return respond(hub.approve(name, tools));
    }
    return json_response(404, {{"error", "there is sync, test and approve"}});
}

// path: "", "/NAME" or "/NAME/ACTION".
HttpResponse servers(Hub& hub, const HttpRequest& request) {
    const auto path = request.path.empty() ? request.path : request.path.substr(1);
    if (path.empty()) {
        if (request.method == "GET") return respond(hub.list());
        if (request.method == "POST") return add(hub, request.body);
        return json_response(405, {{"error", "use GET or POST"}});
    }
    const auto slash = path.find('/');
    const auto name = patchbay::percent_decoded(path.substr(0, slash));
    if (slash == std::string::npos) return on_server(hub, request, name);
    return act(hub, request, name, path.substr(slash + 1));
}

HttpResponse callback(Hub& hub, const HttpRequest& request) {
    if (request.method != "GET") return json_response(405, {{"error", "use GET"}});
    auto server = hub.signed_in(request.query);
    if (!server) return page(400, "The sign-in did not work", server.error().message);
    return page(200, "You are signed in",
                "The server '" + *server + "' can be used now. You can close this window.");
}

}  // namespace

void offer_routes(patchbay::Plugin& plugin, Hub& hub) {
    plugin.route("/api/mcp-servers",
                 [&hub](const HttpRequest& request) { return servers(hub, request); });
    plugin.route("/oauth/callback",
                 [&hub](const HttpRequest& request) { return callback(hub, request); });
    plugin.route("/oauth/client", [&hub](const HttpRequest&) {
        auto document = client_document(hub.host(), hub.org());
        if (!document) return respond(document.error());
        HttpResponse out;
        out.headers["content-type"] = "application/json";
        out.body = *document;
        return out;
    });
}

}  // namespace pb::remote
