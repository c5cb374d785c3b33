// SPDX-License-Identifier: Apache-2.0
// URLs, challenges, scopes, signatures, records: what OAuth is made of.
#include <gtest/gtest.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "client/oauth/challenge.h"
#include "client/oauth/records.h"
#include "jose/jose.h"
#include "oauth_world.h"

namespace pb::client::oauth::oauth_parts_test {
namespace {

TEST(OAuthUrl, OnlyAbsoluteHttpWithoutTrimmings) {
    const struct {
        const char *text, *origin, *path, *query;
    } good[] = {
        {"https://Example.COM", "https://example.com", "", ""},
        {"HTTPS://example.com:443/a/b?c=d", "https://example.com", "/a/b", "?c=d"},
        {"http://example.com:8080/", "http://example.com:8080", "/", ""},
        {"http://[::1]:81?x", "http://[::1]:81", "", "?x"},
        {"https://[2001:db8::1]/a", "https://[2001:db8::1]", "/a", ""},
    };
    for (const auto& each : good) {
        const auto url = parse_url(each.text, "it");
        ASSERT_TRUE(url) << url.error().message;
        EXPECT_EQ(url->origin(), each.origin);
        EXPECT_EQ(url->path, each.path);
        EXPECT_EQ(url->query, each.query);
    }
    for (const char* text :
         {"", "example.com", "//example.com", "ftp://example.com", "javascript://example.com/%0a",
          "https://", "https:///a", "https://a@example.com", "https://example.com#a",
          "https://example.com:0", "https://example.com:65536", "https://example.com:8x",
          "https://example.com:", "https://exa mple.com", "https://example.com/\n", "https://[::1",
          "https://[]", "https://a%2f.com", "https://example.com\\@evil.com"})
        EXPECT_FALSE(parse_url(text, "it")) << text;
}

TEST(OAuthUrl, AnErrorShowsNoQuery) {
    const auto url = parse_url("https://u:p@example.com/?token=geheim", "it");
    ASSERT_FALSE(url);
    EXPECT_EQ(url.error().message.find("geheim"), std::string::npos);
}

TEST(OAuthUrl, PlainHttpOnlyOnThisMachineOrWhereAllowed) {
    for (const char* text : {"http://localhost:1", "http://127.0.0.1", "http://127.9.9.9:5/x",
                             "http://[::1]/", "https://example.com"})
        EXPECT_TRUE(parse_secure_url(text, "it", false)) << text;
    for (const char* text :
         {"http://example.com", "http://10.0.0.1", "http://127.0.0.1.example.com",
          "http://localhost.example.com", "http://127.example.com"}) {
        EXPECT_FALSE(parse_secure_url(text, "it", false)) << text;
        EXPECT_TRUE(parse_secure_url(text, "it", true)) << text;
    }
}

TEST(OAuthUrl, AResourceCoversWholeSegmentsOfOneOrigin) {
    const struct {
        const char *resource, *server;
        bool covers;
    } cases[] = {
        {"https://a.com/mcp", "https://a.com/mcp", true},
        {"https://a.com", "https://a.com/mcp", true},
        {"https://a.com/", "https://a.com/mcp", true},
        {"https://a.com/mcp", "https://a.com/mcp/two", true},
        {"https://a.com/mcp/", "https://a.com/mcp", true},
        {"https://A.com:443/mcp", "https://a.com/mcp?x=1", true},
        {"https://a.com/mcp?x=1", "https://a.com/mcp?x=1", true},
        {"https://a.com/mcp?x=2", "https://a.com/mcp?x=1", false},
        {"https://a.com/mcp", "https://a.com/mcp2", false},
        {"https://a.com/mcp/two", "https://a.com/mcp", false},
        {"https://b.com/mcp", "https://a.com/mcp", false},
        {"http://a.com/mcp", "https://a.com/mcp", false},
        {"https://a.com:444/mcp", "https://a.com/mcp", false},
    };
    for (const auto& each : cases)
        EXPECT_EQ(covers(*parse_url(each.resource, ""), *parse_url(each.server, "")), each.covers)
            << each.resource << " " << each.server;
}

TEST(OAuthUrl, FormsGoThereAndBack) {
    const FormParams params{{"a", "1 +/=&%\n\xc3\xa9"}, {"b c", ""}};
    const auto text = form_encode(params);
    EXPECT_EQ(text, "a=1%20%2B%2F%3D%26%25%0A%C3%A9&b%20c=");
    EXPECT_EQ(form_decode(text), params);
    EXPECT_EQ(form_decode("a=b+c&&d"), (FormParams{{"a", "b c"}, {"d", ""}}));
    for (const char* broken : {"a=%", "a=%4", "a=%4g", "%zz=1"})
        EXPECT_FALSE(form_decode(broken)) << broken;
    EXPECT_EQ(with_params("https://a.com/x?y=z", {{"a", "b"}}), "https://a.com/x?y=z&a=b");
    EXPECT_EQ(with_params("https://a.com/x", {{"a", "b"}}), "https://a.com/x?a=b");
}

TEST(OAuthChallenge, TheGrammar) {
    const auto all = parse_challenges(
        R"(Negotiate YWJj==, Basic realm="a, \"b\"", Bearer scope="x y", error=invalid_token, DPoP)");
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(all[0].name, "negotiate");
    EXPECT_TRUE(all[0].params.empty());
    EXPECT_EQ(all[1].param("realm"), "a, \"b\"");
    EXPECT_EQ(all[2].param("scope"), "x y");
    EXPECT_EQ(all[2].param("error"), "invalid_token");
    EXPECT_EQ(all[3].name, "dpop");
    EXPECT_TRUE(parse_challenges("").empty());
    EXPECT_EQ(parse_challenges("Bearer scope=\"unfinished").size(), 1U);
    EXPECT_EQ(parse_challenges("Bearer , , ,").size(), 1U);
    EXPECT_EQ(parse_challenges("\x01\x02").size(), 0U);
    EXPECT_LE(parse_challenges(std::string(100'000, 'a')).size(), 1U);
}

TEST(OAuthChallenge, WhatTheOAuthSchemesDemand) {
    auto demand = read_demand(
        R"(Basic scope="no", bearer Resource_Metadata = "https://a.com/x", SCOPE="b a b")");
    EXPECT_EQ(demand.resource_metadata, "https://a.com/x");
    EXPECT_EQ(demand.scopes, (std::vector<std::string>{"b", "a"}));
    EXPECT_FALSE(demand.dpop);
    EXPECT_TRUE(read_demand("DPoP algs=\"ES256\"").dpop);
    EXPECT_FALSE(read_demand("DPoP, Bearer").dpop) << "Bearer is enough";
    EXPECT_TRUE(read_demand("Bearer scope=\"a \\\"b\"").scopes.empty()) << "not a scope";
    std::string many;
    for (int i = 0; i < 100; ++i)
        many += "s" + std::to_string(i) + " ";
    EXPECT_TRUE(split_scopes(many).empty());
}

// The signature of a compact JWS, with a public key in PEM, by other means than those that made it.
bool verifies(const std::string& jws, const std::string& private_pem) {
    BIO* bio = BIO_new_mem_buf(private_pem.data(), -1);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    const auto dot = jws.rfind('.');
    const auto input = jws.substr(0, dot);
    auto raw = base64_decode(jws.substr(dot + 1), Alphabet::url).value_or("");
    if (EVP_PKEY_is_a(key, "EC") == 1) {
        EXPECT_EQ(raw.size(), 64U);
        ECDSA_SIG* pair = ECDSA_SIG_new();
        const auto* bytes = reinterpret_cast<const unsigned char*>(raw.data());
        ECDSA_SIG_set0(pair, BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
        unsigned char* der = nullptr;
        const int size = i2d_ECDSA_SIG(pair, &der);
        raw.assign(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
        OPENSSL_free(der);
        ECDSA_SIG_free(pair);
    }
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key);
    const int verdict =
        EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(raw.data()), raw.size(),
                         reinterpret_cast<const unsigned char*>(input.data()), input.size());
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return verdict == 1;
}

std::string rsa_pem(unsigned bits) {
    EVP_PKEY* key = EVP_RSA_gen(bits);
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio, &data);
    std::string out(data, static_cast<std::size_t>(size));
    BIO_free(bio);
    EVP_PKEY_free(key);
    return out;
}

TEST(OAuthJose, SignaturesOfBothKinds) {
    const auto fresh = jose::SigningKey::generate();
    ASSERT_TRUE(fresh);
    for (const auto& pem : {fresh->pem(), rsa_pem(2048)}) {
        const auto key = jose::SigningKey::from_pem(pem);
        ASSERT_TRUE(key) << key.error().message;
        const auto jws = key->sign(R"("typ":"JWT")", R"({"a":1})");
        ASSERT_TRUE(jws);
        EXPECT_TRUE(verifies(*jws, pem));
        EXPECT_FALSE(verifies("x" + *jws, pem)) << "the check can fail";
        EXPECT_EQ(jwt_part(*jws, 0)["alg"], key->algorithm());
        EXPECT_EQ(jwt_part(*jws, 1), (Json{{"a", 1}}));
        const auto jwk = Json::parse(key->public_jwk());
        EXPECT_FALSE(jwk.contains("d"));
        EXPECT_EQ(jwk["kty"], key->algorithm() == "ES256" ? "EC" : "RSA");
    }
}

TEST(OAuthJose, OtherKeysAreRefused) {
    EXPECT_FALSE(jose::SigningKey::from_pem("no key"));
    EXPECT_FALSE(jose::SigningKey::from_pem(rsa_pem(1024)));
}

TEST(OAuthJose, TheThumbprintOfRfc7638) {
    // The example of the RFC, as the digest of its own canonical form.
    EXPECT_EQ(
        sha256_url(
            R"({"e":"AQAB","kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"})"),
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

TEST(OAuthRecords, WhatIsWrittenIsRead) {
    SignIn sign_in;
    sign_in.state = "s\"1";
    sign_in.owner = "ada\n";
    sign_in.url = "https://as.example/authorize";
    sign_in.verifier = "v";
    sign_in.found.resource = "https://mcp.example/mcp";
    sign_in.found.scopes = {"a", "b"};
    sign_in.found.server.issuer = "https://as.example";
    sign_in.found.server.token_endpoint = "https://as.example/token";
    sign_in.found.server.iss_in_response = true;
    sign_in.client.issuer = "https://as.example";
    sign_in.client.client_id = "c";
    sign_in.expires = 5;
    const auto text = to_json(std::vector<SignIn>{sign_in, sign_in});
    const auto again = sign_ins_from_json(text);
    ASSERT_EQ(again.size(), 2U);
    EXPECT_EQ(to_json(again), text);
    EXPECT_EQ(again[1].owner, "ada\n");
    EXPECT_TRUE(again[1].found.server.iss_in_response);
    for (const char* damaged : {"", "{", "[1,{}]", "null", "{\"issuer\":1}"}) {
        EXPECT_TRUE(sign_ins_from_json(damaged).empty());
        EXPECT_FALSE(tokens_from_json(damaged)) << damaged;
        EXPECT_FALSE(registration_from_json(damaged)) << damaged;
    }
}

TEST(OAuthRecords, KeysAreShortAndOfSafeCharacters) {
    const auto key = record_key("tokens", {"https://as.example", std::string(5000, 'x')});
    EXPECT_LT(key.size(), 80U);
    EXPECT_EQ(key.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                    "._-"),
              std::string::npos);
    EXPECT_NE(record_key("a", {"b", "c"}), record_key("a", {"bc", ""}));
}

TEST(Credentials, FixedOnesAreTheSameAlwaysAndAChallengeIsFinal) {
    const auto credentials = fixed_credentials(basic("user", "pass:word"));
    const auto headers = credentials->ready("GET", "https://anywhere.example");
    ASSERT_TRUE(headers);
    EXPECT_EQ(outbound::find_header(*headers, "authorization"), "Basic dXNlcjpwYXNzOndvcmQ=");
    EXPECT_TRUE(credentials->acquire(soon()));
    const auto refused = credentials->challenged({}, soon());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::denied);
    EXPECT_EQ(refused.error().message.find("pass"), std::string::npos);
    EXPECT_EQ(bearer("t"), (outbound::Headers{{"Authorization", "Bearer t"}}));
}

}  // namespace
}  // namespace pb::client::oauth::oauth_parts_test
