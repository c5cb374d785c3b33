// SPDX-License-Identifier: Apache-2.0
#include "oauth/authorization.h"

#include <algorithm>

#include "base/url.h"
#include "oauth/asked_scopes.h"
#include "oauth/browser.h"
#include "oauth/params.h"

namespace pb::oauth {
namespace {

constexpr std::size_t longest_query = 8U << 10U, longest_state = 4096, longest_nonce = 512;

bool is_visible(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// A SHA-256 in base64url.
bool is_challenge(std::string_view text) {
    return text.size() == 43 && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
           });
}

http::Response wrong_request(std::string text, std::string detail = {}) {
    return message_answer(400, "This sign-in link does not work", std::move(text),
                          std::move(detail));
}

struct Wrong {
    std::string code, description;
};

// Whose request it is and where its answer goes; a page if that is not clear.
std::variant<Authorization, http::Response> read_way_back(Desk& desk, const Visit& visit,
                                                          const Params& params) {
    const std::string start_again = "Start again from the application that sent you here.";
    if (params.all("client_id").size() > 1 || params.all("redirect_uri").size() > 1)
        return wrong_request(start_again, "client_id and redirect_uri come once each");
    const auto id = params.get("client_id");
    if (id.empty()) return wrong_request(start_again, "client_id is missing");
    auto found = desk.clients.find(id, [&] {
        return !desk.buckets.take("described " + visit.address, desk.options.described);
    });
    if (!found) {
        const bool wrong = found.error().kind == ErrorKind::invalid;
        if (wrong) return wrong_request(start_again, found.error().message);
        return message_answer(503, "Not now", "Please try again in a minute.",
                              found.error().kind == ErrorKind::busy ? found.error().message : "");
    }
    if (!*found || (*found)->is_machine())
        return wrong_request(
            "The application that sent you here is not known to this server (any more). Remove the "
            "connection there and make it anew.",
            "invalid_client: unknown client_id");
    Authorization out;
    out.client = std::move(**found);
    out.back.client_name = name_of(out.client);
    out.back.after_form = visit.request.method == "POST";
    out.back.redirect_uri = params.get("redirect_uri");
    if (out.back.redirect_uri.empty() && out.client.redirect_uris.size() == 1)
        out.back.redirect_uri = out.client.redirect_uris.front();
    if (!access::redirects_to(out.client, out.back.redirect_uri))
        return wrong_request(
            "It would send you to an address that the application has not registered. Do not go "
            "on if you did not start this yourself.",
            "invalid_request: redirect_uri is none of the client's");
    // What cannot be sent back whole is not sent back at all.
    const auto state = params.get("state");
    if (state.size() <= longest_state) out.back.state = state;
    return out;
}

Wrong read_response_type(const Params& params) {
    if (params.repeats({"resource"}))
        return {"invalid_request", "a parameter comes more than once"};
    if (params.get("state").size() > longest_state)
        return {"invalid_request", "state is longer than 4096 bytes"};
    if (!params.get("request").empty())
        return {"request_not_supported", "request objects are not taken here"};
    if (!params.get("request_uri").empty())
        return {"request_uri_not_supported", "request objects are not taken here"};
    const auto type = params.get("response_type");
    if (type.empty()) return {"invalid_request", "response_type is missing; it is code"};
    if (type != "code") return {"unsupported_response_type", "the response_type here is code"};
    const auto mode = params.get("response_mode");
    if (!mode.empty() && mode != "query")
        return {"invalid_request", "the response_mode here is query"};
    return {};
}

Wrong read_challenge(const Params& params, Authorization& out) {
    out.code_challenge = params.get("code_challenge");
    if (out.code_challenge.empty())
        return {"invalid_request", "code_challenge is missing: PKCE is required"};
    // One that is not named is plain (RFC 7636, 4.3).
    if (params.get("code_challenge_method") != "S256")
        return {"invalid_request", "the code_challenge_method here is S256"};
    if (!is_challenge(out.code_challenge))
        return {"invalid_request", "a code_challenge of S256 has 43 characters of base64url"};
    return {};
}

Wrong read_rest(const Place& place, const Params& params, Authorization& out) {
    for (const auto& resource : params.all("resource"))
        if (!place.is_resource(resource))
            return {"invalid_target", "the resource here is " + place.resource};
    auto asked = read_scopes(params.get("scope"));
    if (!asked) return {"invalid_scope", asked.error().message};
    out.openid = asked->openid;
    out.scopes = std::move(asked->scopes);
    if (out.scopes.empty()) {
        auto names = out.scopes.names();
        names.insert(names.end(), {"mcp:read", "mcp:write"});
        auto usual = access::Scopes::of(names);
        if (!usual) return {"invalid_scope", usual.error().message};
        out.scopes = std::move(*usual);
    }
    out.nonce = params.get("nonce");
    if (out.nonce.size() > longest_nonce)
        return {"invalid_request", "nonce is longer than 512 bytes"};
    out.login_hint = params.get("login_hint");
    if (out.login_hint.size() > 254) out.login_hint.clear();
    const auto prompt = " " + std::string(params.get("prompt")) + " ";
    const auto names = [&](const char* what) { return prompt.find(what) != std::string::npos; };
    out.silent = names(" none ");
    out.sign_in_anew = names(" login ") || names(" select_account ");
    if (out.silent && prompt != " none ") return {"invalid_request", "prompt=none stands alone"};
    return {};
}

}  // namespace

std::variant<Authorization, http::Response> read_authorization(Desk& desk, const Visit& visit,
                                                               std::string_view query) {
    auto params =
        query.size() <= longest_query && is_visible(query) ? Params::read(query) : std::nullopt;
    if (!params) return wrong_request("It is not well-formed, or too long.");
    auto read = read_way_back(desk, visit, *params);
    if (auto* out = std::get_if<Authorization>(&read)) {
        auto wrong = read_response_type(*params);
        if (wrong.code.empty()) wrong = read_challenge(*params, *out);
        if (wrong.code.empty()) wrong = read_rest(visit.place, *params, *out);
        if (!wrong.code.empty())
            return refuse(desk, visit, out->back, wrong.code, wrong.description);
    }
    return read;
}

std::string name_of(const access::OAuthClient& client) {
    return client.name.empty() ? client.id : client.name;
}

http::Response refuse(Desk& desk, const Visit& visit, const Return& back, std::string_view code,
                      std::string_view description) {
    const auto url = parse_url(back.redirect_uri, "redirect_uri");
    if (!url || !url->loopback()) {
        const auto browser = Browser::of(visit.request, visit.place, desk.parts.access.people);
        // What is no URL of the web opens an application of the person's.
        const auto at = url ? url->host : back.redirect_uri.substr(0, back.redirect_uri.find('/'));
        if (!browser || !browser->person())
            return wrong_request("The application that sent you here, at " + at +
                                     ", has asked for something that does not work here. Nothing "
                                     "was granted.",
                                 std::string(code) + ": " + std::string(description));
    }
    return return_error(back, visit.place, code, description);
}

}  // namespace pb::oauth
