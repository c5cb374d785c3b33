// SPDX-License-Identifier: Apache-2.0
// Checked text to nlohmann::json: scan() holds the limits, so the parser never sees what exceeds
// them.
#include "json/parse.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "json/check.h"
#include "json/cursor.h"
#include "json/utf8.h"

namespace pb::json {
namespace {

// The first number that no double holds (1e999): grammatical, but nlohmann refuses it.
std::optional<Fault> number_fault(std::string_view text) {
    const char* end = text.data() + text.size();
    for (const char* p = text.data(); p != end;) {
        if (*p == '"') {
            p = skip_string(p, end);
            continue;
        }
        const char* begin = p;
        while (p != end && std::string_view("+-.0123456789eE").find(*p) != std::string_view::npos) {
            ++p;
        }
        if (p == begin) {
            ++p;
            continue;
        }
        std::string_view word(begin, static_cast<std::size_t>(p - begin));
        if (word.front() != 'e' && !number_value(word)) {
            return Fault{static_cast<std::size_t>(begin - text.data()), "a number is too large"};
        }
    }
    return std::nullopt;
}

// The second use of a member name within one object of a checked text.
std::optional<Fault> duplicate_fault(std::string_view text) {
    std::vector<std::unordered_set<std::string>> open;  // arrays have a set too, always empty
    const char* end = text.data() + text.size();
    for (const char* p = text.data(); (p = skip_space(p, end)) != end;) {
        const char* begin = p;
        if (*p == '"') {
            p = skip_string(p, end);
            const char* after = skip_space(p, end);
            if (after == end || *after != ':') continue;
            std::string name = unescape({begin + 1, static_cast<std::size_t>(p - begin - 2)});
            if (!open.back().insert(name).second) {
                return Fault{static_cast<std::size_t>(begin - text.data()),
                             "the member name " + quote(name) + " is given twice"};
            }
            continue;
        }
        ++p;
        if (*begin == '{' || *begin == '[') open.emplace_back();
        if (*begin == '}' || *begin == ']') open.pop_back();
    }
    return std::nullopt;
}

// As the grammar check counts: every value, and the name of every member.
std::size_t count_of(const Json& value) {
    std::size_t count = 1 + (value.is_object() ? value.size() : 0);
    if (value.is_structured()) {
        for (const Json& each : value)
            count += count_of(each);
    }
    return count;
}

// Either a value or the fault that explains its absence. `count` as in check().
std::optional<Fault> read(std::string_view text, const Limits& limits, Json& out,
                          std::size_t* count = nullptr) {
    if (text.substr(0, 3) == "\xEF\xBB\xBF") {
        return Fault{0, "the text begins with a byte order mark; UTF-8 needs none"};
    }
    if (auto fault = check(text, limits, count)) return fault;
    out = Json::parse(text, nullptr, false);
    if (!out.is_discarded()) return std::nullopt;
    auto fault = number_fault(text);
    return fault ? fault : Fault{0, "the text could not be read"};
}

Error error(const Fault& fault) {
    return invalid("not valid JSON at byte " + std::to_string(fault.offset) + ": " + fault.message);
}

std::string line_and_column(std::string_view text, std::size_t offset) {
    std::string_view before = text.substr(0, offset);
    auto line = 1 + std::count(before.begin(), before.end(), '\n');
    std::size_t begin = before.rfind('\n') + 1;  // npos + 1 is 0
    return std::to_string(line) + ":" + std::to_string(1 + utf8_count(before.substr(begin)));
}

// At most limits.size + 1 bytes, so that an endless file ends as one that is too long.
Result<std::string> read_file(const std::string& path, const Limits& limits) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return not_found("cannot open " + path);
    std::string text;
    char block[16384];
    while (text.size() <= limits.size && (file.read(block, sizeof block), file.gcount() > 0)) {
        text.append(block, static_cast<std::size_t>(file.gcount()));
    }
    if (file.bad() || (file.fail() && !file.eof())) return invalid("cannot read " + path);
    return text;
}

}  // namespace

Result<Json> parse(std::string_view text, const Limits& limits) {
    Json value;
    if (auto fault = read(text, limits, value)) return error(*fault);
    return value;
}

Result<Json> parse_unique(std::string_view text, const Limits& limits) {
    Json value;
    std::size_t count = 0;
    auto fault = read(text, limits, value, &count);
    // Names are looked at only where something was lost on the way.
    if (!fault && count != count_of(value)) fault = duplicate_fault(text);
    if (fault) return error(*fault);
    return value;
}

Result<Json> parse_file(const std::string& path, const Limits& limits) {
    auto text = read_file(path, limits);
    if (!text) return text.error();
    Json value;
    auto fault = read(*text, limits, value);
    if (!fault) fault = duplicate_fault(*text);
    if (fault) {
        return invalid(path + ":" + line_and_column(*text, fault->offset) + ": " + fault->message);
    }
    return value;
}

std::string dump(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace pb::json
