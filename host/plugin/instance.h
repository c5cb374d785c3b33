// SPDX-License-Identifier: Apache-2.0
// Instance: one plugin at work for one organisation and capability, as a Provider, with the further
// capabilities that it makes at run time.
//
// Drain by ownership: whoever uses the provider (a snapshot, a running call) holds the shared_ptr.
// When the last one lets go, the lifecycle threads call stop() and destroy(); nobody waits for
// them.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/workers.h"
#include "catalog/invoker.h"
#include "catalog/provider.h"
#include "catalog/snapshot.h"
#include "plugin/event_bus.h"
#include "plugin/library.h"
#include "plugin/lifecycle.h"
#include "plugin/timers.h"
#include "store/secrets.h"
#include "store/store.h"

namespace pb::plugin {

struct InstanceSpec {
    std::string org;
    std::string capability;  // one of the manifest's
    std::string name_space;
    std::string config = "{}";  // JSON object, references resolved, valid under config_schema
    bool recorded = false;  // the organisation was made at run time: what it says, no operator does
    std::chrono::milliseconds start_timeout{30'000};
    std::size_t serial_queue = 64;  // waiting calls of a serial plugin; one more answers busy
};

// What instances stand on. Everything must outlive the last instance: destroy Lifecycle first.
struct Wiring {
    catalog::CallSink& calls;
    catalog::ChangeSink& changes;
    catalog::Invoker& invoker;
    store::Store& store;
    store::Secrets& secrets;
    EventBus& events;
    Timers& timers;
    Workers& workers;
    Lifecycle& lifecycle;
    // What every instance is told of the host, a JSON object; plugin.h says what is in it.
    std::string host_facts = "{}";
};

class Instance : public catalog::Provider {
  public:
    // [any thread] The virtual capabilities that it offers now. Each has a provider of its own,
    // which keeps the instance as whoever holds the instance itself does. A change of them is told
    // to Wiring::changes.
    virtual std::vector<catalog::Binding> offered() = 0;
    // Has it take over another configuration (as in InstanceSpec) while it serves, waiting up to
    // `timeout`. After an error, which says why, it goes on with what it had: unsupported where the
    // plugin does not do this at all. Not for two threads at once.
    virtual Result<void> configure(const std::string& config,
                                   std::chrono::milliseconds timeout) = 0;
};

// [any thread] The bindings of virtual capabilities that are not in the catalog: `offers` is a JSON
// array of what a plugin would offer them with. An Error if the provider is no plugin instance, or
// an offer is wrong.
Result<std::vector<catalog::Binding>> private_bindings(
    const std::shared_ptr<catalog::Provider>& instance, std::string_view offers);

// [any thread] Makes the instance and waits for its start(), up to start_timeout. The error says
// why in the plugin's own words where it gave any.
Result<std::shared_ptr<Instance>> start_instance(const LibraryPtr& library,
                                                 const InstanceSpec& spec, const Wiring& wiring);

}  // namespace pb::plugin
