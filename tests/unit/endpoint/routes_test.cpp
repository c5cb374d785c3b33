// SPDX-License-Identifier: Apache-2.0
// Plain HTTP to capabilities: who may, which organisation, what passes in both directions.
#include "endpoint/routes.h"

#include <gtest/gtest.h>

#include "support/exchange.h"
#include "support/files.h"
#include "support/notes.h"
#include "support/world.h"

namespace pb::test {
namespace {

using Access = catalog::Route::Access;

class RoutesTest : public testing::Test {
  protected:
    RoutesTest() {
        provider->handlers["patchbay/http/request"] = [this](auto id, const json& params,
                                                             const json& context) {
            seen = params;
            seen_context = context;
            if (keeps) return void(kept = id);
            calls.complete(id, status, result.dump());
        };
        serve("default", {{"/api/notes", Access::read},
                          {"/api/notes/secret", Access::admin},
                          {"/oauth/callback", Access::open}});
        serve("acme", {{"/oauth/callback", Access::open}, {"/hooks/mail", Access::open}});
    }
    ~RoutesTest() override { calls.drain(std::chrono::seconds(5)); }

    // From now on all that is recorded is in `notes`, and so much may be asked for.
    void record(const Rate& rate = {}) {
        admission.recorder().use(&notes, {}, {});
        test::allow(admission.policies(), [&](auto& access) { access.limits.org = rate; });
    }
    test::Notes notes;

    void serve(const std::string& org, std::vector<catalog::Route> routes) {
        auto snapshot = std::make_shared<catalog::Snapshot>();
        snapshot->org = org;
        auto binding = std::make_shared<catalog::Binding>();
        binding->capability = "notes";
        binding->provider = provider;
        binding->capability = binding->name_space = "notes";
        binding->routes = std::move(routes);
        snapshot->bindings.push_back(binding);
        catalog.replace(org, snapshot);
    }
    FakeExchangePtr send(const std::string& method, const std::string& target,
                         HeaderList headers = {}, const std::string& body = {},
                         bool loopback = true) {
        auto exchange = std::make_shared<FakeExchange>();
        headers.emplace_back("Host", "127.0.0.1:8080");
        auto request = make_request(method, std::move(headers), body);
        // The target's text must live as long as the request.
        targets.push_back(std::make_unique<std::string>(target));
        const std::string_view all = *targets.back();
        request->path = all.substr(0, all.find('?'));
        if (request->path.size() < all.size()) request->query = all.substr(all.find('?') + 1);
        request->loopback = loopback;
        routes.handle(request, exchange);
        return exchange;
    }

    void configure(const std::function<void(config::OrgAccess&)>& change) {
        test::allow(admission.policies(), change);
    }
    // What a bearer token is.
    admission::Authenticated check(std::string_view) const {
        if (refused) return *refused;
        return admission::Authenticator::external("default", "ada", external, "");
    }

    test::TempFolder folder;
    std::unique_ptr<access::Access> records = std::move(*access::Access::open(folder.path()));
    access::Scopes external;
    std::optional<admission::Refused> refused;
    std::vector<std::unique_ptr<std::string>> targets;
    catalog::Catalog catalog;
    runtime::Calls calls{World::quick()};
    std::shared_ptr<FakeProvider> provider = std::make_shared<FakeProvider>(calls);
    admission::Admission admission{catalog, calls};
    admission::Authenticator authenticator{
        {.anonymous_org = "default", .external = [this](auto token) { return check(token); }},
        records.get()};
    endpoint::Gate gate{authenticator, endpoint::Guards({}, {"https://app.example.com"}), {}};
    endpoint::Routes routes{catalog, admission, gate};
    json seen, seen_context;
    json result = {{"body", "{}"}};
    Status status = Status::ok;
    bool keeps = false;
    catalog::CallId kept = catalog::no_call;
};

TEST_F(RoutesTest, ARequestIsACall) {
    result = {{"status", 201}, {"headers", {{"Content-Type", "text/plain"}}}, {"body", "made"}};
    auto exchange =
        send("POST", "/api/notes/a%20b/c?q=1+2&empty=&x=%C3%A4",
             {{"Content-Type", "text/plain"}, {"User-Agent", "test"}, {"Cookie", "a=b"}},
             "text \"\xC3\xA4\"");
    EXPECT_EQ(exchange->status(), 201);
    EXPECT_EQ(exchange->type(), "text/plain");
    EXPECT_EQ(exchange->body(), "made");
    EXPECT_EQ(seen, (json{{"method", "POST"},
                          {"route", "/api/notes"},
                          {"path", "/a%20b/c"},
                          {"query", {{"q", "1 2"}, {"empty", ""}, {"x", "\xC3\xA4"}}},
                          {"headers", {{"content-type", "text/plain"}, {"user-agent", "test"}}},
                          {"body", "text \"\xC3\xA4\""}}));
    EXPECT_EQ(seen_context["org"], "default");
    EXPECT_EQ(seen_context["principal"]["id"], "anonymous");
}

TEST_F(RoutesTest, AnswersAreGuardedWhateverTheySay) {
    result = {{"headers",
               {{"Location", "/x"},
                {"Set-Cookie", "a=b"},
                {"Access-Control-Allow-Origin", "*"},
                {"content-security-policy", "default-src *"},
                {"retry-after", 5}}},
              {"body", "{}"}};
    auto exchange = send("GET", "/api/notes");
    EXPECT_EQ(exchange->status(), 200);
    EXPECT_EQ(exchange->type(), "application/json");
    EXPECT_EQ(exchange->header("Location"), "/x");
    EXPECT_EQ(exchange->header("Set-Cookie"), "");
    EXPECT_EQ(exchange->header("Access-Control-Allow-Origin"), "");
    EXPECT_EQ(exchange->header("Retry-After"), "");
    EXPECT_EQ(exchange->header("Cache-Control"), "no-store");
    EXPECT_EQ(exchange->header("X-Content-Type-Options"), "nosniff");
    EXPECT_NE(exchange->header("Content-Security-Policy").find("default-src 'none'"),
              std::string::npos);
    EXPECT_EQ(exchange->header("Referrer-Policy"), "no-referrer");
    result = {{"headers", {{"cache-control", "max-age=5"}}}};
    exchange = send("GET", "/api/notes");
    EXPECT_EQ(exchange->header("Cache-Control"), "max-age=5");
    EXPECT_EQ(exchange->type(), "");
}

TEST_F(RoutesTest, ThePathEndsAtASegmentAndTheLongestWins) {
    send("GET", "/api/notes/secret/x");
    EXPECT_EQ(seen["route"], "/api/notes/secret");
    EXPECT_EQ(seen["path"], "/x");
    send("GET", "/api/notes/secrets");
    EXPECT_EQ(seen["route"], "/api/notes");
    EXPECT_EQ(seen["path"], "/secrets");
    seen = nullptr;
    for (const char* target :
         {"/api/note", "/api/notes2", "/api/", "/oauth/authorize", "/hooks/mail"})
        EXPECT_EQ(send("GET", target)->status(), 404) << target;
    EXPECT_TRUE(seen.is_null());
}

TEST_F(RoutesTest, APublicPathNamesItsOrganisation) {
    auto exchange = send("GET", "/oauth/callback/acme/github?code=1",
                         {{"Authorization", "Bearer x"}, {"X-API-Key", "pb_x"}}, {}, false);
    EXPECT_TRUE(seen["headers"].empty()) << seen;  // no credentials for the capability
    EXPECT_EQ(exchange->status(), 200);
    EXPECT_EQ(seen["route"], "/oauth/callback");
    EXPECT_EQ(seen["path"], "/github");
    EXPECT_EQ(seen_context["org"], "acme");
    EXPECT_EQ(seen_context["scopes"], json::array());
    send("POST", "/hooks/mail/acme");
    EXPECT_EQ(seen["path"], "");
    seen = nullptr;
    // Another organisation has no such route; nobody is told which exist.
    EXPECT_EQ(send("POST", "/hooks/mail/default")->body(),
              send("POST", "/hooks/mail/nobody")->body());
    EXPECT_EQ(send("POST", "/hooks/mail/default")->status(), 404);
    EXPECT_EQ(send("GET", "/oauth/callback/nobody")->status(), 404);
    EXPECT_EQ(send("GET", "/oauth/callback")->status(), 404);
    EXPECT_TRUE(seen.is_null());
}

TEST_F(RoutesTest, WhoMayNotIsRefused) {
    EXPECT_EQ(send("GET", "/api/notes", {}, {}, false)->status(), 401);
    EXPECT_EQ(send("POST", "/api/notes", {{"Origin", "https://evil.example"}})->status(), 403);
    EXPECT_EQ(send("GET", "/api/notes", {{"Origin", "https://app.example.com"}})->status(), 200);
    EXPECT_EQ(send("POST", "/api/notes", {{"Sec-Fetch-Site", "cross-site"}})->status(), 403);
    EXPECT_EQ(send("GET", "/oauth/callback/acme", {{"Sec-Fetch-Site", "cross-site"}})->status(),
              200)
        << "a sign-in's way back";
    EXPECT_EQ(send("POST", "/api/notes", {{"Sec-Fetch-Site", "same-origin"}})->status(), 200);
    auto exchange = send("TRACE", "/api/notes");
    EXPECT_EQ(exchange->status(), 405);
    EXPECT_EQ(exchange->header("Allow"), "GET, POST, PUT, PATCH, DELETE");
}

TEST_F(RoutesTest, WhatTheScopesLeaveOutIsNotThereOrSaysWhatItTakes) {
    external = *access::Scopes::parse("mcp:read");
    const auto ask = [&](const std::string& path) {
        return send("GET", path, {{"Authorization", "Bearer x"}});
    };
    EXPECT_EQ(ask("/api/notes")->status(), 200);
    const auto hidden = ask("/api/notes/secret"), nowhere = ask("/api/nowhere");
    EXPECT_EQ(hidden->status(), 404);
    EXPECT_EQ(hidden->body(), nowhere->body());
    EXPECT_EQ(hidden->header("WWW-Authenticate"), "");
    configure([](auto& access) { access.challenges = true; });
    const auto told = ask("/api/notes/secret");
    EXPECT_EQ(told->status(), 403);
    EXPECT_NE(told->header("WWW-Authenticate").find("scope=\"mcp:read mcp:admin\""),
              std::string::npos);
    external = *access::Scopes::parse("mcp:read action:other");
    const auto more = ask("/api/notes");
    EXPECT_EQ(more->status(), 403);
    EXPECT_NE(more->header("WWW-Authenticate").find("scope=\"mcp:read action:notes action:other\""),
              std::string::npos)
        << more->header("WWW-Authenticate");
    configure([](auto& access) {
        access.challenges = true;
        access.forbidden = {{{}, {"notes"}, {}, {}}};
    });
    EXPECT_EQ(ask("/api/notes")->status(), 404) << "no scope would help";
    seen = nullptr;
    EXPECT_EQ(send("GET", "/oauth/callback/default")->body(), nowhere->body());
    EXPECT_EQ(send("GET", "/oauth/callback/default", {}, {}, false)->status(), 401);
    EXPECT_TRUE(seen.is_null()) << "public paths are forbidden too";
}

TEST_F(RoutesTest, ATokenThatPermitsNothingSaysWhichScopes) {
    refused = admission::Refused{403, "insufficient_scope", "the token permits nothing here"};
    const auto exchange = send("GET", "/api/notes", {{"Authorization", "Bearer x"}});
    EXPECT_EQ(exchange->status(), 403);
    const auto challenge = exchange->header("WWW-Authenticate");
    EXPECT_NE(challenge.find("error=\"insufficient_scope\""), std::string::npos) << challenge;
    EXPECT_NE(challenge.find("scope=\"mcp:read mcp:write\""), std::string::npos) << challenge;
}

TEST_F(RoutesTest, MalformedRequestsReachNobody) {
    for (const char* query : {"a=%", "a=%4", "a=%GG", "a=%FF", "a=1&a=2", "a&a"})
        EXPECT_EQ(send("GET", std::string("/api/notes?") + query)->status(), 400) << query;
    EXPECT_EQ(send("POST", "/api/notes", {}, "\xFF")->status(), 400);
    EXPECT_EQ(send("POST", "/api/notes", {}, std::string((1u << 20) + 1, 'x'))->status(), 413);
    std::string many = "/api/notes?a";
    for (int i = 0; i < 100; ++i)
        many += "&a" + std::to_string(i);
    EXPECT_EQ(send("GET", many)->status(), 400);
    EXPECT_TRUE(seen.is_null());
}

TEST_F(RoutesTest, AKeyInTheUrlIsNotHandedOn) {
    for (const char* query : {"a=1&apiKey=pb_x&apiKey=pb_x", "%61piKey=pb_x&a=1&apiKey",
                              "apiKey=&apiKey=pb_x&a=1", "a=1&apiKey=pb_x&api%4Bey=pb_y"}) {
        seen = nullptr;
        send("GET", std::string("/oauth/callback/acme?") + query, {}, {}, false);
        EXPECT_EQ(seen["query"], (json{{"a", "1"}})) << query;
        // Nobody comes in with several, or with a bad one.
        EXPECT_NE(send("GET", std::string("/api/notes?") + query, {}, {}, false)->status(), 200);
    }
    // What comes twice is no credential; here none is needed.
    EXPECT_EQ(send("GET", "/api/notes?apiKey=x&q=1&apiKey=x")->status(), 200);
    EXPECT_EQ(seen["query"], (json{{"q", "1"}}));
}

TEST_F(RoutesTest, FailuresAreStatuses) {
    const std::pair<Status, int> cases[] = {{Status::invalid, 400},   {Status::denied, 403},
                                            {Status::not_found, 404}, {Status::busy, 503},
                                            {Status::deadline, 504},  {Status::internal, 500}};
    result = {{"message", "the reason"}};
    for (const auto& [end, expected] : cases) {
        status = end;
        auto exchange = send("GET", "/api/notes");
        EXPECT_EQ(exchange->status(), expected);
        const bool told = json::parse(exchange->body())["error"] == "the reason";
        EXPECT_EQ(told, expected != 500);
    }
    status = Status::ok;
    for (const json& bad : {json{{"status", 100}}, json{{"status", "200"}}, json{{"body", 1}},
                            json{{"status", 600}}}) {
        result = bad;
        EXPECT_EQ(send("GET", "/api/notes")->status(), 502) << bad;
    }
}

TEST_F(RoutesTest, WhateverItIsAnsweredWithIsRecorded) {
    record();
    const std::string trace = "0af7651916cd43dd8448eb211c80319c";
    const auto parent = "00-" + trace + "-b7ad6b7169203331-01";
    send("GET", "/api/notes/a", {{"traceparent", parent}});
    ASSERT_EQ(notes.all().size(), 1u);
    EXPECT_EQ(notes.all()[0].method, "http GET");
    EXPECT_EQ(notes.all()[0].name, "/api/notes/a");
    EXPECT_EQ(notes.all()[0].capability, "notes");
    EXPECT_EQ(notes.all()[0].trace_id, trace);
    EXPECT_EQ(seen_context["trace"]["traceparent"], parent);
    EXPECT_EQ(send("GET", "/api/notes?a=%", {{"traceparent", "00-x" + parent}})->status(), 400);
    EXPECT_EQ(notes.all().back().code, 400);
    EXPECT_EQ(notes.all().back().outcome, "error");
    EXPECT_EQ(notes.all().back().trace_id, "");
    EXPECT_EQ(send("GET", "/api/nothing")->status(), 404);
    EXPECT_EQ(notes.all().back().code, 404);
    EXPECT_EQ(notes.all().back().capability, "");
    EXPECT_EQ(notes.all().back().org, "default");
    EXPECT_EQ(notes.all().size(), 3u);
}

TEST_F(RoutesTest, WhatIsRefusedCountsToo) {
    record({1, 3});
    EXPECT_EQ(send("GET", "/api/nothing")->status(), 404);
    EXPECT_EQ(send("GET", "/api/notes?a=%")->status(), 400);
    EXPECT_EQ(send("GET", "/oauth/callback/default?a=%")->status(), 400);
    const auto limited = send("GET", "/api/nothing");
    EXPECT_EQ(limited->status(), 429);
    EXPECT_NE(limited->header("Retry-After"), "");
    ASSERT_EQ(notes.all().size(), 4u);
    EXPECT_EQ(notes.all().back().outcome, "limited");
    // A sample of them is enough.
    for (int i = 0; i < 200; ++i)
        send("GET", "/api/nothing");
    EXPECT_LT(notes.all().size(), 100u);
}

TEST_F(RoutesTest, AClientThatLeavesCancelsItsCall) {
    keeps = true;
    auto exchange = send("GET", "/api/notes");
    exchange->leave();
    EXPECT_TRUE(provider->wait_cancelled(kept));
    calls.complete(kept, Status::cancelled, {});
    // One that had left before anything began.
    auto gone = std::make_shared<FakeExchange>();
    gone->leave();
    auto request = make_request("GET", {{"Host", "localhost"}});
    request->path = "/api/notes";
    routes.handle(request, gone);
    EXPECT_EQ(calls.running(), 0u);
}

}  // namespace
}  // namespace pb::test
