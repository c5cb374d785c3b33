// SPDX-License-Identifier: Apache-2.0
#include "access/scopes.h"

#include <algorithm>
#include <iterator>

namespace pb::access {
namespace {

constexpr std::size_t longest_scope_name = 256, longest_together = 4096;
constexpr std::size_t most_names = 256;
constexpr std::string_view level_names[] = {"mcp:read", "mcp:write", "mcp:admin"};
constexpr std::string_view action = "action:", source = "source:", object = "object:";

// scope-token of RFC 6749, 3.3.
bool is_token(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return c >= 0x21 && c <= 0x7e && c != '"' && c != '\\';
    });
}

using Narrowed = std::optional<std::set<std::string>>;

// False if nothing is left.
bool narrow(Narrowed& own, const Narrowed& other) {
    if (!other) return true;
    if (!own) {
        own = other;
        return true;
    }
    std::set<std::string> both;
    std::set_intersection(own->begin(), own->end(), other->begin(), other->end(),
                          std::inserter(both, both.end()));
    own = std::move(both);
    return !own->empty();
}

}  // namespace

std::string_view scope_of(Level level) { return level_names[static_cast<std::size_t>(level)]; }

Scopes Scopes::everything() {
    Scopes out;
    out.levels_.fill(true);
    return out;
}

Result<Scopes> Scopes::parse(std::string_view text) {
    std::vector<std::string> names;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        if (end > 0) names.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return of(names);
}

Result<Scopes> Scopes::of(const std::vector<std::string>& names) {
    if (names.size() > most_names)
        return invalid("there are more than " + std::to_string(most_names) + " scopes");
    Scopes out;
    for (const auto& name : names)
        if (auto added = out.add(name); !added) return added.error();
    return out;
}

Result<void> Scopes::add(std::string_view name) {
    if (!is_token(name) || name.size() > longest_scope_name)
        return invalid("a scope has 1 to 256 visible ASCII characters, none of them \" or \\");
    for (const auto level : levels) {
        if (name != scope_of(level)) continue;
        levels_[static_cast<std::size_t>(level)] = true;
        return {};
    }
    const struct {
        std::string_view prefix;
        Narrowed& set;
    } kinds[] = {{action, actions_}, {source, sources_}, {object, objects_}};
    for (const auto& [prefix, set] : kinds) {
        if (!name.starts_with(prefix) || name.size() == prefix.size()) continue;
        if (!set) set.emplace();
        set->emplace(name.substr(prefix.size()));
        return {};
    }
    return invalid("\"" + std::string(name) +
                   "\" is no scope: there are mcp:read, mcp:write, mcp:admin, action:<namespace>, "
                   "source:<id> and object:<type>");
}

bool Scopes::reaches(std::string_view name_space) const {
    return !actions_ || actions_->contains(std::string(name_space));
}

bool Scopes::is_everything() const {
    return levels_[0] && levels_[1] && levels_[2] && !actions_ && !sources_ && !objects_;
}

Scopes Scopes::within(const Scopes& other) const {
    Scopes out = *this;
    for (std::size_t i = 0; i < out.levels_.size(); ++i)
        out.levels_[i] = out.levels_[i] && other.levels_[i];
    const bool some = narrow(out.actions_, other.actions_) &&
                      narrow(out.sources_, other.sources_) && narrow(out.objects_, other.objects_);
    return some && !out.empty() ? out : Scopes();
}

std::optional<Scopes> Scopes::narrowed_to(const Scopes& named) const {
    Scopes out = named;
    if (!out.actions_) out.actions_ = actions_;
    if (!out.sources_) out.sources_ = sources_;
    if (!out.objects_) out.objects_ = objects_;
    return covers(out) ? std::optional(std::move(out)) : std::nullopt;
}

Scopes Scopes::without(Level level) const {
    Scopes out = *this;
    out.levels_[static_cast<std::size_t>(level)] = false;
    return out.empty() ? Scopes() : out;
}

std::vector<std::string> Scopes::names() const {
    std::vector<std::string> out;
    for (const auto level : levels)
        if (has(level)) out.emplace_back(scope_of(level));
    const auto add = [&](std::string_view prefix, const Narrowed& set) {
        if (!set) return;
        for (const auto& each : *set)
            out.push_back(std::string(prefix) + each);
    };
    add(action, actions_);
    add(source, sources_);
    add(object, objects_);
    return out;
}

std::string together(const Scopes& held, std::string_view needed) {
    const auto both = Scopes::parse(held.text() + " " + std::string(needed));
    auto out = both ? both->text() : std::string(needed);
    // It goes into a header, of which clients take no more than some KiB.
    return out.size() <= longest_together ? out : std::string(needed);
}

std::string Scopes::text() const {
    std::string out;
    for (const auto& name : names())
        (out += out.empty() ? "" : " ") += name;
    return out;
}

}  // namespace pb::access
