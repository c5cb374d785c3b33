/* SPDX-License-Identifier: Apache-2.0
 *
 * A cursor over JSON text that never reads beyond its end and needs no stack for nesting.
 */
#include "json_text.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    const char* at;
    const char* end;
} cursor;

static void skip_space(cursor* c) {
    while (c->at < c->end &&
           (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r')) {
        ++c->at;
    }
}

static bool take(cursor* c, char wanted) {
    skip_space(c);
    if (c->at == c->end || *c->at != wanted) return false;
    ++c->at;
    return true;
}

/* From the opening quote to behind the closing one. */
static bool skip_string(cursor* c) {
    if (!take(c, '"')) return false;
    while (c->at < c->end) {
        const char here = *c->at++;
        if (here == '"') return true;
        if (here == '\\') {
            if (c->at == c->end) return false;
            ++c->at;
        }
    }
    return false;
}

/* One value of any kind. Brackets are counted, not matched: the host sends valid JSON, and on
 * anything else this still ends within the text. */
static bool skip_value(cursor* c) {
    size_t depth = 0;
    skip_space(c);
    if (c->at == c->end) return false;
    do {
        skip_space(c);
        if (c->at == c->end) return false;
        const char here = *c->at;
        if (here == '"') {
            if (!skip_string(c)) return false;
        } else {
            if (here == '{' || here == '[') ++depth;
            if (here == '}' || here == ']') {
                if (depth == 0) return false;
                --depth;
            }
            ++c->at;
            if (depth == 0 && here != '}' && here != ']') {
                /* A number or a word: to its end. */
                while (c->at < c->end && strchr(",:{}[]\" \t\r\n", *c->at) == NULL)
                    ++c->at;
            }
        }
    } while (depth > 0);
    return true;
}

/* Whether a key, as it stands in its quotes, is the name; "tex\u0074" is "text". */
static bool is_named(patchbay_str key, const char* name) {
    const size_t name_size = strlen(name);
    if (memchr(key.data, '\\', (size_t)key.size) == NULL) {
        return key.size == name_size + 2 && memcmp(key.data + 1, name, name_size) == 0;
    }
    size_t size = 0;
    char* text = json_string(key, &size);
    const bool same = text != NULL && size == name_size && memcmp(text, name, size) == 0;
    free(text);
    return same;
}

bool json_member(patchbay_str object, const char* name, patchbay_str* value) {
    cursor c = {object.data, object.data + object.size};
    bool found = false;
    if (object.size == 0 || !take(&c, '{') || take(&c, '}')) return false;
    do {
        skip_space(&c);
        patchbay_str key = {c.at, 0};
        if (!skip_string(&c)) return false;
        key.size = (uint64_t)(c.at - key.data);
        if (!take(&c, ':')) return false;
        skip_space(&c);
        const char* begin = c.at;
        if (!skip_value(&c)) return false;
        if (is_named(key, name)) {
            value->data = begin;
            value->size = (uint64_t)(c.at - begin);
            found = true;
        }
    } while (take(&c, ','));
    return found;
}

/* Four hexadecimal digits; -1 if they are not there. */
static long read_hex4(cursor* c) {
    long value = 0;
    if (c->end - c->at < 4) return -1;
    for (int i = 0; i < 4; ++i) {
        const char digit = *c->at++;
        value *= 16;
        if (digit >= '0' && digit <= '9') {
            value += digit - '0';
        } else if (digit >= 'a' && digit <= 'f') {
            value += digit - 'a' + 10;
        } else if (digit >= 'A' && digit <= 'F') {
            value += digit - 'A' + 10;
        } else {
            return -1;
        }
    }
    return value;
}

/* The code point behind "\u", with the second half of a surrogate pair; -1 if it is none. */
static long read_code_point(cursor* c) {
    const long first = read_hex4(c);
    if (first < 0xD800 || first > 0xDFFF) return first;
    if (first > 0xDBFF || c->end - c->at < 2 || c->at[0] != '\\' || c->at[1] != 'u') return -1;
    c->at += 2;
    const long second = read_hex4(c);
    if (second < 0xDC00 || second > 0xDFFF) return -1;
    return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
}

static char* put_utf8(char* out, long code) {
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xC0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *out++ = (char)(0xE0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3F));
        *out++ = (char)(0x80 | (code & 0x3F));
    } else {
        *out++ = (char)(0xF0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3F));
        *out++ = (char)(0x80 | (code >> 6 & 0x3F));
        *out++ = (char)(0x80 | (code & 0x3F));
    }
    return out;
}

/* What stands behind a backslash; NULL if it is no escape. */
static char* read_escape(cursor* c, char* out) {
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    if (c->at == c->end) return NULL;
    const char kind = *c->at++;
    if (kind == 'u') {
        const long code = read_code_point(c);
        return code < 0 ? NULL : put_utf8(out, code);
    }
    const char* found = kind == '\0' ? NULL : strchr(from, kind);
    if (found == NULL) return NULL;
    *out++ = to[found - from];
    return out;
}

char* json_string(patchbay_str value, size_t* size) {
    if (value.size < 2 || value.data[0] != '"') return NULL;
    cursor c = {value.data + 1, value.data + value.size - 1};
    /* Text only shrinks when it is unescaped. */
    char* text = malloc((size_t)value.size);
    if (text == NULL) return NULL;
    char* out = text;
    while (out != NULL && c.at < c.end) {
        if (*c.at == '\\') {
            ++c.at;
            out = read_escape(&c, out);
        } else {
            *out++ = *c.at++;
        }
    }
    if (out == NULL) {
        free(text);
        return NULL;
    }
    *out = '\0';
    *size = (size_t)(out - text);
    return text;
}
