// SPDX-License-Identifier: Apache-2.0
#include "shown.h"

#include <set>

namespace pb::remote {
namespace {

constexpr const char* hidden = "(hidden)";

using Names = std::set<std::string>;
using Show = Json (*)(const Json& value);

Json plain(const Json& value) { return value.is_structured() ? Json(hidden) : value; }

Json all(const Json& value) { return value; }

Json url(const Json& value) {
    return value.is_string() ? Json(shown_url(value.get<std::string>())) : Json(hidden);
}

// How many there are, or what their names are.
Json outline(const Json& value) {
    if (!value.is_structured()) return hidden;
    auto out = value;
    for (auto& each : out)
        each = hidden;
    return out;
}

Json only(const Json& object, const std::map<std::string, Show>& known) {
    if (!object.is_object()) return hidden;
    auto out = Json::object();
    for (const auto& [name, value] : object.items()) {
        const auto show = known.find(name);
        out[name] = show == known.end() ? Json(hidden) : show->second(value);
    }
    return out;
}

Json texts(const Json& value) {
    if (!value.is_array()) return plain(value);
    auto out = value;
    for (auto& each : out)
        each = plain(each);
    return out;
}

Json auth(const Json& value) {
    static const Names types{"none", "bearer", "basic", "oauth"};
    if (value.is_string() && types.contains(value.get<std::string>())) return value;
    // A user name is a key with some servers.
    return only(value, {{"type", plain},
                        {"grant", plain},
                        {"client_id", plain},
                        {"clientId", plain},
                        {"CLIENT_ID", plain},
                        {"scopes", texts},
                        {"issuer", url},
                        {"acts_as", plain},
                        {"auth_method", plain},
                        {"key_id", plain},
                        {"client_metadata_url", url},
                        {"offline_access", plain}});
}

// What is offered to callers anyway.
Json tools(const Json& value) {
    if (value.is_array()) return texts(value);
    return only(value, {{"include", texts},
                        {"exclude", texts},
                        {"rename", all},
                        {"describe", all},
                        {"annotations", all}});
}

bool holds_hidden(const Json& value) {
    if (value.is_string())
        return value.get_ref<const std::string&>().find(hidden) != std::string::npos;
    for (const auto& each : value)
        if (value.is_structured() && holds_hidden(each)) return true;
    return false;
}

}  // namespace

std::string shown_url(const std::string& url) {
    auto out = url;
    const auto scheme = out.find("://");
    const auto begin = scheme == std::string::npos ? 0 : scheme + 3;
    const auto user = out.substr(begin, out.find_first_of("/?#", begin) - begin).rfind('@');
    if (user != std::string::npos) out.replace(begin, user, hidden);
    if (const auto rest = out.find_first_of("?#"); rest != std::string::npos)
        out = out.substr(0, rest + 1) + hidden;
    return out;
}

Json shown(const Json& entry) {
    return only(entry, {{"type", plain},
                        {"transport", plain},
                        {"url", url},
                        {"headers", outline},
                        {"command", plain},
                        {"args", outline},
                        {"env", outline},
                        {"cwd", plain},
                        {"namespace", plain},
                        {"title", plain},
                        {"description", plain},
                        {"tools", tools},
                        {"timeout", plain},
                        {"connect_timeout", plain},
                        {"protocol", plain},
                        {"auth", auth},
                        {"oauth", auth},
                        {"acts_as", plain},
                        {"enabled", plain},
                        {"disabled", plain},
                        {"on_tool_change", plain},
                        {"refresh", plain},
                        {"serve_stale", plain},
                        {"unresolved", plain}});
}

Result<Json> unhidden(const Json& patch, const Json& entry) {
    const auto before = shown(entry);
    auto out = Json::object();
    for (const auto& [name, value] : patch.items()) {
        if (before.contains(name) && before[name] == value && holds_hidden(value)) continue;
        out[name] = value;
        auto& left = out[name];
        if (left.is_object())
            for (auto at = left.begin(); at != left.end();)
                at = *at == hidden ? left.erase(at) : std::next(at);
        if (holds_hidden(left))
            return invalid("'" + name.substr(0, 64) + "' holds \"" + hidden +
                           "\": give all of it, or leave it out to keep it as it is");
    }
    return out;
}

}  // namespace pb::remote
