// SPDX-License-Identifier: Apache-2.0
// Members: reads the members of a JSON object that came from outside, strictly. What is wrong is
// asked once, at the end.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pb::admin {

using Json = nlohmann::json;

class Members {
  public:
    // The object has to stay. `what` one is called in errors: "member", "parameter".
    Members(const Json& object, std::string what) : object_(object), what_(std::move(what)) {}

    // Nothing if it is absent, or of another type: then there is an error.
    std::optional<std::string> text(std::string_view name);
    std::optional<bool> flag(std::string_view name);
    std::optional<std::vector<std::string>> texts(std::string_view name);
    const Json* object(std::string_view name);
    // RFC 3339.
    std::optional<std::int64_t> time(std::string_view name);
    // Of a query, where everything is text; absent: false.
    bool yes(std::string_view name);
    std::optional<std::int64_t> number(std::string_view name, std::int64_t least,
                                       std::int64_t most);
    // The text; it must be there and not empty.
    std::string needed(std::string_view name);

    // The first that was wrong. A member that nobody asked for is.
    Result<void> check() const;

  private:
    const Json* find(std::string_view name);
    void wrong(std::string_view name, std::string_view right);

    const Json& object_;
    const std::string what_;
    std::set<std::string, std::less<>> known_;
    std::string wrong_;
};

}  // namespace pb::admin
