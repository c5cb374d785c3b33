// SPDX-License-Identifier: Apache-2.0
// Walks the members or elements of one checked container; what the readers of scan.h share.
#pragma once

#include <string>
#include <string_view>

#include "json/scan.h"

namespace pb::json {

class Cursor {
  public:
    // `open` is '{' or '['.
    Cursor(std::string_view container, char open);

    bool opened() const { return opened_; }
    // Where the next member or element begins, or the closing bracket.
    const char* position() const { return p_; }
    bool next_member(Member& out);
    bool next_element(std::string_view& out);

  private:
    // Past the comma. False if nothing was consumed, which only happens on unchecked text.
    bool step(const char* begin);

    const char* p_;
    const char* end_;
    bool opened_ = false;
};

// Whether a key as written is `name`, escapes resolved.
bool key_is(std::string_view key, std::string_view name);
// A string's content (without quotes) with escapes resolved.
std::string unescape(std::string_view content);

}  // namespace pb::json
