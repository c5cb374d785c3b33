// SPDX-License-Identifier: Apache-2.0
// Parameters of a query or a form, as OAuth reads them: one that is sent without a value is absent,
// one that comes twice is an error (RFC 6749, 3.1 and 3.2).
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/url.h"
#include "http/server.h"

namespace pb::oauth {

class Params {
  public:
    // Nothing if it is malformed, or more than anybody needs.
    static std::optional<Params> read(std::string_view text);
    // Of a body; nothing if it is no application/x-www-form-urlencoded either.
    static std::optional<Params> of_form(const http::Request& request);

    // The first; empty if absent.
    std::string_view get(std::string_view name) const;
    std::vector<std::string> all(std::string_view name) const;
    // Whether one that is not among `may` comes more than once.
    bool repeats(std::initializer_list<std::string_view> may = {}) const;
    // The text of them all, but for the one with this name.
    std::string without(std::string_view name) const;

  private:
    explicit Params(FormParams params) : params_(std::move(params)) {}

    FormParams params_;
};

}  // namespace pb::oauth
