// SPDX-License-Identifier: Apache-2.0
// How clients find the server, and how they become known to it.
#include <set>

#include "oauth/fetch.h"
#include "world.h"

namespace pb::oauth::testing {
namespace {

class Discovery : public OAuthTest {};

TEST_F(Discovery, TheResourceNamesItsServer) {
    for (const char* path :
         {"/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource",
          "/.well-known/oauth-protected-resource/"}) {
        const auto answer = get(path);
        ASSERT_EQ(answer.status, 200) << path;
        EXPECT_EQ(answer.type, "application/json");
        EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), "*");
        const auto document = answer.json();
        EXPECT_EQ(document.at("resource"), "http://127.0.0.1:8080/mcp");
        EXPECT_EQ(document.at("authorization_servers"), Json::array({"http://127.0.0.1:8080"}));
        EXPECT_EQ(document.at("scopes_supported"), Json({"mcp:read", "mcp:write"}));
        EXPECT_EQ(document.at("bearer_methods_supported"), Json::array({"header"}));
        EXPECT_EQ(document.at("resource_name"), "Patchbay");
    }
    for (const char* path : {"/.well-known/oauth-protected-resource/other",
                             "/.well-known/oauth-authorization-server/other",
                             "/other/.well-known/openid-configuration"})
        EXPECT_EQ(get(path).status, 404) << path;
}

TEST_F(Discovery, TheServerSaysWhatItDoes) {
    const auto first = get("/.well-known/oauth-authorization-server").json();
    EXPECT_EQ(first.at("issuer"), "http://127.0.0.1:8080");
    const std::pair<const char*, const char*> places[] = {
        {"authorization_endpoint", "/oauth/authorize"},
        {"token_endpoint", "/oauth/token"},
        {"registration_endpoint", "/oauth/register"},
        {"revocation_endpoint", "/oauth/revoke"},
        {"jwks_uri", "/oauth/jwks"}};
    for (const auto& [name, path] : places) {
        EXPECT_EQ(first.at(name), std::string("http://127.0.0.1:8080") + path);
        EXPECT_TRUE(Server::covers(path));
    }
    EXPECT_EQ(first.at("scopes_supported"),
              Json({"mcp:read", "mcp:write", "mcp:admin", "openid", "offline_access"}));
    EXPECT_EQ(first.at("response_types_supported"), Json::array({"code"}));
    EXPECT_EQ(first.at("code_challenge_methods_supported"), Json::array({"S256"}));
    EXPECT_EQ(first.at("grant_types_supported"),
              Json({"authorization_code", "refresh_token", "client_credentials"}));
    EXPECT_EQ(first.at("token_endpoint_auth_methods_supported"),
              Json({"none", "client_secret_basic", "client_secret_post"}));
    EXPECT_EQ(first.at("authorization_response_iss_parameter_supported"), true);
    EXPECT_EQ(first.at("client_id_metadata_document_supported"), true);
    EXPECT_EQ(first.at("subject_types_supported"), Json::array({"public"}));
    EXPECT_EQ(first.at("id_token_signing_alg_values_supported"), Json::array({"RS256"}));
    for (const char* path :
         {"/.well-known/oauth-authorization-server/mcp", "/.well-known/openid-configuration",
          "/.well-known/openid-configuration/mcp", "/mcp/.well-known/openid-configuration"}) {
        EXPECT_TRUE(Server::covers(path)) << path;
        EXPECT_EQ(get(path).json(), first) << path;
    }
}

TEST_F(Discovery, TheNameIsTheConfiguredOneOrTheRequests) {
    const auto issuer = [&](const char* host) {
        return get("/.well-known/oauth-authorization-server", {{"Host", host}})
            .json()
            .value("issuer", "");
    };
    EXPECT_EQ(issuer("LOCALHOST:8080"), "http://localhost:8080");
    EXPECT_EQ(issuer("[::1]:80"), "http://[::1]");
    secure_ = true;
    EXPECT_EQ(issuer("mcp.example.com:443"), "https://mcp.example.com");
    for (const char* host : {"", "a b", "x/../y", "user@evil.example", "evil.example?x"})
        EXPECT_EQ(get("/.well-known/oauth-authorization-server", {{"Host", host}}).status, 400)
            << host;
    auto set = options();
    set.public_url = "https://mcp.example.com/base";
    serve(set);
    EXPECT_EQ(issuer("127.0.0.1"), "https://mcp.example.com/base");
    const auto resource = get("/.well-known/oauth-protected-resource/base/mcp");
    EXPECT_EQ(resource.json().at("resource"), "https://mcp.example.com/base/mcp");
    EXPECT_EQ(get("/.well-known/oauth-authorization-server/base").status, 200);
}

// A password that crosses a network in the clear is everybody's.
TEST_F(Discovery, NobodySignsInOverPlainHttp) {
    const http::HeaderList there{{"Host", "mcp.lan:8080"}};
    const auto resource = get("/.well-known/oauth-protected-resource/mcp", there);
    EXPECT_EQ(resource.status, 200);
    EXPECT_EQ(resource.json().at("resource"), "http://mcp.lan:8080/mcp");
    EXPECT_FALSE(resource.json().contains("authorization_servers"));
    for (const char* path : {"/.well-known/oauth-authorization-server",
                             "/.well-known/openid-configuration", "/oauth/jwks"}) {
        EXPECT_EQ(get(path, there).status, 403) << path;
        EXPECT_NE(get(path, there).body.find("public_url"), std::string::npos) << path;
    }
    for (const char* path : {"/oauth/token", "/oauth/register", "/oauth/revoke"})
        EXPECT_EQ(post(path, {}, there).error(), "invalid_request") << path;
    for (const char* path : {"/oauth/authorize?client_id=x", "/oauth/grants"}) {
        const auto page = get(path, there);
        EXPECT_EQ(page.status, 403) << path;
        EXPECT_TRUE(page.shows("https")) << path;
    }
    EXPECT_EQ(post("/oauth/sign-in", {{"password", "x"}}, there).status, 403);
    auto set = options();
    set.public_url = "http://mcp.example.com";
    serve(set);
    EXPECT_EQ(get("/.well-known/oauth-authorization-server").status, 403);
    set.public_url = "http://127.0.0.1:9000";
    serve(set);
    EXPECT_EQ(get("/.well-known/oauth-authorization-server").status, 200);
}

TEST_F(Discovery, OthersPathsAreLeftToThem) {
    for (const char* path : {"/oauth/callback/acme/github", "/oauth", "/oauth/", "/mcp", "/",
                             "/oauth/tokens", "/.well-known/oauth-authorization-serverx"})
        EXPECT_FALSE(Server::covers(path)) << path;
}

// Programs in a browser may ask for what is anybody's; a person's pages are not for them.
TEST_F(Discovery, PagesOfOtherOriginsReachTheProgramsPartAlone) {
    for (const char* path :
         {"/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource/mcp",
          "/oauth/jwks", "/oauth/token", "/oauth/register", "/oauth/revoke"}) {
        EXPECT_TRUE(Server::takes_any_origin(path)) << path;
        const auto asked = send("OPTIONS", path, {{"Origin", "https://app.example"}});
        EXPECT_EQ(asked.status, 204) << path;
        EXPECT_EQ(asked.header("Access-Control-Allow-Origin"), "*");
        EXPECT_NE(asked.header("Access-Control-Allow-Headers").find("Authorization"),
                  std::string::npos);
        EXPECT_EQ(asked.header("Access-Control-Allow-Credentials"), "");
    }
    for (const char* path : {"/oauth/authorize", "/oauth/sign-in", "/oauth/consent",
                             "/oauth/grants", "/oauth/grants/revoke", "/oauth/sign-out"}) {
        EXPECT_TRUE(Server::covers(path)) << path;
        EXPECT_FALSE(Server::takes_any_origin(path)) << path;
        const auto asked = send("OPTIONS", path, {{"Origin", "https://app.example"}});
        EXPECT_EQ(asked.status, 405) << path;
        EXPECT_EQ(asked.header("Access-Control-Allow-Origin"), "");
    }
}

class Registration : public OAuthTest {};

TEST_F(Registration, AnswersWithAllThatIsKept) {
    const auto open = register_client({{"client_uri", "https://app.example"},
                                       {"logo_uri", "javascript:alert(1)"},
                                       {"scope", "mcp:admin"},
                                       {"application_type", "native"}});
    EXPECT_TRUE(open.at("client_id").get<std::string>().starts_with("cli_"));
    EXPECT_GT(open.at("client_id_issued_at"), 0);
    EXPECT_EQ(open.at("redirect_uris"), Json::array({callback}));
    EXPECT_EQ(open.at("client_name"), "Some Client");
    EXPECT_EQ(open.at("token_endpoint_auth_method"), "none");
    EXPECT_EQ(open.at("grant_types"), Json({"authorization_code", "refresh_token"}));
    EXPECT_FALSE(open.contains("client_secret"));
    EXPECT_FALSE(open.contains("logo_uri")) << "nobody shows it";
    const auto secret = register_client({{"token_endpoint_auth_method", "client_secret_post"}});
    EXPECT_NE(secret.at("client_secret"), "");
    EXPECT_EQ(secret.at("client_secret_expires_at"), 0);
    EXPECT_EQ(trail_.of("oauth.register").size(), 2U);
    EXPECT_EQ(trail_.text().find(secret.at("client_secret").get<std::string>()), std::string::npos);
}

TEST_F(Registration, HostileMetadataIsRefused) {
    const auto uris = [](const Json& list) { return Json{{"redirect_uris", list}}.dump(); };
    const std::string uri = "invalid_redirect_uri", metadata = "invalid_client_metadata";
    const std::pair<std::string, std::string> attacks[] = {
        {uris({"javascript:alert(1)"}), uri},
        {uris({"data:text/html,<script>alert(1)</script>"}), uri},
        {uris({"https://app.example/cb#fragment"}), uri},
        {uris({"http://app.example/cb"}), uri},
        {uris({"https://user:word@app.example/"}), uri},
        {uris({"https://app.example/\r\nSet-Cookie: a=b"}), uri},
        {uris({callback, "javascript:alert(1)"}), uri},
        {uris({"https://app.example/" + std::string(5000, 'a')}), uri},
        {uris(std::vector<std::string>(100, callback)), uri},
        {uris(Json::array()), uri},
        {uris(callback), uri},
        {"{}", uri},
        {R"({"redirect_uris":["http://127.0.0.1/"],"redirect_uris":["https://evil.example/"]})",
         metadata},
        {R"({"redirect_uris":["http://127.0.0.1/"],"client_name":"\u0000"})", metadata},
        {R"({"redirect_uris":["http://127.0.0.1/"],"client_name":")" + std::string(101, 'n') +
             "\"}",
         metadata},
        {R"({"redirect_uris":["http://127.0.0.1/"],"client_uri":"javascript:alert"})", metadata},
        {R"({"redirect_uris":["http://127.0.0.1/"],"grant_types":["client_credentials"]})",
         metadata},
        {R"({"redirect_uris":["http://127.0.0.1/"],"response_types":["token"]})", metadata},
        {std::string(100'000, '['), metadata},
        {"{\"a\":\"" + std::string(100'000, 'a') + "\"}", metadata},
        {"[]", metadata},
        {"", metadata},
        {"not json", metadata},
        {"{\"client_name\":\"\xff\"}", metadata},
    };
    for (const auto& [body, error] : attacks) {
        const auto answer = post_json("/oauth/register", body);
        EXPECT_EQ(answer.status, 400) << body.substr(0, 200);
        EXPECT_EQ(answer.error(), error) << body.substr(0, 200);
    }
    EXPECT_EQ(post("/oauth/register", {{"redirect_uris", callback}}).error(), metadata);
    EXPECT_TRUE(trail_.of("oauth.register").empty());
}

TEST_F(Registration, AndTokensAreLimitedForEachAddress) {
    auto few = options();
    few.registration = few.token = {1, 2};
    serve(few);
    client();
    client_.clear();
    client();
    const auto answer = post_json("/oauth/register", "{}");
    EXPECT_EQ(answer.status, 429);
    EXPECT_NE(answer.header("Retry-After"), "");
    EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(post("/oauth/token", {}).status, 401);
    EXPECT_EQ(post("/oauth/token", {}).status, 401);
    EXPECT_EQ(post("/oauth/token", {}).status, 429);
    peer_ = "192.0.2.99";
    EXPECT_EQ(post("/oauth/token", {}).status, 401);
}

// Clients whose client_id is the URL of a document that describes them.
class Described : public OAuthTest {
  protected:
    static constexpr const char* url = "https://app.example/client.json";
    static Json document() {
        return {{"client_id", url},
                {"client_name", "Described App"},
                {"redirect_uris", {callback, "https://app.example/cb"}},
                {"grant_types",
                 {"authorization_code", "refresh_token",
                  "urn:ietf:params:oauth:grant-type:device_code"}},
                {"response_types", Json::array({"code"})},
                {"token_endpoint_auth_method", "none"}};
    }
    void put(const Json& what, std::chrono::seconds fresh = std::chrono::seconds(60)) {
        documents_[url] = {what.dump(), fresh};
    }
    Described() {
        client_ = url;
        sign_in_as(ann_);
    }
};

TEST_F(Described, GetInAsOthersDo) {
    put(document());
    EXPECT_TRUE(get(authorize_url()).shows("Described App"));
    const auto got = tokens();
    EXPECT_EQ(fetched_, 1) << "it is fresh for a minute";
    // It is not needed any more.
    documents_.clear();
    EXPECT_EQ(post("/oauth/token", refreshing(got.at("refresh_token"))).status, 200);
    EXPECT_EQ(post("/oauth/token", with(refreshing("pbr_x"), "client_secret", "guess")).error(),
              "invalid_client");
}

TEST_F(Described, AreLookedAtAgainWhenTheyAreNotFresh) {
    put(document(), std::chrono::seconds(0));
    get(authorize_url());
    get(authorize_url());
    EXPECT_EQ(fetched_, 2);
    auto moved = document();
    moved["redirect_uris"] = {"https://app.example/new"};
    put(moved);
    EXPECT_EQ(get(authorize_url()).status, 400);
}

TEST_F(Described, WhatDoesNotDescribeThemIsRefused) {
    const std::pair<const char*, Json> changes[] = {
        {"client_id", "https://app.example/other.json"},
        {"client_id", "https://APP.example/client.json"},
        {"client_id", 5},
        {"client_name", nullptr},
        {"redirect_uris", Json::array({"https://evil.example/cb"})},
        {"redirect_uris", Json::array({"javascript:alert(1)"})},
        {"redirect_uris", nullptr},
        {"token_endpoint_auth_method", "client_secret_post"},
        {"token_endpoint_auth_method", "private_key_jwt"},
        {"client_secret", "known to all"},
        {"grant_types", Json::array({"client_credentials"})},
        {"response_types", Json::array({"token"})}};
    for (const auto& [name, value] : changes) {
        auto wrong = document();
        if (value.is_null())
            wrong.erase(name);
        else
            wrong[name] = value;
        put(wrong, std::chrono::seconds(0));
        const auto answer = get(authorize_url());
        EXPECT_EQ(answer.status, 400) << name << value;
        EXPECT_EQ(answer.header("Location"), "") << name;
    }
    for (const auto& body : {std::string("[]"), std::string("<html>"), std::string(),
                             R"({"client_id":"https://app.example/client.json",)"
                             R"("client_id":"https://app.example/client.json"})" +
                                 std::string(),
                             "{\"a\":\"" + std::string(100'000, 'a') + "\"}"}) {
        documents_[url] = {body, std::chrono::seconds(0)};
        EXPECT_EQ(get(authorize_url()).status, 400) << body.substr(0, 100);
    }
    documents_.clear();
    EXPECT_EQ(get(authorize_url()).status, 400);
}

TEST_F(Described, OddUrlsAreNotEvenAskedFor) {
    for (const char* id :
         {"https://app.example", "http://app.example/client.json", "https://app.example/a/../b",
          "https://app.example/./b", "https://user@app.example/c", "https://app.example/c#x",
          "https://app.example:99999/c", "https:///c", "https://"})
        EXPECT_EQ(get(authorize_url({{"client_id", id}})).status, 400) << id;
    EXPECT_EQ(fetched_, 0);
}

TEST_F(Described, NobodyHasManyLookedUp) {
    auto few = options();
    few.described = {1, 2};
    serve(few);
    for (int i = 0; i < 4; ++i)
        get(authorize_url({{"client_id", "https://app.example/" + std::to_string(i)}}));
    EXPECT_EQ(fetched_, 2);
}

TEST(Fetching, DocumentsAreFreshForAsLongAsTheySay) {
    using std::chrono::seconds;
    EXPECT_EQ(fresh_for(""), seconds(300));
    EXPECT_EQ(fresh_for("public, max-age=60"), seconds(60));
    EXPECT_EQ(fresh_for("Max-Age=0"), seconds(0));
    EXPECT_EQ(fresh_for("max-age=60, No-Store"), seconds(0));
    EXPECT_EQ(fresh_for("no-cache"), seconds(0));
    EXPECT_EQ(fresh_for("max-age=99999999999999999999"), seconds(86400));
    EXPECT_EQ(fresh_for("max-age=-5"), seconds(0));
    EXPECT_EQ(fresh_for("max-age=x"), seconds(0));
    EXPECT_EQ(fresh_for("public"), seconds(300));
}

constexpr const char* unread = "the document at the client_id cannot be read";

// The guard is the outbound requests' own; nothing on this machine is reached through it.
TEST(Fetching, GoesThroughTheGuard) {
    outbound::Http http({});
    const auto fetch = documents_over(http);
    for (const char* url : {"https://127.0.0.1:9/client.json", "https://[::1]:9/client.json",
                            "https://169.254.169.254/latest/meta-data/x"}) {
        const auto got = fetch(url);
        ASSERT_FALSE(got) << url;
        EXPECT_TRUE(got.error().message.starts_with(unread)) << got.error().message;
    }
}

// Whoever asks is not even known: from what they are told they learn nothing of what is there.
TEST(Fetching, ItIsNotToldWhatThereIsInstead) {
    http::ServerOptions any_port;
    any_port.port = 0;
    const auto server =
        must(http::Server::start(any_port, [](const auto& request, const auto& exchange) {
            http::Response answer{200, "text/html", "<html>", {}};
            if (request->path == "/missing") answer.status = 404;
            if (request->path == "/broken") answer.status = 500;
            if (request->path == "/elsewhere") {
                answer.status = 302;
                answer.headers.emplace_back("Location", "/");
            }
            exchange->respond(std::move(answer));
        }));
    outbound::Http::Options options;
    options.policy = must(outbound::AddressPolicy::make({"127.0.0.1/32"}));
    outbound::Http http(std::move(options));
    const auto fetch = documents_over(http);
    std::set<std::string> told;
    for (const char* path : {"/", "/missing", "/broken", "/elsewhere"}) {
        const auto got = fetch("http://127.0.0.1:" + std::to_string(server->port()) + path);
        ASSERT_FALSE(got) << path;
        told.insert(got.error().message);
    }
    const auto nobody = fetch("http://192.168.0.1/");
    ASSERT_FALSE(nobody);
    told.insert(nobody.error().message);
    EXPECT_EQ(told.size(), 1U) << *told.begin();
    server->stop(std::chrono::milliseconds(0));
}

}  // namespace
}  // namespace pb::oauth::testing
