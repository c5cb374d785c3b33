// SPDX-License-Identifier: Apache-2.0
#include "jose/verify.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "jose/openssl.h"
#include "json/parse.h"

namespace pb::jose {
namespace {

constexpr std::size_t longest_token = 16U << 10U;
constexpr std::size_t longest_name = 256;
constexpr json::Limits header_limits{4U << 10U, 8, 256};
constexpr json::Limits claims_limits{longest_token, 16, 4096};
constexpr json::Limits set_limits{256U << 10U, 8, 8192};
constexpr std::size_t most_keys = 32;

constexpr std::string_view algorithm_names[] = {"RS256", "ES256", "EdDSA"};

// An ambiguous object is none: of two members of one name another reader might take the other
// (RFC 7515, 4; RFC 7519, 4).
Result<void> check_object(std::string_view text, const json::Limits& limits) {
    const auto tree = json::parse_unique(text, limits);
    if (!tree) return tree.error();
    if (!tree->is_object()) return invalid("it is not a JSON object");
    return {};
}

Result<std::string> decoded_object(std::string_view part, const json::Limits& limits) {
    auto text = base64_decode(part, Alphabet::url);
    if (!text) return invalid("it is not base64url");
    if (auto sound = check_object(*text, limits); !sound) return std::move(sound).error();
    return std::move(*text);
}

// An absent member is an empty text; nothing if it is there and no (or too long a) string.
std::optional<std::string> optional_text(std::string_view object, std::string_view name) {
    const auto value = json::member(object, name);
    if (value.empty()) return "";
    auto text = json::string_value(value);
    if (text && text->size() > longest_name) return std::nullopt;
    return text;
}

std::string plain_type(std::string type) {
    std::transform(type.begin(), type.end(), type.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    constexpr std::string_view application = "application/";
    return type.starts_with(application) ? type.substr(application.size()) : type;
}

// A member that is base64url; empty if it is absent or something else.
std::string bytes_member(std::string_view object, std::string_view name) {
    const auto text = json::string_value(json::member(object, name));
    return text ? base64_decode(*text, Alphabet::url).value_or("") : "";
}

using Parameters = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using KeyPtr = std::shared_ptr<EVP_PKEY>;

KeyPtr owned(EVP_PKEY* key) { return key != nullptr ? KeyPtr(key, EVP_PKEY_free) : nullptr; }

// OpenSSL checks that a point is on its curve.
KeyPtr make_key(const char* type, OSSL_PARAM_BLD* parameters) {
    const std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>> list(
        OSSL_PARAM_BLD_to_param(parameters));
    const std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>> context(
        EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!list || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, list.get()) != 1)
        return nullptr;
    return owned(key);
}

Number big_number(std::string_view text) {
    return Number(BN_bin2bn(bytes(text), static_cast<int>(text.size()), nullptr));
}

// The two numbers of RFC 7518, 3.4 as OpenSSL's DER; empty if it is not exactly two.
std::string der_signature(std::string_view raw) {
    if (raw.size() != 2 * std::size_t{coordinate}) return "";
    auto r = big_number(raw.substr(0, coordinate)), s = big_number(raw.substr(coordinate));
    const Signature signature(ECDSA_SIG_new());
    if (!r || !s || !signature) return "";
    ECDSA_SIG_set0(signature.get(), r.release(), s.release());
    const int size = i2d_ECDSA_SIG(signature.get(), nullptr);
    if (size <= 0) return "";
    std::string out(static_cast<std::size_t>(size), '\0');
    auto* to = bytes(out);
    i2d_ECDSA_SIG(signature.get(), &to);
    return out;
}

// Whether the key is published for verifying signatures, as far as it says what it is for.
bool is_for_signatures(std::string_view jwk) {
    const auto use = json::member(jwk, "use");
    if (!use.empty() && json::string_value(use) != "sig") return false;
    const auto operations = json::member(jwk, "key_ops");
    if (operations.empty()) return true;
    std::vector<std::string_view> names;
    return json::elements(operations, names) &&
           std::any_of(names.begin(), names.end(),
                       [](auto name) { return json::string_value(name) == "verify"; });
}

bool fits(const PublicKey& key, const Token& token) {
    return algorithm_from(token.algorithm) == key.algorithm() &&
           (token.key_id.empty() || token.key_id == key.id());
}

}  // namespace

std::string_view name_of(Algorithm algorithm) {
    return algorithm_names[static_cast<std::size_t>(algorithm)];
}

std::optional<Algorithm> algorithm_from(std::string_view name) {
    for (const auto algorithm : {Algorithm::rs256, Algorithm::es256, Algorithm::eddsa})
        if (name == name_of(algorithm)) return algorithm;
    if (name == "Ed25519") return Algorithm::eddsa;  // RFC 9864
    return std::nullopt;
}

Result<Token> read_token(std::string_view text) {
    if (text.size() > longest_token) return invalid("the token is too long");
    const auto first = text.find('.');
    const auto second = text.find('.', first == std::string_view::npos ? first : first + 1);
    if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos)
        return invalid("the token is not three parts with dots between them");
    const auto header = decoded_object(text.substr(0, first), header_limits);
    if (!header) return invalid("the token's header: " + header.error().message);
    auto claims = decoded_object(text.substr(first + 1, second - first - 1), claims_limits);
    if (!claims) return invalid("the token's claims: " + claims.error().message);
    auto signature = base64_decode(text.substr(second + 1), Alphabet::url);
    if (!signature) return invalid("the token's signature is not base64url");

    auto algorithm = optional_text(*header, "alg");
    auto key_id = optional_text(*header, "kid");
    auto type = optional_text(*header, "typ");
    if (!algorithm || algorithm->empty() || !key_id || !type)
        return invalid(
            "the token's header has no \"alg\", or a \"kid\" or \"typ\" that is no text");
    return Token{std::move(*algorithm),        std::move(*key_id),
                 plain_type(std::move(*type)), !json::member(*header, "crit").empty(),
                 std::move(*claims),           std::string(text.substr(0, second)),
                 std::move(*signature)};
}

Result<PublicKey> PublicKey::read(std::string_view jwk) {
    const auto type = json::string_value(json::member(jwk, "kty")).value_or("");
    auto id = optional_text(jwk, "kid");
    const auto algorithm = optional_text(jwk, "alg");
    if (!id || !algorithm) return invalid("the key's kid or alg is no text");
    if (!is_for_signatures(jwk)) return invalid("the key is not for signatures");
    for (const auto* secret : {"d", "k"})
        if (!json::member(jwk, secret).empty()) return invalid("the key is not a public one");
    auto key = type == "RSA"  ? rsa(jwk)
               : type == "EC" ? p256(jwk)
               : type == "OKP"
                   ? ed25519(jwk)
                   : Result<PublicKey>(invalid("the key is neither RSA nor EC nor OKP"));
    if (!key) return key;
    if (!algorithm->empty() && algorithm_from(*algorithm) != key->algorithm_)
        return invalid("the key is for another algorithm");
    key->id_ = std::move(*id);
    return key;
}

Result<PublicKey> PublicKey::rsa(std::string_view jwk) {
    constexpr int least_bits = 2048, most_bits = 8192, most_exponent_bits = 64;
    const auto modulus = big_number(bytes_member(jwk, "n"));
    const auto exponent = big_number(bytes_member(jwk, "e"));
    const auto refused = invalid("the key is no RSA key of 2048 to 8192 bits");
    if (!modulus || !exponent || BN_num_bits(modulus.get()) < least_bits ||
        BN_num_bits(modulus.get()) > most_bits || BN_is_odd(modulus.get()) == 0)
        return refused;
    // An exponent of 1 makes every text its own signature.
    if (BN_is_odd(exponent.get()) == 0 || BN_is_one(exponent.get()) == 1 ||
        BN_num_bits(exponent.get()) > most_exponent_bits)
        return refused;
    const Parameters parameters(OSSL_PARAM_BLD_new());
    if (!parameters ||
        OSSL_PARAM_BLD_push_BN(parameters.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(parameters.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1)
        return refused;
    auto key = make_key("RSA", parameters.get());
    if (!key) return refused;
    return PublicKey(Algorithm::rs256, std::move(key));
}

Result<PublicKey> PublicKey::p256(std::string_view jwk) {
    const auto refused = invalid("the key is no point of P-256");
    const auto x = bytes_member(jwk, "x"), y = bytes_member(jwk, "y");
    if (json::string_value(json::member(jwk, "crv")) != "P-256" || x.size() != coordinate ||
        y.size() != coordinate)
        return refused;
    const auto point = "\x04" + x + y;
    const Parameters parameters(OSSL_PARAM_BLD_new());
    if (!parameters ||
        OSSL_PARAM_BLD_push_utf8_string(parameters.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) !=
            1 ||
        OSSL_PARAM_BLD_push_octet_string(parameters.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1)
        return refused;
    auto key = make_key("EC", parameters.get());
    if (!key) return refused;
    return PublicKey(Algorithm::es256, std::move(key));
}

Result<PublicKey> PublicKey::ed25519(std::string_view jwk) {
    constexpr std::size_t key_size = 32;
    const auto x = bytes_member(jwk, "x");
    auto key =
        json::string_value(json::member(jwk, "crv")) == "Ed25519" && x.size() == key_size
            ? owned(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes(x), key_size))
            : nullptr;
    if (!key) return invalid("the key is none of Ed25519");
    return PublicKey(Algorithm::eddsa, std::move(key));
}

bool PublicKey::verifies(std::string_view text, std::string_view signature) const {
    std::string der;
    if (algorithm_ == Algorithm::es256) {
        der = der_signature(signature);
        signature = der;
    }
    if (signature.empty()) return false;
    const Context context(EVP_MD_CTX_new());
    const auto* digest = algorithm_ == Algorithm::eddsa ? nullptr : EVP_sha256();
    return context &&
           EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key_.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(text),
                            text.size()) == 1;
}

Result<KeySet> KeySet::parse(std::string_view text) {
    if (auto sound = check_object(text, set_limits); !sound) return std::move(sound).error();
    std::vector<std::string_view> keys;
    if (!json::elements(json::member(text, "keys"), keys))
        return invalid("the key set has no \"keys\"");
    KeySet out;
    for (const auto key : keys) {
        if (json::type_of(key) != json::Type::object) continue;
        auto read = PublicKey::read(key);
        if (read && out.keys_.size() < most_keys) out.keys_.push_back(std::move(*read));
    }
    return out;
}

bool KeySet::has_key_for(const Token& token) const {
    return std::any_of(keys_.begin(), keys_.end(),
                       [&](const auto& key) { return fits(key, token); });
}

Result<void> KeySet::verify(const Token& token) const {
    if (token.critical)
        return invalid("the token's header demands extensions (crit), and none is known here");
    if (!algorithm_from(token.algorithm))
        return invalid("the token's algorithm is none of RS256, ES256 and EdDSA");
    if (!has_key_for(token))
        return invalid("the token is signed with a key that its issuer does not publish");
    for (const auto& key : keys_)
        if (fits(key, token) && key.verifies(token.signed_part, token.signature)) return {};
    return invalid("the token's signature is wrong");
}

}  // namespace pb::jose
