// SPDX-License-Identifier: Apache-2.0
// A recursive walk over schema and instance together. Three things are carried down: where we are
// in the instance (for messages), which resources were entered ("$dynamicRef"), and, only while
// somebody asks for it, which members or items have been evaluated ("unevaluated...").
#include "json/evaluate.h"

#include <algorithm>

#include "json/resources.h"
#include "json/utf8.h"
#include "json/values.h"

namespace pb::json {
namespace {

constexpr std::size_t longest_token = 120;
constexpr std::size_t deepest = 1000;

// A step into the instance: a member's name or an item's index.
struct Place {
    const Place* parent = nullptr;
    const std::string* name = nullptr;
    std::size_t index = 0;
};

// The schema resources entered on the way, innermost first.
struct Scope {
    const Scope* outer = nullptr;
    std::uint32_t resource = 0;
};

struct At {
    const Json& value;
    const Place* place;
    const Scope* scope;
    bool loud;  // whether violations are noted, or the answer alone counts
};

// Which members (by their order) or items of one instance have been evaluated.
class Seen {
  public:
    void add_all() { all_ = true; }
    void add(std::size_t index) {
        if (index < 64) {
            first_ |= std::uint64_t{1} << index;
        } else {
            if (index - 64 >= more_.size()) more_.resize(index - 63);
            more_[index - 64] = true;
        }
    }
    bool has(std::size_t index) const {
        if (all_) return true;
        if (index < 64) return (first_ >> index & 1) != 0;
        return index - 64 < more_.size() && more_[index - 64];
    }
    void add(const Seen& other) {
        all_ |= other.all_;
        first_ |= other.first_;
        if (more_.size() < other.more_.size()) more_.resize(other.more_.size());
        for (std::size_t i = 0; i < other.more_.size(); ++i) {
            if (other.more_[i]) more_[i] = true;
        }
    }
    std::size_t cost() const { return 1 + more_.size() / 4; }

  private:
    bool all_ = false;
    std::uint64_t first_ = 0;
    std::vector<bool> more_;
};

const char* name_of(unsigned type) {
    switch (type) {
        case type_null:
            return "null";
        case type_boolean:
            return "a boolean";
        case type_string:
            return "a string";
        case type_array:
            return "an array";
        case type_object:
            return "an object";
        case type_integer:
            return "an integer";
        default:
            return "a number";
    }
}

std::string names_of(unsigned types) {
    if ((types & type_number) != 0) types &= ~static_cast<unsigned>(type_integer);
    std::string out;
    for (unsigned bit = 1; bit < type_any; bit *= 2) {
        if ((types & bit) == 0) continue;
        types &= ~bit;
        if (!out.empty()) out += types == 0 ? " or " : ", ";
        out += name_of(bit);
    }
    return out.empty() ? "of no type at all" : out;
}

std::string counted(std::size_t count, const char* what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

class Evaluation {
  public:
    Evaluation(const Program& program, std::size_t most, std::vector<Violation>& violations)
        : program_(program), most_(most), violations_(violations), budget_(program.work) {}

    void run(const Json& instance) {
        Place top;
        Scope scope{nullptr, program_.nodes[program_.root].resource};
        node(program_.root, {instance, &top, &scope, true}, nullptr);
        if (budget_.exceeded() && violations_.size() < std::max<std::size_t>(most_, 1)) {
            violations_.push_back({"", "",
                                   too_deep_ ? "needs deeper evaluation than is allowed"
                                             : "needs more work than is allowed"});
        }
    }

  private:
    // Notes a violation and returns false, so that a check can end with it.
    template <class Message>
    bool fail(const At& at, const Node& node, std::string_view keyword, Message message,
              const std::string* member = nullptr) {
        if (!at.loud || budget_.exceeded() || violations_.size() >= most_) return false;
        std::string path;
        append_path(path, *at.place);
        if (member) append_name(path, *member);
        std::string schema_path = node.path;
        if (!keyword.empty()) append_token(schema_path, keyword);
        violations_.push_back({std::move(path), std::move(schema_path), message()});
        return false;
    }
    bool fail(const At& at, const Node& node, std::string_view keyword, const char* message,
              const std::string* member = nullptr) {
        return fail(
            at, node, keyword, [&] { return std::string(message); }, member);
    }

    static void append_path(std::string& out, const Place& place) {
        if (!place.parent) return;
        append_path(out, *place.parent);
        if (place.name) {
            append_name(out, *place.name);
        } else {
            append_token(out, std::to_string(place.index));
        }
    }
    static void append_name(std::string& out, std::string_view name) {
        std::size_t size = std::min(name.size(), longest_token);
        while (size < name.size() && (name[size] & 0xC0) == 0x80)
            --size;
        append_token(out, name.substr(0, size));
        if (size < name.size()) out += "...";
    }

    // Whether to go on after a check: all checks are made only while violations are wanted.
    bool enough(const At& at, bool valid) const {
        return budget_.exceeded() || (!valid && (!at.loud || violations_.size() >= most_));
    }

    bool node(NodeId id, const At& outer, Seen* seen) {
        const Node& node = program_.nodes[id];
        if (!budget_.spend(1)) return false;
        if (node.anything()) return true;
        if (depth_ >= std::min(program_.depth, deepest)) {
            too_deep_ = !budget_.exceeded();
            budget_.exceed();
        }
        if (budget_.exceeded()) return false;
        if (node.never) return fail(outer, node, "", "is not allowed");
        ++depth_;
        Scope scope{outer.scope, node.resource};
        bool entered = outer.scope->resource != node.resource;
        At at{outer.value, outer.place, entered ? &scope : outer.scope, outer.loud};
        bool valid = false;
        if (node.tracks()) {
            Seen own;
            valid = rules(node, at, &own) && !budget_.exceeded();
            valid = valid && unevaluated(node, at, own);
            if (valid && seen && budget_.spend(own.cost())) seen->add(own);
        } else {
            valid = rules(node, at, seen);
        }
        --depth_;
        return valid;
    }

    bool rules(const Node& node, const At& at, Seen* seen) {
        if (!type(node, at)) return false;
        bool valid = true;
        if (node.number && at.value.is_number()) {
            valid = number(node, at);
        } else if (node.string && at.value.is_string()) {
            valid = string(node, at);
        } else if (node.array && at.value.is_array()) {
            valid = array(node, at, seen);
        } else if (node.object && at.value.is_object()) {
            valid = object(node, at, seen);
        }
        if (!node.general || enough(at, valid)) return valid;
        return general(node, at, seen) && valid;
    }

    bool type(const Node& node, const At& at) {
        if (node.types == type_any) return true;
        unsigned bits = 0;
        switch (at.value.type()) {
            case Json::value_t::null:
                bits = type_null;
                break;
            case Json::value_t::boolean:
                bits = type_boolean;
                break;
            case Json::value_t::string:
                bits = type_string;
                break;
            case Json::value_t::array:
                bits = type_array;
                break;
            case Json::value_t::object:
                bits = type_object;
                break;
            case Json::value_t::number_integer:
            case Json::value_t::number_unsigned:
                bits = type_number | type_integer;
                break;
            case Json::value_t::number_float:
                bits = type_number | (Number(at.value).is_integer() ? type_integer : 0u);
                break;
            default:
                break;
        }
        if ((bits & node.types) != 0) return true;
        return fail(at, node, "type", [&] { return "must be " + names_of(node.types); });
    }

    bool bound(const At& at, const Node& node, const char* keyword, const char* relation,
               const std::optional<Number>& limit, bool holds) {
        if (holds) return true;
        return fail(at, node, keyword,
                    [&] { return "must be " + std::string(relation) + limit->text(); });
    }

    bool number(const Node& node, const At& at) {
        const NumberRules& rules = *node.number;
        Number value(at.value);
        auto order = [&](const std::optional<Number>& limit, int if_none) {
            return limit ? value.compare(*limit) : if_none;
        };
        bool valid = bound(at, node, "minimum", ">= ", rules.minimum, order(rules.minimum, 0) >= 0);
        valid &= bound(at, node, "maximum", "<= ", rules.maximum, order(rules.maximum, 0) <= 0);
        valid &= bound(at, node, "exclusiveMinimum", "> ", rules.above, order(rules.above, 1) > 0);
        valid &= bound(at, node, "exclusiveMaximum", "< ", rules.below, order(rules.below, -1) < 0);
        valid &= bound(at, node, "multipleOf", "a multiple of ", rules.multiple_of,
                       !rules.multiple_of || value.is_multiple_of(*rules.multiple_of));
        return valid;
    }

    bool at_least(const At& at, const Node& node, const char* keyword, std::size_t least,
                  std::size_t count, const char* what) {
        if (count >= least) return true;
        return fail(at, node, keyword,
                    [&] { return "must have at least " + counted(least, what); });
    }
    bool at_most(const At& at, const Node& node, const char* keyword, std::size_t most,
                 std::size_t count, const char* what) {
        if (count <= most) return true;
        return fail(at, node, keyword, [&] { return "must have at most " + counted(most, what); });
    }

    bool matches(const std::string& text, const Pattern& pattern) {
        // RE2's worst case, when its automaton grows too large, is each instruction at each byte.
        auto program = static_cast<std::size_t>(pattern->ProgramSize());
        if (!budget_.spend(1 + text.size() / 8 + text.size() * program / 128)) return false;
        return re2::RE2::PartialMatch(text, *pattern);
    }

    bool string(const Node& node, const At& at) {
        const StringRules& rules = *node.string;
        const auto& text = at.value.get_ref<const std::string&>();
        bool valid = true;
        if (rules.min_length > 0 || rules.max_length != unlimited) {
            if (!budget_.spend_on(text)) return false;
            std::size_t count = utf8_count(text);
            valid = at_least(at, node, "minLength", rules.min_length, count, "character");
            valid &= at_most(at, node, "maxLength", rules.max_length, count, "character");
        }
        if (!rules.pattern || enough(at, valid)) return valid;
        if (!matches(text, rules.pattern) && !budget_.exceeded()) {
            return fail(at, node, "pattern",
                        [&] { return "must match the pattern " + rules.pattern_shown; });
        }
        return valid;
    }

    bool item(NodeId id, const At& at, std::size_t index, bool loud) {
        Place place{at.place, nullptr, index};
        return node(id, {at.value[index], &place, at.scope, loud}, nullptr);
    }

    bool array(const Node& node, const At& at, Seen* seen) {
        const ArrayRules& rules = *node.array;
        std::size_t size = at.value.size();
        bool valid = at_least(at, node, "minItems", rules.min_items, size, "item");
        valid &= at_most(at, node, "maxItems", rules.max_items, size, "item");
        for (std::size_t i = 0; i < size && !enough(at, valid); ++i) {
            NodeId id = i < rules.prefix.size() ? rules.prefix[i] : rules.items;
            if (id == no_node) break;
            if (!budget_.spend(1)) return false;
            valid &= item(id, at, i, at.loud);
            if (seen && rules.items == no_node) seen->add(i);
        }
        if (seen && rules.items != no_node) seen->add_all();
        if (rules.contains != no_node && !enough(at, valid)) valid &= contains(node, at, seen);
        if (rules.unique && !enough(at, valid) && !all_different(at.value, budget_)) {
            valid = fail(at, node, "uniqueItems", "must have no two equal items");
        }
        return valid;
    }

    bool contains(const Node& node, const At& at, Seen* seen) {
        const ArrayRules& rules = *node.array;
        std::size_t found = 0;
        for (std::size_t i = 0; i < at.value.size() && !budget_.exceeded(); ++i) {
            if (!budget_.spend(1) || !item(rules.contains, at, i, false)) continue;
            ++found;
            if (seen) seen->add(i);
        }
        if (found < rules.min_contains) {
            return fail(at, node, rules.min_contains == 1 ? "contains" : "minContains", [&] {
                return "must contain at least " + counted(rules.min_contains, "matching item");
            });
        }
        if (found > rules.max_contains) {
            return fail(at, node, "maxContains", [&] {
                return "must contain at most " + counted(rules.max_contains, "matching item");
            });
        }
        return true;
    }

    bool object(const Node& node, const At& at, Seen* seen) {
        const ObjectRules& rules = *node.object;
        std::size_t size = at.value.size();
        bool valid = at_least(at, node, "minProperties", rules.min_properties, size, "member");
        valid &= at_most(at, node, "maxProperties", rules.max_properties, size, "member");
        valid &= required(node, at, "required", rules.required);
        if (enough(at, valid)) return valid;
        if (!rules.properties.empty() || !rules.patterns.empty() || rules.additional != no_node) {
            valid &= members(node, at, seen);
        }
        if (rules.names != no_node && !enough(at, valid)) valid &= names(node, at);
        for (const auto& [name, list] : rules.dependent_required) {
            if (enough(at, valid) || !budget_.spend(1)) return valid;
            if (at.value.contains(name)) valid &= required(node, at, "dependentRequired", list);
        }
        for (const auto& [name, id] : rules.dependent_schemas) {
            if (enough(at, valid) || !budget_.spend(1)) return valid;
            if (at.value.contains(name)) valid &= this->node(id, at, seen);
        }
        return valid;
    }

    bool required(const Node& node, const At& at, const char* keyword,
                  const std::vector<std::string>& names) {
        bool valid = true;
        if (!budget_.spend(names.size())) return false;
        for (const std::string& name : names) {
            if (enough(at, valid)) break;
            if (!at.value.contains(name)) valid = fail(at, node, keyword, "is required", &name);
        }
        return valid;
    }

    bool members(const Node& node, const At& at, Seen* seen) {
        const ObjectRules& rules = *node.object;
        bool valid = true;
        std::size_t index = 0;
        auto known = rules.properties.begin();  // both lists are sorted by name
        for (auto it = at.value.begin(); it != at.value.end(); ++it, ++index) {
            if (enough(at, valid) || !budget_.spend(1)) break;
            const std::string& name = it.key();
            Place place{at.place, &name};
            At inner{*it, &place, at.scope, at.loud};
            bool evaluated = false;
            known = std::lower_bound(
                known, rules.properties.end(), name,
                [](const auto& each, const auto& wanted) { return each.first < wanted; });
            if (known != rules.properties.end() && known->first == name) {
                evaluated = true;
                valid &= this->node(known->second, inner, nullptr);
            }
            for (const auto& [pattern, id] : rules.patterns) {
                if (!matches(name, pattern)) continue;
                evaluated = true;
                valid &= this->node(id, inner, nullptr);
            }
            if (!evaluated && rules.additional != no_node) {
                evaluated = true;
                valid &= this->node(rules.additional, inner, nullptr);
            }
            if (seen && evaluated) seen->add(index);
        }
        return valid;
    }

    bool names(const Node& node, const At& at) {
        bool valid = true;
        for (auto it = at.value.begin(); it != at.value.end() && !enough(at, valid); ++it) {
            if (!budget_.spend_on(it.key())) break;
            Json name = it.key();
            if (this->node(node.object->names, {name, at.place, at.scope, false}, nullptr))
                continue;
            valid = fail(at, node, "propertyNames", "is not an allowed name", &it.key());
        }
        return valid;
    }

    bool general(const Node& node, const At& at, Seen* seen) {
        const GeneralRules& rules = *node.general;
        bool valid = true;
        if (rules.reference != no_node) valid &= this->node(rules.reference, at, seen);
        if (rules.dynamic_reference != no_node && !enough(at, valid)) {
            valid &= this->node(dynamic_target(rules, at), at, seen);
        }
        if ((rules.constant || rules.choices) && !enough(at, valid)) valid &= values(node, at);
        for (NodeId id : rules.all) {
            if (enough(at, valid)) return valid;
            valid &= this->node(id, at, seen);
        }
        if (!rules.any.empty() && !enough(at, valid)) valid &= any(node, at, seen);
        if (!rules.one.empty() && !enough(at, valid)) valid &= one(node, at, seen);
        if (rules.negated != no_node && !enough(at, valid) && quietly(rules.negated, at, nullptr)) {
            valid = fail(at, node, "not", "must not match the schema under \"not\"");
        }
        if (rules.condition == no_node || enough(at, valid)) return valid;
        NodeId branch = quietly(rules.condition, at, seen) ? rules.then : rules.otherwise;
        if (branch != no_node && !budget_.exceeded()) valid &= this->node(branch, at, seen);
        return valid;
    }

    // Without noting violations; what was evaluated counts only if it is valid.
    bool quietly(NodeId id, const At& at, Seen* seen) {
        At quiet{at.value, at.place, at.scope, false};
        if (!seen) return node(id, quiet, nullptr);
        Seen own;
        if (!node(id, quiet, &own) || !budget_.spend(own.cost())) return false;
        seen->add(own);
        return true;
    }

    NodeId dynamic_target(const GeneralRules& rules, const At& at) {
        NodeId target = rules.dynamic_reference;
        if (rules.dynamic_anchor == no_node) return target;
        // The outermost resource that has the anchor decides.
        for (const Scope* scope = at.scope; scope; scope = scope->outer) {
            if (!budget_.spend(1)) break;
            auto found = program_.dynamic_anchors.find({scope->resource, rules.dynamic_anchor});
            if (found != program_.dynamic_anchors.end()) target = found->second;
        }
        return target;
    }

    bool values(const Node& node, const At& at) {
        const GeneralRules& rules = *node.general;
        bool valid = true;
        if (rules.constant && !equal(at.value, *rules.constant, budget_)) {
            valid = fail(at, node, "const", "must be the one value that the schema gives");
        }
        if (!rules.choices) return valid;
        for (const Json& choice : *rules.choices) {
            if (equal(at.value, choice, budget_)) return valid;
            if (budget_.exceeded()) return false;
        }
        return fail(at, node, "enum", [&] {
            std::string list = dump(*rules.choices);
            if (list.size() > longest_token) return std::string("must be one of the values listed");
            return "must be one of " + list;
        });
    }

    bool any(const Node& node, const At& at, Seen* seen) {
        if (node.general->any.size() == 1) return this->node(node.general->any.front(), at, seen);
        bool valid = false;
        for (NodeId id : node.general->any) {
            if (budget_.exceeded()) return false;
            valid |= quietly(id, at, seen);
            if (valid && !seen) return true;  // otherwise every branch may evaluate more
        }
        if (valid) return true;
        return fail(at, node, "anyOf", "must match at least one of the schemas under \"anyOf\"");
    }

    bool one(const Node& node, const At& at, Seen* seen) {
        if (node.general->one.size() == 1) return this->node(node.general->one.front(), at, seen);
        std::size_t matches = 0;
        for (NodeId id : node.general->one) {
            if (budget_.exceeded()) return false;
            matches += quietly(id, at, seen);
            if (matches == 2) {
                return fail(at, node, "oneOf",
                            "must match exactly one of the schemas under \"oneOf\", not several");
            }
        }
        if (matches == 1) return true;
        return fail(at, node, "oneOf",
                    "must match exactly one of the schemas under \"oneOf\", not none");
    }

    bool unevaluated(const Node& node, const At& at, Seen& seen) {
        bool valid = true;
        if (node.object && node.object->unevaluated != no_node && at.value.is_object()) {
            std::size_t index = 0;
            for (auto it = at.value.begin(); it != at.value.end(); ++it, ++index) {
                if (enough(at, valid) || !budget_.spend(1)) return false;
                if (seen.has(index)) continue;
                Place place{at.place, &it.key()};
                valid &=
                    this->node(node.object->unevaluated, {*it, &place, at.scope, at.loud}, nullptr);
            }
            seen.add_all();
        }
        if (node.array && node.array->unevaluated != no_node && at.value.is_array()) {
            for (std::size_t i = 0; i < at.value.size(); ++i) {
                if (enough(at, valid) || !budget_.spend(1)) return false;
                if (!seen.has(i)) valid &= item(node.array->unevaluated, at, i, at.loud);
            }
            seen.add_all();
        }
        return valid;
    }

    const Program& program_;
    std::size_t most_;
    std::vector<Violation>& violations_;
    Budget budget_;
    std::size_t depth_ = 0;
    bool too_deep_ = false;
};

}  // namespace

std::vector<Violation> evaluate(const Program& program, const Json& instance, std::size_t most) {
    std::vector<Violation> violations;
    Evaluation(program, most, violations).run(instance);
    return violations;
}

}  // namespace pb::json
