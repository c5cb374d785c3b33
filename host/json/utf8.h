// SPDX-License-Identifier: Apache-2.0
// UTF-8, one sequence at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pb::json {

// The length of the well-formed sequence at p (1 to 4), or 0: overlong forms, surrogates, code
// points above U+10FFFF and cut sequences are ill-formed (Unicode, table 3-7). p < end.
inline std::size_t utf8_length(const unsigned char* p, const unsigned char* end) {
    auto left = static_cast<std::size_t>(end - p);
    auto tail = [](unsigned char byte) { return (byte & 0xC0) == 0x80; };
    unsigned char lead = *p;
    if (lead < 0x80) return 1;
    if (lead < 0xC2) return 0;
    if (lead < 0xE0) return left >= 2 && tail(p[1]) ? 2 : 0;
    if (lead < 0xF0) {
        if (left < 3 || !tail(p[1]) || !tail(p[2])) return 0;
        if (lead == 0xE0 && p[1] < 0xA0) return 0;
        if (lead == 0xED && p[1] >= 0xA0) return 0;
        return 3;
    }
    if (lead > 0xF4 || left < 4 || !tail(p[1]) || !tail(p[2]) || !tail(p[3])) return 0;
    if (lead == 0xF0 && p[1] < 0x90) return 0;
    if (lead == 0xF4 && p[1] >= 0x90) return 0;
    return 4;
}

inline void append_utf8(std::string& out, std::uint32_t code) {
    auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | code >> 6);
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | code >> 12);
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | code >> 18);
        put(0x80 | (code >> 12 & 0x3F));
        put(0x80 | (code >> 6 & 0x3F));
        put(0x80 | (code & 0x3F));
    }
}

// Code points in well-formed text.
inline std::size_t utf8_count(std::string_view text) {
    std::size_t count = 0;
    for (char byte : text)
        count += (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
    return count;
}

}  // namespace pb::json
