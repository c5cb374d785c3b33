// SPDX-License-Identifier: Apache-2.0
// An authorization server with people and organisations, without a socket: requests are made of
// text, browsers keep their cookie.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/tokens.h"
#include "base/url.h"
#include "oauth/server.h"
#include "support/exchange.h"
#include "support/files.h"
#include "support/must.h"
#include "support/notes.h"

namespace pb::oauth::testing {

using Json = nlohmann::json;
using test::must;

class Trail : public test::Notes {
  public:
    std::vector<audit::Record> of(std::string_view method) const {
        auto out = all();
        std::erase_if(out, [&](const auto& each) { return each.method != method; });
        return out;
    }
    std::string text() const {
        std::string out;
        for (const auto& each : all())
            out += each.method + "|" + each.principal + "|" + each.credential + "|" + each.client +
                   "|" + each.name + "|" + each.outcome + "|" + each.reason + "\n";
        return out;
    }
};

struct Answer {
    int status = 0;
    std::string type, body;
    http::HeaderList headers;

    std::string header(std::string_view name) const {
        for (const auto& [key, value] : headers)
            if (key == name) return value;
        return {};
    }
    Json json() const { return Json::parse(body); }
    std::string error() const { return json().value("error", ""); }
    // Where it sends the browser, by a redirect or by a page that leads on; empty: nowhere.
    std::string leads_to() const {
        const std::string before = "http-equiv=\"refresh\" content=\"0; url=";
        const auto at = body.find(before);
        if (at == std::string::npos) return header("Location");
        const auto from = at + before.size();
        return unescaped(body.substr(from, body.find('"', from) - from));
    }
    static std::string unescaped(std::string text) {
        for (auto amp = text.find("&amp;"); amp != text.npos; amp = text.find("&amp;", amp + 1))
            text.replace(amp, 5, "&");
        return text;
    }
    // A parameter of the place that the browser is sent to.
    std::string sent(std::string_view name) const {
        const auto to = leads_to();
        const auto query = to.find('?');
        if (query == std::string::npos) return {};
        const auto params = form_decode(to.substr(query + 1));
        for (const auto& [key, value] : params.value_or(FormParams()))
            if (key == name) return value;
        return {};
    }
    // A hidden field of the page.
    std::string field(const std::string& name) const {
        const auto start = "name=\"" + name + "\" value=\"";
        const auto at = body.find(start);
        if (at == std::string::npos) return {};
        const auto from = at + start.size();
        auto out = body.substr(from, body.find('"', from) - from);
        return unescaped(out);
    }
    bool shows(std::string_view text) const { return body.find(text) != std::string::npos; }
};

class OAuthTest : public ::testing::Test {
  protected:
    static constexpr const char* callback = "http://127.0.0.1:4000/callback";
    static constexpr const char* verifier = "abcdefghijklmnopqrstuvwxyz0123456789-._~ABCDE";
    static std::string challenge() { return sha256_url(verifier); }

    OAuthTest() {
        ann_ = must(access_->people.add("ann@example.com", "Ann", "correct horse battery"));
        must(access_->people.join("acme", ann_.id, access::Role::owner));
        choices_["acme"].namespaces = {{"weather", "Weather", ""}, {"files", "Files", ""}};
    }

    Options options() const {
        Options out;
        out.sign_in = out.registration = out.token = out.described = {10'000, 10'000};
        return out;
    }
    void serve(Options options) { server_ = std::make_unique<Server>(parts(), std::move(options)); }
    Parts parts() {
        return {*access_,
                trail_,
                *secrets_,
                [this](const std::string& url) -> Result<Document> {
                    ++fetched_;
                    const auto found = documents_.find(url);
                    if (found == documents_.end()) return invalid("the document cannot be read");
                    return found->second;
                },
                [this](const std::string& org) { return choices_[org]; },
                [this](std::string_view org) { return choices_.contains(std::string(org)); }};
    }

    Answer send(const std::string& method, const std::string& target, http::HeaderList headers = {},
                std::string body = {}) {
        const bool has_host = std::any_of(headers.begin(), headers.end(),
                                          [](const auto& each) { return each.first == "Host"; });
        if (!has_host) headers.emplace_back("Host", "127.0.0.1:8080");
        if (!cookie_.empty()) headers.emplace_back("Cookie", "a=b; patchbay=" + cookie_);
        auto request = test::make_request(method, std::move(headers), std::move(body));
        struct Owned {
            std::string target;
            std::shared_ptr<void> rest;
        };
        auto owned = std::make_shared<Owned>(Owned{target, request->buffer});
        const std::string_view whole = owned->target;
        request->path = whole.substr(0, whole.find('?'));
        request->query = whole.substr(std::min(whole.find('?'), whole.size() - 1) + 1);
        if (whole.find('?') == whole.npos) request->query = {};
        request->peer = peer_;
        request->secure = secure_;
        request->buffer = std::move(owned);
        const auto exchange = std::make_shared<Taken>();
        server_->handle(request, exchange);
        return exchange->answer;
    }
    Answer get(const std::string& target, http::HeaderList headers = {}) {
        return send("GET", target, std::move(headers));
    }
    Answer post(const std::string& path, const FormParams& form, http::HeaderList headers = {}) {
        headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
        return send("POST", path, std::move(headers), form_encode(form));
    }
    Answer post_json(const std::string& path, const std::string& body) {
        return send("POST", path, {{"Content-Type", "application/json"}}, body);
    }

    // The server's own program, or one of these tests' clients.
    Json register_client(Json metadata = Json::object()) {
        if (!metadata.contains("redirect_uris")) metadata["redirect_uris"] = {callback};
        if (!metadata.contains("client_name")) metadata["client_name"] = "Some Client";
        if (!metadata.contains("token_endpoint_auth_method"))
            metadata["token_endpoint_auth_method"] = "none";
        const auto made = post_json("/oauth/register", metadata.dump());
        EXPECT_EQ(made.status, 201) << made.body;
        return made.json();
    }
    const std::string& client() {
        if (client_.empty()) client_ = register_client().at("client_id");
        return client_;
    }

    void sign_in_as(const access::Person& person) {
        cookie_ = must(access_->people.open_browser(person.id, 3'600'000));
    }
    // An authorization request; a value of `changes` that is "-" takes the parameter away.
    std::string authorize_url(const FormParams& changes = {}) {
        FormParams params{
            {"response_type", "code"},         {"client_id", client()},
            {"redirect_uri", callback},        {"code_challenge", challenge()},
            {"code_challenge_method", "S256"}, {"state", "st&te"},
            {"scope", "mcp:read mcp:write"},   {"resource", "http://127.0.0.1:8080/mcp"}};
        for (const auto& [name, value] : changes) {
            std::erase_if(params, [&name = name](const auto& each) { return each.first == name; });
            if (value != "-") params.emplace_back(name, value);
        }
        return "/oauth/authorize?" + form_encode(params);
    }
    // The consent page's form, as a browser sends it if nothing is touched.
    static FormParams form_of(const Answer& page, const FormParams& ticks = all_ticks()) {
        FormParams out{{"request", page.field("request")},
                       {"csrf", page.field("csrf")},
                       {"org", page.field("org")}};
        out.insert(out.end(), ticks.begin(), ticks.end());
        return out;
    }
    static FormParams all_ticks() {
        return {{"level", "mcp:read"}, {"level", "mcp:write"}, {"actions_all", "on"}};
    }
    static FormParams allowing(FormParams form) {
        form.emplace_back("decision", "allow");
        return form;
    }
    // Signed in and all allowed: the code.
    std::string code(const FormParams& changes = {}, const FormParams& ticks = all_ticks()) {
        if (cookie_.empty()) sign_in_as(ann_);
        const auto page = get(authorize_url(changes));
        EXPECT_EQ(page.status, 200) << page.body << page.header("Location");
        const auto answer = post("/oauth/consent", allowing(form_of(page, ticks)));
        EXPECT_EQ(answer.status, 200) << answer.body;
        return answer.sent("code");
    }
    FormParams redemption(const std::string& code) {
        return {{"grant_type", "authorization_code"},
                {"code", code},
                {"client_id", client()},
                {"redirect_uri", callback},
                {"code_verifier", verifier},
                {"resource", "http://127.0.0.1:8080/mcp"}};
    }
    static FormParams with(FormParams params, const std::string& name, const std::string& value) {
        std::erase_if(params, [&](const auto& each) { return each.first == name; });
        if (value != "-") params.emplace_back(name, value);
        return params;
    }
    FormParams refreshing(const std::string& token) {
        return {{"grant_type", "refresh_token"}, {"refresh_token", token}, {"client_id", client()}};
    }
    Json tokens(const FormParams& changes = {}, const FormParams& ticks = all_ticks()) {
        const auto answer = post("/oauth/token", redemption(code(changes, ticks)));
        EXPECT_EQ(answer.status, 200) << answer.body;
        return answer.json();
    }
    bool works(const std::string& access) {
        return must(access_->grants.find_access(access)).has_value();
    }

    struct Taken : test::FakeExchange {
        bool respond(http::Response response) override {
            answer = {response.status, response.content_type, response.body, response.headers};
            return FakeExchange::respond(std::move(response));
        }
        Answer answer;
    };

    test::TempFolder folder_;
    std::unique_ptr<access::Access> access_ = must(access::Access::open(folder_.path(), {}));
    std::unique_ptr<store::Store> store_ = must(store::open_store(folder_ / "patchbay.db"));
    std::unique_ptr<store::Secrets> secrets_ = std::make_unique<store::Secrets>(
        *store_, store::MasterKeys{folder_ / "master.key", {}, {}});
    Trail trail_;
    std::map<std::string, Document> documents_;
    std::map<std::string, Choices> choices_{{"acme", {}}, {"beta", {}}};
    int fetched_ = 0;
    std::unique_ptr<Server> server_ = std::make_unique<Server>(parts(), options());
    access::Person ann_;
    std::string client_, cookie_, peer_ = "192.0.2.7";
    bool secure_ = false;
};

}  // namespace pb::oauth::testing
