// SPDX-License-Identifier: Apache-2.0
#include "base/url.h"

#include <algorithm>
#include <charconv>

namespace pb {
namespace {

constexpr std::size_t longest_url = 8192;

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

int hex_digit(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

bool is_host(std::string_view host) {
    if (host.starts_with('['))
        return host.size() > 2 && host.ends_with(']') &&
               std::all_of(host.begin() + 1, host.end() - 1,
                           [](char c) { return is_hex(c) || c == ':' || c == '.'; });
    return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
    });
}

std::uint16_t default_port(std::string_view scheme) { return scheme == "https" ? 443 : 80; }

// "host", "host:port", "[::1]:port"; false if it is something else.
bool split_authority(std::string_view authority, Url& out) {
    out.port = default_port(out.scheme);
    const auto bracket = authority.rfind(']');
    const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
    out.host = lower(authority.substr(0, colon));
    if (!is_host(out.host)) return false;
    if (colon == std::string_view::npos) return true;
    const auto digits = authority.substr(colon + 1);
    const auto* end = digits.data() + digits.size();
    const auto [rest, fault] = std::from_chars(digits.data(), end, out.port);
    return fault == std::errc() && rest == end && out.port != 0;
}

// A URL from outside is shown only as far as a log line can bear it.
std::string shown(std::string_view text) {
    std::string out;
    for (char c : text.substr(0, 100))
        out += c > ' ' && c < 0x7f ? c : '?';
    return out;
}

}  // namespace

std::string Url::origin() const {
    auto out = scheme + "://" + host;
    if (port != default_port(scheme)) out += ":" + std::to_string(port);
    return out;
}

bool Url::loopback() const {
    if (host == "localhost" || host == "[::1]") return true;
    return host.starts_with("127.") && std::count(host.begin(), host.end(), '.') == 3 &&
           std::all_of(host.begin(), host.end(),
                       [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

Result<Url> parse_url(std::string_view text, std::string_view what) {
    const auto wrong = [&](std::string_view why) {
        // Never the query: it might hold something secret.
        return invalid(std::string(what) + " \"" + shown(text.substr(0, text.find('?'))) + "\" " +
                       std::string(why));
    };
    if (text.size() > longest_url) return wrong("is too long");
    if (!std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; }))
        return wrong("is not a URL: it holds white space or characters outside ASCII");
    Url out;
    const auto scheme_end = text.find("://");
    if (scheme_end == std::string_view::npos) return wrong("is not an absolute URL");
    out.scheme = lower(text.substr(0, scheme_end));
    if (out.scheme != "http" && out.scheme != "https") return wrong("is neither http nor https");
    if (text.find('#') != std::string_view::npos) return wrong("has a fragment");
    if (text.find('\\') != std::string_view::npos) return wrong("holds a backslash");
    const auto rest = text.substr(scheme_end + 3);
    const auto authority_end = rest.find_first_of("/?");
    const auto authority = rest.substr(0, authority_end);
    if (authority.find('@') != std::string_view::npos) return wrong("has user information");
    if (!split_authority(authority, out)) return wrong("has no valid host and port");
    if (authority_end == std::string_view::npos) return out;
    const auto query = rest.find('?');
    out.path = rest.substr(authority_end, query - authority_end);
    if (query != std::string_view::npos) out.query = rest.substr(query);
    return out;
}

Result<Url> parse_secure_url(std::string_view text, std::string_view what, bool allow_http) {
    auto url = parse_url(text, what);
    if (url && url->scheme != "https" && !allow_http && !url->loopback())
        return invalid(std::string(what) + " \"" + shown(url->origin() + url->path) +
                       "\" is not https");
    return url;
}

std::string well_known(const Url& url, std::string_view name) {
    const auto path = url.path == "/" ? "" : url.path;
    return url.origin() + "/.well-known/" + std::string(name) + path + url.query;
}

bool covers(const Url& resource, const Url& server) {
    if (resource.origin() != server.origin()) return false;
    if (!resource.query.empty() && resource.query != server.query) return false;
    // Whole segments: "/mcp" is not above "/mcp2".
    auto above = resource.path;
    if (!above.ends_with('/')) above += '/';
    return (server.path + '/').starts_with(above);
}

std::string percent_encode(std::string_view text) {
    constexpr std::string_view plain = "-._~", digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(text.size());
    for (char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (letter || (c >= '0' && c <= '9') || plain.find(c) != std::string_view::npos)
            out += c;
        else
            out.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
    return out;
}

std::string form_encode(const FormParams& params) {
    std::string out;
    for (const auto& [name, value] : params) {
        if (!out.empty()) out += '&';
        out += percent_encode(name) + "=" + percent_encode(value);
    }
    return out;
}

std::optional<FormParams> form_decode(std::string_view text) {
    const auto decode = [](std::string_view from, std::string& to) {
        for (std::size_t i = 0; i < from.size(); ++i) {
            if (from[i] == '%') {
                if (i + 2 >= from.size() || !is_hex(from[i + 1]) || !is_hex(from[i + 2]))
                    return false;
                to += static_cast<char>(hex_digit(from[i + 1]) << 4 | hex_digit(from[i + 2]));
                i += 2;
            } else {
                to += from[i] == '+' ? ' ' : from[i];
            }
        }
        return true;
    };
    FormParams out;
    while (!text.empty()) {
        const auto end = std::min(text.find('&'), text.size());
        const auto pair = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (pair.empty()) continue;
        const auto equals = std::min(pair.find('='), pair.size());
        auto& [name, value] = out.emplace_back();
        if (!decode(pair.substr(0, equals), name)) return std::nullopt;
        if (!decode(pair.substr(std::min(equals + 1, pair.size())), value)) return std::nullopt;
    }
    return out;
}

std::string with_params(std::string_view url, const FormParams& params) {
    std::string out(url);
    if (params.empty()) return out;
    const bool has_query = out.find('?') != std::string::npos;
    if (!has_query)
        out += '?';
    else if (!out.ends_with('?') && !out.ends_with('&'))
        out += '&';
    return out + form_encode(params);
}

}  // namespace pb
