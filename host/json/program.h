// SPDX-License-Identifier: Apache-2.0
// A compiled schema: one node for each subschema, its keywords grouped by what they look at, with
// all references resolved to node numbers. Made by compile.cpp, run by evaluate.cpp.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "json/number.h"
#include "json/pattern.h"

namespace pb::json {

using NodeId = std::uint32_t;
constexpr NodeId no_node = std::numeric_limits<NodeId>::max();
constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

// Bits of Node::types.
enum TypeBit : unsigned {
    type_null = 1,
    type_boolean = 2,
    type_string = 4,
    type_array = 8,
    type_object = 16,
    type_integer = 32,
    type_number = 64,  // any number, whole or not
    type_any = 127,
};

struct NumberRules {
    std::optional<Number> minimum, maximum, above, below, multiple_of;
};

using Pattern = std::shared_ptr<const re2::RE2>;

struct StringRules {
    std::size_t min_length = 0;
    std::size_t max_length = unlimited;
    Pattern pattern;
    std::string pattern_shown;  // as the schema has it, for messages
};

struct ArrayRules {
    std::vector<NodeId> prefix;
    NodeId items = no_node;  // after the prefix
    NodeId contains = no_node;
    NodeId unevaluated = no_node;
    std::size_t min_contains = 1;
    std::size_t max_contains = unlimited;
    std::size_t min_items = 0;
    std::size_t max_items = unlimited;
    bool unique = false;
};

struct ObjectRules {
    std::vector<std::pair<std::string, NodeId>> properties;  // sorted by name
    std::vector<std::pair<Pattern, NodeId>> patterns;
    NodeId additional = no_node;
    NodeId names = no_node;
    NodeId unevaluated = no_node;
    std::vector<std::string> required;
    std::vector<std::pair<std::string, std::vector<std::string>>> dependent_required;
    std::vector<std::pair<std::string, NodeId>> dependent_schemas;
    std::size_t min_properties = 0;
    std::size_t max_properties = unlimited;
};

// Keywords that look at any value.
struct GeneralRules {
    std::optional<nlohmann::json> constant;
    std::optional<std::vector<nlohmann::json>> choices;  // enum
    std::vector<NodeId> all, any, one;
    NodeId negated = no_node;
    NodeId condition = no_node;
    NodeId then = no_node;
    NodeId otherwise = no_node;
    NodeId reference = no_node;
    NodeId dynamic_reference = no_node;  // where it leads if nothing in the dynamic scope overrides
    std::uint32_t dynamic_anchor = no_node;  // number of the name that overrides, if one can
};

struct Node {
    std::string path;  // JSON pointer into the schema; with its URI if it is in another document
    std::uint32_t resource = 0;
    unsigned types = type_any;
    bool never = false;  // the schema `false`
    std::unique_ptr<NumberRules> number;
    std::unique_ptr<StringRules> string;
    std::unique_ptr<ArrayRules> array;
    std::unique_ptr<ObjectRules> object;
    std::unique_ptr<GeneralRules> general;

    bool anything() const {
        return types == type_any && !never && !number && !string && !array && !object && !general;
    }
    bool tracks() const {
        return (array && array->unevaluated != no_node) ||
               (object && object->unevaluated != no_node);
    }
};

struct Program {
    std::vector<Node> nodes;
    NodeId root = 0;
    // The node of each "$dynamicAnchor" that a "$dynamicRef" names, by resource and number of the
    // name.
    std::map<std::pair<std::uint32_t, std::uint32_t>, NodeId> dynamic_anchors;
    std::size_t depth = 0;
    std::uint64_t work = 0;
};

}  // namespace pb::json
