// SPDX-License-Identifier: Apache-2.0
// One table says which function reads which keyword; subschemas are numbered when they are met and
// compiled later, from a list, so that neither nesting nor chains of references cost stack.
#include "json/compile.h"

#include <algorithm>
#include <array>

#include "json/resources.h"

namespace pb::json {
namespace {

// RE2 keeps memory for each expression, so their number is bounded too.
constexpr std::size_t most_patterns = 256;

template <class Rules>
Rules& made(std::unique_ptr<Rules>& rules) {
    if (!rules) rules = std::make_unique<Rules>();
    return *rules;
}

class Compiler {
  public:
    Compiler(const SchemaLimits& limits, const SchemaDocuments& documents)
        : limits_(limits), resources_(documents, limits) {}

    Result<Program> run(const Json& schema) {
        if (!schema.is_object() && !schema.is_boolean()) {
            return invalid("invalid schema: it must be an object, true or false");
        }
        if (auto added = resources_.add_root(schema); !added) return added.error();
        program_.root = node_for(schema);
        compile_pending();
        while (!error_ && add_dynamic_anchors())
            compile_pending();
        if (error_) return *error_;
        program_.depth = limits_.depth;
        program_.work = limits_.work;
        return std::move(program_);
    }

  private:
    // A keyword being read.
    struct At {
        Node& node;
        const Json& schema;  // that the keyword is in
        const char* keyword;
        const Json& value;
        bool draft7;
    };
    using Read = void (Compiler::*)(const At&);
    enum Drafts { only_2020 = 1, only_7 = 2, both = 3 };
    struct Keyword {
        const char* name;
        Vocabulary vocabulary;
        Drafts drafts;
        Read read;
    };
    static const std::array<Keyword, 41> keywords;

    void fail(const At& at, std::string_view what) { fail(at.node.path, at.keyword, what); }
    void fail(std::string_view path, std::string_view keyword, std::string_view what) {
        if (!error_) error_ = schema_error(path, keyword, what);
    }

    NodeId node_for(const Json& schema) {
        auto [known, added] = ids_.emplace(&schema, static_cast<NodeId>(program_.nodes.size()));
        if (added) {
            program_.nodes.emplace_back();
            pending_.push_back(&schema);
        }
        return known->second;
    }

    void compile_pending() {
        while (!pending_.empty() && !error_) {
            const Json& schema = *pending_.back();
            pending_.pop_back();
            NodeId id = ids_.at(&schema);
            Node node = compile_node(schema);
            program_.nodes[id] = std::move(node);
        }
    }

    Node compile_node(const Json& schema) {
        const Site& site = resources_.site(&schema);
        Node node;
        node.path = site.path;
        node.resource = site.resource;
        if (schema.is_boolean()) {
            node.never = !schema.get<bool>();
            return node;
        }
        Dialect dialect = resources_.resource(site.resource).dialect;
        bool reference_only = dialect.draft7 && schema.contains("$ref");
        for (const Keyword& keyword : keywords) {
            if ((keyword.drafts & (dialect.draft7 ? only_7 : only_2020)) == 0) continue;
            if ((dialect.vocabularies & keyword.vocabulary) == 0) continue;
            if (reference_only && keyword.name != std::string_view("$ref")) continue;
            auto value = schema.find(keyword.name);
            if (value == schema.end()) continue;
            (this->*keyword.read)({node, schema, keyword.name, *value, dialect.draft7});
            if (error_) break;
        }
        return node;
    }

    // "$dynamicRef" may lead to any resource's anchor of its name: these need nodes too.
    bool add_dynamic_anchors() {
        bool added = false;
        for (std::uint32_t id = 0; id < resources_.all().size(); ++id) {
            for (const auto& [name, schema] : resources_.resource(id).dynamic_anchors) {
                auto known = dynamic_names_.find(name);
                if (known == dynamic_names_.end()) continue;
                added |= program_.dynamic_anchors
                             .emplace(std::pair(id, known->second), node_for(*schema))
                             .second;
            }
        }
        return added;
    }

    // Values of keywords.

    NodeId subschema(const At& at, const Json& value) {
        if (value.is_object() || value.is_boolean()) return node_for(value);
        fail(at, "must hold a schema: an object, true or false");
        return no_node;
    }

    std::vector<NodeId> subschemas(const At& at) {
        std::vector<NodeId> out;
        if (!at.value.is_array() || (at.value.empty() && !at.draft7)) {
            fail(at, "must be an array of schemas that is not empty");
            return out;
        }
        for (const Json& each : at.value)
            out.push_back(subschema(at, each));
        return out;
    }

    bool is_map(const At& at) {
        if (at.value.is_object()) return true;
        fail(at, "must be an object");
        return false;
    }

    std::size_t size(const At& at) {
        std::size_t out = 0;
        if (!at.value.is_number() || !Number(at.value).as_size(out)) {
            fail(at, "must be a whole number that is not negative");
        }
        return out;
    }

    std::optional<Number> number(const At& at) {
        if (at.value.is_number()) return Number(at.value);
        fail(at, "must be a number");
        return std::nullopt;
    }

    std::vector<std::string> names(const At& at, const Json& value) {
        std::vector<std::string> out;
        for (const Json& each : value.is_array() ? value : Json::array({nullptr})) {
            const auto* name = each.get_ptr<const std::string*>();
            if (!name) {
                fail(at, "must hold an array of strings");
                break;
            }
            out.push_back(*name);
        }
        return out;
    }

    Pattern pattern(const At& at, const std::string& text) {
        auto known = patterns_.find(text);
        if (known != patterns_.end()) return known->second;
        if (text.size() > limits_.pattern_size) {
            fail(at, "is longer than " + std::to_string(limits_.pattern_size) + " bytes");
            return nullptr;
        }
        if (patterns_.size() == most_patterns) {
            fail(at, "is one pattern more than " + std::to_string(most_patterns));
            return nullptr;
        }
        auto compiled = compile_pattern(text);
        if (!compiled) {
            fail(at, "with the pattern " + shown(text) + " " + compiled.error().message);
            return nullptr;
        }
        return patterns_.emplace(text, *compiled).first->second;
    }

    // Readers of keywords: for any type.

    void read_types(const At& at) {
        constexpr std::array<std::pair<std::string_view, unsigned>, 7> types = {
            {{"null", type_null},
             {"boolean", type_boolean},
             {"string", type_string},
             {"array", type_array},
             {"object", type_object},
             {"integer", type_integer},
             {"number", type_number | type_integer}}};
        at.node.types = 0;
        for (const Json& each : at.value.is_array() ? at.value : Json::array({at.value})) {
            const auto* name = each.get_ptr<const std::string*>();
            auto type = std::find_if(types.begin(), types.end(), [&](const auto& known) {
                return name && known.first == *name;
            });
            if (type == types.end()) {
                return fail(at,
                            "must be null, boolean, string, array, object, integer or number, or "
                            "an array of these");
            }
            at.node.types |= type->second;
        }
    }

    void read_const(const At& at) { made(at.node.general).constant = at.value; }
    void read_enum(const At& at) {
        if (!at.value.is_array()) return fail(at, "must be an array");
        made(at.node.general).choices = at.value.get<std::vector<Json>>();
    }
    void read_all(const At& at) { made(at.node.general).all = subschemas(at); }
    void read_any(const At& at) { made(at.node.general).any = subschemas(at); }
    void read_one(const At& at) { made(at.node.general).one = subschemas(at); }
    void read_not(const At& at) { made(at.node.general).negated = subschema(at, at.value); }
    void read_if(const At& at) { made(at.node.general).condition = subschema(at, at.value); }
    void read_then(const At& at) { made(at.node.general).then = subschema(at, at.value); }
    void read_else(const At& at) { made(at.node.general).otherwise = subschema(at, at.value); }

    // The node that a reference leads to; `fragment` gets what follows its '#'.
    NodeId target(const At& at) {
        const auto* reference = at.value.get_ptr<const std::string*>();
        if (!reference) {
            fail(at, "must be a string");
            return no_node;
        }
        auto found = resources_.find(*reference, resources_.site(&at.schema));
        if (found) return node_for(**found);
        // A fault inside another document names its own place.
        if (found.error().message.rfind("invalid schema", 0) == 0) {
            if (!error_) error_ = found.error();
        } else {
            fail(at, found.error().message);
        }
        return no_node;
    }
    void read_ref(const At& at) { made(at.node.general).reference = target(at); }
    void read_dynamic_ref(const At& at) {
        NodeId id = target(at);
        GeneralRules& rules = made(at.node.general);
        rules.dynamic_reference = id;
        if (id == no_node) return;
        // Only a target that is itself dynamic, and named by its anchor, can be overridden.
        const auto& text = at.value.get_ref<const std::string&>();
        std::string name = resolve("", text).fragment;
        auto found = resources_.find(text, resources_.site(&at.schema));
        const Resource& resource = resources_.resource(resources_.site(*found).resource);
        auto anchor = resource.dynamic_anchors.find(name);
        if (anchor == resource.dynamic_anchors.end() || anchor->second != *found) return;
        auto number = static_cast<std::uint32_t>(dynamic_names_.size());
        rules.dynamic_anchor = dynamic_names_.emplace(name, number).first->second;
    }

    // For numbers and strings.

    void read_minimum(const At& at) { made(at.node.number).minimum = number(at); }
    void read_maximum(const At& at) { made(at.node.number).maximum = number(at); }
    void read_above(const At& at) { made(at.node.number).above = number(at); }
    void read_below(const At& at) { made(at.node.number).below = number(at); }
    void read_multiple(const At& at) {
        auto divisor = number(at);
        if (divisor && divisor->compare(Number(0)) <= 0) fail(at, "must be greater than 0");
        made(at.node.number).multiple_of = divisor;
    }
    void read_min_length(const At& at) { made(at.node.string).min_length = size(at); }
    void read_max_length(const At& at) { made(at.node.string).max_length = size(at); }
    void read_pattern(const At& at) {
        const auto* text = at.value.get_ptr<const std::string*>();
        if (!text) return fail(at, "must be a string");
        made(at.node.string).pattern = pattern(at, *text);
        made(at.node.string).pattern_shown = shown(*text);
    }

    // For arrays.

    void read_prefix(const At& at) { made(at.node.array).prefix = subschemas(at); }
    void read_items(const At& at) {
        if (at.value.is_array() && !at.draft7) {
            return fail(at, "must be one schema; an array of schemas is called prefixItems");
        }
        if (at.value.is_array()) {
            made(at.node.array).prefix = subschemas(at);
        } else {
            made(at.node.array).items = subschema(at, at.value);
        }
    }
    void read_additional_items(const At& at) {
        auto items = at.schema.find("items");
        if (items == at.schema.end() || !items->is_array()) return;
        made(at.node.array).items = subschema(at, at.value);
    }
    void read_contains(const At& at) { made(at.node.array).contains = subschema(at, at.value); }
    void read_min_contains(const At& at) { made(at.node.array).min_contains = size(at); }
    void read_max_contains(const At& at) { made(at.node.array).max_contains = size(at); }
    void read_min_items(const At& at) { made(at.node.array).min_items = size(at); }
    void read_max_items(const At& at) { made(at.node.array).max_items = size(at); }
    void read_unique(const At& at) {
        if (!at.value.is_boolean()) return fail(at, "must be true or false");
        if (at.value.get<bool>()) made(at.node.array).unique = true;
    }
    void read_unevaluated_items(const At& at) {
        made(at.node.array).unevaluated = subschema(at, at.value);
    }

    // For objects.

    void read_properties(const At& at) {
        if (!is_map(at)) return;
        auto& properties = made(at.node.object).properties;
        for (const auto& [name, schema] : at.value.items()) {
            properties.emplace_back(name, subschema(at, schema));
        }
        std::sort(properties.begin(), properties.end());
    }
    void read_pattern_properties(const At& at) {
        if (!is_map(at)) return;
        for (const auto& [text, schema] : at.value.items()) {
            made(at.node.object).patterns.emplace_back(pattern(at, text), subschema(at, schema));
        }
    }
    void read_additional(const At& at) {
        made(at.node.object).additional = subschema(at, at.value);
    }
    void read_names(const At& at) { made(at.node.object).names = subschema(at, at.value); }
    void read_unevaluated(const At& at) {
        made(at.node.object).unevaluated = subschema(at, at.value);
    }
    void read_required(const At& at) { made(at.node.object).required = names(at, at.value); }
    void read_min_properties(const At& at) { made(at.node.object).min_properties = size(at); }
    void read_max_properties(const At& at) { made(at.node.object).max_properties = size(at); }
    void read_dependent_required(const At& at) {
        if (!is_map(at)) return;
        for (const auto& [name, list] : at.value.items()) {
            made(at.node.object).dependent_required.emplace_back(name, names(at, list));
        }
    }
    void read_dependent_schemas(const At& at) {
        if (!is_map(at)) return;
        for (const auto& [name, schema] : at.value.items()) {
            made(at.node.object).dependent_schemas.emplace_back(name, subschema(at, schema));
        }
    }
    void read_dependencies(const At& at) {
        if (!is_map(at)) return;
        ObjectRules& rules = made(at.node.object);
        for (const auto& [name, value] : at.value.items()) {
            if (value.is_array()) {
                rules.dependent_required.emplace_back(name, names(at, value));
            } else {
                rules.dependent_schemas.emplace_back(name, subschema(at, value));
            }
        }
    }

    const SchemaLimits& limits_;
    Resources resources_;
    Program program_;
    std::unordered_map<const Json*, NodeId> ids_;
    std::vector<const Json*> pending_;
    std::map<std::string, Pattern> patterns_;
    std::map<std::string, std::uint32_t> dynamic_names_;
    std::optional<Error> error_;
};

// clang-format off
const std::array<Compiler::Keyword, 41> Compiler::keywords = {{
    {"$ref", vocabulary_core, both, &Compiler::read_ref},
    {"$dynamicRef", vocabulary_core, only_2020, &Compiler::read_dynamic_ref},
    {"type", vocabulary_validation, both, &Compiler::read_types},
    {"const", vocabulary_validation, both, &Compiler::read_const},
    {"enum", vocabulary_validation, both, &Compiler::read_enum},
    {"minimum", vocabulary_validation, both, &Compiler::read_minimum},
    {"maximum", vocabulary_validation, both, &Compiler::read_maximum},
    {"exclusiveMinimum", vocabulary_validation, both, &Compiler::read_above},
    {"exclusiveMaximum", vocabulary_validation, both, &Compiler::read_below},
    {"multipleOf", vocabulary_validation, both, &Compiler::read_multiple},
    {"minLength", vocabulary_validation, both, &Compiler::read_min_length},
    {"maxLength", vocabulary_validation, both, &Compiler::read_max_length},
    {"pattern", vocabulary_validation, both, &Compiler::read_pattern},
    {"minItems", vocabulary_validation, both, &Compiler::read_min_items},
    {"maxItems", vocabulary_validation, both, &Compiler::read_max_items},
    {"uniqueItems", vocabulary_validation, both, &Compiler::read_unique},
    {"minContains", vocabulary_validation, only_2020, &Compiler::read_min_contains},
    {"maxContains", vocabulary_validation, only_2020, &Compiler::read_max_contains},
    {"required", vocabulary_validation, both, &Compiler::read_required},
    {"minProperties", vocabulary_validation, both, &Compiler::read_min_properties},
    {"maxProperties", vocabulary_validation, both, &Compiler::read_max_properties},
    {"dependentRequired", vocabulary_validation, only_2020, &Compiler::read_dependent_required},
    {"allOf", vocabulary_applicator, both, &Compiler::read_all},
    {"anyOf", vocabulary_applicator, both, &Compiler::read_any},
    {"oneOf", vocabulary_applicator, both, &Compiler::read_one},
    {"not", vocabulary_applicator, both, &Compiler::read_not},
    {"if", vocabulary_applicator, both, &Compiler::read_if},
    {"then", vocabulary_applicator, both, &Compiler::read_then},
    {"else", vocabulary_applicator, both, &Compiler::read_else},
    {"prefixItems", vocabulary_applicator, only_2020, &Compiler::read_prefix},
    {"items", vocabulary_applicator, both, &Compiler::read_items},
    {"additionalItems", vocabulary_applicator, only_7, &Compiler::read_additional_items},
    {"contains", vocabulary_applicator, both, &Compiler::read_contains},
    {"properties", vocabulary_applicator, both, &Compiler::read_properties},
    {"patternProperties", vocabulary_applicator, both, &Compiler::read_pattern_properties},
    {"additionalProperties", vocabulary_applicator, both, &Compiler::read_additional},
    {"propertyNames", vocabulary_applicator, both, &Compiler::read_names},
    {"dependentSchemas", vocabulary_applicator, only_2020, &Compiler::read_dependent_schemas},
    {"dependencies", vocabulary_applicator, both, &Compiler::read_dependencies},
    {"unevaluatedItems", vocabulary_unevaluated, only_2020, &Compiler::read_unevaluated_items},
    {"unevaluatedProperties", vocabulary_unevaluated, only_2020, &Compiler::read_unevaluated},
}};
// clang-format on

}  // namespace

Result<Program> compile(const Json& schema, const SchemaLimits& limits,
                        const SchemaDocuments& documents) {
    return Compiler(limits, documents).run(schema);
}

}  // namespace pb::json
