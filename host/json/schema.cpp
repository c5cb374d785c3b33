// SPDX-License-Identifier: Apache-2.0
#include "json/schema.h"

#include <algorithm>

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

class CompiledSchema : public Schema {
  public:
    explicit CompiledSchema(Program program)
        : program_(std::move(program)), accepts_any_object_(accepts_objects(program_)) {}

    std::vector<Violation> validate(const Json& instance, std::size_t most) const override {
        return evaluate(program_, instance, std::max<std::size_t>(most, 1));
    }
    bool accepts_any_object() const override { return accepts_any_object_; }

  private:
    Program program_;
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
