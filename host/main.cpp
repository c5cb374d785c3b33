// SPDX-License-Identifier: Apache-2.0
// The program: hands the command line what it needs of a host.
#include <csignal>

#include "app/access.h"
#include "app/app.h"
#include "app/plugins.h"
#include "app/secrets.h"
#include "cli/commands.h"
#include "plugin/probe.h"

namespace {

// Termination is read from a descriptor, by one thread, when it is ready for it; so no thread may
// take these signals.
void block_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (int number : {SIGTERM, SIGINT, SIGHUP})
        sigaddset(&set, number);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

using ConfigPtr = std::unique_ptr<pb::config::ConfigStore>;

pb::Result<void> with_app(ConfigPtr config, pb::Result<void> (pb::app::App::*run)()) {
    block_signals();
    auto first = config->current();
    auto app = pb::app::App::start(std::move(first), std::move(config));
    if (!app) return app.error();
    return ((**app).*run)();
}

pb::cli::Actions make_actions() {
    pb::cli::Actions actions;
    actions.serve = [](ConfigPtr config) {
        return with_app(std::move(config), &pb::app::App::serve);
    };
    actions.stdio = [](ConfigPtr config) {
        return with_app(std::move(config), &pb::app::App::stdio);
    };
    actions.request = [app = std::shared_ptr<pb::app::App>()](
                          const pb::config::ConfigSetPtr& config, std::string_view method,
                          std::string_view params) mutable -> pb::Result<std::string> {
        if (!app) {
            auto started = pb::app::App::start(config, nullptr);
            if (!started) return started.error();
            app = std::move(*started);
        }
        return app->request(method, params);
    };
    actions.check_plugin = pb::app::check_plugin;
    actions.list_plugins = pb::app::list_plugins;
    actions.secrets = pb::app::secret_actions();
    actions.access = pb::app::access_actions();
    actions.probe = pb::plugin::run_probe;
    return actions;
}

}  // namespace

int main(int argc, char** argv) {
    signal(SIGPIPE, SIG_IGN);  // a peer that is gone is an error of write
    return pb::cli::run(argc, argv, make_actions());
}
