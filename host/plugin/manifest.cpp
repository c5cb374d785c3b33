// SPDX-License-Identifier: Apache-2.0
// Finding the manifest in a file and reading it.
#include "plugin/manifest.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "catalog/names.h"
#include "json/parse.h"
#include "json/schema.h"
#include "patchbay/plugin.h"

namespace pb::plugin {
namespace {

using json::Json;

constexpr std::string_view magic(PATCHBAY_MANIFEST_MAGIC, PATCHBAY_MANIFEST_MAGIC_SIZE);
constexpr std::size_t max_id = 128;
constexpr std::size_t max_version = 64;
constexpr std::size_t max_text = 4096;
constexpr std::size_t max_capabilities = 64;
constexpr std::size_t max_routes = 16;
constexpr std::int64_t max_ttl_ms = 86'400'000;

constexpr const char* ours = "the manifest's ";

Error wrong(const std::string& what) { return invalid(ours + what); }

// Reads members of one object; remembers the first thing that is wrong. `where` begins the message.
class Reader {
  public:
    Reader(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

    std::string text(const char* name, std::size_t most, bool required = false) {
        auto found = object_.find(name);
        if (found == object_.end()) {
            if (required) fail(name, "is missing");
            return {};
        }
        if (!found->is_string()) {
            fail(name, "must be a string");
            return {};
        }
        const auto& value = found->get_ref<const std::string&>();
        if (value.size() > most) fail(name, "is longer than " + std::to_string(most) + " bytes");
        if (required && value.empty()) fail(name, "is empty");
        return value;
    }

    // One of the words, the first if absent.
    std::size_t word(const char* name, std::initializer_list<std::string_view> words) {
        auto found = object_.find(name);
        if (found == object_.end()) return 0;
        if (found->is_string()) {
            auto at = std::find(words.begin(), words.end(), found->get_ref<const std::string&>());
            if (at != words.end()) return static_cast<std::size_t>(at - words.begin());
        }
        std::string choices;
        for (std::string_view each : words)
            choices += (choices.empty() ? "\"" : " or \"") + std::string(each) + "\"";
        fail(name, "must be " + choices);
        return 0;
    }

    void fail(const std::string& name, const std::string& problem) {
        if (!error_) error_ = invalid(where_ + "\"" + name + "\" " + problem);
    }
    const std::optional<Error>& error() const { return error_; }

  private:
    const Json& object_;
    std::string where_;
    std::optional<Error> error_;
};

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_id(std::string_view id) {
    auto inner = [](char c) { return is_lower_or_digit(c) || c == '_' || c == '.' || c == '-'; };
    return !id.empty() && is_lower_or_digit(id.front()) && is_lower_or_digit(id.back()) &&
           std::all_of(id.begin(), id.end(), inner);
}

// Digits from the front of `text`; empty if there are none or if they have a leading zero.
std::string_view number_prefix(std::string_view text) {
    std::size_t size = 0;
    while (size < text.size() && text[size] >= '0' && text[size] <= '9')
        ++size;
    if (size > 9 || (size > 1 && text[0] == '0')) return {};
    return text.substr(0, size);
}

// Dot-separated identifiers of [0-9A-Za-z-], none empty.
bool is_identifiers(std::string_view text) {
    char before = '.';
    for (char c : text) {
        bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && c != '-' && c != '.') return false;
        if (c == '.' && before == '.') return false;
        before = c;
    }
    return before != '.';
}

// https://semver.org, version 2.0.0.
bool is_semantic_version(std::string_view text) {
    for (int part = 0; part < 3; ++part) {
        if (part > 0) {
            if (!text.starts_with('.')) return false;
            text.remove_prefix(1);
        }
        std::size_t size = number_prefix(text).size();
        if (size == 0) return false;
        text.remove_prefix(size);
    }
    auto plus = text.find('+');
    if (plus != text.npos && !is_identifiers(text.substr(plus + 1))) return false;
    text = text.substr(0, plus);
    return text.empty() || (text.front() == '-' && is_identifiers(text.substr(1)));
}

// "1.0"
bool read_abi(std::string_view text, int& major, int& minor) {
    auto first = number_prefix(text);
    if (first.empty() || text.size() < first.size() + 2 || text[first.size()] != '.') return false;
    auto second = text.substr(first.size() + 1);
    if (number_prefix(second) != second) return false;
    std::from_chars(first.data(), first.data() + first.size(), major);
    std::from_chars(second.data(), second.data() + second.size(), minor);
    return true;
}

// Names that this host does not know are a newer one's.
Result<void> read_takes(const Json& object, const std::string& where,
                        std::vector<std::string>& takes) {
    auto found = object.find("takes");
    if (found == object.end()) return {};
    if (!found->is_array()) return wrong(where + "\"takes\" must be an array of strings");
    for (const Json& each : *found) {
        if (!each.is_string()) return wrong(where + "\"takes\" must be an array of strings");
        const auto& name = each.get_ref<const std::string&>();
        const bool is_new = std::find(takes.begin(), takes.end(), name) == takes.end();
        if (name == mcp_servers && is_new) takes.push_back(name);
    }
    return {};
}

// Below what capabilities can have, in plain segments; a whole API or all hooks are nobody's.
bool is_route(std::string_view path) {
    std::string_view rest;
    for (const std::string_view below : {"/api/", "/hooks/", "/oauth/callback", "/oauth/client"}) {
        if (!path.starts_with(below)) continue;
        rest = path.substr(below.size());
        // Of the last two the path itself will do.
        if (below.back() != '/' && rest.empty()) return true;
        if (below.back() != '/' && rest.front() != '/') return false;
        if (below.back() != '/') rest.remove_prefix(1);
    }
    char before = '/';
    for (const char c : rest) {
        if (!is_lower_or_digit(c) && c != '-' && c != '_' && c != '/') return false;
        if (c == '/' && before == '/') return false;
        before = c;
    }
    return before != '/';
}

Result<void> read_routes(const Json& object, const std::string& where,
                         std::vector<catalog::Route>& routes) {
    auto found = object.find("routes");
    if (found == object.end()) return {};
    if (!found->is_array() || found->size() > max_routes)
        return wrong(where + "\"routes\" must be an array of at most " +
                     std::to_string(max_routes) + " objects");
    for (const Json& each : *found) {
        if (!each.is_object()) return wrong(where + "a route must be an object");
        Reader reader(each, ours + where + "a route's ");
        catalog::Route route;
        route.path = reader.text("path", max_id, true);
        if (!is_route(route.path))
            reader.fail("path",
                        "must be below /api/, /hooks/, /oauth/callback or /oauth/client, in "
                        "segments of [a-z0-9_-]");
        if (!each.contains("access")) reader.fail("access", "is missing");
        route.access = static_cast<catalog::Route::Access>(
            reader.word("access", {"public", "read", "write", "admin"}));
        if (reader.error()) return *reader.error();
        routes.push_back(std::move(route));
    }
    return {};
}

// What callers can be narrowed to.
Result<void> read_access(const Json& object, const std::string& where, catalog::Choices& choices) {
    auto found = object.find("access");
    if (found == object.end()) return {};
    if (!found->is_object()) return wrong(where + "\"access\" must be an object");
    auto read = catalog::read_choices(*found, true);
    if (!read) return wrong(where + "\"access\" member " + read.error().message);
    choices = std::move(*read);
    return {};
}

Result<Capability> read_capability(const Json& object, std::size_t index) {
    std::string where = "capability " + std::to_string(index + 1) + ": ";
    if (!object.is_object()) return wrong(where + "it must be an object");
    Reader reader(object, ours + where);
    Capability capability;
    capability.name = reader.text("name", max_id, true);
    capability.title = reader.text("title", max_text);
    capability.description = reader.text("description", max_text);
    if (reader.error()) return *reader.error();
    auto named = catalog::check_namespace(capability.name);
    if (!named) return wrong(where + "\"name\" is wrong: " + named.error().message);
    auto lists = read_list_policy(object, ours + where, capability.lists);
    if (!lists) return lists.error();
    auto routes = read_routes(object, where, capability.routes);
    if (!routes) return routes.error();
    auto takes = read_takes(object, where, capability.takes);
    if (!takes) return takes.error();
    auto access = read_access(object, where, capability.choices);
    if (!access) return access.error();
    auto schema = object.find("config_schema");
    if (schema != object.end()) {
        auto compiled = json::compile_schema(*schema);
        if (!compiled)
            return wrong(where + "\"config_schema\" is wrong: " + compiled.error().message);
        capability.config_schema = json::dump(*schema);
    }
    return capability;
}

Result<std::vector<Capability>> read_capabilities(const Json& object, const std::string& id) {
    auto found = object.find("capabilities");
    if (found == object.end()) {
        if (auto named = catalog::check_namespace(id); !named)
            return wrong("\"id\" is no capability name, so \"capabilities\" must name them: " +
                         named.error().message);
        Capability capability;
        capability.name = id;
        return std::vector<Capability>{std::move(capability)};
    }
    if (!found->is_array() || found->empty() || found->size() > max_capabilities)
        return wrong("\"capabilities\" must be an array of 1 to " +
                     std::to_string(max_capabilities) + " objects");
    std::vector<Capability> capabilities;
    std::set<std::string> names;
    for (const Json& each : *found) {
        auto capability = read_capability(each, capabilities.size());
        if (!capability) return capability.error();
        if (!names.insert(capability->name).second)
            return wrong("\"capabilities\" name \"" + capability->name + "\" twice");
        capabilities.push_back(std::move(*capability));
    }
    return capabilities;
}

}  // namespace

const Capability* Manifest::capability(std::string_view name) const {
    for (const Capability& each : capabilities)
        if (each.name == name) return &each;
    return nullptr;
}

Result<void> read_list_policy(const Json& object, const std::string& where,
                              catalog::ListPolicy& lists) {
    auto found = object.find("lists");
    if (found == object.end()) return {};
    if (!found->is_object()) return invalid(where + "\"lists\" must be an object");
    Reader reader(*found, where + "\"lists\" member ");
    lists.is_private = reader.word("scope", {"public", "private"}) == 1;
    auto ttl = found->find("ttl_ms");
    if (ttl != found->end()) {
        if (!ttl->is_number_integer() || *ttl < 0 || *ttl > max_ttl_ms)
            reader.fail("ttl_ms", "must be an integer from 0 to " + std::to_string(max_ttl_ms));
        else
            lists.ttl_ms = ttl->get<std::int64_t>();
    }
    if (reader.error()) return *reader.error();
    return {};
}

Result<Manifest> parse_manifest(std::string_view text) {
    auto parsed =
        json::parse(text, {.size = PATCHBAY_MANIFEST_MAX_SIZE, .depth = 32, .values = 10'000});
    if (!parsed) return invalid("the manifest is not valid JSON: " + parsed.error().message);
    if (!parsed->is_object()) return invalid("the manifest must be a JSON object");
    Reader reader(*parsed, ours);
    Manifest manifest;
    manifest.id = reader.text("id", max_id, true);
    manifest.version = reader.text("version", max_version, true);
    std::string abi = reader.text("abi", max_version, true);
    manifest.threading = static_cast<Threading>(reader.word("threading", {"concurrent", "serial"}));
    manifest.isolation = static_cast<Isolation>(reader.word("isolation", {"any", "process"}));
    manifest.title = reader.text("title", max_text);
    manifest.description = reader.text("description", max_text);
    manifest.homepage = reader.text("homepage", max_text);
    manifest.license = reader.text("license", max_text);
    if (!reader.error() && !is_id(manifest.id))
        reader.fail("id", "must be of [a-z0-9_.-], beginning and ending with a letter or digit");
    if (!reader.error() && !is_semantic_version(manifest.version))
        reader.fail("version", "must be a semantic version such as \"1.0.0\"");
    if (!reader.error() && !read_abi(abi, manifest.abi_major, manifest.abi_minor))
        reader.fail("abi", "must be a version such as \"1.0\"");
    if (reader.error()) return *reader.error();
    auto capabilities = read_capabilities(*parsed, manifest.id);
    if (!capabilities) return capabilities.error();
    manifest.capabilities = std::move(*capabilities);
    return manifest;
}

Result<std::string_view> find_capsule(std::string_view bytes) {
    std::size_t at = bytes.find(magic);
    if (at == bytes.npos)
        return invalid("it has no Patchbay manifest: is it a plugin? PATCHBAY_MANIFEST embeds one");
    if (bytes.find(magic, at + 1) != bytes.npos)
        return invalid("it has more than one Patchbay manifest, and must have exactly one");
    std::string_view rest = bytes.substr(at + magic.size());
    std::size_t size = 0;
    bool sized = rest.size() >= 8;
    if (sized) {
        auto read = std::from_chars(rest.data(), rest.data() + 8, size, 16);
        sized = read.ec == std::errc() && read.ptr == rest.data() + 8;
    }
    if (!sized) return invalid("its manifest has no size of 8 hexadecimal digits");
    if (size > PATCHBAY_MANIFEST_MAX_SIZE)
        return invalid("its manifest is larger than " + std::to_string(PATCHBAY_MANIFEST_MAX_SIZE) +
                       " bytes");
    if (size > rest.size() - 8) return invalid("its manifest does not end within the file");
    return rest.substr(8, size);
}

}  // namespace pb::plugin
