// SPDX-License-Identifier: Apache-2.0
// What in a text looks like a credential. It goes by words, once from left to right; rather too
// much is taken out than too little.
#include <algorithm>
#include <array>

#include "audit/redact.h"
#include "audit/redacted.h"
#include "base/base64.h"

namespace pb::audit {
namespace {

// Parts of a folded name, and whole ones that would be found in harmless names.
constexpr std::array<std::string_view, 15> secret_parts{
    "password",   "passwd",    "passphrase",    "secret",           "token",
    "apikey",     "accesskey", "privatekey",    "signingkey",       "encryptionkey",
    "credential", "cookie",    "authorization", "connectionstring", "sessionid"};
constexpr std::array<std::string_view, 8> secret_names{"pwd", "pass", "auth", "otp",
                                                       "pin", "jwt",  "cvv",  "bearer"};
// How keys and tokens begin: ours, wherever in a word (behind a "%20" of a URL, too).
constexpr std::array<std::string_view, 4> own_prefixes{"pb_", "pba_", "pbr_", "pbs_"};
constexpr std::array<std::string_view, 17> other_prefixes{
    "sk-",   "ghp_",  "gho_",  "ghu_",  "ghs_", "ghr_", "github_pat_", "glpat-", "xoxb-",
    "xoxp-", "xoxa-", "xoxs-", "xapp-", "AKIA", "AIza", "npm_",        "hf_"};
constexpr std::size_t shortest_key = 20;  // with its prefix
constexpr std::size_t shortest_part = 8;  // of what follows "Bearer", of the parts of a JWT
constexpr std::size_t longest_name = 100;

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}
bool is_token(char c) {  // RFC 7235's token68
    return is_word(c) || c == '.' || c == '~' || c == '+' || c == '/' || c == '=';
}
bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }
bool ends_value(char c) {
    return static_cast<unsigned char>(c) <= ' ' || is_quote(c) ||
           std::string_view("&;,<>)}\\").find(c) != std::string_view::npos;
}

template <class Is>
std::size_t run(std::string_view text, std::size_t from, Is is) {
    while (from < text.size() && is(text[from]))
        ++from;
    return from;
}

class Cleaning {
  public:
    explicit Cleaning(std::string_view text) : text_(text) {}

    std::string operator()() {
        std::size_t at = 0;
        while (at < text_.size()) {
            const std::size_t from = at;
            if (is_word(text_[at])) {
                at = run(text_, at, is_word);
                at = after_word(from, at);
            } else {
                at = text_[at] == ':' ? after_scheme(at) : at + 1;
            }
        }
        out_.append(text_.substr(copied_));
        return std::move(out_);
    }

  private:
    // Takes out [from, to); what is left of it is looked at no more.
    std::size_t take(std::size_t from, std::size_t to) {
        out_.append(text_.substr(copied_, from - copied_)).append(redacted);
        copied_ = to;
        return to;
    }

    std::size_t after_word(std::size_t from, std::size_t to) {
        const auto word = text_.substr(from, to - from);
        if (const auto end = private_key(from, to); end > to) return take(from, end);
        if (const auto end = jwt(from, to); end > to) return take(from, end);
        if (word.size() >= shortest_key)
            if (const auto key = key_in(word); key != word.npos) return take(from + key, to);
        if (const auto end = scheme(word, to); end > to) return end;
        return assignment(word, to);
    }

    static std::size_t key_in(std::string_view word) {
        for (const auto prefix : own_prefixes) {
            const auto at = word.find(prefix);
            if (at != word.npos && word.size() - at >= shortest_key) return at;
        }
        for (const auto prefix : other_prefixes)
            if (word.starts_with(prefix)) return 0;
        return word.npos;
    }

    // "-----BEGIN RSA PRIVATE KEY-----", to the end of its last line.
    std::size_t private_key(std::size_t from, std::size_t to) const {
        if (!text_.substr(from).starts_with("-----BEGIN")) return to;
        const auto title = text_.substr(from, 64);
        if (title.find("PRIVATE KEY-----") == title.npos) return to;
        const auto end = text_.find("-----END", to);
        return end == text_.npos
                   ? text_.size()
                   : run(text_, end, [](char c) { return c != '\n' && !is_quote(c); });
    }

    std::size_t jwt(std::size_t from, std::size_t to) const {
        if (to - from < shortest_part || !text_.substr(from).starts_with("eyJ")) return to;
        if (to == text_.size() || text_[to] != '.') return to;
        auto end = run(text_, to + 1, is_word);
        if (end - to - 1 < shortest_part) return to;
        // Five parts, if it is encrypted.
        while (end < text_.size() && text_[end] == '.')
            end = run(text_, end + 1, is_word);
        return end;
    }

    // "Bearer abc", "Basic dTpw".
    std::size_t scheme(std::string_view word, std::size_t to) {
        const auto begin = run(text_, to, is_blank);
        if (begin == to) return to;
        const auto name = folded(word);
        if (name != "bearer" && name != "basic") return to;
        const auto end = run(text_, begin, is_token);
        if (end - begin < shortest_part) return to;
        if (name == "basic") {
            const auto pair = base64_decode(text_.substr(begin, end - begin), Alphabet::standard);
            if (!pair || pair->find(':') == std::string::npos) return to;
        }
        return take(begin, end);
    }

    // "password=...", "X-API-Key: ...", "\"secret\": \"...\"".
    std::size_t assignment(std::string_view word, std::size_t to) {
        auto at = to;
        if (at < text_.size() && text_[at] == '\\') ++at;
        if (at < text_.size() && is_quote(text_[at])) ++at;
        at = run(text_, at, is_blank);
        if (at >= text_.size() || (text_[at] != '=' && text_[at] != ':')) return to;
        if (word.size() > longest_name || !names_a_secret(word)) return to;
        at = run(text_, at + 1, is_blank);
        if (at < text_.size() && text_[at] == '\\') ++at;
        const bool quoted = at < text_.size() && is_quote(text_[at]);
        const char quote = quoted ? text_[at++] : '"';
        const auto name = folded(word);
        // Such a header's value goes on to the end of its line.
        const bool line = name.ends_with("authorization") || name.ends_with("cookie");
        const auto end = run(text_, at, [&](char c) {
            if (quoted) return c != quote;
            return line ? c != '\n' && c != '\r' && !is_quote(c) : !ends_value(c);
        });
        if (end == at || (counts_tokens(word) && is_number(text_.substr(at, end - at)))) return to;
        return take(at, end);
    }

    // "https://user:password@host".
    std::size_t after_scheme(std::size_t colon) {
        if (!text_.substr(colon).starts_with("://")) return colon + 1;
        const auto from = colon + 3;
        const auto end = run(
            text_, from, [](char c) { return !ends_value(c) && c != '/' && c != '?' && c != '#'; });
        const auto authority = text_.substr(from, end - from);
        const auto at = authority.rfind('@');
        const auto middle = authority.find(':');
        if (at == authority.npos || middle == authority.npos || middle > at) return from;
        return take(from + middle + 1, from + at);
    }

    static bool is_number(std::string_view text) {
        return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    }

    std::string_view text_;
    std::string out_;
    std::size_t copied_ = 0;
};

}  // namespace

std::string folded(std::string_view name) {
    std::string out;
    for (const char c : name)
        if (c != '_' && c != '-' && c != ' ' && c != '.')
            out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}

bool counts_tokens(std::string_view name) {
    return folded(name).find("tokens") != std::string::npos;
}

bool names_a_secret(std::string_view name) {
    const auto plain = folded(name);
    return std::any_of(secret_parts.begin(), secret_parts.end(),
                       [&](auto part) { return plain.find(part) != std::string::npos; }) ||
           std::find(secret_names.begin(), secret_names.end(), plain) != secret_names.end();
}

std::string without_credentials(std::string_view text) { return Cleaning(text)(); }

}  // namespace pb::audit
