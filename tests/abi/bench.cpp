// SPDX-License-Identifier: Apache-2.0
#include "abi/bench.h"

#include <filesystem>
#include <utility>

namespace pb::abi {
namespace {

namespace fs = std::filesystem;

template <class T>
T expected(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return std::move(*result);
}

plugin::LoaderOptions loader_options(const TempFolder& folder) {
    plugin::LoaderOptions options;
    options.data_dir = folder / "data";
    options.probe_command = {fs::read_symlink("/proc/self/exe").string(), "probe"};
    options.probe_timeout = long_enough;
    return options;
}

runtime::CallerPtr somebody() {
    static const auto caller =
        std::make_shared<const runtime::Caller>(runtime::Caller{"acme", "p1", "anonymous", {}});
    return caller;
}

}  // namespace

std::string Answer::text() const {
    const json parsed = json::parse(body, nullptr, false);
    if (!parsed.is_object()) return body;
    if (parsed.contains("message")) return parsed["message"];
    if (!parsed.contains("content")) return body;
    return parsed["content"].at(0).value("text", "");
}

runtime::CallOptions impatient() {
    runtime::CallOptions options;
    options.grace = std::chrono::milliseconds(50);
    options.breaker_cool_off = std::chrono::hours(1);
    return options;
}

runtime::CallOptions patient() {
    auto options = impatient();
    options.grace = long_enough;
    return options;
}

Status Nobody::invoke(const catalog::Invocation&,
                      std::function<void(Status, std::string_view)> done) noexcept {
    done(Status::not_found, R"({"message":"there is nobody"})");
    return Status::ok;
}

Bench::Bench(const runtime::CallOptions& options)
    : store_(expected(store::open_store(folder_ / "store.db"))),
      calls_(options),
      wiring_{calls_,  changes_, invoker_, *store_,   secrets_,
              events_, timers_,  workers_, lifecycle_},
      loader_(expected(plugin::Loader::make(loader_options(folder_)))) {}

// As a host does: a thread that has just completed a call may still hold the provider.
Bench::~Bench() { calls_.drain(long_enough); }

Result<plugin::LibraryPtr> Bench::load(const std::string& name) {
    const std::string path = folder_ / (name + ".so");
    plugin::write(path, built(name));
    return loader_->load(path);
}

Result<ProviderPtr> Bench::try_start(const std::string& name, const json& config) {
    auto library = load(name);
    if (!library) return library.error();
    plugin::InstanceSpec spec;
    spec.org = "acme";
    spec.capability = (*library)->manifest.capabilities.front().name;
    spec.name_space = spec.capability;
    spec.config = config.dump();
    auto started = plugin::start_instance(*library, spec, wiring_);
    if (!started) return started.error();
    return ProviderPtr(std::move(*started));
}

ProviderPtr Bench::start(const std::string& name, const json& config) {
    return expected(try_start(name, config));
}

WitnessPtr Bench::begin(const ProviderPtr& provider, const std::string& method, const json& params,
                        std::chrono::milliseconds timeout, WitnessPtr witness) {
    const std::string text = params.dump();
    runtime::CallSpec spec;
    spec.provider = provider;
    spec.method = method;
    spec.params = text;
    spec.caller = somebody();
    spec.timeout = timeout;
    spec.observer = witness;
    calls_.start(spec);
    return witness;
}

Answer Bench::call(const ProviderPtr& provider, const std::string& method, const json& params,
                   std::chrono::milliseconds timeout) {
    auto witness = begin(provider, method, params, timeout);
    if (!witness->wait()) return {Status::internal, R"({"message":"never completed"})"};
    EXPECT_EQ(witness->times(), 1) << method;
    return {witness->status(), witness->body()};
}

Answer Bench::tool(const ProviderPtr& provider, const std::string& name, const json& arguments) {
    return call(provider, "tools/call", {{"name", name}, {"arguments", arguments}});
}

bool Bench::end(ProviderPtr& provider) {
    provider.reset();
    return eventually([this] { return calls_.inside() == 0; }) && lifecycle_.drain(long_enough) &&
           lifecycle_.left_behind() == 0;
}

House::House(const std::vector<std::string>& files) {
    fs::create_directories(folder_ / "plugins");
    fs::create_directories(folder_ / "orgs");
    plugin::write(folder_ / "patchbay.json", "{}");
    for (const auto& name : files)
        put(name + ".so", built(name));
    config::Overrides overrides;
    overrides.config_file = folder_ / "patchbay.json";
    overrides.plugins_folder = folder_ / "plugins";
    overrides.data_dir = folder_ / "data";
    overrides.org_dir = folder_ / "orgs";
    auto store = expected(config::ConfigStore::open(overrides));
    auto first = store->current();
    app_ = expected(app::App::start(std::move(first), std::move(store)));
}

void House::put(const std::string& name, const std::string& bytes) {
    const std::string beside = folder_ / "beside";
    plugin::write(beside, bytes);
    fs::rename(beside, folder_ / ("plugins/" + name));
}

void House::configure(const json& org) {
    plugin::write(folder_ / "beside", org.dump());
    fs::rename(folder_ / "beside", folder_ / "orgs/default.json");
}

void House::remove(const std::string& name) { fs::remove(folder_ / ("plugins/" + name)); }

Answer House::request(const std::string& method, const json& params) {
    auto result = app_->request(method, params.dump());
    if (!result) return {Status::internal, json{{"message", result.error().message}}.dump()};
    return {Status::ok, *result};
}

Answer House::tool(const std::string& name, const json& arguments) {
    return request("tools/call", {{"name", name}, {"arguments", arguments}});
}

ProcessEnd patchbay(const std::vector<std::string>& arguments) {
    ProcessSpec spec;
    spec.arguments = {PATCHBAY_PROGRAM};
    spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
    spec.environment = plain_environment();
    spec.timeout = 2 * long_enough;
    spec.max_output = 1u << 20;
    return expected(run_process(spec));
}

}  // namespace pb::abi
