// SPDX-License-Identifier: Apache-2.0
#include "json/schema.h"

#include <algorithm>
#include <numeric>

#include "json/compile.h"
#include "json/evaluate.h"

namespace pb::json {
namespace {

bool accepts_objects(const Program& program) {
    const Node& root = program.nodes[program.root];
    if (root.never || root.general || (root.types & type_object) == 0) return false;
    if (!root.object) return true;
    const ObjectRules& rules = *root.object;
    auto anything = [&](NodeId id) { return id == no_node || program.nodes[id].anything(); };
    auto held = [&](const auto& list) {
        return std::all_of(list.begin(), list.end(),
                           [&](const auto& each) { return anything(each.second); });
    };
    return rules.required.empty() && rules.dependent_required.empty() &&
           rules.min_properties == 0 && rules.max_properties == unlimited &&
           anything(rules.additional) && anything(rules.names) && anything(rules.unevaluated) &&
           held(rules.properties) && held(rules.patterns) && held(rules.dependent_schemas);
}

// The following count what a schema keeps, about as the allocator does.
constexpr std::size_t block = 32;  // of a small allocation, or what a map adds to an entry

std::size_t size_of(const std::string& text) { return sizeof(std::string) + text.size(); }

std::size_t size_of(const Json& value) {
    std::size_t size = sizeof value + block;
    if (value.is_string()) size += value.get_ref<const std::string&>().size();
    for (auto it = value.begin(); value.is_structured() && it != value.end(); ++it) {
        if (value.is_object()) size += block + size_of(it.key());
        size += size_of(*it);
    }
    return size;
}

std::size_t size_of(const Pattern& pattern) {
    if (!pattern) return 0;
    constexpr std::size_t instruction = 32;  // forwards, and backwards once it is used
    constexpr std::size_t expression = 2048;
    return expression + static_cast<std::size_t>(pattern->ProgramSize()) * instruction;
}

std::size_t size_of(const std::vector<std::string>& names) {
    return std::accumulate(names.begin(), names.end(), block,
                           [](std::size_t sum, const auto& name) { return sum + size_of(name); });
}

std::size_t size_of(const ObjectRules& rules) {
    std::size_t size = sizeof rules + size_of(rules.required);
    for (const auto& [name, id] : rules.properties)
        size += sizeof id + size_of(name);
    for (const auto& [pattern, id] : rules.patterns)
        size += sizeof id + size_of(pattern);
    for (const auto& [name, names] : rules.dependent_required)
        size += size_of(name) + size_of(names);
    for (const auto& [name, id] : rules.dependent_schemas)
        size += sizeof id + size_of(name);
    return size;
}

std::size_t size_of(const GeneralRules& rules) {
    std::size_t size =
        sizeof rules + (rules.all.size() + rules.any.size() + rules.one.size()) * sizeof(NodeId);
    if (rules.constant) size += size_of(*rules.constant);
    if (!rules.choices) return size;
    for (const Json& choice : *rules.choices)
        size += size_of(choice);
    return size;
}

std::size_t size_of(const Program& program) {
    std::size_t size = sizeof program;
    for (const Node& node : program.nodes) {
        size += sizeof node + node.path.size();
        if (node.number) size += sizeof *node.number;
        if (node.string) size += sizeof *node.string + size_of(node.string->pattern);
        if (node.array) size += sizeof *node.array + node.array->prefix.size() * sizeof(NodeId);
        if (node.object) size += size_of(*node.object);
        if (node.general) size += size_of(*node.general);
    }
    return size;
}

class CompiledSchema : public Schema {
  public:
    explicit CompiledSchema(Program program)
        : program_(std::move(program)),
          size_(size_of(program_)),
          accepts_any_object_(accepts_objects(program_)) {}

    std::vector<Violation> validate(const Json& instance, std::size_t most) const override {
        return evaluate(program_, instance, std::max<std::size_t>(most, 1));
    }
    std::size_t size() const override { return size_; }
    bool accepts_any_object() const override { return accepts_any_object_; }

  private:
    Program program_;
    std::size_t size_;
    bool accepts_any_object_;
};

}  // namespace

Result<std::shared_ptr<const Schema>> compile_schema(const Json& schema, const SchemaLimits& limits,
                                                     const SchemaDocuments& documents) {
    auto program = compile(schema, limits, documents);
    if (!program) return program.error();
    return std::shared_ptr<const Schema>(
        std::make_shared<CompiledSchema>(std::move(program).value()));
}

std::string describe(const std::vector<Violation>& violations) {
    std::string out;
    for (const Violation& each : violations) {
        if (!out.empty()) out += "; ";
        out += each.instance_path.empty() ? "the value" : "at " + each.instance_path + ":";
        out += " " + each.message;
    }
    return out;
}

}  // namespace pb::json
