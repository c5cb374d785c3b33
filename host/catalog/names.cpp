// SPDX-License-Identifier: Apache-2.0
#include "catalog/names.h"

#include <openssl/sha.h>

#include <algorithm>

namespace pb::catalog {
namespace {

constexpr std::size_t max_namespace = 40;
constexpr std::size_t max_virtual_name = 100;
constexpr std::size_t max_name = 64;
constexpr std::size_t hash_digits = 8;
constexpr std::string_view ui_scheme = "ui://";
constexpr std::string_view digit_guard = "x..";  // reads "x__", which no namespace starts with

bool lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool plain(char c) { return lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '-'; }

std::string hash_suffix(std::string_view text) {
    unsigned char hash[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash);
    std::string suffix = "_";
    for (std::size_t i = 0; i < hash_digits / 2; ++i) {
        suffix += "0123456789abcdef"[hash[i] >> 4];
        suffix += "0123456789abcdef"[hash[i] & 15];
    }
    return suffix;
}

std::string replaced(std::string_view text, char from, char to) {
    std::string copy(text);
    std::replace(copy.begin(), copy.end(), from, to);
    return copy;
}

// A namespace as the beginning of a URI scheme, and back; "" if it is not one.
std::string scheme_prefix(std::string_view name_space) {
    const bool guard = digit(name_space.front());
    return std::string(guard ? digit_guard : "") + replaced(name_space, '_', '.') + "+";
}
std::string scheme_namespace(std::string_view prefix) {
    if (prefix.find('_') != std::string_view::npos) return "";
    auto name_space = replaced(prefix, '.', '_');
    return check_namespace(name_space) ? name_space : "";
}

}  // namespace

Result<void> check_namespace(std::string_view name_space) {
    if (name_space.empty()) return {};
    const auto refused = [&](const std::string& reason) {
        return invalid("the namespace '" + std::string(name_space.substr(0, max_namespace)) + "' " +
                       reason);
    };
    if (name_space.size() > max_namespace) return refused("... is longer than 40 characters");
    for (const char c : name_space) {
        if (!lower_or_digit(c) && c != '_' && c != '-') {
            return refused("may hold only a-z, 0-9, '_' and '-'");
        }
    }
    if (!lower_or_digit(name_space.front()) || !lower_or_digit(name_space.back())) {
        return refused("must start and end with a letter or a digit");
    }
    if (name_space.find("__") != std::string_view::npos) {
        return refused("may not hold '__', which separates it from a name");
    }
    return {};
}

Result<void> check_virtual_name(std::string_view name) {
    const auto fits = [](char c) {
        return lower_or_digit(c) || c == '_' || c == '.' || c == ':' || c == '-';
    };
    if (!name.empty() && name.size() <= max_virtual_name && lower_or_digit(name.front()) &&
        std::all_of(name.begin(), name.end(), fits) && name.find(':') != std::string_view::npos) {
        return {};
    }
    return invalid(
        "the name '" + std::string(name.substr(0, max_virtual_name)) +
        "' is none for a capability made at run time: 1 to 100 of a-z, 0-9, '_', '.', "
        "':' and '-', beginning with a letter or digit, with a ':' as in \"mcp:github\"");
}

std::string expose_name(std::string_view name_space, std::string_view local) {
    std::string name(name_space);
    if (!name_space.empty()) name += "__";
    name += local;
    const auto allowed = [&](char c) { return plain(c) || (c == '.' && name_space.empty()); };
    const bool odd = !std::all_of(name.begin(), name.end(), allowed);
    if (!odd && name.size() <= max_name) return name;

    const auto suffix = hash_suffix(name);
    for (char& c : name) {
        if (!allowed(c)) c = '_';
    }
    return name.substr(0, max_name - suffix.size()) + suffix;
}

std::string expose_uri(std::string_view name_space, std::string_view local_uri) {
    if (name_space.empty()) return std::string(local_uri);
    std::string exposed;
    if (local_uri.starts_with(ui_scheme)) {
        exposed.append(ui_scheme).append(name_space).append("~");
        return exposed.append(local_uri.substr(ui_scheme.size()));
    }
    return scheme_prefix(name_space).append(local_uri);
}

LocalUri split_uri(std::string_view exposed) {
    if (exposed.starts_with(ui_scheme)) {
        const auto rest = exposed.substr(ui_scheme.size());
        const auto tilde = rest.find('~');
        const auto name_space = rest.substr(0, std::min(tilde, rest.size()));
        if (tilde == std::string_view::npos || name_space.empty() || !check_namespace(name_space)) {
            return {"", std::string(exposed)};
        }
        return {std::string(name_space), std::string(ui_scheme).append(rest.substr(tilde + 1))};
    }
    auto rest = exposed;
    const bool guarded = rest.starts_with(digit_guard) && rest.size() > digit_guard.size() &&
                         digit(rest[digit_guard.size()]);
    if (guarded) rest.remove_prefix(digit_guard.size());
    const auto plus = rest.find('+');
    if (plus == std::string_view::npos || plus == 0) return {"", std::string(exposed)};
    auto name_space = scheme_namespace(rest.substr(0, plus));
    if (name_space.empty() || digit(name_space.front()) != guarded) {
        return {"", std::string(exposed)};
    }
    return {std::move(name_space), std::string(rest.substr(plus + 1))};
}

}  // namespace pb::catalog
