// SPDX-License-Identifier: Apache-2.0
// Resolving references: one pass over each string, results are not looked at again (a value from
// the environment cannot name another).
#include "config/references.h"

#include <cstdlib>

namespace pb::config {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_variable_name(std::string_view name) {
    if (name.empty() || is_digit(name.front())) return false;
    for (const char c : name) {
        if (!is_lower(c) && !is_upper(c) && !is_digit(c) && c != '_') return false;
    }
    return true;
}

struct Reference {
    std::string_view scheme;  // "env"
    std::string_view name;
    std::size_t size = 0;  // with "${" and "}"
};

// The reference at the start of `text` ("${..."); scheme empty if it is ordinary text.
Reference reference_at(std::string_view text) {
    std::size_t colon = 2;
    while (colon < text.size() && is_lower(text[colon]))
        ++colon;
    if (colon == 2 || colon >= text.size() || text[colon] != ':') return {};
    const std::size_t end = text.find('}', colon);
    if (end == std::string_view::npos) return {text.substr(2, colon - 2), {}, text.size()};
    return {text.substr(2, colon - 2), text.substr(colon + 1, end - colon - 1), end + 1};
}

// For an error message: at most a name's worth of what was written.
std::string shown(const Reference& reference) {
    return "${" + std::string(reference.scheme) + ":" + std::string(reference.name.substr(0, 128)) +
           "}";
}

Result<std::string> secret_value(const Reference& reference, const SecretOf& secret) {
    if (!secret)
        return Error{ErrorKind::unsupported, shown(reference) + " cannot be resolved here"};
    auto value = secret(reference.name);
    if (!value) return Error{value.error().kind, shown(reference) + ": " + value.error().message};
    return value;
}

Result<std::string> value_of(const Reference& reference, const SecretOf& secret) {
    if (reference.scheme == "secret") return secret_value(reference, secret);
    if (reference.scheme != "env") {
        return invalid(shown(reference) +
                       " is not a known reference; use ${env:NAME} or ${secret:name}, or $${ for a "
                       "literal ${");
    }
    if (!is_variable_name(reference.name)) {
        return invalid("\"${env:\" must be followed by a variable's name and \"}\"");
    }
    const char* value = std::getenv(std::string(reference.name).c_str());
    if (value == nullptr) {
        return not_found(shown(reference) + ": this environment variable is not set");
    }
    return std::string(value);
}

Result<std::string> resolve_text(std::string_view text, const SecretOf& secret) {
    std::string out;
    while (!text.empty()) {
        if (text.substr(0, 3) == "$${") {
            out += "${";
            text.remove_prefix(3);
            continue;
        }
        const Reference reference = text.substr(0, 2) == "${" ? reference_at(text) : Reference{};
        if (reference.scheme.empty()) {
            out += text.front();
            text.remove_prefix(1);
            continue;
        }
        auto value = value_of(reference, secret);
        if (!value) return value.error();
        out += *value;
        text.remove_prefix(reference.size);
    }
    return out;
}

Result<void> resolve_in(Json& value, const std::string& path, const SecretOf& secret) {
    if (value.is_string()) {
        auto text = resolve_text(value.get_ref<const std::string&>(), secret);
        if (!text) {
            const std::string where = path.empty() ? "" : "at " + path + ": ";
            return Error{text.error().kind, where + text.error().message};
        }
        value = std::move(*text);
    } else if (value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i) {
            auto done = resolve_in(value[i], path + "/" + std::to_string(i), secret);
            if (!done) return done;
        }
    } else if (value.is_object()) {
        for (auto& [name, member] : value.items()) {
            auto done = resolve_in(member, path + "/" + name, secret);
            if (!done) return done;
        }
    }
    return {};
}

}  // namespace

Result<Json> resolve(const Json& value, const SecretOf& secret) {
    Json copy = value;
    auto done = resolve_in(copy, "", secret);
    if (!done) return done.error();
    return copy;
}

Json resolve_each(const Json& object, const SecretOf& secret) {
    Json out = Json::object();
    for (const auto& [name, value] : object.items()) {
        auto resolved = resolve(value, secret);
        out[name] =
            resolved ? std::move(*resolved) : Json{{"unresolved", resolved.error().message}};
    }
    return out;
}

}  // namespace pb::config
