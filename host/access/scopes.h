// SPDX-License-Identifier: Apache-2.0
// Scopes: what a credential may do, as OAuth writes it.
//
//   mcp:read  mcp:write  mcp:admin   what may be done: read, change, delete or administer
//   action:<namespace>               with these capabilities only; none named: with all
//   source:<id>  object:<type>       on these rows only: capabilities are told and narrow
//
// Each level stands for itself: who may change something may not read it for that.
// https://www.rfc-editor.org/rfc/rfc6749#section-3.3
#pragma once

#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pb::access {

enum class Level { read, write, admin };

inline constexpr std::array<Level, 3> levels{Level::read, Level::write, Level::admin};

// "mcp:read" and so on.
std::string_view scope_of(Level level);

class Scopes {
  public:
    // Nothing at all is permitted.
    Scopes() = default;
    // All levels, not narrowed.
    static Scopes everything();
    // Names with spaces between them, in any order. The error names the one that is no scope.
    static Result<Scopes> parse(std::string_view text);
    static Result<Scopes> of(const std::vector<std::string>& names);

    bool has(Level level) const { return levels_[static_cast<std::size_t>(level)]; }
    bool empty() const { return !levels_[0] && !levels_[1] && !levels_[2]; }
    // Whether it speaks of the capability with this namespace.
    bool reaches(std::string_view name_space) const;
    bool permits(Level level, std::string_view name_space) const {
        return has(level) && reaches(name_space);
    }
    bool is_everything() const;
    bool is_narrowed() const { return actions_ || sources_ || objects_; }
    // Null: not narrowed.
    const std::optional<std::set<std::string>>& actions() const { return actions_; }
    const std::optional<std::set<std::string>>& sources() const { return sources_; }
    const std::optional<std::set<std::string>>& objects() const { return objects_; }

    // What both permit. Where they are narrowed to different things that is nothing.
    Scopes within(const Scopes& other) const;
    // Whether everything that the other permits is permitted here.
    bool covers(const Scopes& other) const { return other.within(*this) == other; }
    // What is named of these; a kind that is not named (actions, say) stays as narrow as it is
    // here. Nothing if something is named that is not permitted here.
    std::optional<Scopes> narrowed_to(const Scopes& named) const;
    Scopes without(Level level) const;

    // In one order, so that equal scopes have equal texts.
    std::vector<std::string> names() const;
    std::string text() const;

    bool operator==(const Scopes&) const = default;

  private:
    using Narrowed = std::optional<std::set<std::string>>;

    Result<void> add(std::string_view name);

    std::array<bool, 3> levels_{};
    Narrowed actions_, sources_, objects_;
};

// What to ask for so as to get what is needed and keep what is held: a client is given what it
// names and nothing else, also when it steps up.
std::string together(const Scopes& held, std::string_view needed);

}  // namespace pb::access
