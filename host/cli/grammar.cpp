// SPDX-License-Identifier: Apache-2.0
#include "cli/grammar.h"

namespace pb::cli {

void add_config_file(CLI::App* command, Options& options) {
    command
        ->add_option("--config", options.config.config_file,
                     "Host configuration (default: etc/patchbay.json if it exists)")
        ->type_name("FILE");
    command
        ->add_option("--org-dir", options.config.org_dir,
                     "Folder of <org>.json files (default: orgs beside the configuration)")
        ->type_name("DIR");
}

void add_data(CLI::App* command, Options& options) {
    command
        ->add_option("--data", options.config.data_dir,
                     "Folder for the host's state (default: ./var)")
        ->type_name("DIR");
}

void add_log(CLI::App* command, Options& options) {
    add_parsed(
        command, "--log-level",
        [&options](const std::string& text) { return parse_level(text, options.config); },
        "Least level that is logged: debug, info (default), notice, warning, error, critical, off")
        ->type_name("LEVEL");
    add_parsed(
        command, "--log-format",
        [&options](const std::string& text) { return parse_format(text, options.config); },
        "Shape of a log line: text (default) or json")
        ->type_name("FORMAT");
}

void add_json(CLI::App* command, Options& options) {
    command->add_flag("--json", options.json, "Print one JSON object");
}

}  // namespace pb::cli
