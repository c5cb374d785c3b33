// SPDX-License-Identifier: Apache-2.0
// What the tests of host/plugin share: the files built for them, a host around an instance.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "../support/files.h"
#include "plugin/instance.h"

namespace pb::plugin {

constexpr std::chrono::seconds long_enough{60};

using test::read;
using test::TempFolder;
using test::write;

// The bytes of a plugin that was built for the tests.
inline std::string built(const std::string& name) {
    std::string bytes = read(PLUGIN_FILES "/" + name + ".so");
    if (bytes.empty()) throw std::runtime_error("not built: " + name);
    return bytes;
}

// Remembers how calls ended.
class FakeCalls : public catalog::CallSink {
  public:
    struct End {
        catalog::Status status;
        std::string body;
    };
    catalog::Status complete(catalog::CallId call, catalog::Status status,
                             std::string_view body) noexcept override {
        std::lock_guard lock(mutex_);
        bool first = ends_.emplace(call, End{status, std::string(body)}).second;
        changed_.notify_all();
        return first ? catalog::Status::ok : catalog::Status::gone;
    }
    catalog::Status notify(catalog::CallId, std::string_view method,
                           std::string_view) noexcept override {
        std::lock_guard lock(mutex_);
        notified_.emplace_back(method);
        return catalog::Status::ok;
    }
    catalog::Status wait(catalog::CallId, std::int64_t) noexcept override { return ended_by; }
    bool belongs(catalog::CallId call, const catalog::Provider&) const noexcept override {
        return call != foreign;
    }

    // Set before anything runs.
    catalog::Status ended_by = catalog::Status::cancelled;
    catalog::CallId foreign = catalog::no_call;

    End end_of(catalog::CallId call) {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, long_enough, [&] { return ends_.contains(call); }))
            return {catalog::Status::internal, "never completed"};
        return ends_.at(call);
    }
    bool ended(catalog::CallId call) {
        std::lock_guard lock(mutex_);
        return ends_.contains(call);
    }
    std::vector<std::string> notified() {
        std::lock_guard lock(mutex_);
        return notified_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<catalog::CallId, End> ends_;
    std::vector<std::string> notified_;
};

class FakeChanges : public catalog::ChangeSink {
  public:
    catalog::Status changed(const catalog::Provider& provider, std::string_view method,
                            std::string_view params) noexcept override {
        std::lock_guard lock(mutex_);
        seen.push_back(std::string(provider.label()) + " " + std::string(method) + " " +
                       std::string(params));
        return catalog::Status::ok;
    }
    void offers_changed(const catalog::Provider& provider) noexcept override {
        std::lock_guard lock(mutex_);
        seen.push_back(std::string(provider.label()) + " offers");
    }
    Result<void> vacant(const std::string&, const catalog::Provider&, std::string_view,
                        std::string_view name_space) const override {
        if (name_space == taken) return Error{ErrorKind::busy, "the namespace is taken"};
        return {};
    }
    std::string taken = "taken";  // a namespace of somebody else
    std::mutex mutex_;
    std::vector<std::string> seen;
};

class FakeInvoker : public catalog::Invoker {
  public:
    using Done = std::function<void(catalog::Status, std::string_view)>;
    catalog::Status invoke(const catalog::Invocation& what, Done done) noexcept override {
        seen = what.self.org + " " + what.self.capability + " " + std::to_string(what.parent) +
               " " + std::string(what.method) + " " + std::string(what.params);
        scope = what.scope;
        if (at_once)
            done(answer, "{}");
        else if (answer == catalog::Status::ok)
            pending.push_back(std::move(done));
        return answer;
    }
    catalog::Status answer = catalog::Status::ok;
    bool at_once = false;
    std::string seen, scope;
    std::vector<Done> pending;
};

// Everything that an instance stands on, in the order in which it has to be taken down.
struct Host {
    TempFolder folder;
    FakeCalls calls;
    FakeChanges changes;
    FakeInvoker invoker;
    std::unique_ptr<store::Store> store = std::move(*store::open_store(folder / "store.db"));
    store::Secrets secrets{*store, {folder / "master.key", {}, {}}};
    Workers workers;
    EventBus events{workers};
    Timers timers{workers};
    Lifecycle lifecycle;
    Wiring wiring{calls, changes, invoker, *store, secrets, events, timers, workers, lifecycle};
};

// A flag that one thread raises and another waits for.
class Signal {
  public:
    void raise() {
        std::lock_guard lock(mutex_);
        raised_ = true;
        changed_.notify_all();
    }
    bool wait() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, long_enough, [this] { return raised_; });
    }
    bool raised() {
        std::lock_guard lock(mutex_);
        return raised_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool raised_ = false;
};

// A plugin inside the test program: its functions are whatever the test wants. One at a time, since
// the entry point of a plugin knows nothing but the host.
struct Script {
    std::function<patchbay_status(const patchbay_host*, std::string_view)> start = {};
    std::function<void(const patchbay_host*)> stop = {}, destroy = {};
    std::function<void(const patchbay_host*, patchbay_call, const patchbay_request&)> handle = {};
    std::function<void(patchbay_call)> cancel = {};
    std::function<patchbay_status(const patchbay_host*, std::string_view)> configure = {};
    std::uint32_t struct_size = sizeof(patchbay_plugin);
    std::uint16_t abi_major = PATCHBAY_ABI_MAJOR;
    std::vector<std::string> takes = {};  // of the manifest's capability
};

inline std::string_view view(patchbay_str text) { return {text.data, text.size}; }
inline patchbay_str str(std::string_view text) { return {text.data(), text.size()}; }

class ScriptedPlugin {
  public:
    static LibraryPtr library(Script script, Threading threading = Threading::concurrent) {
        auto made = std::make_shared<Library>();
        made->manifest.id = "scripted";
        made->manifest.version = "1.0.0";
        made->manifest.threading = threading;
        auto& capability = made->manifest.capabilities.emplace_back();
        capability.name = "scripted";
        capability.takes = script.takes;
        next() = std::move(script);
        made->generation = 1;
        made->entry = &entry;
        return made;
    }

  private:
    struct Table : patchbay_plugin {
        const patchbay_host* host;
        Script script;
    };
    static Script& next() {
        static Script script;
        return script;
    }
    static Table& table(patchbay_plugin* self) { return *static_cast<Table*>(self); }
    static patchbay_plugin* entry(const patchbay_host* host) {
        auto* made = new Table{};
        made->host = host;
        made->script = next();
        made->struct_size = made->script.struct_size;
        made->abi_major = made->script.abi_major;
        made->start = [](patchbay_plugin* self, patchbay_str message) -> patchbay_status {
            auto& me = table(self);
            return me.script.start ? me.script.start(me.host, view(message)) : PATCHBAY_OK;
        };
        made->stop = [](patchbay_plugin* self) {
            if (table(self).script.stop) table(self).script.stop(table(self).host);
        };
        made->destroy = [](patchbay_plugin* self) {
            if (table(self).script.destroy) table(self).script.destroy(table(self).host);
            delete &table(self);
        };
        made->handle = [](patchbay_plugin* self, patchbay_call call,
                          const patchbay_request* request) {
            auto& me = table(self);
            if (me.script.handle)
                me.script.handle(me.host, call, *request);
            else
                me.host->complete(me.host, call, PATCHBAY_OK, request->params);
        };
        if (made->script.cancel)
            made->cancel = [](patchbay_plugin* self, patchbay_call call) {
                table(self).script.cancel(call);
            };
        if (made->script.configure)
            made->configure = [](patchbay_plugin* self, patchbay_str message) {
                return table(self).script.configure(table(self).host, view(message));
            };
        return made;
    }
};

inline InstanceSpec spec(std::string config = "{}") {
    return {
        .org = "acme", .capability = "scripted", .name_space = "s", .config = std::move(config)};
}

inline std::shared_ptr<Instance> started(Host& host, Script script,
                                         Threading threading = Threading::concurrent,
                                         InstanceSpec with = spec()) {
    auto made =
        start_instance(ScriptedPlugin::library(std::move(script), threading), with, host.wiring);
    if (!made) throw std::runtime_error(made.error().message);
    return *made;
}

}  // namespace pb::plugin
