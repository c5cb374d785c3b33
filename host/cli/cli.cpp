// SPDX-License-Identifier: Apache-2.0
// The grammar of the command line (CLI11) and which command it selects.
#include <iostream>

#include "base/version.h"
#include "cli/administration.h"
#include "cli/audit.h"
#include "cli/commands.h"
#include "cli/credentials.h"
#include "cli/grammar.h"
#include "cli/inspect.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/remote.h"
#include "cli/secrets.h"
#include "cli/tools.h"
#include "json/parse.h"

namespace pb::cli {
namespace {

constexpr const char* description =
    "Patchbay: a plugin-hosting runtime for the Model Context Protocol (MCP).";

constexpr const char* footer = R"(
Examples:
  patchbay serve                              plugins from ./plugins on http://127.0.0.1:8080/mcp
  patchbay serve --plugins build/release/plugins --port 0
  patchbay stdio --plugins build/release/plugins      for clients that start their servers
  patchbay plugins check ./libweather.so      would this file be loaded, and if not, why?
  patchbay tools list                         of the host that runs at --url
  patchbay tools call text_tools__word_count '{"text":"a b"}'
  patchbay tools list --plugins DIR           without a running host
  patchbay remote add docs https://example.com/mcp    its tools appear as docs__...
  patchbay config check                       etc/patchbay.json and etc/orgs/*.json
  patchbay secrets set api-key < file         for ${secret:api-key} in an organisation's file
  patchbay users add ann --role owner         the first person; asks for a password
  patchbay keys create ci --expires 90d       an API key, shown once
  patchbay audit --status failed --from 1d    what went wrong since yesterday

Without --config, etc/patchbay.json is read if it exists. Flags win over the file. Paths on the
command line are relative to the working directory, paths in a file to that file's folder. Plugins
come from ./plugins, state is kept in ./var. Results go to standard output; the log and errors go to
standard error.

At SIGTERM or Ctrl-C serve lets running calls finish for a while (drain_ms), then cancels them; a
second one ends it at once. SIGHUP reads the configuration again.

Exit codes: 0 done, 1 failed, 2 wrong command line, 3 configuration invalid, 4 no host answered,
5 the tool answered that it failed (isError).)";

void add_plugins(CLI::App* command, Options& options) {
    command
        ->add_option("--plugins", options.config.plugins_folder,
                     "Folder of plugins (default: ./plugins)")
        ->type_name("DIR");
    add_data(command, options);
}

void add_listen(CLI::App* command, Options& options) {
    auto* listen =
        add_parsed(
            command, "--listen",
            [&options](const std::string& text) { return parse_listen(text, options.config); },
            "Where to listen (default: 127.0.0.1:8080); loopback addresses only")
            ->type_name("ADDR:PORT");
    add_parsed(
        command, "--port",
        [&options](const std::string& text) { return parse_port(text, options.config); },
        "The port alone; 0 takes any free one and the log says which")
        ->type_name("N")
        ->excludes(listen);
}

// The option --url.
CLI::Option* add_running_host(CLI::App* command, Options& options) {
    auto* url = command->add_option("--url", options.tool.url, "A running host")
                    ->capture_default_str()
                    ->type_name("URL");
    command->add_option("--timeout", options.tool.timeout_s, "Seconds to wait for an answer")
        ->check(CLI::Range(1, 86400))
        ->capture_default_str()
        ->type_name("SECONDS");
    command
        ->add_option("--api-key-file", options.tool.api_key_file,
                     "A file that holds an API key for the host, or - for standard input (default: "
                     "the environment's PATCHBAY_API_KEY)")
        ->type_name("FILE");
    return url;
}

void add_target(CLI::App* command, Options& options) {
    auto* url = add_running_host(command, options);
    add_plugins(command, options);
    command->get_option("--plugins")
        ->description("Load these plugins here instead of asking a running host");
    command->get_option("--plugins")->excludes(url);
    command->get_option("--plugins")->excludes(command->get_option("--api-key-file"));
    add_config_file(command, options);
    for (const char* flag : {"--data", "--config", "--org-dir"}) {
        command->get_option(flag)->needs("--plugins");
    }
    add_log(command, options);
    add_json(command, options);
}

// The commands' nodes, to ask which one was given.
struct Commands {
    CLI::App* serve = nullptr;
    CLI::App* stdio = nullptr;
    CLI::App* plugins_list = nullptr;
    CLI::App* plugins_check = nullptr;
    CLI::App* tools_list = nullptr;
    CLI::App* tools_call = nullptr;
    CLI::App* remote_add = nullptr;
    CLI::App* remote_list = nullptr;
    CLI::App* remote_get = nullptr;
    CLI::App* remote_test = nullptr;
    CLI::App* remote_sync = nullptr;
    CLI::App* remote_approve = nullptr;
    CLI::App* remote_remove = nullptr;
    CLI::App* secrets_set = nullptr;
    CLI::App* secrets_list = nullptr;
    CLI::App* secrets_remove = nullptr;
    Administration administration;
    CLI::App* config_check = nullptr;
    CLI::App* version = nullptr;
    CLI::App* probe = nullptr;
};

void add_servers(CLI::App& app, Options& options, Commands& commands) {
    commands.serve = app.add_subcommand("serve", "Serve MCP over HTTP until stopped");
    add_config_file(commands.serve, options);
    add_listen(commands.serve, options);
    add_plugins(commands.serve, options);
    add_log(commands.serve, options);

    commands.stdio = app.add_subcommand(
        "stdio", "Serve one MCP client on standard input and output until its input ends");
    add_config_file(commands.stdio, options);
    add_plugins(commands.stdio, options);
    add_log(commands.stdio, options);
}

void add_plugin_commands(CLI::App& app, Options& options, Commands& commands) {
    auto* group = app.add_subcommand("plugins", "Look at plugin files")->require_subcommand(1);
    commands.plugins_list = group->add_subcommand("list",
                                                  "Every plugin of the folder, and whether "
                                                  "it would be loaded");
    commands.plugins_check =
        group->add_subcommand("check", "One file: what it is, or why it is refused");
    commands.plugins_check->add_option("file", options.file, "The plugin (.so)")->required();
    for (CLI::App* command : {commands.plugins_list, commands.plugins_check}) {
        add_config_file(command, options);
        add_plugins(command, options);
        add_log(command, options);
        add_json(command, options);
    }
    commands.probe = app.add_subcommand("probe", "Load one plugin and end")->group("");
    commands.probe->add_option("file", options.file)->required();
}

void add_tool_commands(CLI::App& app, Options& options, Commands& commands) {
    auto* group = app.add_subcommand("tools", "List and call tools")->require_subcommand(1);
    commands.tools_list = group->add_subcommand("list", "The tools of the anonymous organisation");
    commands.tools_call = group->add_subcommand("call", "Call one tool and print what it answers");
    commands.tools_call->add_option("name", options.tool.name, "As tools list prints it")
        ->required();
    commands.tools_call
        ->add_option("arguments", options.tool.arguments,
                     "A JSON object, or - to read it from standard input")
        ->capture_default_str()
        ->type_name("JSON");
    add_target(commands.tools_list, options);
    add_target(commands.tools_call, options);
}

void add_capability(CLI::App* command, Options& options) {
    add_running_host(command, options);
    command
        ->add_option("--capability-namespace", options.remote.name_space,
                     "The namespace of the capability remote_mcp")
        ->capture_default_str()
        ->type_name("NAME");
    add_json(command, options);
}

void add_remote_add(CLI::App* command, Options& options) {
    auto& remote = options.remote;
    command->add_option("server-url", remote.url, "Where the server is");
    command
        ->add_option("--settings", remote.settings,
                     "Its settings as in mcpServers, or - to read them from standard input, where "
                     "secrets are not seen by others")
        ->type_name("JSON");
    command->add_option("--type", remote.type, "http (default) or sse")->type_name("TYPE");
    command->add_option("--namespace", remote.as_namespace, "The prefix of its names here")
        ->type_name("NAME");
    command->add_option("--header", remote.headers, "A header of every request: 'Name: value'")
        ->type_name("HEADER")
        ->take_all();
}

void add_remote_commands(CLI::App& app, Options& options, Commands& commands) {
    auto* group =
        app.add_subcommand("remote", "Look after the remote MCP servers of a running host")
            ->require_subcommand(1);
    commands.remote_list = group->add_subcommand("list", "All of them, and how they are");
    add_capability(commands.remote_list, options);
    const auto named = [&](const char* name, const char* help) {
        auto* command = group->add_subcommand(name, help);
        command->add_option("name", options.remote.name, "The server's name")->required();
        add_capability(command, options);
        return command;
    };
    commands.remote_add = named("add", "Register one and look at what it offers");
    add_remote_add(commands.remote_add, options);
    commands.remote_get = named("get", "One of them: status, settings, changes of its tools");
    commands.remote_test = named("test", "Connect to it and say what it is");
    commands.remote_sync =
        named("sync", "Look at it now; says what was added, updated and removed");
    commands.remote_approve =
        named("approve", "Show what is withheld, or offer it again: the named tools, or --all");
    commands.remote_approve->add_option("tools", options.remote.tools, "Which are approved");
    commands.remote_approve->add_flag("--all", options.remote.all, "Everything that is withheld");
    commands.remote_remove = named("remove", "Forget it and its credentials");
}

void add_secret_commands(CLI::App& app, Options& options, Commands& commands) {
    auto* group = app.add_subcommand("secrets", "Secrets that an organisation's file refers to")
                      ->require_subcommand(1);
    commands.secrets_set =
        group->add_subcommand("set", "Keep the value that standard input holds, encrypted");
    commands.secrets_list = group->add_subcommand("list", "Their names; values are never shown");
    commands.secrets_remove = group->add_subcommand("remove", "Forget one");
    for (CLI::App* command : {commands.secrets_set, commands.secrets_remove}) {
        command->add_option("name", options.secret.name, "As in ${secret:name}")->required();
    }
    for (CLI::App* command :
         {commands.secrets_set, commands.secrets_list, commands.secrets_remove}) {
        command
            ->add_option("--org", options.secret.org,
                         "The organisation (default: that of callers without credentials)")
            ->type_name("ORG");
        add_data(command, options);
        add_config_file(command, options);
        add_log(command, options);
    }
    add_json(commands.secrets_list, options);
}

void add_other_commands(CLI::App& app, Options& options, Commands& commands) {
    auto* group = app.add_subcommand("config", "Look at the configuration")->require_subcommand(1);
    commands.config_check = group->add_subcommand(
        "check", "Read every file and say what is wrong, with line and member");
    add_config_file(commands.config_check, options);
    add_json(commands.config_check, options);
    commands.version = app.add_subcommand("version", "What this build is");
    add_json(commands.version, options);
}

int say(const Error& error, int code, Streams streams) {
    streams.err << "patchbay: " << printable(error.message, true) << '\n';
    return code;
}

int serve(const std::function<Result<void>(std::unique_ptr<config::ConfigStore>)>& action,
          const Options& options, Streams streams) {
    auto store = config::ConfigStore::open(options.config);
    if (!store) return say(store.error(), exit_config, streams);
    const config::LogConfig log = (*store)->current()->host.log;
    log::configure(log.level, log.format);
    auto done = action(std::move(*store));
    return done ? static_cast<int>(exit_ok) : say(done.error(), exit_failed, streams);
}

// For commands that print: the log only where something is wrong, unless asked for.
void quiet_log(const Options& options) {
    log::configure(options.config.log_level.value_or(log::Level::warning),
                   options.config.log_format.value_or(log::Format::text));
}

using HostCommand = int (*)(const config::HostConfig&, const Actions&, const Options&, Streams);

int with_config(HostCommand command, const Actions& actions, const Options& options,
                Streams streams) {
    auto set = config::load(options.config);
    if (!set) return say(set.error(), exit_config, streams);
    quiet_log(options);
    return command((*set)->host, actions, options, streams);
}

Requester in_process(config::ConfigSetPtr config, const Actions& actions) {
    return [config = std::move(config), &actions](std::string_view method, const Json& params,
                                                  const Headers&) -> Result<Json> {
        auto text = actions.request(config, method, json::dump(params));
        if (!text) return internal_error(text.error().message);
        return json::parse(*text, {.size = 64U << 20U});
    };
}

int with_host(const std::function<int(const Requester&)>& command, const Options& options,
              Streams streams) {
    if (options.tool.api_key_file == "-" &&
        (options.tool.arguments == "-" || options.remote.settings == "-"))
        return say(invalid("standard input can hold the key or the JSON, not both"), exit_usage,
                   streams);
    const auto key = read_api_key(options, streams.in);
    if (!key) return say(key.error(), exit_usage, streams);
    auto requester =
        http_requester(options.tool.url, std::chrono::seconds(options.tool.timeout_s), *key);
    if (!requester) return say(requester.error(), exit_usage, streams);
    return command(*requester);
}

int with_tools(int (*command)(const Requester&, const Options&, Streams), const Actions& actions,
               const Options& options, Streams streams) {
    quiet_log(options);
    if (options.config.plugins_folder) {
        auto set = config::load(options.config);
        if (!set) return say(set.error(), exit_config, streams);
        return command(in_process(std::move(*set), actions), options, streams);
    }
    return with_host([&](const auto& requester) { return command(requester, options, streams); },
                     options, streams);
}

// Nothing if it is none of the remote commands.
std::optional<int> dispatch_remote(const Commands& given, const Options& options, Streams streams) {
    using Command = int (*)(const Requester&, const Options&, Streams);
    const auto run = [&](Command command) {
        return with_host(
            [&](const auto& requester) { return command(requester, options, streams); }, options,
            streams);
    };
    if (*given.remote_add) return run(add_remote);
    if (*given.remote_list) return run(list_remotes);
    if (*given.remote_approve) return run(approve_remote);
    const std::pair<CLI::App*, const char*> others[] = {{given.remote_get, "get_server"},
                                                        {given.remote_test, "test_server"},
                                                        {given.remote_sync, "sync_server"},
                                                        {given.remote_remove, "remove_server"}};
    for (const auto& [command, tool] : others)
        if (*command)
            return with_host(
                [&, tool = tool](const auto& requester) {
                    return on_remote(tool, requester, options, streams);
                },
                options, streams);
    return std::nullopt;
}

int administer(DeskCommand command, const Actions& actions, const Options& options,
               Streams streams) {
    auto set = config::load(options.config);
    if (!set) return say(set.error(), exit_config, streams);
    quiet_log(options);
    return at_desk(command, **set, actions, options, streams);
}

int dispatch(const Commands& given, const Actions& actions, const Options& options,
             Streams streams) {
    if (*given.serve) return serve(actions.serve, options, streams);
    if (*given.stdio) return serve(actions.stdio, options, streams);
    if (*given.plugins_list) return with_config(list_plugins, actions, options, streams);
    if (*given.plugins_check) return with_config(check_plugin, actions, options, streams);
    if (*given.tools_list) return with_tools(list_tools, actions, options, streams);
    if (*given.tools_call) return with_tools(call_tool, actions, options, streams);
    if (const auto code = dispatch_remote(given, options, streams)) return *code;
    if (*given.secrets_set) return with_config(set_secret, actions, options, streams);
    if (*given.secrets_list) return with_config(list_secrets, actions, options, streams);
    if (*given.secrets_remove) return with_config(remove_secret, actions, options, streams);
    for (const auto& [command, run] : given.administration.commands)
        if (*command) return administer(run, actions, options, streams);
    if (*given.administration.audit) return with_config(show_trail, actions, options, streams);
    if (*given.config_check) return check_config(options, streams);
    if (*given.version) return show_version(options, streams);
    return actions.probe(options.file);
}

}  // namespace

int run(int argc, const char* const* argv, const Actions& actions, Streams streams) {
    CLI::App app(description, "patchbay");
    app.require_subcommand(0, 1);
    app.set_version_flag("--version", version_line());
    Options options;
    Commands commands;
    add_servers(app, options, commands);
    add_plugin_commands(app, options, commands);
    add_tool_commands(app, options, commands);
    add_remote_commands(app, options, commands);
    add_secret_commands(app, options, commands);
    commands.administration = add_administration(app, options);
    add_other_commands(app, options, commands);
    app.footer(footer);  // last, or every command would inherit it
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& end) {
        const int code = app.exit(end, streams.out, streams.err);
        return code == 0 ? exit_ok : exit_usage;
    }
    if (app.get_subcommands().empty()) {
        streams.err << app.help();
        return exit_usage;
    }
    try {
        return dispatch(commands, actions, options, streams);
    } catch (const std::exception& fault) {
        return say(internal_error(fault.what()), exit_failed, streams);
    }
}

int run(int argc, const char* const* argv, const Actions& actions) {
    return run(argc, argv, actions, Streams{std::cin, std::cout, std::cerr});
}

}  // namespace pb::cli
