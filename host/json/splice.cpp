// SPDX-License-Identifier: Apache-2.0
// Writing JSON text: quoting, and copies of checked text with one member changed.
#include "json/check.h"
#include "json/cursor.h"
#include "json/utf8.h"

namespace pb::json {
namespace {

void append_escaped(std::string& out, unsigned char byte) {
    switch (byte) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    constexpr char hex[] = "0123456789abcdef";
    out += "\\u00";
    out += hex[byte >> 4];
    out += hex[byte & 15];
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
    append_quoted(out, name);
    out += ':';
    out += value;
}

// Copies `object` without the members called `name`; a value, if given, takes the first one's
// place, or the end. What was between the members that stay is kept as it was written.
std::string splice(std::string_view object, std::string_view name, const std::string_view* value) {
    Cursor cursor(object, '{');
    if (!cursor.opened()) return std::string(object);
    std::string out;
    out.reserve(object.size() + name.size() + (value ? value->size() : 0) + 4);
    const char* copied = object.data();  // up to here the text is copied or dropped
    const char* begin = cursor.position();
    out.append(copied, begin);
    copied = begin;
    bool any = false;
    bool replaced = false;
    for (Member each; cursor.next_member(each); begin = cursor.position()) {
        const char* stop = each.value.data() + each.value.size();
        bool named = key_is(each.key, name);
        if (!named || (value && !replaced)) {
            if (any) out.append(copied, begin);  // the comma and the white space around it
            if (named) {
                append_member(out, name, *value);
                replaced = true;
            } else {
                out.append(begin, stop);
            }
            any = true;
        }
        copied = stop;
    }
    if (value && !replaced) {
        if (any) out += ',';
        append_member(out, name, *value);
    }
    out.append(copied, object.data() + object.size());
    return out;
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
    const auto* p = reinterpret_cast<const unsigned char*>(text.data());
    const auto* end = p + text.size();
    out += '"';
    while (p != end) {
        if (*p < 0x20 || *p == '"' || *p == '\\') {
            append_escaped(out, *p++);
            continue;
        }
        std::size_t length = utf8_length(p, end);
        if (length == 0) {
            append_utf8(out, 0xFFFD);
            ++p;
            continue;
        }
        out.append(reinterpret_cast<const char*>(p), length);
        p += length;
    }
    out += '"';
}

std::string quote(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 2);
    append_quoted(out, text);
    return out;
}

std::string with(std::string_view object, std::string_view name, std::string_view value) {
    return splice(object, name, &value);
}

std::string without(std::string_view object, std::string_view name) {
    return splice(object, name, nullptr);
}

std::string compact(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    const char* p = text.data();
    const char* end = p + text.size();
    while ((p = skip_space(p, end)) != end) {
        const char* begin = p;
        if (*p == '"') {
            p = skip_string(p, end);
        } else {
            ++p;
        }
        out.append(begin, p);
    }
    return out;
}

std::string each_element(std::string_view array,
                         const std::function<std::string(std::string_view)>& rewrite) {
    std::vector<std::string_view> items;
    if (!elements(array, items)) return std::string(array);
    std::string out = "[";
    for (const auto& item : items) {
        if (out.size() > 1) out += ',';
        out += rewrite(item);
    }
    return out + "]";
}

}  // namespace pb::json
