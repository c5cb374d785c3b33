// SPDX-License-Identifier: Apache-2.0
// Where every subschema is: the resources ("$id") and anchors of the schema and of the documents
// that it refers to, found by walking the keywords that hold subschemas and no others.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "json/schema.h"
#include "json/uri.h"

namespace pb::json {

// Bits of Dialect::vocabularies.
enum Vocabulary : unsigned {
    vocabulary_core = 1,
    vocabulary_applicator = 2,
    vocabulary_unevaluated = 4,
    vocabulary_validation = 8,
    vocabulary_annotation = 16,  // meta-data, format-annotation, content: nothing to check
    vocabulary_all = 31,
};

struct Dialect {
    bool draft7 = false;
    unsigned vocabularies = vocabulary_all;
};

struct Resource {
    std::string uri;
    const Json* root = nullptr;
    Dialect dialect;
    std::map<std::string, const Json*, std::less<>> anchors;
    std::map<std::string, const Json*, std::less<>> dynamic_anchors;
};

struct Site {
    std::uint32_t resource = 0;
    std::string path;  // as Node::path
};

class Resources {
  public:
    Resources(const SchemaDocuments& documents, const SchemaLimits& limits)
        : documents_(documents), limits_(limits) {}

    // The schema itself.
    Result<void> add_root(const Json& schema);
    // Where `reference`, written in `from`, leads.
    Result<const Json*> find(const std::string& reference, const Site& from);

    const Site& site(const Json* schema) const { return sites_.at(schema); }
    const Resource& resource(std::uint32_t id) const { return resources_[id]; }
    const std::vector<Resource>& all() const { return resources_; }

  private:
    struct Pending {
        const Json* schema;
        Site site;
        std::size_t depth;
    };

    Result<void> add_document(const Json& schema, const std::string& uri, std::string path);
    Result<void> walk(Pending first);
    Result<void> visit(const Pending& at, std::vector<Pending>& pending);
    Result<void> identify(const Json& schema, Site& site);
    Result<void> add_anchors(const Json& schema, const Site& site);
    Result<Dialect> dialect(const std::string& uri) const;
    Result<Dialect> custom_dialect(const std::string& uri, const Json& metaschema) const;
    const Json* document(const std::string& uri) const;
    Result<std::uint32_t> resource_at(const std::string& uri);
    Result<const Json*> follow(std::uint32_t resource, const std::string& pointer);

    const SchemaDocuments& documents_;
    const SchemaLimits& limits_;
    std::vector<Resource> resources_;
    std::map<std::string, std::uint32_t> by_uri_;
    std::unordered_map<const Json*, Site> sites_;
};

// "at /a/b, "keyword" ...": how every error about a schema begins. Long text is cut.
Error schema_error(std::string_view path, std::string_view keyword, std::string_view what);
// For an error message: quoted, and cut if long.
std::string shown(std::string_view text);

// The published metaschemas by URI, each parsed once.
const std::map<std::string, Json>& metaschemas();

}  // namespace pb::json
