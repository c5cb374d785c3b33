// SPDX-License-Identifier: Apache-2.0
// Plain HTTP for capabilities whose manifest declares routes: Plugin::route() takes a handler for
// each.
//
//   plugin.route("/api/notes", [](const patchbay::HttpRequest& request, patchbay::Call& call) {
//       if (request.method != "GET") return patchbay::HttpResponse::error(405, "use GET");
//       return patchbay::HttpResponse::of({{"notes", all_notes()}});
//   });
#pragma once

#include <patchbay/call.hpp>

#include <map>
#include <string>
#include <utility>

namespace patchbay {

struct HttpRequest {
    std::string method;                        // GET, POST, PUT, PATCH or DELETE
    std::string route;                         // the declared path
    std::string path;                          // what comes after it: empty or "/..."; as sent
    std::map<std::string, std::string> query;  // decoded
    std::map<std::string, std::string>
        headers;  // content-type, accept, accept-language, user-agent
    std::string body;

    // The body as JSON; ProtocolError (status 400) if it is none.
    json body_json() const {
        json value = json::parse(body, nullptr, false);
        if (value.is_discarded()) throw ProtocolError(PATCHBAY_E_INVALID, "The body must be JSON");
        return value;
    }

    // For the SDK: from the params of patchbay/http/request.
    static HttpRequest of(const json& params) {
        HttpRequest out;
        out.method = params.value("method", "");
        out.route = params.value("route", "");
        out.path = params.value("path", "");
        out.query = params.value("query", out.query);
        out.headers = params.value("headers", out.headers);
        out.body = params.value("body", "");
        return out;
    }
};

struct HttpResponse {
    int status = 200;
    std::string body;
    // content-type, location, cache-control, www-authenticate, retry-after; others do not pass.
    std::map<std::string, std::string> headers;

    static HttpResponse of(const json& value, int status = 200) {
        return {status, dump(value), {{"content-type", "application/json"}}};
    }
    static HttpResponse error(int status, const std::string& message) {
        return of({{"error", message}}, status);
    }
    static HttpResponse html(std::string page, int status = 200) {
        return {status, std::move(page), {{"content-type", "text/html; charset=utf-8"}}};
    }
    static HttpResponse redirect(std::string url, int status = 303) {
        return {status, {}, {{"location", std::move(url)}}};
    }

    json result() const { return {{"status", status}, {"headers", headers}, {"body", body}}; }
};

using HttpHandler = std::function<HttpResponse(const HttpRequest& request, Call& call)>;

}  // namespace patchbay
