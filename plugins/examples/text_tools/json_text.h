/* SPDX-License-Identifier: Apache-2.0
 *
 * The little JSON that text_tools needs: finding a member of an object, reading a string.
 */
#ifndef TEXT_TOOLS_JSON_TEXT_H
#define TEXT_TOOLS_JSON_TEXT_H

#include <patchbay/plugin.h>
#include <stdbool.h>

/* The value of a member of a JSON object, as a view of its text; of duplicates the last one, which
 * is the one that the host has checked. False if `object` is not an object or has no such member.
 */
bool json_member(patchbay_str object, const char* name, patchbay_str* value);

/* The text of a JSON string, unescaped, in memory that the caller frees; *size is its length.
 * Always NUL-terminated. NULL if `value` is not a well-formed string or there is no memory. */
char* json_string(patchbay_str value, size_t* size);

#endif
