// SPDX-License-Identifier: Apache-2.0
#include "catalog/uri_template.h"

#include <re2/re2.h>

#include <string>
#include <vector>

namespace pb::catalog {
namespace {

constexpr std::size_t max_template = 4096;  // bytes
constexpr std::size_t max_variables = 64;   // in one expression
constexpr std::size_t max_uri = 64u << 10;
constexpr std::int64_t pattern_memory = 1 << 20;

// What a value may hold: everything but what ends it.
constexpr const char* path_value = "[^/?#&]*";
constexpr const char* query_value = "[^&#]*";

struct Variable {
    std::string name;
    bool exploded = false;
};

bool name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '%' || c == '-';
}

Result<Variable> read_variable(std::string_view text) {
    Variable variable;
    if (!text.empty() && text.back() == '*') {
        variable.exploded = true;
        text.remove_suffix(1);
    } else if (const auto colon = text.find(':'); colon != std::string_view::npos) {
        const auto digits = text.substr(colon + 1);
        if (digits.empty() || digits.size() > 4 ||
            digits.find_first_not_of("0123456789") != std::string_view::npos) {
            return invalid("a prefix modifier in a URI template is ':' and 1 to 4 digits");
        }
        text = text.substr(0, colon);
    }
    for (const char c : text) {
        if (!name_char(c)) return invalid("a URI template variable has an unexpected character");
    }
    if (text.empty()) return invalid("a URI template variable has no name");
    variable.name = text;
    return variable;
}

Result<std::vector<Variable>> read_variables(std::string_view list) {
    std::vector<Variable> variables;
    for (std::size_t begin = 0; begin <= list.size();) {
        const auto comma = std::min(list.find(',', begin), list.size());
        auto variable = read_variable(list.substr(begin, comma - begin));
        if (!variable) return std::move(variable).error();
        variables.push_back(std::move(*variable));
        if (variables.size() > max_variables) {
            return invalid("a URI template expression has more than 64 variables");
        }
        begin = comma + 1;
    }
    return variables;
}

// "name=value" for any of the variables; an exploded one brings names of its own.
std::string named_pair(const std::vector<Variable>& variables, std::string_view separator_class) {
    std::string names;
    for (const auto& variable : variables) {
        if (!names.empty()) names += '|';
        names += variable.exploded ? "[^" + std::string(separator_class) + "=#]*"
                                   : re2::RE2::QuoteMeta(variable.name);
    }
    return "(?:" + names + ")";
}

std::string repeated(std::string_view separator, const std::vector<Variable>& variables) {
    bool exploded = false;
    for (const auto& variable : variables)
        exploded |= variable.exploded;
    const std::string one = "(?:" + std::string(separator) + path_value + ")";
    return exploded ? one + "*" : one + "{0," + std::to_string(variables.size()) + "}";
}

Result<std::string> expression_pattern(std::string_view expression) {
    static constexpr std::string_view operators = "+#./;?&";
    if (expression.empty()) return invalid("a URI template has an empty expression {}");
    const bool plain = operators.find(expression[0]) == std::string_view::npos;
    const char op = plain ? '\0' : expression[0];
    auto variables = read_variables(plain ? expression : expression.substr(1));
    if (!variables) return std::move(variables).error();
    switch (op) {
        case '+':
            return std::string(".*");
        case '#':
            return std::string("(?:#.*)?");
        case '.':
            return "(?:\\." + std::string(path_value) + ")?";
        case '/':
            return repeated("/", *variables);
        case ';':
            return "(?:;" + named_pair(*variables, ";/?&") + "(?:=[^;/?#&]*)?)*";
        case '?': {
            const auto pair = named_pair(*variables, "&") + "=" + query_value;
            return "(?:\\?" + pair + "(?:&" + pair + ")*)?";
        }
        case '&':
            return "(?:&" + named_pair(*variables, "&") + "=" + query_value + ")*";
        default:
            return std::string(path_value);
    }
}

Result<std::string> to_pattern(std::string_view text) {
    std::string pattern;
    while (!text.empty()) {
        const auto brace = text.find_first_of("{}");
        pattern += re2::RE2::QuoteMeta(re2::StringPiece(text.data(), std::min(brace, text.size())));
        if (brace == std::string_view::npos) break;
        const auto close = text.find('}', brace);
        if (text[brace] == '}' || close == std::string_view::npos) {
            return invalid("a URI template has an unpaired brace");
        }
        auto expression = expression_pattern(text.substr(brace + 1, close - brace - 1));
        if (!expression) return expression;
        pattern += *expression;
        text.remove_prefix(close + 1);
    }
    return pattern;
}

}  // namespace

Result<UriTemplate> UriTemplate::compile(std::string_view text) {
    if (text.size() > max_template) return invalid("a URI template is longer than 4096 bytes");
    auto pattern = to_pattern(text);
    if (!pattern) return std::move(pattern).error();
    re2::RE2::Options options;
    options.set_encoding(re2::RE2::Options::EncodingLatin1);  // bytes: URIs need no code points
    options.set_dot_nl(true);
    options.set_never_capture(true);
    options.set_log_errors(false);
    options.set_max_mem(pattern_memory);
    auto compiled = std::make_shared<const re2::RE2>(*pattern, options);
    if (!compiled->ok()) return invalid("a URI template is too complex to match");
    UriTemplate result;
    result.pattern_ = std::move(compiled);
    return result;
}

bool UriTemplate::matches(std::string_view uri) const {
    return pattern_ && uri.size() <= max_uri &&
           re2::RE2::FullMatch(re2::StringPiece(uri.data(), uri.size()), *pattern_);
}

}  // namespace pb::catalog
