// SPDX-License-Identifier: Apache-2.0
#include "cli/orgs.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "access/leaving.h"
#include "base/times.h"
#include "config/read.h"
#include "json/parse.h"

namespace pb::cli {
namespace {

// The text of a file like those of organisations, which has been checked.
Result<std::string> settings_of(const std::string& path) {
    if (path.empty()) return std::string("{}");
    if (auto checked = config::read_org(path); !checked) return checked.error();
    auto read = json::parse_file(path);
    if (!read) return read.error();
    return json::dump(*read);
}

Result<bool> is_taken(const Desk& desk, const std::string& name) {
    if (desk.config.orgs.contains(name)) return true;
    auto all = desk.access.orgs.list();
    if (!all) return all.error();
    if (std::any_of(all->begin(), all->end(), [&](const auto& each) { return each.name == name; }))
        return true;
    // What is left of one whose file is gone would come into the new one.
    return access::anything_of(desk.access, name);
}

}  // namespace

Result<void> add_org(const Desk& desk) {
    const auto& given = desk.options.access;
    if (!config::is_org_name(given.name))
        return invalid("\"" + given.name +
                       "\" is no name of an organisation: at most 64 lower-case letters, digits, "
                       "'-' and '_', beginning and ending with a letter or digit");
    auto settings = settings_of(given.settings);
    if (!settings) return settings.error();
    std::optional<access::Person> owner;
    if (!given.owner.empty()) {
        auto found = desk.person(given.owner);
        if (!found) return found.error();
        owner = std::move(*found);
    }
    auto taken = is_taken(desk, given.name);
    if (!taken) return taken.error();
    if (*taken)
        return invalid("there is an organisation \"" + given.name +
                       "\", or something is left of it");
    if (auto added = desk.access.orgs.add(given.name, *settings); !added) return added;
    desk.note("orgs.add", given.name, Json::object(), {given.name});
    if (!owner) {
        desk.say("it needs an owner: patchbay users add LOGIN --role owner --org " + given.name);
        return {};
    }
    return desk.access.people.join(given.name, owner->id, access::Role::owner);
}

Result<void> list_orgs(const Desk& desk) {
    Json orgs = Json::array();
    std::vector<std::vector<std::string>> rows;
    for (const auto& [name, ignored] : desk.config.orgs) {
        orgs.push_back({{"name", name}, {"has_file", true}});
        rows.push_back({name, "described by a file, or by default"});
    }
    auto made = desk.access.orgs.list();
    if (!made) return made.error();
    for (const auto& each : *made) {
        if (desk.config.orgs.contains(each.name)) continue;
        orgs.push_back(
            {{"name", each.name}, {"has_file", false}, {"created", iso_time(each.created_ms)}});
        rows.push_back({each.name, "made " + iso_time(each.created_ms)});
    }
    desk.print({{"orgs", orgs}}, rows);
    return {};
}

Result<void> remove_org(const Desk& desk) {
    const auto& name = desk.options.access.name;
    if (desk.config.orgs.contains(name))
        return invalid("\"" + name + "\" is described by a file; remove that");
    if (auto done = access::remove_org(desk.access, name); !done) return done;
    desk.note("orgs.remove", name, Json::object(), {name});
    return {};
}

}  // namespace pb::cli
