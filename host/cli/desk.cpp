// SPDX-License-Identifier: Apache-2.0
#include "cli/desk.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>

#include "base/times.h"
#include "cli/print.h"
#include "json/parse.h"

namespace pb::cli {
namespace {

// Who sits at the machine.
std::string operator_name() {
    const auto id = geteuid();
    const auto* known = getpwuid(id);
    return known ? known->pw_name : std::to_string(id);
}

}  // namespace

Result<std::string> Desk::org() const {
    const auto& wanted =
        options.access.org.empty() ? config.host.anonymous_org : options.access.org;
    std::vector<std::string> names;
    for (const auto& [name, ignored] : config.orgs)
        names.push_back(name);
    auto made = access.orgs.list();
    if (!made) return made.error();
    for (const auto& each : *made)
        if (!config.orgs.contains(each.name)) names.push_back(each.name);
    if (std::find(names.begin(), names.end(), wanted) != names.end()) return wanted;
    std::sort(names.begin(), names.end());
    return not_found("there is no organisation \"" + wanted + "\"; there are: " + joined(names));
}

Result<access::Person> Desk::person(const std::string& login) const {
    auto found = access.people.find(login);
    if (!found) return found.error();
    if (!*found) return not_found("nobody has the login \"" + login + "\"");
    return std::move(**found);
}

Result<access::Membership> Desk::member(const std::string& org, const std::string& login) const {
    auto found = person(login);
    if (!found) return found.error();
    auto role = access.people.memberships(found->id);
    if (!role) return role.error();
    for (auto& each : *role)
        if (each.org == org) return std::move(each);
    return not_found("\"" + login + "\" is not in the organisation \"" + org + "\"");
}

Result<access::Scopes> Desk::scopes() const {
    std::string all;
    for (const auto& each : options.access.scopes)
        all += each + ' ';
    auto out = access::Scopes::parse(all);
    if (out && out->empty())
        return invalid("one --scope has to be mcp:read, mcp:write or mcp:admin");
    return out;
}

void Desk::say(const std::string& line) const {
    streams.err << "patchbay: " << printable(line) << '\n';
}

void Desk::print(const Json& json, const std::vector<std::vector<std::string>>& rows) const {
    if (options.json) {
        streams.out << json::dump(json) << '\n';
        return;
    }
    auto shown = rows;
    for (auto& row : shown)
        for (auto& cell : row)
            cell = printable(cell);
    streams.out << table(shown);
}

void Desk::hand_out(const std::string& secret, const Json& with) const {
    if (options.json)
        streams.out << json::dump(with) << '\n' << std::flush;
    else
        streams.out << secret << '\n' << std::flush;
}

void Desk::note(std::string_view method, const std::string& subject, const Json& done,
                const std::vector<std::string>& orgs) const {
    if (!actions.access.note) return;
    audit::Record record;
    record.at_ms = access::now_ms();
    record.kind = "admin";
    record.method = method;
    record.principal = operator_name();
    record.principal_kind = "operator";
    record.client = "patchbay-cli";
    record.name = subject;
    record.arguments = json::dump(done);
    std::vector<audit::Record> records;
    for (const auto& org : orgs) {
        records.push_back(record);
        records.back().org = org;
    }
    if (auto noted = actions.access.note(config.host, std::move(records)); !noted)
        say("it is done, but not in the audit trail: " + noted.error().message);
}

int at_desk(DeskCommand command, const config::ConfigSet& config, const Actions& actions,
            const Options& options, Streams streams) {
    auto access = actions.access.open(config.host);
    auto done = access ? command(Desk{config, **access, actions, options, streams})
                       : Result<void>(access.error());
    if (done) return exit_ok;
    streams.err << "patchbay: " << printable(done.error().message, true) << '\n';
    return exit_failed;
}

std::string time_text(const std::optional<access::Millis>& ms) {
    return ms && *ms != 0 ? iso_time(*ms) : "never";
}

Result<access::Millis> moment(const std::string& text, int direction, const char* flag) {
    if (const auto time = parse_time(text)) return *time;
    if (const auto length = parse_duration(text))
        return std::max<access::Millis>(0, access::now_ms() + direction * *length);
    return invalid(std::string(flag) + " \"" + text +
                   "\" is no time; it looks like 2026-11-22, 2026-11-22T04:51:02Z or 30d");
}

}  // namespace pb::cli
