// SPDX-License-Identifier: Apache-2.0
#include "client/oauth/challenge.h"

#include <algorithm>
#include <optional>

namespace pb::client::oauth {
namespace {

constexpr std::size_t longest_header = 16384, most_scopes = 64, longest_scope = 256;

bool is_token_char(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// A reader of the header's grammar; each function takes what it says, or nothing.
struct Cursor {
    std::string_view rest;

    void skip(std::string_view characters) {
        rest.remove_prefix(std::min(rest.find_first_not_of(characters), rest.size()));
    }
    bool take(char c) {
        if (!rest.starts_with(c)) return false;
        rest.remove_prefix(1);
        return true;
    }
    std::string_view token() {
        const auto end = std::find_if_not(rest.begin(), rest.end(), is_token_char);
        const auto out = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
        rest.remove_prefix(out.size());
        return out;
    }
    // After the opening quote.
    std::optional<std::string> quoted() {
        std::string out;
        while (!rest.empty()) {
            char c = rest.front();
            rest.remove_prefix(1);
            if (c == '"') return out;
            if (c == '\\') {
                if (rest.empty()) return std::nullopt;
                c = rest.front();
                rest.remove_prefix(1);
            }
            out += c;
        }
        return std::nullopt;
    }
};

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

// One "name = value"; false if what stands there is something else, and nothing is taken.
bool take_param(Cursor& cursor, AuthScheme& scheme) {
    auto ahead = cursor;
    const auto name = ahead.token();
    ahead.skip(" \t");
    if (name.empty() || !ahead.take('=')) return false;
    ahead.skip(" \t");
    std::string value;
    if (ahead.take('"')) {
        auto text = ahead.quoted();
        if (!text) return false;
        value = std::move(*text);
    } else {
        value = ahead.token();
        if (value.empty()) return false;
    }
    scheme.params.emplace_back(lower(name), std::move(value));
    cursor = ahead;
    return true;
}

bool is_scope(std::string_view scope) {
    return scope.size() <= longest_scope && std::all_of(scope.begin(), scope.end(), [](char c) {
               return c > ' ' && c < 0x7f && c != '"' && c != '\\';
           });
}

}  // namespace

std::string_view AuthScheme::param(std::string_view wanted) const {
    for (const auto& [name, value] : params)
        if (name == wanted) return value;
    return {};
}

std::vector<AuthScheme> parse_challenges(std::string_view header) {
    std::vector<AuthScheme> out;
    Cursor cursor{header.substr(0, longest_header)};
    while (true) {
        cursor.skip(" \t,");
        if (!out.empty() && take_param(cursor, out.back())) continue;
        const auto name = cursor.token();
        if (name.empty()) return out;
        out.push_back({lower(name), {}});
        // "Negotiate a87421000000492aa874209af8bc028==": a credential in place of parameters.
        cursor.skip(" \t");
        auto ahead = cursor;
        if (take_param(ahead, out.back())) {
            cursor = ahead;
            continue;
        }
        const auto token68 = std::string_view("-._~+/=");
        auto end = cursor.rest.begin();
        while (end != cursor.rest.end() &&
               (is_token_char(*end) || token68.find(*end) != std::string_view::npos))
            ++end;
        cursor.rest.remove_prefix(static_cast<std::size_t>(end - cursor.rest.begin()));
    }
}

Demand read_demand(std::string_view header) {
    Demand out;
    bool bearer = false;
    for (const auto& scheme : parse_challenges(header)) {
        if (scheme.name != "bearer" && scheme.name != "dpop") continue;
        bearer = bearer || scheme.name == "bearer";
        out.dpop = out.dpop || scheme.name == "dpop";
        if (out.resource_metadata.empty())
            out.resource_metadata = scheme.param("resource_metadata");
        if (out.scopes.empty()) out.scopes = split_scopes(scheme.param("scope"));
        if (out.error.empty()) out.error = scheme.param("error");
    }
    if (bearer) out.dpop = false;
    return out;
}

std::vector<std::string> split_scopes(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        const auto scope = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (scope.empty() || std::find(out.begin(), out.end(), scope) != out.end()) continue;
        if (!is_scope(scope) || out.size() == most_scopes) return {};
        out.emplace_back(scope);
    }
    return out;
}

std::string join_scopes(const std::vector<std::string>& scopes) {
    std::string out;
    for (const auto& scope : scopes)
        out.append(out.empty() ? "" : " ").append(scope);
    return out;
}

bool add_scopes(std::vector<std::string>& scopes, const std::vector<std::string>& more) {
    const auto before = scopes.size();
    for (const auto& scope : more)
        if (std::find(scopes.begin(), scopes.end(), scope) == scopes.end()) scopes.push_back(scope);
    return scopes.size() > before;
}

}  // namespace pb::client::oauth
