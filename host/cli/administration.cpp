// SPDX-License-Identifier: Apache-2.0
#include "cli/administration.h"

#include "cli/grammar.h"
#include "cli/keys.h"
#include "cli/orgs.h"
#include "cli/users.h"

namespace pb::cli {
namespace {

// One group of commands, in the making.
class Group {
  public:
    Group(CLI::App& app, Options& options, Administration& out, const char* name, const char* help)
        : options_(options), out_(out), group_(app.add_subcommand(name, help)) {
        group_->require_subcommand(1);
    }

    CLI::App* add(const char* name, const char* help, DeskCommand run) {
        auto* command = group_->add_subcommand(name, help);
        add_data(command, options_);
        add_config_file(command, options_);
        add_log(command, options_);
        out_.commands.emplace_back(command, run);
        return command;
    }
    // One within an organisation.
    CLI::App* add_in_org(const char* name, const char* help, DeskCommand run) {
        auto* command = add(name, help, run);
        command
            ->add_option("--org", options_.access.org,
                         "The organisation (default: that of callers without credentials)")
            ->type_name("ORG");
        return command;
    }

  private:
    Options& options_;
    Administration& out_;
    CLI::App* group_;
};

void add_login(CLI::App* command, Options& options) {
    command->add_option("login", options.access.login, "The person's login, or id")->required();
}

void add_id(CLI::App* command, Options& options, const char* help) {
    command->add_option("id", options.access.id, help)->required();
}

void add_scopes(CLI::App* command, Options& options) {
    command
        ->add_option("--scope", options.access.scopes,
                     "What it may do: mcp:read, mcp:write, mcp:admin, action:<namespace>, "
                     "source:<id>, object:<type>; may be given several times (default: mcp:read "
                     "and mcp:write)")
        ->type_name("SCOPE");
}

void add_generate(CLI::App* command, Options& options) {
    command->add_flag("--generate-password", options.access.generate,
                      "Make a password and print it, instead of reading one");
}

void add_users(CLI::App& app, Options& options, Administration& out) {
    Group group(app, options, out, "users", "People, and what they are in which organisation");
    auto* add = group.add_in_org(
        "add", "Bring somebody in; a new account's password comes from the terminal or stdin",
        add_user);
    add_login(add, options);
    add->add_option("--role", options.access.role, "member (default), admin or owner")
        ->type_name("ROLE");
    add->add_option("--name", options.access.name, "What the person is called")->type_name("NAME");
    add_generate(add, options);
    add_json(add, options);
    add_json(group.add_in_org("list", "The organisation's people", list_users), options);
    auto* role = group.add_in_org("set-role", "Make somebody a member, admin or owner", set_role);
    add_login(role, options);
    role->add_option("role", options.access.role, "member, admin or owner")->required();
    auto* password = group.add(
        "set-password", "Replace a password and sign out everywhere; from the terminal or stdin",
        set_password);
    add_login(password, options);
    add_generate(password, options);
    add_json(password, options);
    add_login(group.add("disable", "Let somebody do nothing any more", disable_user), options);
    add_login(group.add("enable", "Let them again", enable_user), options);
    add_login(group.add_in_org("remove", "Out of the organisation; the account goes with the last",
                               remove_user),
              options);
}

void add_maker(CLI::App* command, Options& options) {
    command
        ->add_option("--role", options.access.maker,
                     "Forbid it what is forbidden to this role: member, admin or owner (default: "
                     "none of them)")
        ->type_name("ROLE");
}

void add_keys(CLI::App& app, Options& options, Administration& out) {
    Group group(app, options, out, "keys", "API keys, for programs");
    auto* create = group.add_in_org("create", "Make one and print it, this once", create_key);
    create->add_option("name", options.access.name, "What it is for")->required();
    add_scopes(create, options);
    add_maker(create, options);
    create
        ->add_option("--expires", options.access.expires,
                     "When, or how long from now: 2027-01-01, 90d (default: never)")
        ->type_name("TIME");
    add_json(create, options);
    add_json(group.add_in_org("list", "All of them; they themselves are never shown", list_keys),
             options);
    add_id(group.add_in_org("revoke", "End one, at once", revoke_key), options, "key_...");
}

void add_orgs(CLI::App& app, Options& options, Administration& out) {
    Group group(app, options, out, "orgs", "Organisations that are made without a file");
    auto* add = group.add("add", "Make one", add_org);
    add->add_option("name", options.access.name, "Its name")->required();
    add->add_option("--owner", options.access.owner, "Who has an account already")
        ->type_name("LOGIN");
    add->add_option("--settings", options.access.settings,
                    "What it is like: a file like those in the folder of organisations")
        ->type_name("FILE");
    add_json(group.add("list", "All of them", list_orgs), options);
    group.add("remove", "Forget one, with its people, keys, clients and grants", remove_org)
        ->add_option("name", options.access.name, "Its name")
        ->required();
}

void add_clients(CLI::App& app, Options& options, Administration& out) {
    Group group(app, options, out, "clients",
                "OAuth clients that sign in as themselves (client_credentials)");
    auto* add = group.add_in_org("add", "Make one and print its secret, this once", add_client);
    add->add_option("name", options.access.name, "What it is")->required();
    add_scopes(add, options);
    add_maker(add, options);
    add_json(add, options);
    add_json(group.add_in_org("list", "All of them", list_clients), options);
    add_id(group.add_in_org("remove", "End one, with its grants", remove_client), options,
           "cli_...");
}

void add_grants(CLI::App& app, Options& options, Administration& out) {
    Group group(app, options, out, "grants", "What people have allowed their clients");
    auto* list = group.add_in_org("list", "All of them", list_grants);
    list->add_option("--login", options.access.login, "Of this person alone")->type_name("LOGIN");
    add_json(list, options);
    add_id(group.add_in_org("revoke", "End one, at once", revoke_grant), options, "grt_...");
}

CLI::App* add_audit(CLI::App& app, Options& options) {
    auto* command = app.add_subcommand("audit", "What was done, by whom, and how it went");
    auto& trail = options.trail;
    const auto text = [&](const char* flag, std::string& target, const char* type,
                          const char* help) {
        command->add_option(flag, target, help)->type_name(type);
    };
    text("--from", trail.from, "TIME", "A time, or how long ago: 2026-11-22, 24h");
    text("--to", trail.to, "TIME", "The same, for the end");
    text("--tool", trail.tool, "NAME", "Exposed name; * stands for anything: github__*");
    text("--status", trail.status, "OUTCOME",
         "ok, input_required, tool_error, error, denied, limited, cancelled, deadline, busy; or "
         "failed: all but the first two");
    text("--principal", trail.principal, "ID", "Who: usr_..., key_...");
    text("--client", trail.client, "NAME", "The client");
    text("--method", trail.method, "METHOD", "As tools/call, or keys.create");
    text("--kind", trail.kind, "KIND", "call, sign_in, grant, admin or config");
    command->add_option("--limit", trail.limit, "So many of the newest")
        ->check(CLI::Range(1, 100'000))
        ->capture_default_str()
        ->type_name("N");
    command->add_flag("--follow", trail.follow, "Go on with what comes, until interrupted");
    auto* org = command
                    ->add_option("--org", options.access.org,
                                 "The organisation (default: that of callers without credentials)")
                    ->type_name("ORG");
    command->add_flag("--all-orgs", options.access.all, "All of them, and the host's own affairs")
        ->excludes(org);
    add_data(command, options);
    add_config_file(command, options);
    add_log(command, options);
    command->add_flag("--json", options.json, "Print each record as one line of JSON");
    return command;
}

}  // namespace

Administration add_administration(CLI::App& app, Options& options) {
    Administration out;
    add_users(app, options, out);
    add_keys(app, options, out);
    add_orgs(app, options, out);
    add_clients(app, options, out);
    add_grants(app, options, out);
    out.audit = add_audit(app, options);
    return out;
}

}  // namespace pb::cli
