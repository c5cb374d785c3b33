// SPDX-License-Identifier: Apache-2.0
#include "json/header_params.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

namespace pb::json {
namespace {

constexpr const char* annotation = "x-mcp-header";
constexpr std::size_t max_header = 256;

bool token_char(char c) {
    static constexpr std::string_view symbols = "!#$%&'*+-.^_`|~";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           symbols.find(c) != std::string_view::npos;
}

std::string lower(std::string text) {
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return text;
}

// Keywords whose value is data: an annotation-like member in it means nothing.
bool data_keyword(std::string_view keyword) {
    static constexpr std::array<std::string_view, 5> names = {"const", "enum", "default",
                                                              "examples", "required"};
    return std::find(names.begin(), names.end(), keyword) != names.end();
}
// Keywords whose members are named by the schema's author and hold schemas.
bool map_keyword(std::string_view keyword) {
    static constexpr std::array<std::string_view, 6> names = {
        "properties",  "patternProperties", "$defs",
        "definitions", "dependentSchemas",  "dependencies"};
    return std::find(names.begin(), names.end(), keyword) != names.end();
}

class Walk {
  public:
    // path: the properties that lead here; null where the chain left `properties`.
    Result<void> visit(const Json& schema, const std::vector<std::string>* path) {
        if (schema.is_array()) {
            for (const auto& element : schema) {
                if (auto ok = visit(element, nullptr); !ok) return ok;
            }
        }
        if (!schema.is_object()) return {};
        for (const auto& [keyword, value] : schema.items()) {
            auto ok = keyword == annotation ? annotated(schema, value, path)
                                            : below(keyword, value, path);
            if (!ok) return ok;
        }
        return {};
    }

    std::vector<HeaderParam> found;

  private:
    Result<void> below(const std::string& keyword, const Json& value,
                       const std::vector<std::string>* path) {
        if (data_keyword(keyword)) return {};
        if (!map_keyword(keyword) || !value.is_object()) return visit(value, nullptr);
        for (const auto& [name, child] : value.items()) {
            if (keyword == "properties" && path) {
                auto child_path = *path;
                child_path.push_back(name);
                if (auto ok = visit(child, &child_path); !ok) return ok;
            } else if (auto ok = visit(child, nullptr); !ok) {
                return ok;
            }
        }
        return {};
    }

    Result<void> annotated(const Json& schema, const Json& value,
                           const std::vector<std::string>* path) {
        if (!path || path->empty()) {
            return invalid("x-mcp-header stands where no chain of 'properties' alone leads");
        }
        const auto* header = value.get_ptr<const std::string*>();
        if (!header || header->empty() || header->size() > max_header ||
            !std::all_of(header->begin(), header->end(), token_char)) {
            return invalid("the x-mcp-header of '" + path->back() +
                           "' is not a header name token (RFC 9110)");
        }
        const auto type = schema.find("type");
        const auto* name = type == schema.end() ? nullptr : type->get_ptr<const std::string*>();
        if (!name || (*name != "string" && *name != "integer" && *name != "boolean")) {
            return invalid("x-mcp-header is only for strings, integers and booleans, and '" +
                           path->back() + "' is none of them");
        }
        if (!seen_.insert(lower(*header)).second) {
            return invalid("the x-mcp-header '" + *header + "' is used twice");
        }
        found.push_back({*header, *path, *name});
        return {};
    }

    std::set<std::string> seen_;
};

}  // namespace

Result<std::vector<HeaderParam>> header_params(const Json& input_schema) {
    Walk walk;
    const std::vector<std::string> root;
    if (auto ok = walk.visit(input_schema, &root); !ok) return std::move(ok).error();
    return std::move(walk.found);
}

}  // namespace pb::json
