// SPDX-License-Identifier: Apache-2.0
#include "oauth/offer.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

namespace pb::oauth {
namespace {

using access::Level;
using access::Scopes;
using pages::Choice;
using Names = std::optional<std::set<std::string>>;

struct LevelText {
    Level level;
    const char *title, *text;
};
constexpr LevelText level_texts[] = {
    {Level::read, "Read", "Look at data; nothing is changed."},
    {Level::write, "Change", "Create and change things."},
    {Level::admin, "Delete and administer", "Delete things and change settings, for good."},
};

std::vector<Choice> level_choices(const Scopes& asked, const Scopes& before, const Scopes& most) {
    std::vector<Choice> out;
    for (const auto& [level, title, text] : level_texts) {
        if (!asked.has(level)) continue;
        Choice choice{std::string(access::scope_of(level)), title, text, false, most.has(level)};
        if (!choice.can) choice.text = "Your role in this organisation does not include it.";
        // The gravest is ticked by nobody but the person, at least the first time.
        choice.ticked = choice.can && (level != Level::admin || before.has(level));
        out.push_back(std::move(choice));
    }
    return out;
}

// Those that exist, or those that were asked for.
std::vector<Choice> named_choices(std::string_view prefix, const std::vector<Choosable>& there,
                                  const Names& asked, const Names* before) {
    std::vector<Choice> out;
    std::set<std::string> seen;
    const auto add = [&](const Choosable& each) {
        Choice choice{std::string(prefix) + each.id, each.title, each.text, true, true};
        if (choice.title.empty()) choice.title = each.id;
        // What cannot be written as a scope can only be had with all others.
        if (!Scopes::of({choice.value}) || !seen.insert(each.id).second) return;
        // What was not ticked before is not ticked now, unless it is named.
        if (before && *before && !asked) choice.ticked = (*before)->contains(each.id);
        out.push_back(std::move(choice));
    };
    for (const auto& each : there)
        if (!asked || asked->contains(each.id)) add(each);
    if (asked)
        for (const auto& id : *asked)
            if (!seen.contains(id)) add({id, id, "Not there at the moment."});
    return out;
}

struct Group {
    const char *one, *all, *shown;
    const std::vector<Choice>& choices;
    const Names& most;
    const char* named;  // to the person
};

bool is_on(const Params& form, const char* name) { return !form.get(name).empty(); }

// Adds what is chosen of the group to `names`.
Result<void> choose(const Group& group, const Params& form, std::vector<std::string>& names) {
    const bool all = is_on(form, group.all);
    const auto ticked = form.all(group.one);
    const bool was_shown = is_on(form, group.shown) || !ticked.empty();
    if (!group.most && (all || (group.choices.empty() && !was_shown))) return {};
    // Whoever had a choice and did not take all of it must not give all of it.
    if (group.choices.empty())
        return invalid("The " + std::string(group.named) + " have changed; look again.");
    bool some = false;
    for (const auto& each : group.choices) {
        if (!each.can) continue;
        if (!all && std::find(ticked.begin(), ticked.end(), each.value) == ticked.end()) continue;
        names.push_back(each.value);
        some = true;
    }
    // Nothing of it cannot be said by a scope, and nothing would work.
    if (!some)
        return invalid("Tick at least one of the " + std::string(group.named) + ", or deny.");
    return {};
}

}  // namespace

Offer make_offer(const Scopes& asked, const Scopes& before, access::Role role,
                 const Choices& choices) {
    Offer out;
    out.most = asked.within(access::most_of(role));
    const auto past = [&](const Names& names) { return before.empty() ? nullptr : &names; };
    out.levels = level_choices(asked, before, out.most);
    out.actions =
        named_choices("action:", choices.namespaces, asked.actions(), past(before.actions()));
    out.sources =
        named_choices("source:", choices.sources, asked.sources(), past(before.sources()));
    out.objects =
        named_choices("object:", choices.objects, asked.objects(), past(before.objects()));
    return out;
}

Result<Scopes> chosen(const Offer& offer, const Params& form) {
    std::vector<std::string> names;
    const auto levels = form.all("level");
    for (const auto& each : offer.levels)
        if (each.can && std::find(levels.begin(), levels.end(), each.value) != levels.end())
            names.push_back(each.value);
    if (names.empty()) return invalid("Tick at least one thing that it may do, or deny.");
    const auto& most = offer.most;
    const Group groups[] = {
        {"action", "actions_all", "actions_shown", offer.actions, most.actions(), "capabilities"},
        {"source", "sources_all", "sources_shown", offer.sources, most.sources(), "sources"},
        {"object", "objects_all", "objects_shown", offer.objects, most.objects(),
         "kinds of objects"}};
    for (const auto& group : groups)
        if (auto done = choose(group, form, names); !done) return done.error();
    auto out = Scopes::of(names);
    if (!out) return invalid("These are too many to be chosen one by one; tick all of them.");
    return out;
}

Offer ticked_as(Offer offer, const Params& form) {
    const auto apply = [&](std::vector<Choice>& choices, const char* one, const char* all) {
        const auto ticked = form.all(one);
        const bool each_one = *all != '\0' && is_on(form, all);
        for (auto& each : choices)
            each.ticked =
                each_one || std::find(ticked.begin(), ticked.end(), each.value) != ticked.end();
    };
    apply(offer.levels, "level", "");
    apply(offer.actions, "action", "actions_all");
    apply(offer.sources, "source", "sources_all");
    apply(offer.objects, "object", "objects_all");
    return offer;
}

}  // namespace pb::oauth
