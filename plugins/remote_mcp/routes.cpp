// SPDX-License-Identifier: Apache-2.0
// The capability over HTTP: /api/mcp-servers for administrators, /oauth/callback/<org> where
// people come back from a sign-in, /oauth/client/<org> for those who ask who we are.
#include <charconv>

#include "identities.h"
#include "tools.h"

namespace pb::remote {
namespace {

using patchbay::HttpRequest;
using patchbay::HttpResponse;

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
    if (result) return HttpResponse::of(*result, status);
    return HttpResponse::error(status_of(result.error()), result.error().message);
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
    return HttpResponse::html("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>" +
                                  escaped(title) + "</title><body><main><h1>" + escaped(title) +
                                  "</h1><p>" + escaped(text) + "</p></main></body></html>",
                              status);
}

// A path's segment as it was meant; nothing if an escape is broken.
std::optional<std::string> decoded(std::string_view segment) {
    std::string out;
    for (std::size_t i = 0; i < segment.size(); ++i) {
        if (segment[i] != '%') {
            out += segment[i];
            continue;
        }
        unsigned value = 0;
        const auto* begin = segment.data() + i + 1;
        const auto* end = segment.data() + std::min(segment.size(), i + 3);
        if (end - begin != 2 || std::from_chars(begin, end, value, 16).ptr != end)
            return std::nullopt;
        out += static_cast<char>(value);
        i += 2;
    }
    return out;
}

// {"name": ..., <settings>}: an entry as in mcpServers with its name beside.
HttpResponse add(Hub& hub, const std::string& body) {
    auto entry = Json::parse(body, nullptr, false);
    if (!entry.is_object() || !entry.contains("name") || !entry["name"].is_string())
        return respond(
            invalid("the body must be a JSON object: the server's settings with its "
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
    return HttpResponse::error(405, "use GET, PATCH or DELETE");
}

HttpResponse act(Hub& hub, const HttpRequest& request, const std::string& name,
                 const std::string& action) {
    if (request.method != "POST") return HttpResponse::error(405, "use POST");
    if (action == "sync") return respond(hub.sync(name));
    if (action == "test") return respond(hub.test(name));
    if (action == "approve") {
        const auto none = request.body.empty();
        const auto body = none ? Json::object() : Json::parse(request.body, nullptr, false);
        return respond(hub.approve(name, body));
    }
    return HttpResponse::error(404, "there is sync, test and approve");
}

// path: "", "/NAME" or "/NAME/ACTION".
HttpResponse servers(Hub& hub, const HttpRequest& request) {
    const auto path = request.path.empty() ? request.path : request.path.substr(1);
    if (path.empty()) {
        if (request.method == "GET") return respond(hub.list());
        if (request.method == "POST") return add(hub, request.body);
        return HttpResponse::error(405, "use GET or POST");
    }
    const auto slash = path.find('/');
    const auto segment = decoded(std::string_view(path).substr(0, slash));
    if (!segment) return respond(invalid("the path is malformed"));
    const auto& name = *segment;
    if (slash == std::string::npos) return on_server(hub, request, name);
    return act(hub, request, name, path.substr(slash + 1));
}

HttpResponse callback(Hub& hub, const HttpRequest& request) {
    if (request.method != "GET") return HttpResponse::error(405, "use GET");
    auto server = hub.signed_in(request.query);
    if (!server) return page(400, "The sign-in did not work", server.error().message);
    return page(200, "You are signed in",
                "The server '" + *server + "' can be used now. You can close this window.");
}

}  // namespace

void offer_routes(patchbay::Plugin& plugin, Hub& hub) {
    plugin.route("/api/mcp-servers", [&hub](const HttpRequest& request, patchbay::Call&) {
        return servers(hub, request);
    });
    plugin.route("/oauth/callback", [&hub](const HttpRequest& request, patchbay::Call&) {
        return callback(hub, request);
    });
    plugin.route("/oauth/client", [&hub](const HttpRequest&, patchbay::Call&) {
        auto document = client_document(hub.host(), hub.org());
        if (!document) return respond(document.error());
        return HttpResponse{200, *document, {{"content-type", "application/json"}}};
    });
}

}  // namespace pb::remote
