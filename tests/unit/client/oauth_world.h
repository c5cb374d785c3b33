// SPDX-License-Identifier: Apache-2.0
// A network of their own for the tests of OAuth: an MCP server and its authorization server as
// handlers behind a Fetch, with a record of what was asked of them.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/base64.h"
#include "client/oauth/oauth.h"
#include "json/parse.h"

namespace pb::client::oauth {

using json::Json;
using outbound::Answer;
using outbound::Request;

inline Answer plain(int status, const std::string& body = "") { return {{status, {}}, body}; }
inline Answer answer(int status, const Json& body, outbound::Headers headers = {}) {
    return {{status, std::move(headers)}, json::dump(body)};
}

inline Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(30); }

// The value of a form's field, or of a query's; empty if absent.
inline std::string field(std::string_view form, std::string_view name) {
    const auto params = form_decode(form);
    for (const auto& [key, value] : params.value_or(FormParams()))
        if (key == name) return value;
    return "";
}
inline std::string query_field(const std::string& url, std::string_view name) {
    return field(std::string_view(url).substr(url.find('?') + 1), name);
}
// A part of a JWT: 0 the header, 1 the claims.
inline Json jwt_part(const std::string& jwt, int part) {
    auto rest = jwt;
    for (int i = 0; i < part; ++i)
        rest = rest.substr(rest.find('.') + 1);
    const auto text = base64_decode(rest.substr(0, rest.find('.')), Alphabet::url);
    return Json::parse(text.value_or("null"));
}

class World {
  public:
    using Handler = std::function<Answer(const Request&)>;

    const std::string server = "https://mcp.example/mcp";
    const std::string issuer = "https://as.example";
    const std::string callback = "https://patchbay.example/oauth/callback";

    World() {
        resource = {{"resource", server}, {"authorization_servers", {issuer}}};
        metadata = metadata_of(issuer);
        at("https://mcp.example/.well-known/oauth-protected-resource/mcp",
           [this](const Request&) { return answer(200, resource); });
        at(issuer + "/.well-known/oauth-authorization-server",
           [this](const Request&) { return answer(200, metadata); });
        at(issuer + "/register", [this](const Request& request) { return registration(request); });
        at(issuer + "/token", [this](const Request& request) { return token(request); });
    }

    static Json metadata_of(const std::string& issuer) {
        return {{"issuer", issuer},
                {"authorization_endpoint", issuer + "/authorize"},
                {"token_endpoint", issuer + "/token"},
                {"registration_endpoint", issuer + "/register"},
                {"token_endpoint_auth_methods_supported", {"none"}},
                {"code_challenge_methods_supported", {"S256"}}};
    }

    void at(const std::string& url, Handler handler) { places_[url] = std::move(handler); }

    Fetch fetch() {
        return [this](const Request& request) -> std::variant<Answer, outbound::Failure> {
            Handler handler;
            {
                const std::lock_guard lock(mutex_);
                requests_.push_back(request);
                const auto found = places_.find(request.url);
                if (found == places_.end()) return plain(404, "nothing here");
                handler = found->second;
            }
            return handler(request);
        };
    }

    OAuthSettings settings() const {
        OAuthSettings out;
        out.server = server;
        out.redirect_uri = callback;
        return out;
    }
    OAuthParts parts() {
        return {fetch(), store, nullptr, [this] {
                    return std::chrono::system_clock::time_point(std::chrono::seconds(time));
                }};
    }
    std::shared_ptr<OAuth> make(OAuthSettings settings) {
        auto made = OAuth::make(std::move(settings), parts());
        EXPECT_TRUE(made) << (made ? "" : made.error().message);
        return made ? *made : nullptr;
    }
    std::shared_ptr<OAuth> make() { return make(settings()); }

    // The server refuses a request that carries what `oauth` shows now.
    Result<void> challenge(OAuth& oauth, int status, const std::string& www_authenticate) {
        Challenge refusal;
        refusal.status = status;
        refusal.url = server;
        refusal.www_authenticate = www_authenticate;
        refusal.used = oauth.ready("POST", server).value_or(outbound::Headers());
        return oauth.challenged(refusal, soon());
    }
    // The person's browser: the authorization server answers with a code.
    FormParams callback_of(const OAuth::Begun& begun) const {
        return {{"state", begun.state}, {"code", "code-1"}};
    }
    // A challenge, and a sign-in because of it.
    void sign_in(OAuth& oauth, const std::string& www_authenticate = "Bearer") {
        EXPECT_FALSE(challenge(oauth, 401, www_authenticate));
        const auto begun = oauth.begin_sign_in("ada", soon());
        ASSERT_TRUE(begun) << begun.error().message;
        const auto done = oauth.finish_sign_in(begun->state, callback_of(*begun), soon());
        ASSERT_TRUE(done) << done.error().message;
    }

    std::vector<Request> requests(const std::string& url) const {
        const std::lock_guard lock(mutex_);
        std::vector<Request> out;
        for (const auto& each : requests_)
            if (each.url == url) out.push_back(each);
        return out;
    }
    std::vector<std::string> urls() const {
        const std::lock_guard lock(mutex_);
        std::vector<std::string> out;
        for (const auto& each : requests_)
            out.push_back(each.url);
        return out;
    }
    void forget_requests() {
        const std::lock_guard lock(mutex_);
        requests_.clear();
    }

    Json resource, metadata;
    Json token_members = Json::object();  // besides the access token
    Handler token = [this](const Request&) {
        Json body{{"access_token", "access-" + std::to_string(++tokens)}, {"token_type", "Bearer"}};
        body.update(token_members);
        return answer(200, body);
    };
    Handler registration = [this](const Request&) {
        return answer(201, Json{{"client_id", "client-" + std::to_string(++clients)}});
    };
    std::atomic<int> tokens = 0, clients = 0;
    std::atomic<Seconds> time = 1'800'000'000;
    TokenStorePtr store = memory_token_store();

  private:
    mutable std::mutex mutex_;
    std::map<std::string, Handler> places_;
    std::vector<Request> requests_;
};

inline std::string shown(OAuth& oauth, const World& world) {
    const auto headers = oauth.ready("POST", world.server);
    return headers ? std::string(outbound::find_header(*headers, "Authorization")) : "(none)";
}

}  // namespace pb::client::oauth
