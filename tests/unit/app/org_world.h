// SPDX-License-Identifier: Apache-2.0
// What the tests of Orgs share: plugins made of functions, and organisations that have them.
#pragma once

#include "app/orgs.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "../plugin/support.h"
#include "app/ask.h"

namespace pb::app {

using catalog::Status;
using nlohmann::json;
using Names = std::vector<std::string>;

// Every instance lists the tools that its configuration names, and more when it is told to.
class Plugins {
  public:
    plugin::LibraryPtr library(const std::string& capability,
                               const std::string& version = "1.0.0") {
        plugin::Script script;
        script.start = [this](const patchbay_host* host, std::string_view message) {
            auto start = json::parse(message);
            for (const auto& spec : start["config"].value("offers", json::array()))
                EXPECT_EQ(offer_by(host, spec), PATCHBAY_OK);
            {
                std::lock_guard lock(mutex_);
                ++starts_[start["capability"]];
                started_.notify_all();
            }
            if (start["config"].contains("hangs")) go_on.wait();
            std::lock_guard lock(mutex_);
            if (start["config"].contains("broken") && !healed_) return PATCHBAY_E_INVALID;
            hosts_[host] = start;
            return PATCHBAY_OK;
        };
        if (configurable)
            script.configure = [this](const patchbay_host* host, std::string_view message) {
                auto start = json::parse(message);
                if (start["config"].contains("unwanted")) return PATCHBAY_E_INVALID;
                std::lock_guard lock(mutex_);
                hosts_[host] = start;
                return PATCHBAY_OK;
            };
        script.stop = [this](const patchbay_host* host) {
            std::lock_guard lock(mutex_);
            hosts_.erase(host);
        };
        script.handle = [this](const patchbay_host* host, patchbay_call call,
                               const patchbay_request& request) { answer(host, call, request); };
        auto made = std::make_shared<plugin::Library>(*plugin::ScriptedPlugin::library(script));
        made->manifest.id = capability;
        made->manifest.version = version;
        made->manifest.capabilities[0].name = capability;
        made->sha256 = capability + version;
        return made;
    }
    void also_lists(const std::string& tool) {
        std::lock_guard lock(mutex_);
        more_.push_back(tool);
    }
    // The next one that is asked for its tools gets another while it answers, and says so.
    void gets_while_listing(const std::string& tool) {
        std::lock_guard lock(mutex_);
        late_ = tool;
    }
    // What was "broken" and "mute" is so no longer.
    void heal() {
        std::lock_guard lock(mutex_);
        healed_ = true;
    }
    std::size_t starts(const std::string& capability) {
        std::lock_guard lock(mutex_);
        return starts_[capability];
    }
    bool starts_reach(const std::string& capability, std::size_t number) {
        std::unique_lock lock(mutex_);
        return started_.wait_for(lock, plugin::long_enough,
                                 [&] { return starts_[capability] >= number; });
    }
    // Says something in the name of the instance of a capability.
    patchbay_status say(const std::string& capability, std::string_view method,
                        std::string_view params = "{}") {
        const auto* host = host_of(capability);
        return host ? host->notify(host, PATCHBAY_NO_CALL, plugin::str(method), plugin::str(params))
                    : PATCHBAY_E_GONE;
    }
    // The same of a virtual capability of it.
    patchbay_status say_of(const std::string& capability, const std::string& name,
                           std::string_view method, std::string_view params = "{}") {
        const auto* host = host_of(capability);
        return service(host).notify(host, plugin::str(name), plugin::str(method),
                                    plugin::str(params));
    }
    patchbay_status offer(const std::string& capability, const json& spec,
                          std::string* reason = nullptr) {
        return offer_by(host_of(capability), spec, reason);
    }
    patchbay_status withdraw(const std::string& capability, const std::string& name) {
        const auto* host = host_of(capability);
        return service(host).withdraw(host, plugin::str(name));
    }
    // The tools that a virtual capability lists; null: it cannot be listed.
    void lists(const std::string& name, json tools) {
        std::lock_guard lock(mutex_);
        virtual_[name] = std::move(tools);
    }
    // How often a capability was asked for its tools.
    std::size_t listings(const std::string& name) {
        std::lock_guard lock(mutex_);
        return listings_[name];
    }
    std::size_t running() {
        std::lock_guard lock(mutex_);
        return hosts_.size();
    }
    // Scopes that were opened, and capabilities of them that were closed.
    std::size_t opened() {
        std::lock_guard lock(mutex_);
        return opened_;
    }
    bool closed_reach(std::size_t number) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, plugin::long_enough, [&] { return closed_ >= number; });
    }

    plugin::Signal go_on;       // for a start that "hangs"
    bool configurable = false;  // those that are made next

  private:
    const patchbay_host* host_of(const std::string& capability) {
        std::lock_guard lock(mutex_);
        const patchbay_host* host = nullptr;
        for (const auto& [each, start] : hosts_)
            if (start["capability"] == capability) host = each;
        return host;
    }
    static const patchbay_capabilities_v1& service(const patchbay_host* host) {
        return *static_cast<const patchbay_capabilities_v1*>(
            host->service(host, PATCHBAY_SERVICE_CAPABILITIES));
    }
    static patchbay_status offer_by(const patchbay_host* host, const json& spec,
                                    std::string* reason = nullptr) {
        const auto take = [](void* user, patchbay_str, patchbay_str why) {
            if (user) *static_cast<std::string*>(user) = plugin::view(why);
        };
        return service(host).offer(host, plugin::str(spec.dump()), take, reason);
    }

    void answer(const patchbay_host* host, patchbay_call call, const patchbay_request& request) {
        json tools = json::array(), resources = json::array();
        const auto method = plugin::view(request.method);
        const std::string capability = json::parse(plugin::view(request.context))["capability"];
        if (method.starts_with("patchbay/scope/")) return answer_scope(host, call, request);
        std::string late;
        {
            std::lock_guard lock(mutex_);
            if (method == "tools/list") ++listings_[capability];
            if (capability.find(':') != std::string::npos)
                return answer_virtual(host, call, method, virtual_[capability]);
            const auto& config = hosts_[host]["config"];
            auto names = config.value("tools", Names{"one"});
            names.insert(names.end(), more_.begin(), more_.end());
            if (method == "tools/list") late = std::exchange(late_, {});
            if (!late.empty()) more_.push_back(late);
            if (config.contains("mute") && !healed_) {
                host->complete(host, call, PATCHBAY_E_INTERNAL, plugin::str("{}"));
                return;
            }
            for (const auto& name : names)
                tools.push_back({{"name", name}, {"inputSchema", {{"type", "object"}}}});
        }
        resources.push_back({{"uri", "note://a"}, {"name", "a"}});
        if (!late.empty()) {
            const auto said =
                host->notify(host, PATCHBAY_NO_CALL,
                             plugin::str("notifications/tools/list_changed"), plugin::str("{}"));
            EXPECT_EQ(said, PATCHBAY_OK);
        }
        json body = json::object();
        if (method == "server/discover")
            body = {{"capabilities", {{"tools", json::object()}, {"resources", json::object()}}}};
        if (method == "tools/list") body["tools"] = tools;
        if (method == "resources/list") body["resources"] = resources;
        if (method == "resources/templates/list") body["resourceTemplates"] = json::array();
        host->complete(host, call, PATCHBAY_OK, plugin::str(body.dump()));
    }

    // Each server lists the tools that its definition names; one that is "refused" costs the scope,
    // and so does a wrong "namespace".
    void answer_scope(const patchbay_host* host, patchbay_call call,
                      const patchbay_request& request) {
        const auto params = json::parse(plugin::view(request.params));
        json body = {{"capabilities", json::array()}};
        bool refused = false;
        {
            std::lock_guard lock(mutex_);
            if (plugin::view(request.method) == "patchbay/scope/close") {
                closed_ += params["capabilities"].size();
            } else {
                ++opened_;
                for (const auto& [name, definition] : params["mcpServers"].items()) {
                    refused |= definition.contains("refused");
                    const auto made = "scope" + std::to_string(opened_) + ":" + name;
                    virtual_[made] = definition.value("tools", json());
                    body["capabilities"].push_back(
                        {{"name", made}, {"namespace", definition.value("namespace", name)}});
                }
            }
            changed_.notify_all();
        }
        host->complete(host, call, refused ? PATCHBAY_E_DENIED : PATCHBAY_OK,
                       plugin::str(refused ? R"({"message":"not that one"})" : body.dump()));
    }
    static void answer_virtual(const patchbay_host* host, patchbay_call call,
                               std::string_view method, const json& names) {
        json body = {{"capabilities", {{"tools", json::object()}, {"resources", json::object()}}}};
        if (method == "tools/list") {
            body = {{"tools", json::array()}};
            for (const auto& name : names)
                body["tools"].push_back({{"name", name}, {"inputSchema", {{"type", "object"}}}});
        }
        if (method == "resources/list") body = {{"resources", json::array()}};
        if (method == "resources/templates/list") body = {{"resourceTemplates", json::array()}};
        const bool fails = names.is_null() && method == "tools/list";
        host->complete(host, call, fails ? PATCHBAY_E_INTERNAL : PATCHBAY_OK,
                       plugin::str(body.dump()));
    }

    std::mutex mutex_;
    std::condition_variable started_, changed_;
    std::size_t opened_ = 0, closed_ = 0;
    std::map<const patchbay_host*, json> hosts_;
    std::map<std::string, std::size_t> starts_, listings_;
    std::map<std::string, json> virtual_;
    Names more_;
    std::string late_;
    bool healed_ = false;
};

class OrgsTest : public testing::Test {
  protected:
    // Nothing is tried again by itself unless a test says so.
    explicit OrgsTest(Orgs::Patience patience = {plugin::long_enough, std::chrono::hours(1)})
        : orgs(catalog, make_ask(calls, plugin::long_enough), patience) {
        catalog.listen({[](const auto&, const auto&) {},
                        [this](const std::string& org, const std::string& uri) {
                            updated.push_back(org + " " + uri);
                        }});
        orgs.use({calls, orgs, invoker, *store, secrets, events, timers, workers, lifecycle});
        folder.libraries = {plugins.library("mail"), plugins.library("wiki")};
        configure("acme");
    }
    ~OrgsTest() override {
        plugins.go_on.raise();
        orgs.stop();
        calls.drain(std::chrono::seconds(5));
        lifecycle.drain(plugin::long_enough);
    }
    // Gives an organisation its configuration; a null one takes it away.
    void configure(const std::string& name, const json& capabilities = json::object()) {
        if (capabilities.is_null()) {
            config.orgs.erase(name);
            return;
        }
        auto org = std::make_shared<config::OrgConfig>();
        org->name = name;
        for (const auto& [capability, value] : capabilities.items()) {
            if (!org->capabilities) org->capabilities.emplace();
            auto& made = (*org->capabilities)[capability];
            made.enabled = value.value("enabled", true);
            made.config = value.value("config", json::object());
            if (value.contains("namespace")) made.name_space = value["namespace"];
        }
        config.orgs[name] = org;
    }
    void settle() {
        orgs.set(folder);
        orgs.set(std::make_shared<config::ConfigSet>(config));
        orgs.settle();
    }
    Names tools(const std::string& org = "acme") {
        Names out;
        if (auto snapshot = catalog.of(org))
            for (const auto& tool : snapshot->tools)
                out.push_back(tool.exposed);
        return out;
    }
    const catalog::Provider* provider(const std::string& tool) {
        const auto* found = catalog.of("acme")->tool(tool);
        return found ? found->binding->provider.get() : nullptr;
    }

    plugin::TempFolder data;
    std::unique_ptr<store::Store> store = std::move(*store::open_store(data / "store.db"));
    store::Secrets secrets{*store, {data / "master.key", {}, {}}};
    Plugins plugins;
    catalog::Catalog catalog;
    runtime::Calls calls;
    plugin::FakeInvoker invoker;
    Orgs orgs;
    Workers workers;
    plugin::EventBus events{workers};
    plugin::Timers timers{workers};
    plugin::Lifecycle lifecycle;
    plugin::FolderState folder;
    config::ConfigSet config;
    Names updated;
};

}  // namespace pb::app
