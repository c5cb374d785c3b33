// SPDX-License-Identifier: Apache-2.0
// Desk: what the commands stand on that work on the records of who may do what, in the data
// directory, whether a host is running on it or not.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/options.h"

namespace pb::cli {

using Json = nlohmann::json;

struct Desk {
    const config::ConfigSet& config;
    access::Access& access;
    const Actions& actions;
    const Options& options;
    Streams streams;

    // The organisation that is meant; it exists.
    Result<std::string> org() const;
    // Whom `login` (or an id) names.
    Result<access::Person> person(const std::string& login) const;
    // One of the organisation's people.
    Result<access::Membership> member(const std::string& org, const std::string& login) const;
    // --scope, as scopes that permit something.
    Result<access::Scopes> scopes() const;

    // For a person to read; results go to standard output.
    void say(const std::string& line) const;
    // --json prints `json`, else the rows are a table.
    void print(const Json& json, const std::vector<std::vector<std::string>>& rows) const;
    // A secret that was made: alone on standard output, so that a script can take it.
    void hand_out(const std::string& secret, const Json& with) const;

    // Writes into the trail what was done, once for each organisation.
    void note(std::string_view method, const std::string& subject, const Json& done,
              const std::vector<std::string>& orgs) const;
};

using DeskCommand = Result<void> (*)(const Desk& desk);

int at_desk(DeskCommand command, const config::ConfigSet& config, const Actions& actions,
            const Options& options, Streams streams);

// "never", or a time.
std::string time_text(const std::optional<access::Millis>& ms);
// What --from, --to and --expires may say: a time, or a duration to go from now in a direction.
Result<access::Millis> moment(const std::string& text, int direction, const char* flag);

}  // namespace pb::cli
