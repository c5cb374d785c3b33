// SPDX-License-Identifier: Apache-2.0
// The schemas are compiled once; what they find wrong is put into a person's words here.
#include "config/validate.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "config/locate.h"
#include "config/read.h"
#include "json/parse.h"
#include "json/schema.h"

namespace pb::config {
namespace {

constexpr std::size_t most_violations = 1000, most_shown = 8;

// A configuration is written by hand: what is longer is not one.
constexpr json::Limits file_limits{.size = 4U << 20U, .depth = 32, .values = 100'000};

struct Compiled {
    Json text;
    std::shared_ptr<const json::Schema> schema;
    std::string fault;  // why there is no schema
};

Compiled compile(std::string_view text) {
    Compiled out;
    auto parsed = json::parse(text);
    if (!parsed) {
        out.fault = parsed.error().message;
        return out;
    }
    out.text = std::move(*parsed);
    auto compiled = json::compile_schema(out.text);
    if (compiled) {
        out.schema = std::move(*compiled);
    } else {
        out.fault = compiled.error().message;
    }
    return out;
}

const Compiled& compiled(Kind kind) {
    static const Compiled host = compile(host_schema_text());
    static const Compiled org = compile(org_schema_text());
    return kind == Kind::host ? host : org;
}

std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

// The schema that a schema path leads to (through $ref); null if it leads nowhere.
const Json* schema_at(const Json& root, std::string_view path) {
    const Json* schema = &root;
    while (!path.empty()) {
        path.remove_prefix(1);
        const std::string token(path.substr(0, path.find('/')));
        path.remove_prefix(std::min(path.size(), path.find('/')));
        if (!schema->is_object() || !schema->contains(token)) return nullptr;
        schema = &schema->at(token);
        if (token == "$ref") {
            const auto target = schema->get<std::string>();
            schema = schema_at(root, std::string_view(target).substr(1));
            if (schema == nullptr) return nullptr;
        }
    }
    return schema;
}

std::string known_members(const Json& schema) {
    std::string names;
    const Json properties = schema.value("properties", Json::object());
    for (const auto& [name, member] : properties.items()) {
        if (name == "$schema") continue;
        names += (names.empty() ? "" : ", ") + name;
    }
    const Json patterns = schema.value("patternProperties", Json::object());
    for (const auto& [pattern, member] : patterns.items()) {
        names += (names.empty() ? "" : ", ") + ("names like " + pattern);
    }
    return names;
}

// What would be right, as far as the schema says it: the members that an object has, or the
// description of the member that is wrong.
std::string advice(const Json& root, std::string_view schema_path) {
    const std::size_t slash = schema_path.rfind('/');
    if (slash == std::string_view::npos) return "";
    const Json* schema = schema_at(root, schema_path.substr(0, slash));
    if (schema == nullptr || !schema->is_object()) return "";
    if (schema_path.substr(slash + 1) == "additionalProperties") {
        return "; known here: " + known_members(*schema);
    }
    const auto description = schema->value("description", std::string());
    return description.empty() ? "" : ". " + description;
}

struct Line {
    std::size_t number = 0;  // 0: unknown
    std::string text;
};

// The line of a member, or of what it is missing in.
std::size_t line_near(const std::string& text, std::string path) {
    std::size_t line = line_of(text, path);
    while (line == 0 && !path.empty()) {
        path.erase(path.rfind('/'));
        line = line_of(text, path);
    }
    return line;
}

// A file's text, and what errors call it.
struct Text {
    const std::string& name;
    const std::string& text;
};

std::vector<std::string> described(const Text& of, const Json& schema,
                                   const std::vector<json::Violation>& violations) {
    std::vector<Line> lines;
    for (const json::Violation& violation : violations) {
        Line line{line_near(of.text, violation.instance_path), of.name};
        if (line.number != 0) line.text += ":" + std::to_string(line.number);
        line.text += ": ";
        if (!violation.instance_path.empty()) line.text += violation.instance_path + ": ";
        line.text += violation.message + advice(schema, violation.schema_path);
        lines.push_back(std::move(line));
    }
    std::stable_sort(lines.begin(), lines.end(),
                     [](const Line& a, const Line& b) { return a.number < b.number; });
    std::vector<std::string> out;
    out.reserve(lines.size());
    for (Line& line : lines) {
        out.push_back(std::move(line.text));
    }
    return out;
}

Error refusal(const Text& of, const Json& schema, std::vector<json::Violation> violations) {
    if (violations.size() > most_shown) violations.resize(most_shown);
    std::string out;
    for (const std::string& line : described(of, schema, violations)) {
        out += (out.empty() ? "" : "\n") + line;
    }
    return invalid(out);
}

bool is_of_a_server(const json::Violation& violation) {
    return violation.instance_path.starts_with("/mcpServers/");
}

Result<Validated> validated(Json value, const Text& of, Kind kind) {
    Validated out;
    const Compiled& rules = compiled(kind);
    if (rules.schema == nullptr) return internal_error("built-in schema: " + rules.fault);
    auto violations = rules.schema->validate(value, most_violations);
    // Where there are more than were looked for, nobody knows that the rest of the file is right.
    const auto of_servers =
        violations.size() == most_violations || kind != Kind::org
            ? violations.end()
            : std::stable_partition(violations.begin(), violations.end(),
                                    [](const auto& each) { return !is_of_a_server(each); });
    if (of_servers != violations.begin()) {
        return refusal(of, rules.text, {violations.begin(), of_servers});
    }
    out.server_problems = described(of, rules.text, violations);
    out.value = std::move(value);
    return out;
}

}  // namespace

Result<Validated> read_validated(const std::string& path, Kind kind) {
    auto value = json::parse_file(path, file_limits);
    if (!value) return value.error();
    return validated(std::move(*value), {path, text_of(path)}, kind);
}

Result<Validated> parse_validated(const std::string& name, const std::string& text, Kind kind) {
    auto value = json::parse(text, file_limits);
    if (!value) return invalid(name + ": " + value.error().message);
    return validated(std::move(*value), {name, text}, kind);
}

}  // namespace pb::config
