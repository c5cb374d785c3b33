// SPDX-License-Identifier: Apache-2.0
// An identity provider for the tests, with a network and a clock of its own.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "jose/signer.h"
#include "oauth/issuers.h"

namespace pb::oauth::issuer_tests {

using jose::testing::Json;
using jose::testing::Signer;

class IssuersWorld : public ::testing::Test {
  protected:
    const std::string issuer = "https://login.example";
    const std::string jwks_uri = "https://login.example/keys";
    const std::string resource = "https://mcp.example/mcp";
    static constexpr std::int64_t start = 1'800'000'000;

    IssuersWorld() { publish({{signer, "k1"}}); }

    ExternalIssuer config() const {
        ExternalIssuer out;
        out.issuer = issuer;
        out.jwks_uri = jwks_uri;
        out.org = "acme";
        out.own_scopes = true;
        return out;
    }
    Issuers::Parts parts() {
        Issuers::Parts out;
        out.fetch = [this](const outbound::Request& request) { return fetch(request); };
        out.is_ours = [this](std::string_view audience) { return audience == resource; };
        out.now = [this] {
            return std::chrono::system_clock::time_point(std::chrono::seconds(seconds));
        };
        // Far from zero, so that nothing is "before the beginning".
        out.ticks = [this] {
            return std::chrono::steady_clock::time_point(std::chrono::seconds(seconds));
        };
        out.patience = std::chrono::seconds(60);
        return out;
    }
    std::unique_ptr<Issuers> make(std::vector<ExternalIssuer> configs) {
        auto made = Issuers::make(std::move(configs), parts());
        if (!made) throw std::runtime_error(made.error().message);
        return std::move(*made);
    }
    std::unique_ptr<Issuers> make() { return make({config()}); }

    Json claims() const {
        return {{"iss", issuer},
                {"aud", resource},
                {"sub", "ada"},
                {"exp", seconds + 600},
                {"scope", "mcp:read"}};
    }
    Json with(const Json& changes) const {
        auto out = claims();
        for (const auto& [name, value] : changes.items())
            if (value.is_discarded() || value == "absent")
                out.erase(name);
            else
                out[name] = value;
        return out;
    }
    std::string token(const Json& changes = Json::object()) const {
        return signer.token(with(changes), "k1");
    }

    // Where the token leads; a fault of the test if it does not.
    static Issuers::Holder holder(Issuers& issuers, const std::string& token) {
        const auto outcome = issuers.check(token);
        if (!outcome) throw std::runtime_error("not a token of ours");
        if (const auto* refused = std::get_if<Issuers::Refused>(&*outcome))
            throw std::runtime_error("refused: " + refused->description);
        return std::get<Issuers::Holder>(*outcome);
    }
    // "401 invalid_token why", "valid" or "not ours".
    static std::string said(Issuers& issuers, const std::string& token) {
        const auto outcome = issuers.check(token);
        if (!outcome) return "not ours";
        const auto* refused = std::get_if<Issuers::Refused>(&*outcome);
        if (refused == nullptr) return "valid";
        return std::to_string(refused->status) + " " + std::string(refused->error) + " " +
               refused->description;
    }

    // What is at the URLs from now on.
    void put(const std::string& url, int status, std::string body = "",
             outbound::Headers headers = {}) {
        std::lock_guard lock(mutex_);
        places_[url] = outbound::Answer{{status, std::move(headers)}, std::move(body)};
    }
    void publish(const std::vector<std::pair<Signer, std::string>>& signers,
                 outbound::Headers headers = {}) {
        Json keys = Json::array();
        for (const auto& [each, kid] : signers)
            keys.push_back(each.jwk(kid));
        put(jwks_uri, 200, jose::testing::key_set(keys), std::move(headers));
    }
    std::vector<std::string> asked() const {
        std::lock_guard lock(mutex_);
        return asked_;
    }
    int fetches() const { return static_cast<int>(asked().size()); }

    std::atomic<std::int64_t> seconds{start};
    const Signer signer = Signer::p256();
    // Called for each request, outside of all locks.
    std::function<void()> on_fetch = [] {};

  private:
    std::variant<outbound::Answer, outbound::Failure> fetch(const outbound::Request& request) {
        outbound::Answer answer{{404, {}}, "nothing here"};
        {
            std::lock_guard lock(mutex_);
            asked_.push_back(request.url);
            if (const auto place = places_.find(request.url); place != places_.end())
                answer = place->second;
        }
        on_fetch();
        if (answer.head.status == 0)
            return outbound::Failure{outbound::Fault::unreachable, false, "nobody is there"};
        return answer;
    }

    mutable std::mutex mutex_;
    std::map<std::string, outbound::Answer> places_;
    std::vector<std::string> asked_;
};

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace pb::oauth::issuer_tests
