// SPDX-License-Identifier: Apache-2.0
#include "oauth/pages_html.h"

#include <cstdint>

#include "json/utf8.h"

namespace pb::oauth::pages {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

std::uint32_t code_point(std::string_view sequence) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(sequence[at]); };
    if (sequence.size() == 1) return byte(0);
    std::uint32_t code = byte(0) & (0xFFU >> (sequence.size() + 1));
    for (std::size_t i = 1; i < sequence.size(); ++i) {
        code = code << 6 | (byte(i) & 0x3FU);
    }
    return code;
}

// Controls, and characters that show nothing or reorder what stands around them.
bool unseen(std::uint32_t code) {
    struct Range {
        std::uint32_t from, to;
    };
    static constexpr Range ranges[] = {
        {0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},     {0x34F, 0x34F},
        {0x61C, 0x61C},   {0x115F, 0x1160}, {0x17B4, 0x17B5}, {0x180B, 0x180F},
        {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164},
        {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0xE0000, 0xE0FFF},
    };
    for (const Range& range : ranges) {
        if (code >= range.from && code <= range.to) return true;
    }
    return false;
}

void append_escaped(std::string& out, std::string_view sequence) {
    switch (sequence.front()) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        case '\'':
            out += "&#39;";
            break;
        case '\n':
            out += '\n';
            break;
        default:
            out += unseen(code_point(sequence)) ? replacement : sequence;
    }
}

}  // namespace

std::string escaped(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 8);
    const auto* at = reinterpret_cast<const unsigned char*>(text.data());
    const auto* const end = at + text.size();
    while (at != end) {
        const std::size_t length = json::utf8_length(at, end);
        if (length == 0) {
            out += replacement;
        } else {
            append_escaped(out, {reinterpret_cast<const char*>(at), length});
        }
        at += length == 0 ? 1 : length;
    }
    return out;
}

std::string whole_page(std::string_view title, const Html& content, const Html& head) {
    Html page;
    page << R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>)" << title
         << R"( – Patchbay</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
)" << head
         << "<style>" << style_sheet() << R"(</style>
</head>
<body>
<header><p class="brand">Patchbay</p></header>
<main>
)" << content
         << R"(</main>
</body>
</html>
)";
    return page.text();
}

Html hidden(std::string_view name, std::string_view value) {
    Html out;
    out << R"(<input type="hidden" name=")" << name << R"(" value=")" << value << "\">\n";
    return out;
}

Html error_note(std::string_view error) {
    Html out;
    if (error.empty()) return out;
    out << R"(<div class="note error" role="alert" id="error"><strong>Error:</strong> )" << error
        << "</div>\n";
    return out;
}

}  // namespace pb::oauth::pages
