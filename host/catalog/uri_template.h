// SPDX-License-Identifier: Apache-2.0
// UriTemplate: does a URI come from this RFC 6570 template? Compiled once, matched in linear time.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace pb::catalog {

// All operators of levels 1 to 3, and level 4's modifiers as far as matching needs them. Lenient
// where clients are: a value may hold characters that they should have percent-encoded, as long as
// it does not cross the separators around it; query parameters may come in any order.
class UriTemplate {
  public:
    UriTemplate() = default;  // matches nothing
    // The error says what is wrong with the template.
    static Result<UriTemplate> compile(std::string_view text);

    // [any thread]
    bool matches(std::string_view uri) const;

  private:
    std::shared_ptr<const re2::RE2> pattern_;
};

}  // namespace pb::catalog
