// SPDX-License-Identifier: Apache-2.0
// Redactor: what may be kept of arguments and results. Members whose names speak of secrets, what
// an organisation names besides, and texts that look like credentials become "[redacted]"; what is
// too long becomes a summary.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pb::audit {

class Redactor {
  public:
    struct Options {
        // Member names, wherever they are (case and '_', '-' do not matter: "taxId" is "tax_id");
        // or, with a '/' in front, JSON pointers, in which "*" is any member or element:
        // "/customer/taxId", "/items/*/price".
        std::vector<std::string> fields;
        std::size_t longest = 16u << 10;  // bytes of what is kept
    };

    Redactor() = default;
    // invalid: a field is empty or no JSON pointer.
    static Result<Redactor> make(const Options& options);

    // [any thread] JSON text of any kind to JSON text of one line. A text that is no JSON is not
    // kept. A string that holds JSON is treated as JSON (pointers do not lead into it).
    std::string operator()(std::string_view json) const;

  private:
    friend class Redacting;
    std::vector<std::string> names_;                  // without case, '_' and '-'
    std::vector<std::vector<std::string>> pointers_;  // their tokens
    std::size_t longest_ = Options().longest;
};

// Whether a member of this name holds a secret: "password", "clientSecret", "X-API-Key" ...
bool names_a_secret(std::string_view name);
// A text without what looks like a credential in it: keys and tokens of Patchbay and of others,
// "Bearer ...", JWTs, "password=...", private keys.
std::string without_credentials(std::string_view text);

// What is kept instead of JSON text that is too long.
std::string summary_of(std::size_t bytes, std::string_view start);

}  // namespace pb::audit
