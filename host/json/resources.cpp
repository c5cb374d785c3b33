// SPDX-License-Identifier: Apache-2.0
#include "json/resources.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace pb::json {
namespace {

constexpr std::size_t deepest_schema = 512;
constexpr std::size_t longest_shown = 120;
constexpr std::size_t longest_path = 256;
constexpr std::size_t longest_uri = 2048;  // every resource keeps its own
constexpr const char* too_long = "is or becomes longer than 2048 bytes";
constexpr std::string_view draft_2020 = "https://json-schema.org/draft/2020-12/schema";
constexpr std::string_view draft_7 = "http://json-schema.org/draft-07/schema";

enum class Holds { schema, list, map, schema_or_list, map_of_schemas_or_lists };

struct Holder {
    std::string_view keyword;
    Holds holds;
};
// The keywords under which subschemas are; in 2020-12 "items" is one schema, "definitions" and
// "dependencies" are kept from older drafts by the metaschema.
constexpr std::array<Holder, 22> holders = {{
    {"$defs", Holds::map},
    {"additionalItems", Holds::schema},
    {"additionalProperties", Holds::schema},
    {"allOf", Holds::list},
    {"anyOf", Holds::list},
    {"contains", Holds::schema},
    {"contentSchema", Holds::schema},
    {"definitions", Holds::map},
    {"dependencies", Holds::map},
    {"dependentSchemas", Holds::map},
    {"else", Holds::schema},
    {"if", Holds::schema},
    {"items", Holds::schema_or_list},
    {"not", Holds::schema},
    {"oneOf", Holds::list},
    {"patternProperties", Holds::map},
    {"prefixItems", Holds::list},
    {"properties", Holds::map},
    {"propertyNames", Holds::schema},
    {"then", Holds::schema},
    {"unevaluatedItems", Holds::schema},
    {"unevaluatedProperties", Holds::schema},
}};

std::string without_fragment(std::string_view uri) {
    return std::string(uri.substr(0, uri.find('#')));
}

// Every subschema keeps its path, so a hostile one must not get long names into all of them.
std::string extended(std::string path, std::string_view token) {
    if (path.size() < longest_path) append_token(path, token.substr(0, longest_shown));
    return path;
}

// Calls take(child, path of the child) for what a keyword's value holds.
template <class Take>
void each_child(const Json& value, Holds holds, const std::string& path, Take take) {
    if (holds != Holds::map && (value.is_object() || value.is_boolean())) take(value, path);
    if (holds != Holds::map && value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i) {
            take(value[i], extended(path, std::to_string(i)));
        }
    }
    if (holds == Holds::map && value.is_object()) {
        for (const auto& [name, child] : value.items())
            take(child, extended(path, name));
    }
}

const std::string* text_at(const Json& object, const char* name) {
    auto found = object.find(name);
    return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

}  // namespace

std::string shown(std::string_view text) {
    std::size_t size = std::min(text.size(), longest_shown);
    while (size < text.size() && size > 0 && (text[size] & 0xC0) == 0x80)
        --size;
    return quote(text.substr(0, size)) + (size < text.size() ? "..." : "");
}

Error schema_error(std::string_view path, std::string_view keyword, std::string_view what) {
    std::string place = path.empty() ? "the top of the schema" : shown(path);
    std::string message = "invalid schema: at " + place + ", ";
    if (!keyword.empty()) message += shown(keyword) + " ";
    return invalid(message.append(what));
}

Result<void> Resources::add_root(const Json& schema) { return add_document(schema, "", ""); }

Result<void> Resources::add_document(const Json& schema, const std::string& uri, std::string path) {
    Dialect spoken;
    if (schema.is_object() && schema.contains("$schema")) {
        const std::string* name = text_at(schema, "$schema");
        if (!name) return schema_error(path, "$schema", "must be a string");
        auto known = dialect(*name);
        if (!known) return schema_error(path, "$schema", known.error().message);
        spoken = *known;
    } else if (!resources_.empty()) {
        spoken = resources_.front().dialect;
    }
    auto id = static_cast<std::uint32_t>(resources_.size());
    resources_.push_back({uri, &schema, spoken, {}, {}});
    by_uri_.emplace(uri, id);
    return walk({&schema, {id, std::move(path)}, 0});
}

Result<void> Resources::walk(Pending first) {
    std::vector<Pending> pending;
    pending.push_back(std::move(first));
    while (!pending.empty()) {
        Pending at = std::move(pending.back());
        pending.pop_back();
        if (sites_.count(at.schema) > 0) continue;
        if (sites_.size() >= limits_.subschemas) {
            return invalid("invalid schema: it has more than " +
                           std::to_string(limits_.subschemas) + " subschemas");
        }
        if (at.depth > deepest_schema) {
            return invalid("invalid schema: subschemas nest deeper than " +
                           std::to_string(deepest_schema));
        }
        if (auto visited = visit(at, pending); !visited) return visited;
    }
    return {};
}

Result<void> Resources::visit(const Pending& at, std::vector<Pending>& pending) {
    const Json& schema = *at.schema;
    Site site = at.site;
    if (schema.is_object()) {
        if (auto done = identify(schema, site); !done) return done;
        if (auto done = add_anchors(schema, site); !done) return done;
        for (const Holder& holder : holders) {
            auto value = schema.find(holder.keyword);
            if (value == schema.end()) continue;
            each_child(
                *value, holder.holds, extended(site.path, holder.keyword),
                [&](const Json& child, std::string path) {
                    if (!child.is_object() && !child.is_boolean()) return;
                    pending.push_back({&child, {site.resource, std::move(path)}, at.depth + 1});
                });
        }
    }
    sites_.emplace(at.schema, std::move(site));
    return {};
}

// A schema with its own "$id" begins a resource; that of a document's top gives it a further name.
Result<void> Resources::identify(const Json& schema, Site& site) {
    auto found = schema.find("$id");
    if (found == schema.end()) return {};
    bool draft7 = resources_[site.resource].dialect.draft7;
    if (draft7 && schema.contains("$ref")) return {};
    const std::string* id = found->get_ptr<const std::string*>();
    if (!id) return schema_error(site.path, "$id", "must be a string");
    if (id->size() > longest_uri) return schema_error(site.path, "$id", too_long);
    UriReference at = resolve(resources_[site.resource].uri, *id);
    if (at.uri.size() > longest_uri) return schema_error(site.path, "$id", too_long);
    if (!at.fragment.empty() && !draft7) {
        return schema_error(site.path, "$id", "must not have a fragment");
    }
    bool document = resources_[site.resource].root == &schema;
    if (!id->empty() && id->front() != '#') {
        if (document) {
            resources_[site.resource].uri = at.uri;
            by_uri_.emplace(at.uri, site.resource);
        } else {
            Dialect spoken = resources_[site.resource].dialect;
            if (const std::string* name = text_at(schema, "$schema")) {
                auto known = dialect(*name);
                if (!known) return schema_error(site.path, "$schema", known.error().message);
                spoken = *known;
            }
            site.resource = static_cast<std::uint32_t>(resources_.size());
            resources_.push_back({at.uri, &schema, spoken, {}, {}});
            by_uri_.emplace(at.uri, site.resource);
        }
    }
    if (!at.fragment.empty()) resources_[site.resource].anchors.emplace(at.fragment, &schema);
    return {};
}

Result<void> Resources::add_anchors(const Json& schema, const Site& site) {
    Resource& resource = resources_[site.resource];
    if (resource.dialect.draft7) return {};
    for (const char* keyword : {"$anchor", "$dynamicAnchor"}) {
        auto found = schema.find(keyword);
        if (found == schema.end()) continue;
        const std::string* name = found->get_ptr<const std::string*>();
        if (!name || name->empty()) {
            return schema_error(site.path, keyword, "must be a string that is not empty");
        }
        resource.anchors.emplace(*name, &schema);
        if (keyword[1] == 'd') resource.dynamic_anchors.emplace(*name, &schema);
    }
    return {};
}

Result<Dialect> Resources::dialect(const std::string& uri) const {
    std::string name = without_fragment(uri);
    if (name == draft_2020) return Dialect{};
    if (name == draft_7 || name == "https://json-schema.org/draft-07/schema") {
        return Dialect{true, vocabulary_all};
    }
    auto known = documents_.find(name);
    if (known != documents_.end() && known->second.is_object()) {
        return custom_dialect(name, known->second);
    }
    return invalid("names a dialect that is not supported, " + shown(uri) + "; use " +
                   std::string(draft_2020) + " or " + std::string(draft_7) + "#");
}

Result<Dialect> Resources::custom_dialect(const std::string& uri, const Json& metaschema) const {
    const std::string* above = text_at(metaschema, "$schema");
    if (above && without_fragment(*above) == draft_7) return Dialect{true, vocabulary_all};
    if (!above || without_fragment(*above) != draft_2020) {
        return invalid("names the metaschema " + shown(uri) + ", which is not written in 2020-12");
    }
    auto declared = metaschema.find("$vocabulary");
    if (declared == metaschema.end() || !declared->is_object()) return Dialect{};
    constexpr std::string_view prefix = "https://json-schema.org/draft/2020-12/vocab/";
    Dialect out{false, vocabulary_core};
    for (const auto& [name, required] : declared->items()) {
        std::string_view rest = name;
        rest.remove_prefix(rest.substr(0, prefix.size()) == prefix ? prefix.size() : 0);
        if (rest == "applicator") {
            out.vocabularies |= vocabulary_applicator;
        } else if (rest == "unevaluated") {
            out.vocabularies |= vocabulary_unevaluated;
        } else if (rest == "validation") {
            out.vocabularies |= vocabulary_validation;
        } else if (rest != "core" && rest != "meta-data" && rest != "format-annotation" &&
                   rest != "content" && required == true) {
            return invalid("requires the vocabulary " + shown(name) + ", which is not supported");
        }
    }
    return out;
}

const Json* Resources::document(const std::string& uri) const {
    for (const auto* source : {&documents_, &metaschemas()}) {
        auto found = source->find(uri);
        if (found != source->end()) return &found->second;
    }
    return nullptr;
}

Result<std::uint32_t> Resources::resource_at(const std::string& uri) {
    if (auto known = by_uri_.find(uri); known != by_uri_.end()) return known->second;
    const Json* found = document(uri);
    if (!found) return not_found("");
    auto id = static_cast<std::uint32_t>(resources_.size());
    if (auto added = add_document(*found, uri, uri + "#"); !added) return added.error();
    return id;
}

Result<const Json*> Resources::find(const std::string& reference, const Site& from) {
    if (reference.size() > longest_uri) return invalid(too_long);
    UriReference to = resolve(resources_[from.resource].uri, reference);
    auto id = resource_at(to.uri);
    if (!id) {
        if (id.error().kind != ErrorKind::not_found) return id.error();
        return not_found("names " + shown(to.uri) +
                         ", which is not part of the schema; nothing is ever fetched");
    }
    const Resource& resource = resources_[*id];
    if (to.fragment.empty()) return resource.root;
    if (to.fragment.front() == '/') return follow(*id, to.fragment);
    auto anchor = resource.anchors.find(to.fragment);
    if (anchor == resource.anchors.end()) {
        return not_found("names the anchor " + shown(to.fragment) + ", which does not exist");
    }
    return anchor->second;
}

// A pointer may lead to what no known keyword holds; then the schema there is found only now.
Result<const Json*> Resources::follow(std::uint32_t resource, const std::string& pointer) {
    auto tokens = pointer_tokens(pointer);
    if (!tokens) return invalid("has a malformed JSON pointer, " + shown(pointer));
    const Json* at = resources_[resource].root;
    Site site = sites_.at(at);
    for (const std::string& token : *tokens) {
        const Json* next = nullptr;
        if (at->is_object()) {
            auto found = at->find(token);
            if (found != at->end()) next = &*found;
        } else if (at->is_array() && !token.empty() && token.size() < 10 &&
                   std::all_of(token.begin(), token.end(),
                               [](char c) { return c >= '0' && c <= '9'; })) {
            std::size_t index = std::stoul(token);
            if (index < at->size()) next = &(*at)[index];
        }
        if (!next) return not_found("names " + shown(pointer) + ", which does not exist");
        at = next;
        site.path = extended(std::move(site.path), token);
        if (auto known = sites_.find(at); known != sites_.end()) site = known->second;
    }
    if (!at->is_object() && !at->is_boolean()) {
        return invalid("names " + shown(pointer) + ", which is not a schema");
    }
    if (auto walked = walk({at, site, 0}); !walked) return walked.error();
    return at;
}

}  // namespace pb::json
