// SPDX-License-Identifier: Apache-2.0
// What is taken for a valid signature, and above all what is not.
#include "jose/verify.h"

#include <functional>

#include "signer.h"

namespace pb::jose::testing {
namespace {

KeySet keys_of(const Json& keys) {
    auto out = KeySet::parse(key_set(keys));
    EXPECT_TRUE(out) << out.error().message;
    return *out;
}

// Empty if the token is valid, otherwise why not.
std::string refusal(const KeySet& keys, const std::string& text) {
    const auto token = read_token(text);
    if (!token) return token.error().message;
    const auto valid = keys.verify(*token);
    return valid ? "" : valid.error().message;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

const Json claims{{"iss", "https://issuer.example"}, {"sub", "ada"}};

std::vector<Signer> all_kinds() { return {Signer::rsa(), Signer::p256(), Signer::ed25519()}; }

TEST(Verify, TheExamplesOfTheRfcs) {
    const auto rsa = keys_of(Json::array(
        {{{"kty", "RSA"},
          {"n",
           "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1P"
           "t0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSH"
           "SXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6"
           "_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"},
          {"e", "AQAB"}}}));
    const std::string payload =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cn"
        "VlfQ";
    EXPECT_EQ(
        refusal(rsa, "eyJhbGciOiJSUzI1NiJ9." + payload +
                         ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm"
                         "4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f"
                         "_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOL"
                         "n6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUT"
                         "I8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"),
        "")
        << "RFC 7515, A.2";
    const auto p256 =
        keys_of(Json::array({{{"kty", "EC"},
                              {"crv", "P-256"},
                              {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"},
                              {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}}}));
    EXPECT_EQ(refusal(p256, "eyJhbGciOiJFUzI1NiJ9." + payload +
                                ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
                                "pmWQxfKTUJqPP3-Kg6NU1Q"),
              "")
        << "RFC 7515, A.3";
    const auto ed25519 = PublicKey::read(
        R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
    ASSERT_TRUE(ed25519);
    EXPECT_TRUE(ed25519->verifies(
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
        *base64_decode("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sV"
                       "vpAr_MuM0KAg",
                       Alphabet::url)))
        << "RFC 8037, A.4";
}

TEST(Verify, EachKindAndNothingThatWasChanged) {
    for (const auto& signer : all_kinds()) {
        const auto keys = keys_of(Json::array({signer.jwk("k1")}));
        const auto good = signer.token(claims, "k1");
        EXPECT_EQ(refusal(keys, good), "") << signer.algorithm();
        EXPECT_EQ(refusal(keys, signer.token(claims)), "") << "without a kid any key will do";
        const auto dot = good.rfind('.');
        const auto wrong = "the token's signature is wrong";
        auto changed = Json(claims);
        changed["sub"] = "eve";
        const auto middle = good.find('.');
        EXPECT_EQ(refusal(keys, good.substr(0, middle) + "." + base64url(changed.dump()) +
                                    good.substr(dot)),
                  wrong);
        auto signature = *base64_decode(good.substr(dot + 1), Alphabet::url);
        for (const std::size_t at : {std::size_t{0}, signature.size() / 2, signature.size() - 1}) {
            auto flipped = signature;
            flipped[at] = static_cast<char>(flipped[at] ^ 1);
            EXPECT_EQ(refusal(keys, good.substr(0, dot + 1) + base64url(flipped)), wrong) << at;
        }
        for (const auto& other :
             {std::string(), std::string(1, '\0'), signature + '\0', '\0' + signature,
              signature.substr(1), signature.substr(0, signature.size() - 1),
              std::string(signature.size(), '\0'), std::string(signature.size(), '\xff'),
              std::string("0\x06\x02\x01\x00\x02\x01\x00", 8)})
            EXPECT_EQ(refusal(keys, good.substr(0, dot + 1) + base64url(other)), wrong)
                << signer.algorithm() << " " << other.size();
    }
}

// https://www.rfc-editor.org/rfc/rfc7518#section-3.4: two numbers of 32 bytes, each of 1 to n - 1.
TEST(Verify, EllipticSignaturesHaveOneForm) {
    const auto signer = Signer::p256();
    const auto key = *PublicKey::read(signer.jwk().dump());
    const std::string text = "text";
    const auto good = signer.signature(text);
    const auto n = *base64_decode("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE", Alphabet::url);
    const std::string zero(32, '\0'), one = std::string(31, '\0') + '\x01';
    EXPECT_TRUE(key.verifies(text, good));
    EXPECT_FALSE(key.verifies(text, signer.raw_signature(text))) << "DER";
    const auto r = good.substr(0, 32), s = good.substr(32);
    for (const auto& bad :
         {zero + zero, zero + s, r + zero, n + s, r + n, n + n, one + zero, zero + one, one + one,
          r + r, s + r, '\0' + r + '\0' + s, r + s + r + s, r})
        EXPECT_FALSE(key.verifies(text, bad));
}

TEST(Verify, TheKeyDecidesTheAlgorithmNotTheToken) {
    const auto p256 = Signer::p256(), ed25519 = Signer::ed25519();
    const auto& rsa = Signer::rsa();
    const auto keys =
        keys_of(Json::array({rsa.jwk("rsa"), p256.jwk("p256"), ed25519.jwk("ed25519")}));
    const auto signed_as = [](const Signer& by, const std::string& header) {
        return by.sign(header, claims.dump());
    };
    // A key that is there, but for something else.
    for (const char* header :
         {R"({"alg":"RS256","kid":"p256"})", R"({"alg":"EdDSA","kid":"p256"})",
          R"({"alg":"ES256","kid":"rsa"})", R"({"alg":"ES256","kid":"none"})",
          R"({"alg":"ES256","kid":"P256"})", R"({"alg":"ES256","kid":"p256 "})"})
        EXPECT_TRUE(contains(refusal(keys, signed_as(p256, header)), "does not publish")) << header;
    EXPECT_EQ(refusal(keys, signed_as(p256, R"({"alg":"ES256","kid":"p256"})")), "");
    EXPECT_EQ(refusal(keys, signed_as(ed25519, R"({"alg":"Ed25519","kid":"ed25519"})")), "");
    for (const char* alg :
         {"none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "PS256", "RS384", "RS512",
          "RS1", "ES384", "ES512", "ES256K", "Ed448", "rs256", "es256", "RS256 ", "dir"}) {
        const auto header = Json{{"alg", alg}}.dump();
        for (const auto* by : {&rsa, &p256, &ed25519})
            EXPECT_TRUE(contains(refusal(keys, signed_as(*by, header)), "none of RS256")) << alg;
        const auto text = base64url(header) + "." + base64url(claims.dump()) + ".";
        EXPECT_TRUE(contains(refusal(keys, text), "none of RS256")) << alg;
    }
    EXPECT_FALSE(refusal(KeySet(), signed_as(p256, R"({"alg":"ES256"})")).empty());
}

TEST(Verify, KeysInTheTokenItselfMeanNothing) {
    const auto honest = Signer::p256(), eve = Signer::p256();
    const auto keys = keys_of(Json::array({honest.jwk("k")}));
    for (const auto& extra : {Json{{"jwk", eve.jwk("k")}}, Json{{"jku", "https://eve.example/"}},
                              Json{{"x5u", "https://eve.example/"}}, Json{{"x5c", {"MIIB"}}}}) {
        Json header{{"alg", "ES256"}, {"kid", "k"}};
        header.update(extra);
        EXPECT_EQ(refusal(keys, eve.sign(header.dump(), claims.dump())),
                  "the token's signature is wrong");
    }
}

TEST(Verify, OfKeysWithOneNameAnyMayHaveSigned) {
    const auto first = Signer::p256(), second = Signer::p256(), third = Signer::p256();
    const auto keys = keys_of(Json::array({first.jwk("k"), second.jwk("k"), third.jwk()}));
    EXPECT_EQ(refusal(keys, first.token(claims, "k")), "");
    EXPECT_EQ(refusal(keys, second.token(claims, "k")), "");
    EXPECT_EQ(refusal(keys, third.token(claims)), "");
    EXPECT_NE(refusal(keys, third.token(claims, "k")), "");
}

TEST(Verify, WhatIsNoTokenIsNotRead) {
    const auto signer = Signer::p256();
    const auto keys = keys_of(Json::array({signer.jwk()}));
    const std::string head = R"({"alg":"ES256"})", body = claims.dump();
    EXPECT_EQ(refusal(keys, signer.sign(head, body)), "");
    EXPECT_EQ(refusal(keys, signer.sign(" \n" + head + "\t", body + "\r\n")), "")
        << "white space is JSON's";
    EXPECT_TRUE(contains(refusal(keys, signer.sign(R"({"alg":"ES256","crit":["b64"]})", body)),
                         "extensions"));
    EXPECT_FALSE(refusal(keys, signer.sign(R"({"alg":"ES256","crit":[]})", body)).empty());
    const std::string deep(40, '['), closed(40, ']');
    const std::pair<std::string, std::string> wrong[] = {
        {"", body},
        {"{}", body},
        {"[]", body},
        {"null", body},
        {"\"ES256\"", body},
        {"{\"alg\":\"ES256\"", body},
        {head + "{}", body},
        {R"({"alg":["ES256"]})", body},
        {R"({"alg":null})", body},
        {R"({"alg":"ES256","alg":"ES256"})", body},
        {R"({"alg":"none","\u0061lg":"ES256"})", body},
        {R"({"alg":"ES256","kid":1})", body},
        {R"({"alg":"ES256","typ":{}})", body},
        {R"({"alg":"ES256","kid":")" + std::string(300, 'k') + "\"}", body},
        {R"({"alg":"ES256","x":")" + std::string(5000, 'x') + "\"}", body},
        {R"({"alg":"ES256","x":)" + deep + closed + "}", body},
        {"{\"alg\":\"ES256\",\"x\":\"\xff\"}", body},
        {head, ""},
        {head, "[]"},
        {head, "claims"},
        {head, R"({"sub":"ada","sub":"eve"})"},
        {head, "{\"a\":" + deep + closed + "}"},
        {head, "{\"sub\":\"\xc0\x80\"}"},
        {head, R"({"sub":")" + std::string(20'000, 'a') + "\"}"},
    };
    for (const auto& [header, text] : wrong)
        EXPECT_FALSE(read_token(signer.sign(header, text))) << header << " " << text;
    const auto good = signer.sign(head, body);
    const auto a = good.find('.'), b = good.rfind('.');
    for (const auto& text :
         {std::string(), std::string("."), std::string(".."), std::string("..."), good + ".",
          "." + good, good + ".a.b", good.substr(0, b), good + "=", good + "\n", " " + good,
          good.substr(0, a) + "=" + good.substr(a), good.substr(0, b) + "=" + good.substr(b),
          good.substr(0, a) + "+" + good.substr(a),
          good.substr(0, a) + std::string(1, '\0') + good.substr(a)})
        EXPECT_FALSE(read_token(text)) << text;
}

TEST(Verify, TheTypeIsComparedWithoutItsTrimmings) {
    const auto signer = Signer::p256();
    const auto type = [&](const std::string& typ) {
        return read_token(signer.sign(Json{{"alg", "ES256"}, {"typ", typ}}.dump(), "{}"))->type;
    };
    EXPECT_EQ(type("JWT"), "jwt");
    EXPECT_EQ(type("application/AT+jwt"), "at+jwt");
    EXPECT_EQ(type("Application/at+JWT"), "at+jwt");
}

TEST(Keys, OnlySoundPublicKeysForSignatures) {
    const auto p256 = Signer::p256(), ed25519 = Signer::ed25519();
    const auto& rsa = Signer::rsa();
    const auto with = [](Json key, const Json& changes) {
        key.update(changes);
        return key;
    };
    const Json good[] = {rsa.jwk(),
                         p256.jwk("k"),
                         ed25519.jwk(),
                         with(rsa.jwk(), {{"use", "sig"}, {"alg", "RS256"}, {"x5c", {"MIIB"}}}),
                         with(p256.jwk(), {{"key_ops", {"verify"}}, {"alg", "ES256"}}),
                         with(ed25519.jwk(), {{"alg", "EdDSA"}}),
                         with(ed25519.jwk(), {{"alg", "Ed25519"}})};
    for (const auto& key : good)
        EXPECT_TRUE(PublicKey::read(key.dump())) << key;
    const std::string zero = base64url(std::string(32, '\0')), y = p256.jwk()["y"];
    const std::string n = rsa.jwk()["n"];
    auto even = *base64_decode(n, Alphabet::url);
    even.back() = static_cast<char>(even.back() & ~1);
    const Json bad[] = {
        Json::object(),
        {{"kty", "oct"}, {"k", base64url("secret")}},
        {{"kty", "oct"}, {"k", base64url("secret")}, {"alg", "HS256"}},
        with(rsa.jwk(), {{"use", "enc"}}),
        with(rsa.jwk(), {{"use", 1}}),
        with(rsa.jwk(), {{"key_ops", {"encrypt"}}}),
        with(rsa.jwk(), {{"key_ops", "verify"}}),
        with(rsa.jwk(), {{"alg", "PS256"}}),
        with(rsa.jwk(), {{"alg", "RS512"}}),
        with(rsa.jwk(), {{"alg", "ES256"}}),
        with(rsa.jwk(), {{"alg", 1}}),
        with(rsa.jwk(), {{"kid", 1}}),
        with(rsa.jwk(), {{"d", base64url("private")}}),
        with(rsa.jwk(), {{"n", ""}}),
        with(rsa.jwk(), {{"n", n + "="}}),
        with(rsa.jwk(), {{"n", base64url(even)}}),
        with(rsa.jwk(), {{"n", base64url(std::string(2000, '\xff'))}}),
        with(rsa.jwk(), {{"e", "AQ"}}),
        with(rsa.jwk(), {{"e", "AA"}}),
        with(rsa.jwk(), {{"e", "Ag"}}),
        with(rsa.jwk(), {{"e", ""}}),
        with(rsa.jwk(), {{"e", base64url(std::string(9, '\xff'))}}),
        Signer::small_rsa().jwk(),
        Signer::p384().jwk(),
        with(p256.jwk(), {{"crv", "P-384"}}),
        with(p256.jwk(), {{"crv", "secp256k1"}}),
        with(p256.jwk(), {{"x", zero}}),
        with(p256.jwk(), {{"x", zero}, {"y", zero}}),
        with(p256.jwk(), {{"x", y}, {"y", y}}),
        with(p256.jwk(), {{"y", y + y}}),
        with(p256.jwk(), {{"y", base64url(*base64_decode(y, Alphabet::url) + '\0')}}),
        with(p256.jwk(), {{"x", base64url(std::string(32, '\xff'))}}),
        with(p256.jwk(), {{"d", zero}}),
        with(p256.jwk(), {{"kty", "OKP"}}),
        with(ed25519.jwk(), {{"crv", "X25519"}}),
        with(ed25519.jwk(), {{"crv", "Ed448"}}),
        with(ed25519.jwk(), {{"x", base64url(std::string(31, 'a'))}}),
        with(ed25519.jwk(), {{"x", base64url(std::string(33, 'a'))}}),
        with(ed25519.jwk(), {{"alg", "ES256"}}),
    };
    for (const auto& key : bad)
        EXPECT_FALSE(PublicKey::read(key.dump())) << key;
}

TEST(Keys, ASetIsBoundedAndPassesOverWhatItDoesNotKnow) {
    const auto signer = Signer::p256();
    const auto keys = keys_of(Json::array(
        {Json{{"kty", "future"}}, 1, nullptr, "key", Signer::p384().jwk("k"), signer.jwk("k")}));
    EXPECT_EQ(keys.size(), 1U);
    EXPECT_EQ(refusal(keys, signer.token(claims, "k")), "");
    EXPECT_EQ(KeySet::parse(R"({"keys":[]})")->size(), 0U);
    Json many = Json::array();
    for (int i = 0; i < 100; ++i)
        many.push_back(signer.jwk("k" + std::to_string(i)));
    EXPECT_EQ(keys_of(many).size(), 32U);
    const std::string deep(40, '['), closed(40, ']');
    for (const std::string& text :
         {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"keys":{}})"),
          std::string(R"({"keys":[],"keys":[]})"), std::string("<html>"),
          R"({"keys":)" + deep + closed + "}",
          R"({"keys":[],"x":")" + std::string(300'000, 'x') + "\"}"})
        EXPECT_FALSE(KeySet::parse(text)) << text;
}

}  // namespace
}  // namespace pb::jose::testing
