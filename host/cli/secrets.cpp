// SPDX-License-Identifier: Apache-2.0
// Values come from standard input alone: what is an argument, everybody on the machine can see.
#include "cli/secrets.h"

#include <ostream>

#include "cli/credentials.h"
#include "cli/print.h"
#include "config/read.h"
#include "json/parse.h"

namespace pb::cli {
namespace {

constexpr const char* takes_effect =
    "patchbay: a running host takes it when it is told to read again (SIGHUP)\n";

int fail(const Error& error, Streams streams) {
    streams.err << "patchbay: " << printable(error.message, true) << '\n';
    return exit_failed;
}

Result<std::string> org_of(const config::HostConfig& host, const Options& options) {
    const auto& org = options.secret.org.empty() ? host.anonymous_org : options.secret.org;
    if (config::is_org_name(org)) return org;
    return invalid("\"" + org + "\" is no name of an organisation");
}

}  // namespace

int set_secret(const config::HostConfig& host, const Actions& actions, const Options& options,
               Streams streams) {
    auto org = org_of(host, options);
    if (!org) return fail(org.error(), streams);
    auto value = read_secret(streams.in, "the value");
    if (!value) return fail(value.error(), streams);
    auto done = actions.secrets.set(host, *org, options.secret.name, *value);
    if (!done) return fail(done.error(), streams);
    streams.err << takes_effect;
    return exit_ok;
}

int list_secrets(const config::HostConfig& host, const Actions& actions, const Options& options,
                 Streams streams) {
    auto org = org_of(host, options);
    if (!org) return fail(org.error(), streams);
    auto names = actions.secrets.list(host, *org);
    if (!names) return fail(names.error(), streams);
    if (options.json) {
        streams.out << json::dump(config::Json{{"org", *org}, {"secrets", *names}}) << '\n';
        return exit_ok;
    }
    for (const auto& name : *names) {
        streams.out << printable(name) << '\n';
    }
    return exit_ok;
}

int remove_secret(const config::HostConfig& host, const Actions& actions, const Options& options,
                  Streams streams) {
    auto org = org_of(host, options);
    if (!org) return fail(org.error(), streams);
    auto done = actions.secrets.remove(host, *org, options.secret.name);
    if (!done) return fail(done.error(), streams);
    streams.err << takes_effect;
    return exit_ok;
}

}  // namespace pb::cli
