// SPDX-License-Identifier: Apache-2.0
// sign-in-pages: the pages with made-up contents, for a browser that looks at them. It prints its
// port and ends with its standard input.
//
//   GET  /<page>?<URI>   the page, for a client that is sent back to this URI
//   POST /<page>?<URI>   sends the browser there, with the form as its query; from /onward by a
//   page
//                        between
#include "oauth/pages.h"

#include <chrono>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <string>

#include "http/server.h"

namespace pb::oauth::pages {
namespace {

SignIn a_sign_in(const std::string& action) { return {action, "r1", "c1", "Claude", "", ""}; }

SignIn a_wrong_sign_in(const std::string& action) {
    return {action, "r1", "c1", "Claude", "ada@example.com", "The login or the password is wrong."};
}

Consent a_consent(const std::string& action, const std::string& redirect) {
    Consent out;
    out.action = action;
    out.request_id = "r1";
    out.csrf = "c1";
    out.person = "ada@example.com";
    out.org = "blue";
    out.client_name = "Claude";
    out.client_uri = "https://claude.example/";
    out.client_id = "https://claude.example/oauth/client.json";
    out.redirect_host = "claude.example";
    out.redirect_uri = redirect.empty() ? "https://claude.example/callback" : redirect;
    out.orgs = {{"blue", "Blue Inc."}};
    out.levels = {{"mcp:read", "Read", "Look things up. Nothing changes.", true, true},
                  {"mcp:write", "Change", "Make things and change them.", true, true},
                  {"mcp:admin", "Delete", "Your role does not permit it.", false, false}};
    out.actions = {{"action:crm", "Customers", "", true, true},
                   {"action:mail", "Mail", "", true, true}};
    return out;
}

// Everything that a consent page can have.
Consent a_full_consent(const std::string& action, const std::string& redirect) {
    Consent out = a_consent(action, redirect);
    out.orgs.emplace_back("red", "Red Inc.");
    out.self_described = true;
    out.loopback = true;
    out.redirect_host = "127.0.0.1:4711";
    out.sources = {{"source:archive", "The archive", "What is older than a year.", true, true},
                   {"source:live", "Live data", "", false, true}};
    out.objects = {{"object:note", "Notes", "", true, true},
                   {"object:salary", "Salaries", "Blue Inc. does not permit it.", false, false}};
    out.error = "Choose at least one thing that it may do.";
    return out;
}

Consent a_long_consent(const std::string& action, const std::string& redirect) {
    Consent out = a_full_consent(action, redirect);
    out.client_name = std::string(100, 'W');
    out.client_uri = "https://" + std::string(200, 'w') + ".example/";
    out.redirect_uri = "com.example.app:/" + std::string(500, 'c');
    out.loopback = false;
    for (int i = 0; i < 60; ++i) {
        out.actions.push_back(
            {"action:a" + std::to_string(i), std::string(64, 'a'), "", i > 5, true});
    }
    return out;
}

Grants some_grants(const std::string& action) {
    return {action,
            "c1",
            "ada@example.com",
            {{"g1", "Claude", "mcp:read mcp:write action:crm", "blue", "2026-11-22 05:00 UTC", ""},
             {"g2", "Cursor", "mcp:read", "red", "2026-11-21 17:30 UTC", "2026-11-22 04:10 UTC"}},
            action};
}

using Make = std::function<Page(const std::string& action, const std::string& redirect)>;

const std::map<std::string, Make, std::less<>>& pages() {
    static const std::map<std::string, Make, std::less<>> all{
        {"/sign_in", [](auto& action, auto&) { return sign_in(a_sign_in(action)); }},
        {"/sign_in_wrong", [](auto& action, auto&) { return sign_in(a_wrong_sign_in(action)); }},
        {"/consent", [](auto& action, auto& to) { return consent(a_consent(action, to)); }},
        {"/onward", [](auto& action, auto& to) { return consent(a_consent(action, to)); }},
        {"/consent_full",
         [](auto& action, auto& to) { return consent(a_full_consent(action, to)); }},
        {"/consent_long",
         [](auto& action, auto& to) { return consent(a_long_consent(action, to)); }},
        {"/grants", [](auto& action, auto&) { return grants(some_grants(action)); }},
        {"/grants_none",
         [](auto& action, auto&) {
             return grants({action, "c1", "ada", {}, ""});
         }},
        {"/message",
         [](auto&, auto&) {
             return message({"This request cannot go on",
                             "The program that sent you here asks in a way that is not understood. "
                             "Go back to it and start again.",
                             "invalid_request: code_challenge_method is S256"});
         }},
    };
    return all;
}

http::Response answer(const http::Request& request) {
    const auto page = pages().find(request.path);
    if (page == pages().end()) return page_response(404, message({"Not found", "", ""}), "");
    const std::string redirect(request.query);
    if (request.method == "POST") {
        const char sign = redirect.find('?') == std::string::npos ? '?' : '&';
        const std::string to = redirect + sign + request.body;
        if (request.path == "/onward") return page_response(200, onward({to, "Claude"}), "");
        return {303, "", "", {{"Location", to}}};
    }
    const std::string action = page->first + "?" + redirect;
    return page_response(200, page->second(action, redirect), redirect);
}

}  // namespace
}  // namespace pb::oauth::pages

int main() {
    pb::http::ServerOptions options;
    options.port = 0;
    auto server = pb::http::Server::start(options, [](auto request, auto exchange) {
        exchange->respond(pb::oauth::pages::answer(*request));
    });
    if (!server) {
        std::cerr << server.error().message << '\n';
        return 1;
    }
    std::cout << (*server)->port() << std::endl;
    std::cin.ignore(std::numeric_limits<std::streamsize>::max());
    (*server)->stop(std::chrono::seconds(1));
}
