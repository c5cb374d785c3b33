// SPDX-License-Identifier: Apache-2.0
// Cheap readers for text that scan() has checked; on any other bytes they stay inside the text.
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "json/check.h"
#include "json/cursor.h"
#include "json/utf8.h"

namespace pb::json {
namespace {

bool is_space(char byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }
bool is_digit(char byte) { return byte >= '0' && byte <= '9'; }

std::string_view trim(std::string_view text) {
    while (!text.empty() && is_space(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_space(text.back()))
        text.remove_suffix(1);
    return text;
}

// The bytes that matter while skipping a container.
constexpr std::array<bool, 256> structure_bytes() {
    std::array<bool, 256> table{};
    for (unsigned char byte : {'"', '{', '}', '[', ']'})
        table[byte] = true;
    return table;
}
constexpr auto structure = structure_bytes();

const char* skip_container(const char* p, const char* end) {
    std::size_t depth = 0;
    while (p != end) {
        if (!structure[static_cast<unsigned char>(*p)]) {
            ++p;
        } else if (*p == '"') {
            p = skip_string(p, end);
        } else {
            depth += *p == '{' || *p == '[' ? std::size_t{1} : ~std::size_t{0};
            ++p;
            if (depth == 0) break;
        }
    }
    return p;
}

const char* skip_value(const char* p, const char* end) {
    if (p == end) return p;
    if (*p == '"') return skip_string(p, end);
    if (*p == '{' || *p == '[') return skip_container(p, end);
    while (p != end && *p != ',' && *p != '}' && *p != ']' && !is_space(*p))
        ++p;
    return p;
}

// The four hexadecimal digits at text[at], or 0 if they are not there.
std::uint32_t code_unit(std::string_view text, std::size_t at) {
    std::uint32_t unit = 0;
    if (at + 4 <= text.size()) std::from_chars(&text[at], &text[at] + 4, unit, 16);
    return unit;
}

// Resolves the escape at text[at] (a backslash); returns its length.
std::size_t append_escape(std::string& out, std::string_view text, std::size_t at) {
    if (at + 1 >= text.size()) return 1;
    switch (char letter = text[at + 1]) {
        case 'b':
            out += '\b';
            return 2;
        case 'f':
            out += '\f';
            return 2;
        case 'n':
            out += '\n';
            return 2;
        case 'r':
            out += '\r';
            return 2;
        case 't':
            out += '\t';
            return 2;
        case 'u':
            break;
        default:
            out += letter;
            return 2;
    }
    std::uint32_t unit = code_unit(text, at + 2);
    if (unit < 0xD800 || unit > 0xDFFF) {
        append_utf8(out, unit);
        return 6;
    }
    std::uint32_t low = code_unit(text, at + 8);
    bool pair = unit < 0xDC00 && low >= 0xDC00 && low <= 0xDFFF;
    append_utf8(out, pair ? 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00) : 0xFFFD);
    return pair ? 12 : 6;
}

// Digits d and an exponent e, so that the number is d * 10^e.
struct Decimal {
    bool negative = false;
    std::string digits;  // without leading or trailing zeros; empty for 0
    std::int64_t exponent = 0;
};

Decimal decimal_of(std::string_view text) {
    Decimal out;
    std::size_t at = 0;
    if (at < text.size() && text[at] == '-') {
        out.negative = true;
        ++at;
    }
    bool fraction = false;
    for (; at < text.size() && (is_digit(text[at]) || text[at] == '.'); ++at) {
        if (text[at] == '.') {
            fraction = true;
            continue;
        }
        if (text[at] != '0' || !out.digits.empty()) out.digits += text[at];
        if (fraction) --out.exponent;
    }
    if (at < text.size()) {
        ++at;  // the e
        if (at < text.size() && text[at] == '+') ++at;
        std::int64_t written = 0;
        auto [stop, code] = std::from_chars(text.data() + at, text.data() + text.size(), written);
        constexpr std::int64_t huge = 1'000'000'000'000;  // no text is so long as to balance it
        if (code == std::errc::result_out_of_range) written = text[at] == '-' ? -huge : huge;
        out.exponent += std::min(huge, std::max(-huge, written));
    }
    while (!out.digits.empty() && out.digits.back() == '0') {
        out.digits.pop_back();
        ++out.exponent;
    }
    return out;
}

}  // namespace

const char* skip_space(const char* p, const char* end) {
    while (p != end && is_space(*p))
        ++p;
    return p;
}

const char* skip_string(const char* p, const char* end) {
    if (p == end) return p;
    const char* content = ++p;
    for (;;) {
        p = static_cast<const char*>(std::memchr(p, '"', static_cast<std::size_t>(end - p)));
        if (!p) return end;
        // An odd number of backslashes before the quote escapes it.
        const char* before = p;
        while (before != content && before[-1] == '\\')
            --before;
        ++p;
        if ((p - before) % 2 != 0) return p;
    }
}

Cursor::Cursor(std::string_view container, char open)
    : p_(skip_space(container.data(), container.data() + container.size())),
      end_(container.data() + container.size()) {
    if (p_ == end_ || *p_ != open) {
        p_ = end_;
        return;
    }
    opened_ = true;
    p_ = skip_space(p_ + 1, end_);
}

bool Cursor::next_element(std::string_view& out) {
    if (p_ == end_ || *p_ == ']' || *p_ == '}') return false;
    const char* begin = p_;
    p_ = skip_value(p_, end_);
    out = {begin, static_cast<std::size_t>(p_ - begin)};
    return step(begin);
}

bool Cursor::next_member(Member& out) {
    if (p_ == end_ || *p_ != '"') return false;
    const char* begin = p_;
    p_ = skip_string(p_, end_);
    auto length = static_cast<std::size_t>(p_ - begin);
    out.key = length < 2 ? std::string_view{} : std::string_view{begin + 1, length - 2};
    p_ = skip_space(p_, end_);
    if (p_ == end_ || *p_ != ':') return false;
    p_ = skip_space(p_ + 1, end_);
    const char* value = p_;
    p_ = skip_value(p_, end_);
    out.value = {value, static_cast<std::size_t>(p_ - value)};
    return step(begin);
}

bool Cursor::step(const char* begin) {
    p_ = skip_space(p_, end_);
    if (p_ != end_ && *p_ == ',') p_ = skip_space(p_ + 1, end_);
    return p_ != begin;
}

bool key_is(std::string_view key, std::string_view name) {
    if (key.find('\\') == std::string_view::npos) return key == name;
    return key.size() > name.size() && unescape(key) == name;
}

std::string unescape(std::string_view content) {
    std::string out;
    out.reserve(content.size());
    for (std::size_t at = 0; at < content.size();) {
        std::size_t next = std::min(content.find('\\', at), content.size());
        out.append(content, at, next - at);
        at = next;
        if (at < content.size()) at += append_escape(out, content, at);
    }
    return out;
}

Type type_of(std::string_view value) {
    value = trim(value);
    switch (value.empty() ? 'n' : value.front()) {
        case '{':
            return Type::object;
        case '[':
            return Type::array;
        case '"':
            return Type::string;
        case 't':
        case 'f':
            return Type::boolean;
        case 'n':
            return Type::null;
        default:
            return Type::number;
    }
}

bool members(std::string_view object, std::vector<Member>& out) {
    out.clear();
    Cursor cursor(object, '{');
    for (Member each; cursor.next_member(each);)
        out.push_back(each);
    return cursor.opened();
}

bool elements(std::string_view array, std::vector<std::string_view>& out) {
    out.clear();
    Cursor cursor(array, '[');
    for (std::string_view each; cursor.next_element(each);)
        out.push_back(each);
    return cursor.opened();
}

std::string_view member(std::string_view object, std::string_view name) {
    std::string_view found;
    Cursor cursor(object, '{');
    for (Member each; cursor.next_member(each);) {
        if (key_is(each.key, name)) found = each.value;
    }
    return found;
}

std::optional<std::string> string_value(std::string_view value) {
    value = trim(value);
    if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::nullopt;
    return unescape(value.substr(1, value.size() - 2));
}

std::optional<std::int64_t> integer_value(std::string_view value) {
    value = trim(value);
    if (type_of(value) != Type::number) return std::nullopt;
    std::int64_t number = 0;
    auto [stop, code] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (code == std::errc() && stop == value.data() + value.size()) return number;
    if (value.find_first_of(".eE") == std::string_view::npos) return std::nullopt;
    Decimal decimal = decimal_of(value);
    if (decimal.digits.empty()) return 0;
    constexpr std::int64_t most_digits = 19;  // of an int64
    auto digits = static_cast<std::int64_t>(decimal.digits.size());
    if (decimal.exponent < 0 || digits + decimal.exponent > most_digits) return std::nullopt;
    std::string text = (decimal.negative ? "-" : "") + decimal.digits +
                       std::string(static_cast<std::size_t>(decimal.exponent), '0');
    auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    if (result.ec != std::errc()) return std::nullopt;
    return number;
}

std::optional<double> number_value(std::string_view value) {
    value = trim(value);
    if (type_of(value) != Type::number) return std::nullopt;
    double number = 0;
    auto [stop, code] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (code == std::errc::result_out_of_range) {
        // from_chars does not tell too small from too large; strtod does.
        number = std::strtod(std::string(value).c_str(), nullptr);
        if (std::isinf(number)) return std::nullopt;
        return number;
    }
    if (code != std::errc() || stop != value.data() + value.size()) return std::nullopt;
    return number;
}

}  // namespace pb::json
