// SPDX-License-Identifier: Apache-2.0
#include "client/oauth/token_request.h"

#include <algorithm>

#include "base/base64.h"
#include "json/scan.h"

namespace pb::client::oauth {
namespace {

constexpr std::size_t longest_token = 64U << 10U;
constexpr Seconds longest_life = 10LL * 365 * 24 * 3600;
constexpr Seconds assertion_life = 120;

// Without it, a token could end a header or hide in a log.
bool is_token(std::string_view text) {
    return text.size() <= longest_token &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

// RFC 7523 §2.2. The audience is the issuer: one that is an endpoint could be misled.
Result<std::string> client_assertion(const TokenRequest& request) {
    if (request.client_key == nullptr)
        return invalid("private_key_jwt needs a private key, and none is configured");
    const auto id = json::quote(request.client.client_id);
    const auto claims = "{\"iss\":" + id + ",\"sub\":" + id +
                        ",\"aud\":" + json::quote(request.issuer) + R"(,"jti":")" + random_text() +
                        "\",\"iat\":" + std::to_string(request.now) +
                        ",\"exp\":" + std::to_string(request.now + assertion_life) + "}";
    std::string header = R"("typ":"JWT")";
    if (!request.key_id.empty()) header += ",\"kid\":" + json::quote(request.key_id);
    return request.client_key->sign(header, claims);
}

std::variant<TokenAnswer, TokenRefusal> read_answer(const TokenRequest& request,
                                                    const std::string& body) {
    const auto refuse = [&](const std::string& why) {
        return TokenRefusal{invalid("the token endpoint of " + request.issuer + " " + why), ""};
    };
    TokenAnswer out;
    out.access = text_member(body, "access_token");
    out.type = lower(text_member(body, "token_type"));
    out.issued_type = text_member(body, "issued_token_type");
    out.refresh = text_member(body, "refresh_token");
    if (out.access.empty() || !is_token(out.access) || !is_token(out.refresh))
        return refuse("answered without a valid access token");
    const auto life = json::member(body, "expires_in");
    if (const auto number = json::number_value(life))
        out.lifetime = static_cast<Seconds>(std::clamp(*number, 0.0, double(longest_life)));
    // A server that does not know DPoP gives an unbound token: what was wanted is a bound one.
    if (request.dpop != nullptr && out.type != "dpop")
        return refuse("issued a token that is not bound to the DPoP key");
    if (request.dpop == nullptr && out.type != "bearer" &&
        (out.type != "n_a" || out.issued_type.empty()))
        return refuse("issued a token of a type that is not known here");
    return out;
}

// What must not come back in an error's text.
std::vector<std::string_view> secrets_of(const Registration& client, const FormParams& form) {
    std::vector<std::string_view> out{client.client_secret};
    for (const auto& [name, value] : form)
        if (name != "client_id" && name != "grant_type" && name != "resource" && name != "scope" &&
            name != "redirect_uri")
            out.push_back(value);
    return out;
}

}  // namespace

Result<std::string> dpop_proof(const jose::SigningKey& key, std::string_view method,
                               std::string_view url, std::string_view token, std::string_view nonce,
                               Seconds now) {
    const auto header = R"("typ":"dpop+jwt","jwk":)" + key.public_jwk();
    auto claims = R"({"jti":")" + random_text() + "\",\"htm\":" + json::quote(method) +
                  ",\"htu\":" + json::quote(url.substr(0, url.find_first_of("?#"))) +
                  ",\"iat\":" + std::to_string(now);
    if (!token.empty()) claims += R"(,"ath":")" + sha256_url(token) + "\"";
    if (!nonce.empty()) claims += ",\"nonce\":" + json::quote(nonce);
    return key.sign(header, claims + "}");
}

Result<void> authenticate(const TokenRequest& request, outbound::Headers& headers,
                          FormParams& form) {
    const auto& client = request.client;
    if (client.auth_method == "client_secret_basic") {
        // RFC 6749 §2.3.1: both are form-encoded first.
        const auto basic_headers =
            basic(percent_encode(client.client_id), percent_encode(client.client_secret));
        headers.insert(headers.end(), basic_headers.begin(), basic_headers.end());
        return {};
    }
    form.emplace_back("client_id", client.client_id);
    if (client.auth_method == "client_secret_post") {
        form.emplace_back("client_secret", client.client_secret);
    } else if (client.auth_method == "private_key_jwt") {
        auto assertion = client_assertion(request);
        if (!assertion) return std::move(assertion).error();
        form.emplace_back("client_assertion_type",
                          "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
        form.emplace_back("client_assertion", std::move(*assertion));
    } else if (client.auth_method != "none") {
        return invalid("the token endpoint's authentication \"" + harmless(client.auth_method, {}) +
                       "\" is not known here");
    }
    return {};
}

std::variant<TokenAnswer, TokenRefusal> request_token(const Web& web, const TokenRequest& request,
                                                      const FormParams& form) {
    // Twice at most: a nonce that is asked for is given once (RFC 9449 §8).
    for (int attempt = 0;; ++attempt) {
        auto whole = form;
        outbound::Headers headers;
        if (auto done = authenticate(request, headers, whole); !done)
            return TokenRefusal{std::move(done).error(), ""};
        if (request.dpop != nullptr) {
            auto proof = dpop_proof(*request.dpop, "POST", request.endpoint, "",
                                    *request.dpop_nonce, request.now);
            if (!proof) return TokenRefusal{std::move(proof).error(), ""};
            headers.emplace_back("DPoP", std::move(*proof));
        }
        auto answer = web.post(request.endpoint, "application/x-www-form-urlencoded",
                               form_encode(whole), std::move(headers));
        if (!answer) return TokenRefusal{std::move(answer).error(), ""};
        const auto nonce = answer->head.header("DPoP-Nonce");
        const bool new_nonce = request.dpop != nullptr && !nonce.empty() && is_token(nonce);
        if (new_nonce) *request.dpop_nonce = nonce;
        if (answer->head.status == 200) return read_answer(request, answer->body);
        const auto code = text_member(answer->body, "error");
        if (code == "use_dpop_nonce" && new_nonce && attempt == 0) continue;
        const int status = answer->head.status;
        const bool later = status == 429 || status >= 500;
        return TokenRefusal{{later ? ErrorKind::busy : ErrorKind::denied,
                             "the token endpoint of " + request.issuer + " refused: " +
                                 describe_refusal(*answer, secrets_of(request.client, whole))},
                            later ? "" : code};
    }
}

std::string harmless(std::string_view text, const std::vector<std::string_view>& secrets) {
    constexpr std::size_t longest = 200;
    std::string out;
    for (char c : text.substr(0, longest))
        out += c >= ' ' && c < 0x7f && c != '"' && c != '\\' ? c : '?';
    for (const auto secret : secrets)
        if (!secret.empty() && text.find(secret) != std::string_view::npos)
            return "(withheld: it repeats a secret)";
    return out;
}

std::string describe_refusal(const outbound::Answer& answer,
                             const std::vector<std::string_view>& secrets) {
    const auto code = text_member(answer.body, "error");
    const auto text = text_member(answer.body, "error_description");
    auto out = "HTTP " + std::to_string(answer.head.status);
    if (!code.empty()) out += " " + harmless(code, secrets);
    if (!text.empty()) out += " (" + harmless(text, secrets) + ")";
    return out;
}

}  // namespace pb::client::oauth
