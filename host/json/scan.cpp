// SPDX-License-Identifier: Apache-2.0
// The grammar check that every message from outside passes: one pass, no allocation, no recursion.
#include "json/scan.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "json/check.h"
#include "json/utf8.h"

namespace pb::json {
namespace {

using Byte = unsigned char;

// A nested container costs one bit, so the deepest nesting that Limits may ask for is fixed.
constexpr std::size_t deepest = 1024;

constexpr std::array<bool, 256> plain_bytes() {
    std::array<bool, 256> table{};
    for (std::size_t byte = 0x20; byte < 0x80; ++byte)
        table[byte] = true;
    table['"'] = table['\\'] = false;
    return table;
}
constexpr auto plain = plain_bytes();

bool is_digit(Byte byte) { return static_cast<Byte>(byte - '0') < 10; }

int hex_digit(Byte byte) {
    if (is_digit(byte)) return byte - '0';
    Byte lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// True if all eight bytes are plain string content: none is a control, a quote, a backslash or
// beyond ASCII. A byte's high bit in the sum of tests says that it is not.
bool eight_plain(const Byte* p) {
    constexpr std::uint64_t ones = 0x0101010101010101u;
    constexpr std::uint64_t highs = 0x8080808080808080u;
    std::uint64_t word;
    std::memcpy(&word, p, sizeof word);
    auto zero_byte = [](std::uint64_t value) { return (value - ones) & ~value; };
    std::uint64_t control = word - ones * 0x20;
    std::uint64_t special = zero_byte(word ^ (ones * '"')) | zero_byte(word ^ (ones * '\\'));
    return ((word | control | special) & highs) == 0;
}

// Every step takes the place where it begins and returns the place where it ended, or null after
// noting the fault; the position so stays in a register.
class Scanner {
  public:
    Scanner(std::string_view text, const Limits& limits)
        // A null position means a fault, so an empty view must not bring its own.
        : begin_(reinterpret_cast<const Byte*>(text.empty() ? "" : text.data())),
          end_(begin_ + text.size()),
          limits_(limits),
          depth_limit_(std::min(limits.depth, deepest)) {}

    std::size_t counted() const { return count_; }

    std::optional<Fault> run() {
        const Byte* p = space(begin_);
        while (p && !done_)
            p = value(p);
        return std::move(fault_);
    }

  private:
    const Byte* fail(const Byte* p, std::string message) {
        fault_ = Fault{static_cast<std::size_t>(p - begin_), std::move(message)};
        return nullptr;
    }

    const Byte* space(const Byte* p) const {
        while (p != end_ && *p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
            ++p;
        return p;
    }

    bool count() { return ++count_ <= limits_.values; }
    const Byte* too_many(const Byte* p) {
        return fail(p, "there are more than " + std::to_string(limits_.values) +
                           " values and member names");
    }

    // A value, or the opening of a container; what follows it, up to where the next value begins.
    const Byte* value(const Byte* p) {
        if (p == end_) return fail(p, "the text ends where a value should be");
        if (!count()) return too_many(p);
        switch (*p) {
            case '"':
                p = string(p);
                break;
            case '{':
                return open_object(p);
            case '[':
                return open_array(p);
            case 't':
                p = literal(p, "true");
                break;
            case 'f':
                p = literal(p, "false");
                break;
            case 'n':
                p = literal(p, "null");
                break;
            default:
                if (*p != '-' && !is_digit(*p)) return fail(p, "a value was expected");
                p = number(p);
        }
        return p ? after_value(p) : nullptr;
    }

    bool push(bool object) {
        if (depth_ == depth_limit_) return false;
        std::uint64_t bit = std::uint64_t{1} << (depth_ % 64);
        std::uint64_t& word = objects_[depth_ / 64];
        word = object ? word | bit : word & ~bit;
        ++depth_;
        return true;
    }
    bool in_object() const { return (objects_[(depth_ - 1) / 64] >> ((depth_ - 1) % 64) & 1) != 0; }
    const Byte* too_deep(const Byte* p) {
        return fail(p, "arrays and objects nest deeper than " + std::to_string(depth_limit_));
    }

    const Byte* open_object(const Byte* p) {
        if (!push(true)) return too_deep(p);
        p = space(p + 1);
        if (p == end_ || *p != '}') return name(p);
        --depth_;
        return after_value(p + 1);
    }

    const Byte* open_array(const Byte* p) {
        if (!push(false)) return too_deep(p);
        p = space(p + 1);
        if (p == end_ || *p != ']') return p;
        --depth_;
        return after_value(p + 1);
    }

    const Byte* after_value(const Byte* p) {
        for (;;) {
            p = space(p);
            if (depth_ == 0) break;
            if (p == end_) return fail(p, "the text ends inside an array or object");
            bool object = in_object();
            if (*p == ',') {
                p = space(p + 1);
                return object ? name(p) : p;
            }
            if (*p != Byte(object ? '}' : ']')) {
                return fail(p, object ? "',' or '}' was expected" : "',' or ']' was expected");
            }
            --depth_;
            ++p;
        }
        if (p != end_) return fail(p, "there is more text after the value");
        done_ = true;
        return p;
    }

    // "name" : up to the member's value.
    const Byte* name(const Byte* p) {
        if (p == end_) return fail(p, "the text ends inside an object");
        if (*p != '"') return fail(p, "a member name in double quotes was expected");
        if (!count()) return too_many(p);
        p = string(p);
        if (!p) return nullptr;
        p = space(p);
        if (p == end_ || *p != ':') return fail(p, "':' was expected after the member name");
        return space(p + 1);
    }

    const Byte* string(const Byte* p) {
        const Byte* open = p++;
        for (;;) {
            while (end_ - p >= 8 && eight_plain(p))
                p += 8;
            while (p != end_ && plain[*p])
                ++p;
            if (p == end_) return fail(open, "a string is not closed");
            if (*p == '"') return p + 1;
            if (*p == '\\') {
                p = escape(p);
                if (!p) return nullptr;
            } else if (*p < 0x20) {
                return fail(p, "a control character in a string must be escaped");
            } else {
                std::size_t length = utf8_length(p, end_);
                if (length == 0) return fail(p, "a string is not valid UTF-8");
                p += length;
            }
        }
    }

    const Byte* escape(const Byte* p) {
        if (end_ - p < 2) return fail(p, "a string is not closed");
        if (p[1] != 'u') {
            if (std::strchr("\"\\/bfnrt", p[1]) == nullptr || p[1] == 0) {
                return fail(p, "a string has an unknown escape");
            }
            return p + 2;
        }
        int first = code_unit(p);
        if (first < 0) return fail(p, "\\u must be followed by four hexadecimal digits");
        if (first < 0xD800 || first > 0xDFFF) return p + 6;
        int second = first < 0xDC00 ? code_unit(p + 6) : -1;
        if (second < 0xDC00 || second > 0xDFFF) return fail(p, "a surrogate escape has no partner");
        return p + 12;
    }

    // The value of the \uXXXX at p, or -1.
    int code_unit(const Byte* p) const {
        if (end_ - p < 6 || p[0] != '\\' || p[1] != 'u') return -1;
        int unit = 0;
        for (int i = 2; i < 6; ++i) {
            int digit = hex_digit(p[i]);
            if (digit < 0) return -1;
            unit = unit * 16 + digit;
        }
        return unit;
    }

    const Byte* digits(const Byte* p) const {
        while (p != end_ && is_digit(*p))
            ++p;
        return p;
    }

    const Byte* number(const Byte* p) {
        if (*p == '-') ++p;
        if (p == end_ || !is_digit(*p)) return fail(p, "a digit was expected in a number");
        if (*p == '0') {
            ++p;
            if (p != end_ && is_digit(*p)) return fail(p, "a number must not begin with a zero");
        } else {
            p = digits(p);
        }
        if (p != end_ && *p == '.') {
            const Byte* fraction = ++p;
            p = digits(p);
            if (p == fraction) return fail(p, "a digit was expected after the decimal point");
        }
        if (p != end_ && (*p | 0x20) == 'e') {
            ++p;
            if (p != end_ && (*p == '+' || *p == '-')) ++p;
            const Byte* exponent = p;
            p = digits(p);
            if (p == exponent) return fail(p, "a digit was expected in the exponent");
        }
        return p;
    }

    const Byte* literal(const Byte* p, std::string_view word) {
        if (static_cast<std::size_t>(end_ - p) < word.size() ||
            std::memcmp(p, word.data(), word.size()) != 0) {
            return fail(p, "a value was expected");
        }
        return p + word.size();
    }

    const Byte* begin_;
    const Byte* end_;
    const Limits& limits_;
    std::size_t depth_limit_;
    std::size_t depth_ = 0;
    std::size_t count_ = 0;
    bool done_ = false;
    std::array<std::uint64_t, deepest / 64>
        objects_;  // a bit for each open container; set by push()
    std::optional<Fault> fault_;
};

}  // namespace

std::optional<Fault> check(std::string_view text, const Limits& limits, std::size_t* count) {
    if (text.size() > limits.size) {
        return Fault{limits.size,
                     "the text is longer than " + std::to_string(limits.size) + " bytes"};
    }
    Scanner scanner(text, limits);
    auto fault = scanner.run();
    if (count) *count = scanner.counted();
    return fault;
}

Result<void> scan(std::string_view text, const Limits& limits) {
    if (auto fault = check(text, limits)) {
        return invalid("not valid JSON at byte " + std::to_string(fault->offset) + ": " +
                       fault->message);
    }
    return {};
}

}  // namespace pb::json
