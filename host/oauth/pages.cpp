// SPDX-License-Identifier: Apache-2.0
#include "oauth/pages.h"

#include <algorithm>

#include "base/base64.h"
#include "base/tokens.h"
#include "oauth/pages_html.h"

namespace pb::oauth::pages {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <class Allowed>
bool all_are(std::string_view text, Allowed allowed) {
    return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

// The source expression of a policy that lets a form's answer lead to this URI; empty for none. The
// grammar knows no IPv6 address: there the scheme alone has to do.
// https://www.w3.org/TR/CSP3/#framework-directive-source-list
std::string form_source(std::string_view uri) {
    const auto colon = uri.find(':');
    if (colon == std::string_view::npos) return "";
    const auto scheme = uri.substr(0, colon);
    const auto in_scheme = [](char c) {
        return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
    };
    if (!all_are(scheme, in_scheme) || !is_letter(scheme.front())) return "";
    std::string scheme_source = std::string(scheme) + ':';
    if (scheme != "http" && scheme != "https") return scheme_source;
    auto rest = uri.substr(colon + 1);
    if (!rest.starts_with("//")) return "";
    rest.remove_prefix(2);
    const auto authority = rest.substr(0, rest.find_first_of("/?#"));
    if (authority.starts_with('[')) return scheme_source;
    const auto in_authority = [](char c) {
        return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == ':' || c == '_';
    };
    if (!all_are(authority, in_authority)) return "";
    return scheme_source + "//" + std::string(authority);
}

std::string hash_source(std::string_view text) {
    return "'sha256-" + base64_encode(sha256(text), Alphabet::standard) + "'";
}

std::string policy(const Page& page, std::string_view leads_to) {
    static const std::string style = hash_source(style_sheet().text());
    std::string out = "default-src 'none'; style-src " + style;
    if (!page.script_hash.empty()) out += "; script-src '" + page.script_hash + "'";
    out += "; form-action 'self'";
    if (const auto source = form_source(leads_to); !source.empty()) out += " " + source;
    return out + "; frame-ancestors 'none'; base-uri 'none'";
}

Html labelled_input(std::string_view id, std::string_view label, const Html& attributes) {
    Html out;
    out << R"(<div class="field"><label for=")" << id << R"(">)" << label
        << R"(</label><input id=")" << id << R"(" name=")" << id << R"(" required)" << attributes
        << "></div>\n";
    return out;
}

}  // namespace

http::Response page_response(int status, const Page& page, std::string_view form_action_origin) {
    return {status,
            "text/html; charset=utf-8",
            page.html,
            {{"Content-Security-Policy", policy(page, form_action_origin)},
             {"X-Frame-Options", "DENY"},
             {"X-Content-Type-Options", "nosniff"},
             // With no-referrer, a browser would say "Origin: null" with a form.
             {"Referrer-Policy", "same-origin"},
             {"Cache-Control", "no-store"},
             {"Cross-Origin-Opener-Policy", "same-origin"},
             {"Cross-Origin-Resource-Policy", "same-origin"},
             {"Permissions-Policy",
              "camera=(), microphone=(), geolocation=(), payment=(), usb=(), "
              "display-capture=(), publickey-credentials-get=()"}}};
}

Page sign_in(const SignIn& asked) {
    Html main;
    main << "<h1>Sign in</h1>\n";
    if (!asked.client_name.empty())
        main << "<p><strong><bdi>" << asked.client_name
             << "</bdi></strong> asks for access. Sign in first; then you choose what it "
                "gets.</p>\n";
    main << error_note(asked.error) << R"(<form method="post" action=")" << asked.action << "\">\n"
         << hidden("request", asked.request_id) << hidden("csrf", asked.csrf);
    // Who comes back after an error has to hear it, and goes on where something is missing.
    Html wrong, login, password;
    if (!asked.error.empty()) wrong << R"( aria-describedby="error" aria-invalid="true")";
    login << R"( type="text" value=")" << asked.login
          << R"(" autocomplete="username" autocapitalize="none" spellcheck="false")" << wrong;
    password << R"( type="password" autocomplete="current-password")" << wrong;
    (asked.login.empty() ? login : password) << " autofocus";
    main << labelled_input("login", "E-mail address or login", login)
         << labelled_input("password", "Password", password)
         << "<button type=\"submit\">Sign in</button>\n</form>\n";
    return {whole_page(asked.error.empty() ? "Sign in" : "Error: sign in", main), ""};
}

Page message(const Message& told) {
    Html main;
    main << "<h1>" << told.title << "</h1>\n<p>" << told.text << "</p>\n";
    if (!told.detail.empty()) main << R"(<p class="detail">)" << told.detail << "</p>\n";
    return {whole_page(told.title, main), ""};
}

Page onward(const Onward& led) {
    Html head, main;
    head << R"(<meta http-equiv="refresh" content="0; url=)" << led.uri << "\">\n";
    main << "<h1>Back to <bdi>" << led.client_name
         << "</bdi></h1>\n<p>If nothing happens, <a href=\"" << led.uri
         << R"(">go back yourself</a>. Then you can close this window.</p>)"
         << "\n";
    return {whole_page("Back to " + led.client_name, main, head), ""};
}

}  // namespace pb::oauth::pages
