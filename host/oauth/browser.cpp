// SPDX-License-Identifier: Apache-2.0
#include "oauth/browser.h"

#include <algorithm>
#include <charconv>

#include "base/tokens.h"

namespace pb::oauth {
namespace {

constexpr std::size_t secret_size = 43;  // of random_text(32)

// The prefix makes browsers refuse it from other hosts of the domain and without TLS.
std::string_view cookie_name(const Place& place) {
    return place.secure ? "__Host-patchbay" : "patchbay";
}

bool is_secret(std::string_view text) {
    return text.size() == secret_size && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
           });
}

std::string cookie_of(const http::Request& request, std::string_view wanted) {
    auto rest = request.header("Cookie");
    while (!rest.empty()) {
        auto pair = rest.substr(0, rest.find(';'));
        rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
        pair.remove_prefix(std::min(pair.find_first_not_of(" \t"), pair.size()));
        const auto equals = pair.find('=');
        if (equals != std::string_view::npos && pair.substr(0, equals) == wanted &&
            is_secret(pair.substr(equals + 1)))
            return std::string(pair.substr(equals + 1));
    }
    return {};
}

// Of a secret that has always the same length and a digest: nothing can be appended to it.
std::string digest(const std::string& secret, std::string_view until, std::string_view about) {
    return sha256_url(secret + sha256(std::string(until) + '\n' + std::string(about)));
}

}  // namespace

Result<Browser> Browser::of(const http::Request& request, const Place& place,
                            access::People& people) {
    Browser out;
    out.secret_ = cookie_of(request, cookie_name(place));
    out.known_ = !out.secret_.empty();
    if (!out.known_) {
        out.secret_ = random_text(32);
        return out;
    }
    auto person = people.browser(out.secret_);
    if (!person) return person.error();
    out.person_ = std::move(*person);
    return out;
}

std::string Browser::form_token(std::string_view about, access::Millis now) const {
    const auto until = std::to_string(now + form_lasts);
    return until + "." + digest(secret_, until, about);
}

bool Browser::is_form_token(std::string_view token, std::string_view about,
                            access::Millis now) const {
    const auto dot = token.find('.');
    if (!known_ || dot == std::string_view::npos) return false;
    const auto until = token.substr(0, dot);
    access::Millis end = 0;
    const auto [rest, fault] = std::from_chars(until.data(), until.data() + until.size(), end);
    if (fault != std::errc() || rest != until.data() + until.size() || end <= now) return false;
    return same_secret(token.substr(dot + 1), digest(secret_, until, about));
}

http::Response Browser::with_cookie(http::Response answer, const Place& place) const {
    if (!known_) answer.headers.push_back(cookie_header(place, secret_, -1));
    return answer;
}

http::HeaderList::value_type cookie_header(const Place& place, std::string_view secret,
                                           std::int64_t seconds) {
    std::string value(cookie_name(place));
    value.append("=").append(secret).append("; Path=/; HttpOnly; SameSite=Lax");
    if (place.secure) value += "; Secure";
    if (seconds >= 0) value += "; Max-Age=" + std::to_string(seconds);
    return {"Set-Cookie", std::move(value)};
}

bool is_own_form(const http::Request& request, const Place& place) {
    const auto site = request.header("Sec-Fetch-Site");
    if (!site.empty() && site != "same-origin") return false;
    const auto origin = request.header("Origin");
    return origin.empty() || origin == place.origin;
}

}  // namespace pb::oauth
