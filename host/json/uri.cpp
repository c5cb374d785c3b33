// SPDX-License-Identifier: Apache-2.0
#include "json/uri.h"

#include <algorithm>
#include <charconv>

namespace pb::json {
namespace {

struct Parts {
    std::string_view scheme;     // with ':'
    std::string_view authority;  // with "//"
    std::string_view path;
    std::string_view query;  // with '?'
};

bool is_scheme(std::string_view text) {
    auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if (text.empty() || !letter(text.front())) return false;
    for (char c : text) {
        if (!letter(c) && !(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.') return false;
    }
    return true;
}

Parts split(std::string_view uri) {
    Parts out;
    auto take = [&](std::size_t count) {
        std::string_view head = uri.substr(0, count);
        uri.remove_prefix(head.size());
        return head;
    };
    std::size_t colon = uri.find(':');
    if (colon != std::string_view::npos && is_scheme(uri.substr(0, colon))) {
        out.scheme = take(colon + 1);
    }
    if (uri.substr(0, 2) == "//") out.authority = take(uri.find_first_of("/?", 2));
    out.path = take(uri.find('?'));
    out.query = uri;
    return out;
}

std::string remove_dots(std::string_view path) {
    std::string out;
    bool rooted = !path.empty() && path.front() == '/';
    std::vector<std::string_view> kept;
    bool directory = false;
    for (std::size_t at = rooted ? 1 : 0; at <= path.size();) {
        std::size_t slash = std::min(path.find('/', at), path.size());
        std::string_view segment = path.substr(at, slash - at);
        directory = segment == "." || segment == "..";
        if (segment == ".." && !kept.empty()) kept.pop_back();
        if (!directory) kept.push_back(segment);
        at = slash + 1;
    }
    if (rooted) out += '/';
    for (std::size_t i = 0; i < kept.size(); ++i) {
        if (i > 0) out += '/';
        out += kept[i];
    }
    if (directory && !kept.empty()) out += '/';
    return out;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        unsigned byte = 0;
        if (text[at] == '%' && at + 2 < text.size() &&
            std::from_chars(&text[at + 1], &text[at + 1] + 2, byte, 16).ptr == &text[at + 1] + 2) {
            out += static_cast<char>(byte);
            at += 2;
        } else {
            out += text[at];
        }
    }
    return out;
}

std::string merged_path(const Parts& base, std::string_view path) {
    if (path.empty()) return std::string(base.path);
    if (path.front() == '/') return remove_dots(path);
    if (base.path.empty() && !base.authority.empty()) return remove_dots("/" + std::string(path));
    std::size_t slash = base.path.rfind('/');
    std::string joined(base.path.substr(0, slash == std::string_view::npos ? 0 : slash + 1));
    return remove_dots(joined.append(path));
}

}  // namespace

UriReference resolve(std::string_view base, std::string_view reference) {
    UriReference out;
    std::size_t hash = reference.find('#');
    if (hash != std::string_view::npos) {
        out.fragment = percent_decoded(reference.substr(hash + 1));
        reference = reference.substr(0, hash);
    }
    if (reference.empty()) {
        out.uri = base;
        return out;
    }
    Parts from = split(base);
    Parts to = split(reference);
    auto text = [](std::string_view view) { return std::string(view); };
    if (!to.scheme.empty()) {
        bool hierarchical = !to.authority.empty() || to.path.substr(0, 1) == "/";
        out.uri = text(to.scheme) + text(to.authority) +
                  (hierarchical ? remove_dots(to.path) : text(to.path)) + text(to.query);
    } else if (!to.authority.empty()) {
        out.uri = text(from.scheme) + text(to.authority) + remove_dots(to.path) + text(to.query);
    } else {
        bool query_only = to.path.empty() && to.query.empty();
        out.uri = text(from.scheme) + text(from.authority) + merged_path(from, to.path) +
                  text(query_only ? from.query : to.query);
    }
    return out;
}

std::optional<std::vector<std::string>> pointer_tokens(std::string_view pointer) {
    std::vector<std::string> out;
    if (!pointer.empty() && pointer.front() != '/') return std::nullopt;
    for (std::size_t at = 0; at < pointer.size(); ++at) {
        if (pointer[at] == '/') {
            out.emplace_back();
        } else if (pointer[at] != '~') {
            out.back() += pointer[at];
        } else {
            char code = ++at < pointer.size() ? pointer[at] : ' ';
            if (code != '0' && code != '1') return std::nullopt;
            out.back() += code == '0' ? '~' : '/';
        }
    }
    return out;
}

void append_token(std::string& pointer, std::string_view token) {
    pointer += '/';
    for (char c : token) {
        if (c == '~') {
            pointer += "~0";
        } else if (c == '/') {
            pointer += "~1";
        } else {
            pointer += c;
        }
    }
}

}  // namespace pb::json
