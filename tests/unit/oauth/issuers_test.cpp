// SPDX-License-Identifier: Apache-2.0
// Whose a token of an issuer elsewhere is, and which are refused.
#include "issuers_world.h"

namespace pb::oauth::issuer_tests {
namespace {

class IssuersTest : public IssuersWorld {};

TEST_F(IssuersTest, ATokenLeadsToItsHolder) {
    const auto issuers = make();
    const auto found = holder(*issuers, token({{"azp", "claude"}, {"client_id", "other"}}));
    EXPECT_EQ(found.org, "acme");
    EXPECT_TRUE(found.principal.starts_with("ext_")) << found.principal;
    EXPECT_TRUE(found.principal.ends_with(":ada")) << found.principal;
    EXPECT_EQ(found.scopes.text(), "mcp:read");
    EXPECT_EQ(found.client, "claude");
    EXPECT_EQ(found.expires_ms, (start + 600 + 60) * 1000) << "with the skew";
    EXPECT_EQ(holder(*issuers, token({{"client_id", "cursor"}})).client, "cursor");
    EXPECT_EQ(holder(*issuers, token()).client, "");
    EXPECT_EQ(holder(*issuers, token()).principal, found.principal) << "the same each time";
    EXPECT_EQ(fetches(), 1);
}

TEST_F(IssuersTest, ThePrincipalOfAnotherIssuerIsAnotherOne) {
    auto other = config();
    other.issuer = "https://login.example/";  // one character more
    const auto issuers = make({config(), other});
    const auto a = holder(*issuers, token()).principal;
    const auto b = holder(*issuers, token({{"iss", other.issuer}})).principal;
    EXPECT_NE(a, b);
}

TEST_F(IssuersTest, OtherCredentialsAreNotTheirs) {
    const auto issuers = make();
    for (const std::string& other :
         {std::string(), std::string("pb_abc"), std::string("a.b.c"), token() + "x.y",
          token({{"iss", "https://login.example/"}}), token({{"iss", "HTTPS://login.example"}}),
          token({{"iss", 1}}), token({{"iss", "absent"}}), token({{"iss", Json::array({issuer})}}),
          token({{"sub", std::string(20'000, 'a')}})})
        EXPECT_EQ(said(*issuers, other), "not ours") << other.substr(0, 60);
    EXPECT_EQ(said(*make({}), token()), "not ours");
    EXPECT_EQ(fetches(), 0);
}

TEST_F(IssuersTest, WhatIsRefusedAndWhy) {
    const auto issuers = make();
    const auto now = start;
    const struct {
        Json changes;
        const char* said;
    } cases[] = {
        {{{"aud", "https://other.example"}}, "401 invalid_token the token is for another audience"},
        {{{"aud", "absent"}}, "another audience"},
        {{{"aud", Json::array()}}, "another audience"},
        {{{"aud", resource + "/"}}, "another audience"},
        {{{"aud", {{"url", resource}}}}, "another audience"},
        {{{"exp", "absent"}}, "does not say when it expires"},
        {{{"exp", now - 60}}, "has expired"},
        {{{"exp", std::to_string(now + 600)}}, "are numbers"},
        {{{"exp", nullptr}}, "are numbers"},
        {{{"exp", -1}}, "are numbers"},
        {{{"exp", 1e300}}, "are numbers"},
        {{{"exp", now * 1000}}, "are numbers"},
        {{{"nbf", now + 61}}, "not valid yet"},
        {{{"nbf", "soon"}}, "are numbers"},
        {{{"iat", now + 61}}, "not valid yet"},
        {{{"iat", true}}, "are numbers"},
        {{{"cnf", {{"jkt", "abc"}}}}, "bound to a key"},
        {{{"sub", "absent"}}, "names nobody"},
        {{{"sub", ""}}, "names nobody"},
        {{{"sub", 7}}, "names nobody"},
        {{{"sub", "ada\nadmin"}}, "names nobody"},
        {{{"sub", std::string(257, 'a')}}, "names nobody"},
        {{{"scope", "absent"}}, "403 insufficient_scope the token permits nothing"},
        {{{"scope", "openid profile"}}, "403 insufficient_scope"},
        {{{"scope", "mcp:read source:"}}, "401 invalid_token the token's scopes cannot be read"},
        {{{"scope", "mcp:everything"}}, "cannot be read"},
    };
    for (const auto& each : cases)
        EXPECT_TRUE(contains(said(*issuers, token(each.changes)), each.said))
            << each.changes << ": " << said(*issuers, token(each.changes));
    for (const auto& fine :
         {Json{{"aud", {"a", resource}}}, Json{{"exp", now - 59}}, Json{{"exp", now + 0.5}},
          Json{{"nbf", now + 60}, {"iat", now + 60}}, Json{{"iat", now - 100'000}}})
        EXPECT_EQ(said(*issuers, token(fine)), "valid") << fine;
}

TEST_F(IssuersTest, HeadersThatAreRefused) {
    auto only_ed = config();
    only_ed.algorithms = {"EdDSA"};
    const auto issuers = make(), strict = make({only_ed});
    const auto headed = [&](const std::string& header) {
        return signer.sign(header, claims().dump());
    };
    for (const char* typ : {"JWT", "jwt", "at+jwt", "application/at+JWT", ""})
        EXPECT_EQ(said(*issuers, headed(Json{{"alg", "ES256"}, {"typ", typ}}.dump())), "valid");
    for (const char* typ : {"logout+jwt", "dpop+jwt", "secevent+jwt", "JOSE", "at+jwt+x"})
        EXPECT_TRUE(contains(said(*issuers, headed(Json{{"alg", "ES256"}, {"typ", typ}}.dump())),
                             "no access token"))
            << typ;
    EXPECT_TRUE(contains(said(*strict, token()), "algorithm that is not taken"));
    EXPECT_TRUE(contains(said(*issuers, headed(R"({"alg":"none"})")), "algorithm"));
    EXPECT_TRUE(contains(said(*issuers, headed(R"({"alg":"HS256"})")), "algorithm"));
    EXPECT_TRUE(contains(said(*issuers, headed(R"({"alg":"ES256","crit":["x"]})")), "crit"));
    EXPECT_TRUE(contains(said(*issuers, Signer::p256().token(claims(), "k1")), "signature"));
    EXPECT_TRUE(contains(said(*issuers, signer.token(claims(), "k9")), "does not publish"));
}

TEST_F(IssuersTest, ARefusalShowsNothingOfTheToken) {
    const auto issuers = make();
    for (const char* name : {"aud", "exp", "sub", "scope", "nbf"})
        EXPECT_FALSE(contains(said(*issuers, token({{name, "geheim\n"}})), "geheim")) << name;
}

TEST_F(IssuersTest, ScopesComeFromTheClaim) {
    auto mapped = config();
    mapped.own_scopes = false;
    mapped.scope_claim = "/realm_access/roles";
    mapped.scopes = {{"viewer", {"mcp:read"}},
                     {"Data Editor", {"mcp:read", "mcp:write", "action:knowledge"}},
                     {"mcp:admin", {"mcp:read"}},
                     {"nothing", {}}};
    auto fallback = mapped;
    fallback.default_scopes = {"mcp:read", "action:weather"};
    auto both = mapped;
    both.own_scopes = true;
    both.scope_claim = "scp";
    const auto scopes = [this](const ExternalIssuer& issuer, const Json& changes) {
        const auto issuers = make({issuer});
        const auto outcome = issuers->check(token(changes));
        const auto* found = std::get_if<Issuers::Holder>(&*outcome);
        return found ? found->scopes.text() : said(*issuers, token(changes)).substr(0, 3);
    };
    const auto roles = [](const Json& list) { return Json{{"realm_access", {{"roles", list}}}}; };
    EXPECT_EQ(scopes(mapped, roles({"viewer"})), "mcp:read");
    EXPECT_EQ(scopes(mapped, roles({"other", "Data Editor"})),
              "mcp:read mcp:write action:knowledge");
    EXPECT_EQ(scopes(mapped, roles({"mcp:admin"})), "mcp:read") << "what it stands for, not itself";
    EXPECT_EQ(scopes(mapped, roles({"mcp:write"})), "403");
    EXPECT_EQ(scopes(mapped, roles({1, nullptr, {"viewer"}})), "403");
    EXPECT_EQ(scopes(mapped, {{"realm_access", "viewer"}}), "403");
    EXPECT_EQ(scopes(mapped, {{"/realm_access/roles", {"viewer"}}}), "403");
    EXPECT_EQ(scopes(fallback, roles({"other"})), "mcp:read action:weather");
    EXPECT_EQ(scopes(fallback, roles({"viewer"})), "mcp:read") << "instead of the default";
    EXPECT_EQ(scopes(both, {{"scp", "viewer mcp:write  source:hr object:mail openid"}}),
              "mcp:read mcp:write source:hr object:mail");
    EXPECT_EQ(scopes(both, {{"scp", "action:weather"}}), "403") << "a narrowing permits nothing";
    auto narrow = both;
    narrow.default_scopes = {"mcp:read"};
    EXPECT_EQ(scopes(narrow, {{"scp", "action:weather"}}), "403")
        << "and is no reason for a default";
}

TEST_F(IssuersTest, OrganisationsComeFromTheClaim) {
    auto many = config();
    many.org = "";
    many.org_claim = "https://login.example/tenant";
    many.orgs = {{"t-1", "acme"}, {"t-2", "globex"}, {"t-3", "globex"}};
    const auto issuers = make({many});
    const auto tenant = [&](const Json& value) { return token({{many.org_claim, value}}); };
    EXPECT_EQ(holder(*issuers, tenant("t-1")).org, "acme");
    EXPECT_EQ(holder(*issuers, tenant({"t-2", "x"})).org, "globex");
    EXPECT_EQ(holder(*issuers, tenant({"t-2", "t-3"})).org, "globex");
    for (const auto& none : {Json("acme"), Json("t-9"), Json(""), Json(1), Json::array(),
                             Json("absent"), Json("t-1 t-2"), Json{{"t-1", true}}})
        EXPECT_TRUE(contains(said(*issuers, tenant(none)), "organisation is none")) << none;
    EXPECT_TRUE(contains(said(*issuers, tenant({"t-1", "t-2"})), "more than one organisation"));
    EXPECT_EQ(holder(*make(), tenant("t-2")).org, "acme") << "a fixed one stays";
    many.orgs.clear();
    const auto named = make({many});
    EXPECT_EQ(holder(*named, tenant("globex")).org, "globex") << "the value itself";
    EXPECT_TRUE(contains(said(*named, tenant("")), "organisation is none"));
    EXPECT_TRUE(contains(said(*named, tenant("a\nb")), "organisation is none"));
    EXPECT_TRUE(contains(said(*named, tenant({"acme", "globex"})), "more than one"));
}

TEST_F(IssuersTest, OneIssuerForTwoOrganisationsByAudience) {
    auto a = config(), b = config(), own = config();
    a.audiences = {"api://a", "api://both"};
    b.audiences = {"api://b"};
    b.org = "globex";
    own.org = "initech";
    const auto issuers = make({a, b, own});
    EXPECT_EQ(holder(*issuers, token({{"aud", "api://a"}})).org, "acme");
    EXPECT_EQ(holder(*issuers, token({{"aud", {"x", "api://b"}}})).org, "globex");
    EXPECT_EQ(holder(*issuers, token()).org, "initech");
    EXPECT_TRUE(contains(said(*issuers, token({{"aud", {"api://a", "api://b"}}})),
                         "more than one audience"));
    EXPECT_EQ(fetches(), 1) << "one place is asked once";

    const auto refused = [this](ExternalIssuer one, ExternalIssuer other) {
        const auto made = Issuers::make({std::move(one), std::move(other)}, parts());
        return !made && contains(made.error().message, "twice for one audience");
    };
    EXPECT_TRUE(refused(own, own));
    EXPECT_TRUE(refused(a, a));
    b.audiences = {"api://b", "api://both"};
    EXPECT_TRUE(refused(a, b));
    b.audiences = {resource};
    EXPECT_TRUE(refused(own, b)) << "the host's own URL, spelled out";
    EXPECT_TRUE(refused(b, own));
}

// Whoever may configure an issuer for one organisation has no power over another's.
TEST_F(IssuersTest, KeysOfOneEntryAreNotThoseOfAnother) {
    const auto eve = Signer::p256();
    put("https://eve.example/keys", 200, jose::testing::key_set(Json::array({eve.jwk("k1")})));
    auto honest = config(), own = config();
    honest.audiences = {"api://acme"};
    own.audiences = {"api://globex"};
    own.org = "globex";
    own.jwks_uri = "https://eve.example/keys";
    const auto issuers = make({honest, own});
    const auto forged = [&](const Json& aud) { return eve.token(with({{"aud", aud}}), "k1"); };
    EXPECT_EQ(holder(*issuers, forged("api://globex")).org, "globex");
    EXPECT_TRUE(contains(said(*issuers, forged("api://acme")), "signature is wrong"));
}

TEST_F(IssuersTest, AWrongConfigurationIsRefusedByName) {
    const struct {
        std::function<void(ExternalIssuer&)> change;
        const char* said;
    } cases[] = {
        {[](auto& it) { it.issuer = ""; }, "1 to 1024"},
        {[](auto& it) { it.issuer = std::string(2000, 'a'); }, "1 to 1024"},
        {[](auto& it) { it.jwks_uri = "http://login.example/keys"; }, "is not https"},
        {[](auto& it) { it.jwks_uri = "file:///etc/passwd"; }, "neither http nor https"},
        {[](auto& it) { it.jwks_uri = "https://u:p@login.example"; }, "user information"},
        {[](auto& it) { it.jwks_uri = "", it.issuer = "kubernetes"; }, "has to be its URL"},
        {[](auto& it) { it.jwks_uri = "", it.issuer = "http://login.example"; }, "not https"},
        {[](auto& it) { it.jwks_uri = "", it.issuer += "?a=b"; }, "jwks_uri is needed"},
        {[](auto& it) { it.org = ""; }, "needs an org"},
        {[](auto& it) { it.org_claim = "tenant"; }, "either an org"},
        {[](auto& it) {
             it.algorithms = {"ES256", "HS256"};
         },
         "are among RS256"},
        {[](auto& it) { it.algorithms = {"none"}; }, "are among RS256"},
        {[](auto& it) { it.own_scopes = false; }, "permit nothing"},
        {[](auto& it) {
             it.scopes = {{"x", {"mcp:all"}}};
         },
         "the scopes of \"x\""},
        {[](auto& it) { it.default_scopes = {"read"}; }, "default_scopes"},
        {[](auto& it) { it.principal_claim = ""; }, "name claims"},
        {[](auto& it) { it.clock_skew = std::chrono::hours(1); }, "0 to 600"},
        {[](auto& it) { it.clock_skew = std::chrono::seconds(-1); }, "0 to 600"},
    };
    for (const auto& each : cases) {
        auto wrong = config();
        each.change(wrong);
        const auto made = Issuers::make({wrong}, parts());
        ASSERT_FALSE(made) << each.said;
        EXPECT_TRUE(contains(made.error().message, each.said)) << made.error().message;
        EXPECT_TRUE(contains(made.error().message, wrong.issuer.substr(0, 20)));
    }
    auto plain = config();
    plain.issuer = "kubernetes/serviceaccount";
    EXPECT_EQ(said(*make({plain}), token({{"iss", plain.issuer}})), "valid")
        << "with a jwks_uri any name will do";
}

}  // namespace
}  // namespace pb::oauth::issuer_tests
