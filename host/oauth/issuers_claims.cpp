// SPDX-License-Identifier: Apache-2.0
#include "oauth/issuers_claims.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/tokens.h"
#include "json/scan.h"

namespace pb::oauth {
namespace {

constexpr std::size_t longest_principal = 256;
constexpr std::string_view scope_kinds[] = {"mcp:", "action:", "source:", "object:"};
constexpr double end_of_time = 253'402'300'799;  // of the year 9999

// A JSON pointer's step (RFC 6901).
std::string pointer_step(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escaped = text[i] == '~' && i + 1 < text.size();
        out += escaped ? (text[i + 1] == '1' ? '/' : '~') : text[i];
        i += escaped ? 1 : 0;
    }
    return out;
}

// Seconds since 1970; nothing if the claim is absent, and a number that is no time if it is none.
std::optional<double> date_claim(std::string_view claims, std::string_view name) {
    const auto value = json::member(claims, name);
    if (value.empty()) return std::nullopt;
    const auto seconds = json::number_value(value);
    return seconds && *seconds >= 0 && *seconds <= end_of_time ? *seconds : NAN;
}

// Names are shown to people and written to the trail.
bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= longest_principal &&
           std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string client_of(std::string_view claims) {
    for (const auto* name : {"azp", "client_id"})
        if (auto text = json::string_value(json::member(claims, name)); text && is_name(*text))
            return std::move(*text);
    return "";
}

Result<std::string> org_of(const ExternalIssuer& issuer, std::string_view claims) {
    if (!issuer.org.empty()) return issuer.org;
    std::set<std::string> found;
    for (auto& value : texts_of(find_claim(claims, issuer.org_claim))) {
        const auto org = issuer.orgs.find(value);
        if (org != issuer.orgs.end())
            found.insert(org->second);
        else if (issuer.orgs.empty())
            found.insert(std::move(value));
    }
    if (found.size() == 1 && is_name(*found.begin())) return *found.begin();
    return invalid(found.size() < 2
                       ? "the token's organisation is none of those that are known here"
                       : "the token is of more than one organisation");
}

bool is_our_scope(std::string_view name) {
    return std::any_of(std::begin(scope_kinds), std::end(scope_kinds),
                       [&](std::string_view kind) { return name.starts_with(kind); });
}

// One text is words with spaces between them; an array's elements are taken whole.
std::vector<std::string> scope_values(std::string_view value) {
    auto texts = texts_of(value);
    if (json::type_of(value) != json::Type::string || texts.empty()) return texts;
    std::vector<std::string> out;
    std::string_view text = texts.front();
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        if (end > 0) out.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

// A narrowing that cannot be read must not become none: the token is refused then.
Result<access::Scopes> scopes_of(const ExternalIssuer& issuer, std::string_view claims) {
    std::vector<std::string> names;
    const auto value = find_claim(claims, issuer.scope_claim);
    if (!value.empty())
        for (auto& each : scope_values(value)) {
            const auto found = issuer.scopes.find(each);
            if (found != issuer.scopes.end())
                names.insert(names.end(), found->second.begin(), found->second.end());
            else if (issuer.own_scopes && is_our_scope(each))
                names.push_back(std::move(each));
        }
    return names.empty() ? access::Scopes::of(issuer.default_scopes) : access::Scopes::of(names);
}

}  // namespace

std::string_view find_claim(std::string_view claims, std::string_view name) {
    if (!name.starts_with('/')) return json::member(claims, name);
    while (!name.empty()) {
        name.remove_prefix(1);
        const auto end = std::min(name.find('/'), name.size());
        claims = json::member(claims, pointer_step(name.substr(0, end)));
        if (claims.empty()) break;
        name.remove_prefix(end);
    }
    return claims;
}

std::vector<std::string> texts_of(std::string_view value) {
    if (value.empty()) return {};
    if (auto text = json::string_value(value)) return {std::move(*text)};
    std::vector<std::string_view> elements;
    std::vector<std::string> out;
    if (json::elements(value, elements))
        for (const auto element : elements)
            if (auto text = json::string_value(element)) out.push_back(std::move(*text));
    return out;
}

Result<void> check_times(std::string_view claims, std::chrono::seconds skew,
                         std::chrono::system_clock::time_point now, access::Millis& expires_ms) {
    const double seconds = std::chrono::duration<double>(now.time_since_epoch()).count();
    const auto late = seconds + static_cast<double>(skew.count());
    const auto expires = date_claim(claims, "exp");
    const auto begins = date_claim(claims, "nbf"), issued = date_claim(claims, "iat");
    if (!expires) return invalid("the token does not say when it expires (exp)");
    for (const auto& date : {expires, begins, issued})
        if (date && std::isnan(*date))
            return invalid("exp, nbf and iat are numbers of seconds since 1970");
    if (*expires + static_cast<double>(skew.count()) <= seconds)
        return invalid("the token has expired");
    if ((begins && *begins > late) || (issued && *issued > late))
        return invalid("the token is not valid yet (nbf, iat)");
    expires_ms = static_cast<access::Millis>((*expires + static_cast<double>(skew.count())) * 1000);
    return {};
}

Issuers::Outcome holder_of(const ExternalIssuer& issuer, std::string_view claims) {
    const auto principal =
        json::string_value(find_claim(claims, issuer.principal_claim)).value_or("");
    if (!is_name(principal))
        return Issuers::Refused{.description = "the token names nobody that could be named here (" +
                                               issuer.principal_claim + ")"};
    auto org = org_of(issuer, claims);
    if (!org) return Issuers::Refused{.description = std::move(org).error().message};
    auto scopes = scopes_of(issuer, claims);
    if (!scopes)
        return Issuers::Refused{.description =
                                    "the token's scopes cannot be read: one of them is malformed"};
    if (scopes->empty())
        return Issuers::Refused{403, "insufficient_scope",
                                "the token permits nothing here (" + issuer.scope_claim + ")"};
    return Issuers::Holder{std::move(*org),
                           "ext_" + sha256_url(issuer.issuer).substr(0, 16) + ":" + principal,
                           std::move(*scopes), client_of(claims)};
}

}  // namespace pb::oauth
