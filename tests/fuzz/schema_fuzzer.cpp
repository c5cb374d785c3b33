// SPDX-License-Identifier: Apache-2.0
// Any schema with any instance: compiling and validating end, and the readers agree with each
// other. The input is two JSON texts with a NUL between them.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "json/schema.h"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

// scan(), the tree and the cheap readers must tell one story about a text.
void check_readers(std::string_view text) {
    using namespace pb::json;
    auto tree = parse(text);
    bool grammatical = scan(text).ok();
    require(!tree.ok() || grammatical);
    if (!grammatical) return;
    std::string shorter = compact(text);
    require(scan(shorter).ok() && compact(shorter) == shorter);
    if (!tree.ok()) return;
    require(parse(shorter).ok() && *parse(shorter) == *tree);
    std::vector<Member> found;
    require(members(text, found) == tree->is_object());
    for (const Member& each : found) {
        std::string name = *string_value("\"" + std::string(each.key) + "\"");
        require(*parse(member(text, name)) == tree->at(name));
        Json changed = *tree;
        changed[name] = 1;
        require(*parse(with(text, name, "1")) == changed);
        changed.erase(name);
        require(*parse(without(text, name)) == changed);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pb::json;
    std::string_view input(reinterpret_cast<const char*>(data), size);
    std::size_t split = std::min(input.find('\0'), input.size());
    std::string_view schema_text = input.substr(0, split);
    std::string_view instance_text = input.substr(std::min(split + 1, input.size()));
    check_readers(instance_text);

    auto schema = parse(schema_text);
    auto instance = parse(instance_text);
    if (!schema || !instance) return 0;
    SchemaLimits limits;
    limits.work = 20'000;
    auto compiled = compile_schema(*schema, limits);
    if (!compiled) {
        require(!compiled.error().message.empty());
        return 0;
    }
    auto all = (*compiled)->validate(*instance);
    auto first = (*compiled)->validate(*instance, 1);
    require(all.size() <= 8 && first.size() <= 1 && all.empty() == first.empty());
    if ((*compiled)->accepts_any_object() && instance->is_object()) require(all.empty());
    for (const Violation& each : all)
        require(!each.message.empty());
    return 0;
}
