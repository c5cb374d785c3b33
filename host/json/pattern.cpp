// SPDX-License-Identifier: Apache-2.0
#include "json/pattern.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace pb::json {
namespace {

// Program and DFA cache of one expression; more only for one that does not fit.
constexpr std::int64_t usual_memory = 512 << 10;
constexpr std::int64_t most_memory = 8 << 20;

constexpr std::size_t longest_repeat = 1000;       // that RE2 knows
constexpr std::size_t longest_translated = 65536;  // bytes; repeats in repeats would double it

// \s of ECMA-262 and its complement, as the inside of a class.
constexpr std::string_view space =
    R"(\t\n\v\f\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff})";
constexpr std::string_view not_space =
    R"(\x00-\x08\x0e-\x1f!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e})"
    R"(\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff})";

struct Alias {
    std::string_view name;
    std::string_view category;
};
// General categories that RE2 knows by their short names alone.
constexpr std::array<Alias, 40> aliases = {{
    {"Letter", "L"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Open_Punctuation", "Ps"},
    {"Close_Punctuation", "Pe"},
    {"Initial_Punctuation", "Pi"},
    {"Final_Punctuation", "Pf"},
    {"Other_Punctuation", "Po"},
    {"Symbol", "S"},
    {"Math_Symbol", "Sm"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
    {"Surrogate", "Cs"},
    {"Private_Use", "Co"},
}};

std::string code_point(std::uint32_t code) {
    char text[16];
    auto end = std::to_chars(text, text + sizeof text, code, 16).ptr;
    return "\\x{" + std::string(text, end) + "}";
}

class Translator {
  public:
    explicit Translator(std::string_view pattern) : in_(pattern) {}

    Result<std::string> run() {
        while (at_ < in_.size() && error_.empty()) {
            char c = in_[at_];
            if (c == '\\') {
                escape(false);
            } else if (c == '[') {
                character_class();
            } else if (c == '(') {
                open_.push_back(out_.size());
                group();
                atom_ = out_.size();
            } else if (c == '{') {
                repeat();
            } else {
                if (c == ')' && !open_.empty()) {
                    atom_ = open_.back();
                    open_.pop_back();
                } else if ((c & 0xC0) != 0x80) {
                    atom_ = out_.size();
                }
                put(in_.substr(at_, 1), 1);
            }
        }
        if (!error_.empty()) return invalid(error_);
        return out_;
    }

  private:
    char peek(std::size_t ahead) const {
        return at_ + ahead < in_.size() ? in_[at_ + ahead] : '\0';
    }
    void fail(std::string message) { error_ = std::move(message); }
    void put(std::string_view text, std::size_t consumed) {
        out_ += text;
        at_ += consumed;
    }

    void group() {
        if (peek(1) != '?') return put("(", 1);
        std::string_view rest = in_.substr(at_);
        auto begins = [&](std::string_view head) { return rest.substr(0, head.size()) == head; };
        if (begins("(?=") || begins("(?!") || begins("(?<=") || begins("(?<!")) {
            return fail("uses lookahead or lookbehind, which is not supported");
        }
        if (begins("(?:")) return put("(?:", 3);
        if (begins("(?<")) return put("(?P<", 3);
        fail("uses a group that ECMA-262 does not have");
    }

    // "{n}", "{n,}" or "{n,m}". What repeats more often than RE2 knows becomes several repeats in a
    // row.
    void repeat() {
        std::size_t close = in_.find('}', at_);
        std::string_view inside = in_.substr(at_ + 1, close == in_.npos ? 0 : close - at_ - 1);
        std::size_t comma = inside.find(',');
        auto least = count(inside.substr(0, comma));
        auto most = comma == inside.npos ? least : count(inside.substr(comma + 1));
        bool endless = comma + 1 == inside.size();
        if (!least || (!most && !endless)) {  // an ordinary brace
            atom_ = out_.size();
            return put("{", 1);
        }
        bool usual = std::max(*least, most.value_or(0)) <= longest_repeat;
        if (usual || (most && *most < *least)) {
            return put(in_.substr(at_, close + 1 - at_), close + 1 - at_);
        }
        std::string atom = out_.substr(atom_);
        std::size_t parts = 2 + std::max(*least, most.value_or(0)) / longest_repeat;
        if (parts > longest_translated / (atom.size() + 8)) {
            return fail("repeats too much too often");
        }
        out_.resize(atom_);
        out_ += "(?:";
        put_repeats(atom, "{", *least);
        if (endless) out_ += atom + "*";
        if (most) put_repeats(atom, "{0,", *most - *least);
        put(")", close + 1 - at_);
        if (peek(0) == '?') ++at_;  // lazy: which match is found does not matter
    }

    void put_repeats(const std::string& atom, const char* open, std::size_t times) {
        for (; times > 0; times -= std::min(times, longest_repeat)) {
            out_ += atom + open + std::to_string(std::min(times, longest_repeat)) + "}";
        }
    }

    static std::optional<std::size_t> count(std::string_view digits) {
        std::size_t value = 0;
        const char* end = digits.data() + digits.size();
        auto [stop, code] = std::from_chars(digits.data(), end, value);
        if (digits.empty() || code == std::errc::invalid_argument || stop != end) {
            return std::nullopt;
        }
        return code == std::errc() ? value : std::numeric_limits<std::size_t>::max();
    }

    void character_class() {
        atom_ = out_.size();
        bool negated = peek(1) == '^';
        std::size_t head = negated ? 2 : 1;
        if (peek(head) == ']') {  // to RE2 this bracket would be a member
            return put(negated ? R"([\x00-\x{10ffff}])" : R"([^\x00-\x{10ffff}])", head + 1);
        }
        put(negated ? "[^" : "[", head);
        while (at_ < in_.size() && in_[at_] != ']' && error_.empty()) {
            if (in_[at_] == '\\') {
                escape(true);
            } else if (in_[at_] == '[') {
                put("\\[", 1);  // RE2 would read [:alpha:]
            } else {
                put(in_.substr(at_, 1), 1);
            }
        }
        if (!error_.empty()) return;
        if (at_ == in_.size()) return fail("has a '[' without its ']'");
        put("]", 1);
    }

    void escape(bool in_class) {
        if (!in_class) atom_ = out_.size();
        char c = peek(1);
        switch (c) {
            case '\0':
                return fail("ends in a backslash");
            case 'd':
            case 'D':
            case 'w':
            case 'W':
            case 't':
            case 'n':
            case 'v':
            case 'f':
            case 'r':
                return put(in_.substr(at_, 2), 2);
            case 's':
                return put_class(space, "[", in_class);
            case 'S':
                return put_class(in_class ? not_space : space, "[^", in_class);
            case 'b':
                return put(in_class ? "\\x08" : "\\b", 2);
            case 'B':
                if (in_class) return fail("has \\B in a class");
                return put("\\B", 2);
            case 'c':
                return control();
            case 'x':
                return hexadecimal(2);
            case 'u':
                return unicode();
            case 'p':
            case 'P':
                return property();
            case 'k':
                return fail("uses a backreference, which is not supported");
            default:
                break;
        }
        if (c == '0' && !(peek(2) >= '0' && peek(2) <= '9')) return put("\\x00", 2);
        if (c >= '0' && c <= '9') return fail("uses a backreference, which is not supported");
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
            return fail(std::string("uses \\") + c + ", which ECMA-262 does not have");
        }
        if (static_cast<unsigned char>(c) >= 0x80) return put("", 1);  // the character itself
        put(in_.substr(at_, 2), 2);
    }

    void put_class(std::string_view content, std::string_view open, bool in_class) {
        if (in_class) return put(content, 2);
        out_ += open;
        put(content, 2);
        out_ += ']';
    }

    void control() {
        char letter = peek(2);
        char upper = static_cast<char>(letter & ~0x20);
        if (upper < 'A' || upper > 'Z') return fail("needs a letter after \\c");
        put(code_point(static_cast<std::uint32_t>(letter) % 32), 3);
    }

    std::optional<std::uint32_t> digits(std::size_t from, std::size_t count) const {
        if (from + count > in_.size() || count == 0) return std::nullopt;
        std::uint32_t value = 0;
        const char* begin = in_.data() + from;
        auto [stop, code] = std::from_chars(begin, begin + count, value, 16);
        if (code != std::errc() || stop != begin + count) return std::nullopt;
        return value;
    }

    void hexadecimal(std::size_t count) {
        auto value = digits(at_ + 2, count);
        if (!value) return fail("has a malformed \\x or \\u escape");
        put(code_point(*value), 2 + count);
    }

    void unicode() {
        if (peek(2) == '{') {
            std::size_t close = in_.find('}', at_);
            if (close == std::string_view::npos) return fail("has a malformed \\u escape");
            auto value = digits(at_ + 3, close - at_ - 3);
            if (!value || *value > 0x10FFFF) return fail("has a malformed \\u escape");
            return put(code_point(*value), close - at_ + 1);
        }
        auto high = digits(at_ + 2, 4);
        if (high && *high >= 0xD800 && *high <= 0xDBFF && peek(6) == '\\' && peek(7) == 'u') {
            auto low = digits(at_ + 8, 4);
            if (low && *low >= 0xDC00 && *low <= 0xDFFF) {
                return put(code_point(0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00)), 12);
            }
        }
        hexadecimal(4);
    }

    // \p{name}, \p{General_Category=name}, \p{Script=name}
    void property() {
        std::size_t close = in_.find('}', at_);
        if (peek(2) != '{' || close == std::string_view::npos) {
            return fail("needs a property name in braces after \\p");
        }
        std::string_view name = in_.substr(at_ + 3, close - at_ - 3);
        for (std::string_view prefix : {"General_Category=", "gc=", "Script=", "sc="}) {
            if (name.substr(0, prefix.size()) == prefix) name.remove_prefix(prefix.size());
        }
        bool word = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        });
        if (!word) return fail("has a malformed \\p escape");
        for (const Alias& alias : aliases) {
            if (alias.name == name) name = alias.category;
        }
        std::string translated = in_[at_ + 1] == 'p' ? "\\p{" : "\\P{";
        put(translated.append(name).append("}"), close - at_ + 1);
    }

    std::string_view in_;
    std::size_t at_ = 0;
    std::string out_;
    std::size_t atom_ = 0;           // where in out_ begins what a repeat would repeat
    std::vector<std::size_t> open_;  // where in out_ the open groups begin
    std::string error_;
};

}  // namespace

Result<std::string> to_re2(std::string_view pattern) { return Translator(pattern).run(); }

Result<std::shared_ptr<const re2::RE2>> compile_pattern(std::string_view pattern) {
    auto translated = to_re2(pattern);
    if (!translated) return translated.error();
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(usual_memory);
    options.set_never_capture(true);
    auto compiled = std::make_shared<const re2::RE2>(*translated, options);
    if (compiled->error_code() == re2::RE2::ErrorPatternTooLarge) {
        options.set_max_mem(most_memory);
        compiled = std::make_shared<const re2::RE2>(*translated, options);
    }
    if (!compiled->ok()) return invalid("is not usable: " + compiled->error());
    return compiled;
}

}  // namespace pb::json
