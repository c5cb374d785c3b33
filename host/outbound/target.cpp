// SPDX-License-Identifier: Apache-2.0
// URLs by curl's own parser: another one might read another host out of the same text.
#include "outbound/target.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <memory>
#include <string_view>
#include <unordered_map>

namespace pb::outbound {
namespace {

constexpr std::size_t longest_url = 16U << 10U;
constexpr std::size_t longest_host = 253;
constexpr std::size_t most_known = 64, longest_known = 1024;

struct Cleaned {
    void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, Cleaned>;

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
    const std::unique_ptr<char, decltype(&curl_free)> freed(text, &curl_free);
    return text;
}

bool is_number(std::string_view label) {
    const bool hex = label.starts_with("0x") || label.starts_with("0X");
    if (hex) label.remove_prefix(2);
    return std::all_of(label.begin(), label.end(), [hex](unsigned char c) {
        return hex ? std::isxdigit(c) != 0 : std::isdigit(c) != 0;
    });
}

sockaddr_storage with_port(const in_addr& address, std::uint16_t port) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    v4.sin_addr = address;
    sockaddr_storage out{};
    std::memcpy(&out, &v4, sizeof v4);
    return out;
}

sockaddr_storage with_port(const in6_addr& address, std::uint16_t port) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_addr = address;
    sockaddr_storage out{};
    std::memcpy(&out, &v6, sizeof v6);
    return out;
}

// Gives the host its one spelling and sees whether it is an address. False if it is neither an
// address nor a name.
bool settle_host(Target& target, std::string host) {
    if (host.starts_with('[') && host.ends_with(']')) {
        in6_addr address{};
        host = host.substr(1, host.size() - 2);
        if (::inet_pton(AF_INET6, host.c_str(), &address) != 1) return false;
        char text[INET6_ADDRSTRLEN] = "";
        target.host = ::inet_ntop(AF_INET6, &address, text, sizeof text);
        target.address = with_port(address, target.port);
        return true;
    }
    if (host.ends_with('.')) host.pop_back();
    const auto fine = [](unsigned char c) { return std::isalnum(c) != 0 || std::strchr("-._", c); };
    if (host.empty() || host.size() > longest_host || host.starts_with('.') ||
        host.find("..") != std::string::npos || !std::all_of(host.begin(), host.end(), fine)) {
        return false;
    }
    std::transform(host.begin(), host.end(), host.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    target.host = std::move(host);
    const std::string_view all = target.host;
    if (!is_number(all.substr(all.rfind('.') + 1))) return true;
    in_addr address{};  // 127.1, 0x7f.1 and 2130706433 are addresses too
    if (::inet_aton(target.host.c_str(), &address) == 0) return false;
    char text[INET_ADDRSTRLEN] = "";
    target.host = ::inet_ntop(AF_INET, &address, text, sizeof text);
    target.address = with_port(address, target.port);
    return true;
}

Result<Target> target_of(CURLU* url) {
    Target target;
    const std::string scheme = part(url, CURLUPART_SCHEME);
    target.secure = scheme == "https";
    if (!target.secure && scheme != "http") {
        return invalid("Only http and https URLs can be requested.");
    }
    char* user = nullptr;
    for (const CURLUPart which : {CURLUPART_USER, CURLUPART_PASSWORD}) {
        if (curl_url_get(url, which, &user, 0) != CURLUE_OK) continue;
        curl_free(user);
        return invalid("A URL must hold no user name or password; a header can carry them.");
    }
    const std::string port = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    std::from_chars(port.data(), port.data() + port.size(), target.port);
    if (target.port == 0) return invalid("The URL's port is not one of 1 to 65535.");
    if (!part(url, CURLUPART_ZONEID).empty()) {
        return invalid("A URL's address must have no zone (\"%...\").");
    }
    if (!settle_host(target, part(url, CURLUPART_HOST))) {
        return invalid(
            "The URL's host is neither an address nor a name in ASCII (for an international "
            "name: its form with \"xn--\").");
    }
    const bool v6 = target.host.find(':') != std::string::npos;
    const std::string host = v6 ? "[" + target.host + "]" : target.host;
    target.place = host + ":" + std::to_string(target.port);
    if (curl_url_set(url, CURLUPART_HOST, host.c_str(), 0) != CURLUE_OK) {
        return invalid("The URL's host cannot be used.");
    }
    target.url = part(url, CURLUPART_URL);
    return target;
}

Error malformed(CURLUcode code) {
    return invalid(std::string("The URL is malformed: ") + curl_url_strerror(code) + ".");
}

bool overlong(const std::string& url) {
    return url.size() > longest_url || url.find('\0') != std::string::npos;
}

}  // namespace

Result<Target> parse_target(const std::string& url) {
    // The same few servers are asked again and again.
    thread_local std::unordered_map<std::string, Target> known;
    if (const auto found = known.find(url); found != known.end()) return found->second;
    if (overlong(url)) return invalid("The URL is malformed: too long, or with a NUL.");
    if (url.find('#') != std::string::npos) return invalid("The URL must have no fragment.");
    const Url parsed(curl_url());
    const CURLUcode code = curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0);
    if (code != CURLUE_OK) return malformed(code);
    auto target = target_of(parsed.get());
    if (target && url.size() <= longest_known) {
        if (known.size() == most_known) known.clear();
        known.emplace(url, *target);
    }
    return target;
}

Result<Target> resolve_reference(const Target& base, const std::string& reference) {
    if (overlong(reference)) return invalid("The URL is malformed: too long, or with a NUL.");
    const Url url(curl_url());
    CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, base.url.c_str(), 0);
    if (code == CURLUE_OK) {
        code = curl_url_set(url.get(), CURLUPART_URL, reference.c_str(), 0);
    }
    if (code == CURLUE_OK) code = curl_url_set(url.get(), CURLUPART_FRAGMENT, nullptr, 0);
    if (code != CURLUE_OK) return malformed(code);
    return target_of(url.get());
}

}  // namespace pb::outbound
