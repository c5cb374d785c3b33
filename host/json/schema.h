// SPDX-License-Identifier: Apache-2.0
// JSON Schema 2020-12: compiled once, evaluated many times, bounded against hostile schemas and
// instances. No reference is ever fetched: "$ref" resolves inside the schema, to the 2020-12
// metaschemas, or to documents handed to compile().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "json/parse.h"

namespace pb::json {

struct SchemaLimits {
    std::size_t subschemas = 10'000;   // in one compiled schema
    std::size_t depth = 256;           // nested evaluation ($ref loops included)
    std::uint64_t work = 2'000'000;    // evaluation steps for one instance
    std::size_t pattern_size = 4'096;  // bytes of one regular expression
};

// One thing wrong with an instance.
struct Violation {
    std::string instance_path;  // JSON pointer into the instance, "" = the whole
    std::string schema_path;    // JSON pointer into the schema
    // "is required", "must be >= 1", ...; never contains the instance's values
    std::string message;
};

class Schema {
  public:
    virtual ~Schema() = default;
    // [any thread] Empty if valid; otherwise the first `most` violations. Running out of depth or
    // work is a violation of its own (the instance counts as invalid). Never throws.
    virtual std::vector<Violation> validate(const Json& instance, std::size_t most = 8) const = 0;
    // About how many bytes it keeps.
    virtual std::size_t size() const = 0;
    // True if every JSON object is valid, so that callers can skip parsing the instance.
    virtual bool accepts_any_object() const = 0;
};

// Documents that "$ref" may name besides the schema itself, by absolute URI.
using SchemaDocuments = std::map<std::string, Json>;

// [any thread] The error says which keyword at which path is wrong, or that the dialect ("$schema")
// is not supported. Supported: 2020-12 (also when absent) and, for what legacy peers send,
// draft-07.
Result<std::shared_ptr<const Schema>> compile_schema(const Json& schema,
                                                     const SchemaLimits& limits = {},
                                                     const SchemaDocuments& documents = {});

// "at /a/b: is required; at /c: must be a string", for an error message.
std::string describe(const std::vector<Violation>& violations);

}  // namespace pb::json
