// SPDX-License-Identifier: Apache-2.0
// What the ABI tests stand on: Bench, the plugin side of a host with real calls around it; House, a
// whole host in this process; and the patchbay program in another one.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "app/app.h"
#include "base/process.h"
#include "plugin/instance.h"
#include "runtime/calls.h"
#include "unit/plugin/support.h"
#include "unit/support/witness.h"

namespace pb::abi {

using catalog::Status;
using nlohmann::json;
using plugin::built;
using plugin::long_enough;
using plugin::TempFolder;
using test::WitnessPtr;
using ProviderPtr = std::shared_ptr<catalog::Provider>;

struct Answer {
    Status status = Status::internal;
    std::string body;
    json value() const { return json::parse(body); }
    // Of the result's structuredContent; null if there is none.
    json structured() const { return value().value("structuredContent", json()); }
    // The first text of a result, or the message of an error.
    std::string text() const;
};

// Calls end soon after their deadline; the breaker needs as many failures as it does in a host.
runtime::CallOptions impatient();

// The grace is long as well: what a plugin makes of it must not depend on the machine.
runtime::CallOptions patient();

// Asks again and again; false if it does not come true in long enough.
template <class Condition>
bool eventually(Condition&& condition) {
    const auto until = std::chrono::steady_clock::now() + long_enough;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

// There is nothing to call: every nested call has ended before invoke() returns.
class Nobody : public catalog::Invoker {
  public:
    Status invoke(const catalog::Invocation& what,
                  std::function<void(Status, std::string_view)> done) noexcept override;
};

class Bench {
  public:
    explicit Bench(const runtime::CallOptions& options = impatient());
    ~Bench();

    // Loads one of the files built for these tests, after a probe.
    Result<plugin::LibraryPtr> load(const std::string& name);
    // Loads and starts its first capability. start() throws where try_start() says why.
    Result<ProviderPtr> try_start(const std::string& name, const json& config = json::object());
    ProviderPtr start(const std::string& name, const json& config = json::object());

    // Begins a call.
    WitnessPtr begin(const ProviderPtr& provider, const std::string& method,
                     const json& params = json::object(),
                     std::chrono::milliseconds timeout = std::chrono::milliseconds(0),
                     WitnessPtr witness = std::make_shared<test::Witness>());
    // The same to its end. A wrong number of ends is a failure of the test.
    Answer call(const ProviderPtr& provider, const std::string& method,
                const json& params = json::object(),
                std::chrono::milliseconds timeout = std::chrono::milliseconds(0));
    Answer tool(const ProviderPtr& provider, const std::string& name,
                const json& arguments = json::object());
    // Lets go of it and waits until it is stopped and destroyed; false if that hangs.
    bool end(ProviderPtr& provider);

    runtime::Calls& calls() { return calls_; }
    plugin::Loader& loader() { return *loader_; }
    const TempFolder& folder() const { return folder_; }

  private:
    TempFolder folder_;
    plugin::FakeChanges changes_;
    Nobody invoker_;
    std::unique_ptr<store::Store> store_;
    store::Secrets secrets_{*store_, {folder_ / "master.key", {}, {}}};
    runtime::Calls calls_;
    Workers workers_;
    plugin::EventBus events_{workers_};
    plugin::Timers timers_{workers_};
    plugin::Lifecycle lifecycle_;
    plugin::Wiring wiring_;
    std::unique_ptr<plugin::Loader> loader_;
};

// A host that serves and watches a folder of plugins.
class House {
  public:
    // files: those of the tests, copied in before the start, under their own names.
    explicit House(const std::vector<std::string>& files = {});

    // Puts a file into the plugins folder at once, as a careful installer does.
    void put(const std::string& name, const std::string& bytes);
    void remove(const std::string& name);
    // Gives the organisation its file.
    void configure(const json& org);

    // [any thread] The result of a request; an error's message instead if it has none.
    Answer request(const std::string& method, const json& params = json::object());
    Answer tool(const std::string& name, const json& arguments = json::object());

    std::string copies() const { return folder_ / "data/plugins"; }

  private:
    TempFolder folder_;
    std::unique_ptr<app::App> app_;
};

// Runs the patchbay program with these arguments.
ProcessEnd patchbay(const std::vector<std::string>& arguments);

}  // namespace pb::abi
