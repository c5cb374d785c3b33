// SPDX-License-Identifier: Apache-2.0
#include "json/references.h"

#include <algorithm>

namespace pb::json {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_word(char c) {
    return is_lower(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// A reference and how many characters it has, with "${" and "}"; 0: it is ordinary text.
struct Found {
    Reference reference;
    std::size_t size = 0;
};

// ${NAME} and ${NAME:-otherwise} at the start of `text`.
Found bare_at(std::string_view text) {
    const std::size_t end = text.find('}');
    if (end == std::string_view::npos) return {};
    const auto inside = text.substr(2, end - 2);
    const std::size_t mark = inside.find(":-");
    const auto name = inside.substr(0, mark);
    if (!is_variable_name(name)) return {};
    Found out{{{}, name, std::nullopt}, end + 1};
    if (mark != std::string_view::npos) out.reference.otherwise = inside.substr(mark + 2);
    return out;
}

// The reference at the start of `text` ("${...").
Found reference_at(std::string_view text, bool bare) {
    if (bare)
        if (const Found found = bare_at(text); found.size > 0) return found;
    std::size_t colon = 2;
    while (colon < text.size() && is_lower(text[colon]))
        ++colon;
    if (colon == 2 || colon >= text.size() || text[colon] != ':') return {};
    const auto scheme = text.substr(2, colon - 2);
    const std::size_t end = text.find('}', colon);
    if (end == std::string_view::npos) return {{scheme, {}, std::nullopt}, text.size()};
    return {{scheme, text.substr(colon + 1, end - colon - 1), std::nullopt}, end + 1};
}

Result<std::string> replaced(std::string_view text, const ValueOf& value_of, bool bare) {
    std::string out;
    while (!text.empty()) {
        if (text.starts_with("$${")) {
            out += "${";
            text.remove_prefix(3);
            continue;
        }
        const Found found = text.starts_with("${") ? reference_at(text, bare) : Found{};
        if (found.size == 0) {
            out += text.front();
            text.remove_prefix(1);
            continue;
        }
        auto value = value_of(found.reference);
        if (!value) return value.error();
        out += *value;
        text.remove_prefix(found.size);
    }
    return out;
}

Result<void> replace_in(nlohmann::json& value, const std::string& path, const ValueOf& value_of,
                        bool bare) {
    if (value.is_string()) {
        auto text = replaced(value.get_ref<const std::string&>(), value_of, bare);
        if (!text) {
            const std::string where = path.empty() ? "" : "at " + path + ": ";
            return Error{text.error().kind, where + text.error().message};
        }
        value = std::move(*text);
    } else if (value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i) {
            auto done = replace_in(value[i], path + "/" + std::to_string(i), value_of, bare);
            if (!done) return done;
        }
    } else if (value.is_object()) {
        for (auto& [name, member] : value.items()) {
            auto done = replace_in(member, path + "/" + name, value_of, bare);
            if (!done) return done;
        }
    }
    return {};
}

}  // namespace

std::string Reference::shown() const {
    const auto named = std::string(name.substr(0, 128));
    return "${" + (scheme.empty() ? named : std::string(scheme) + ":" + named) + "}";
}

bool is_variable_name(std::string_view name) {
    return !name.empty() && !(name.front() >= '0' && name.front() <= '9') &&
           std::all_of(name.begin(), name.end(), is_word);
}

Result<nlohmann::json> replace_references(const nlohmann::json& value, const ValueOf& value_of,
                                          bool bare) {
    auto copy = value;
    auto done = replace_in(copy, "", value_of, bare);
    if (!done) return done.error();
    return copy;
}

}  // namespace pb::json
