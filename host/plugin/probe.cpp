// SPDX-License-Identifier: Apache-2.0
// Both sides of the probe: the helper process and the judgement about it.
#include "plugin/probe.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/dynamic_library.h"
#include "base/process.h"
#include "patchbay/plugin.h"
#include "plugin/plugin_table.h"
#include "plugin/read_file.h"
#include "plugin/write_file.h"

namespace pb::plugin {
namespace {

// The last line of a helper that came to its end. A plugin that calls exit(0) does not write it.
constexpr std::string_view passed_line = "patchbay probe: passed\n";
constexpr int refused_code = 3;
constexpr std::size_t max_reason = 500;

// A host that is enough for making and destroying an instance. It has the services of this one, or
// a plugin that cannot do without them would refuse; but nothing happens in any of them.
constexpr auto gone = [](auto...) -> patchbay_status { return PATCHBAY_E_GONE; };

const void* idle_service(const patchbay_host*, const char* id) {
    static const patchbay_config_v1 config{sizeof config, gone};
    static const patchbay_store_v1 store{sizeof store, gone, gone, gone, gone};
    static const patchbay_invoke_v1 invoke{sizeof invoke, gone, gone};
    static const patchbay_events_v1 events{sizeof events, gone, gone, gone};
    static const patchbay_schedule_v1 schedule{sizeof schedule, gone, gone};
    static const patchbay_secrets_v1 secrets{sizeof secrets, gone, gone, gone, gone, gone};
    static const patchbay_capabilities_v1 capabilities{sizeof capabilities, gone, gone, gone};
    const std::pair<std::string_view, const void*> all[] = {
        {PATCHBAY_SERVICE_CONFIG, &config},
        {PATCHBAY_SERVICE_STORE, &store},
        {PATCHBAY_SERVICE_INVOKE, &invoke},
        {PATCHBAY_SERVICE_EVENTS, &events},
        {PATCHBAY_SERVICE_SCHEDULE, &schedule},
        {PATCHBAY_SERVICE_SECRETS, &secrets},
        {PATCHBAY_SERVICE_CAPABILITIES, &capabilities}};
    for (const auto& [name, table] : all)
        if (id && name == id) return table;
    return nullptr;
}
void log_to_errors(const patchbay_host*, int32_t, patchbay_str message, patchbay_str) {
    if (message.data) std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size), message.data);
}

Result<void> try_instance(const std::string& path) {
    auto library = DynamicLibrary::load(std::filesystem::absolute(path).string());
    if (!library) return library.error();
    auto entry = reinterpret_cast<patchbay_entry_fn>(library->symbol(PATCHBAY_ENTRY_NAME));
    if (!entry) return invalid("it does not export " PATCHBAY_ENTRY_NAME);
    static const patchbay_host host{sizeof(patchbay_host),
                                    PATCHBAY_ABI_MAJOR,
                                    PATCHBAY_ABI_MINOR,
                                    nullptr,
                                    idle_service,
                                    log_to_errors,
                                    gone,
                                    gone,
                                    gone};
    patchbay_plugin* plugin = entry(&host);
    if (!plugin) return invalid("it refused to make an instance");
    auto usable = check_table(*plugin);
    if (!usable) return usable.error();
    plugin->destroy(plugin);
    return {};
}

std::string last_line(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
        text.remove_suffix(1);
    auto start = text.rfind('\n');
    if (start != text.npos) text.remove_prefix(start + 1);
    return std::string(text.substr(0, max_reason));
}

Verdict judge(const ProcessEnd& end, std::chrono::milliseconds timeout) {
    Verdict verdict;
    if (end.timed_out) {
        verdict.reason = "it hung while it was loaded: not done after " +
                         std::to_string(timeout.count()) + " ms";
        // A busy machine can do that too.
        verdict.lasting = false;
    } else if (end.signal != 0) {
        verdict.reason = std::string("it crashed while it was loaded: ") + strsignal(end.signal);
    } else if (end.exit_code == refused_code) {
        verdict.reason = last_line(end.errors);
        verdict.lasting = false;  // perhaps a library is missing that can be installed
    } else if (end.exit_code == 0 && end.output.ends_with(passed_line)) {
        verdict.passed = true;
    } else {
        verdict.reason = "it ended the process while it was loaded, with exit code " +
                         std::to_string(end.exit_code);
    }
    return verdict;
}

}  // namespace

int run_probe(const std::string& path) {
    // A helper whose host is gone has nobody to report to; a crash here is expected, no core is.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    auto tried = try_instance(path);
    if (!tried) {
        std::fprintf(stderr, "%s\n", tried.error().message.c_str());
        return refused_code;
    }
    std::fwrite(passed_line.data(), 1, passed_line.size(), stdout);
    std::fflush(stdout);
    return 0;
}

Verdict probe(const std::vector<std::string>& command, const std::string& path,
              std::chrono::milliseconds timeout) {
    ProcessSpec spec;
    spec.arguments = command;
    spec.arguments.push_back(path);
    spec.environment = plain_environment();
    spec.timeout = timeout;
    auto end = run_process(spec);
    if (!end) return {false, false, "the probe cannot be run: " + end.error().message};
    return judge(*end, timeout);
}

Result<void> probe_once(const std::vector<std::string>& command, const std::string& path,
                        std::chrono::milliseconds timeout, const std::string& verdict_file) {
    static constexpr std::string_view passed = "passed\n", refused = "refused\n";
    auto remembered = read_guarded(verdict_file, 4096, Guard::demanded);
    if (remembered && *remembered == passed) return {};
    if (remembered && remembered->starts_with(refused))
        return invalid(last_line(*remembered) + " (remembered; delete '" + verdict_file +
                       "' to have it tried again)");
    Verdict verdict = probe(command, path, timeout);
    std::string text(verdict.passed ? passed : refused);
    if (!verdict.passed) text += verdict.reason + "\n";
    if (verdict.passed || verdict.lasting) {
        auto written = write_file(verdict_file, text);
        if (!written) return written.error();
    }
    if (!verdict.passed) return invalid(verdict.reason);
    return {};
}

}  // namespace pb::plugin
