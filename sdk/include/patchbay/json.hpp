// SPDX-License-Identifier: Apache-2.0
// JSON values and text as they cross the plugin boundary: aliases, views, quoting, base64.
#pragma once

#include <patchbay/plugin.h>

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay {

using json = nlohmann::json;                  // values: arguments, results, configuration
using ordered_json = nlohmann::ordered_json;  // documents that people read: schemas, definitions
using Bytes = std::vector<std::uint8_t>;      // binary content; base64 in JSON

// A view for the C side. Valid as long as `text`.
inline patchbay_str view(std::string_view text) noexcept { return {text.data(), text.size()}; }
inline std::string_view view(patchbay_str text) noexcept {
    return text.size == 0 ? std::string_view{}
                          : std::string_view{text.data, static_cast<std::size_t>(text.size)};
}

// JSON text of a value. Bytes that are not UTF-8 become U+FFFD: one bad string of an upstream
// must not fail a whole result.
inline std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}
inline std::string dump(const ordered_json& value) {
    return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

namespace detail {

// Appends `text` as a JSON string.
inline void append_quoted(std::string& out, std::string_view text) {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x80 || c == '"' || c == '\\') {
            out += dump(json(text));
            return;
        }
    }
    out += '"';
    out += text;
    out += '"';
}

// Appends `,"name":` (no comma after an opening brace).
inline void append_key(std::string& out, std::string_view name) {
    if (!out.empty() && out.back() != '{') out += ',';
    append_quoted(out, name);
    out += ':';
}

}  // namespace detail

// RFC 4648 section 4, padded.
inline std::string base64_encode(const void* data, std::size_t size) {
    static constexpr char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto* bytes = static_cast<const unsigned char*>(data);
    std::string out;
    out.reserve((size + 2) / 3 * 4);
    for (std::size_t i = 0; i < size; i += 3) {
        const std::size_t left = size - i;
        const std::uint32_t group = (std::uint32_t{bytes[i]} << 16) |
                                    (left > 1 ? std::uint32_t{bytes[i + 1]} << 8 : 0) |
                                    (left > 2 ? std::uint32_t{bytes[i + 2]} : 0);
        out += digits[group >> 18];
        out += digits[(group >> 12) & 63];
        out += left > 1 ? digits[(group >> 6) & 63] : '=';
        out += left > 2 ? digits[group & 63] : '=';
    }
    return out;
}
inline std::string base64_encode(const Bytes& bytes) {
    return base64_encode(bytes.data(), bytes.size());
}

// Decodes padded base64 into `out`; false (and `out` unspecified) if `text` is not exactly that.
inline bool base64_decode(std::string_view text, Bytes& out) {
    const auto digit = [](char c) -> int {
        if (c >= 'A' && c <= 'Z') return c - 'A';
        if (c >= 'a' && c <= 'z') return c - 'a' + 26;
        if (c >= '0' && c <= '9') return c - '0' + 52;
        return c == '+' ? 62 : c == '/' ? 63 : -1;
    };
    out.clear();
    if (text.size() % 4 != 0) return false;
    out.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool last = i + 4 == text.size();
        const int padding = !last || text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
        std::uint32_t group = 0;
        for (int k = 0; k < 4; ++k) {
            const int value = k >= 4 - padding ? 0 : digit(text[i + static_cast<std::size_t>(k)]);
            if (value < 0) return false;
            group = group << 6 | static_cast<std::uint32_t>(value);
        }
        // Bits that no byte covers must be zero: one text for one value.
        if ((padding == 1 && (group & 0xff) != 0) || (padding == 2 && (group & 0xffff) != 0)) {
            return false;
        }
        out.push_back(static_cast<std::uint8_t>(group >> 16));
        if (padding < 2) out.push_back(static_cast<std::uint8_t>(group >> 8));
        if (padding < 1) out.push_back(static_cast<std::uint8_t>(group));
    }
    return true;
}

}  // namespace patchbay
