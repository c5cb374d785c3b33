// SPDX-License-Identifier: Apache-2.0
// App: a host, put together. Objects are made in the order of what they stand on and end in
// reverse; nothing here decides anything.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "access/access.h"
#include "admission/admission.h"
#include "app/choosing.h"
#include "app/front.h"
#include "app/invoker.h"
#include "app/orgs.h"
#include "app/recorded_orgs.h"
#include "app/redactors.h"
#include "audit/trail.h"
#include "catalog/catalog.h"
#include "config/config_store.h"
#include "http/server.h"
#include "mcp/server.h"
#include "metrics/metrics.h"
#include "plugin/folder.h"
#include "runtime/calls.h"
#include "store/secrets.h"
#include "store/store.h"

namespace pb::app {

class App {
  public:
    // Everything but the transports; when it returns the plugins are loaded and listed. With a
    // store the plugins folder and the configuration are followed from now on.
    static Result<std::unique_ptr<App>> start(config::ConfigSetPtr config,
                                              std::unique_ptr<config::ConfigStore> store);
    ~App();

    // Serves Streamable HTTP until a termination signal, then drains. SIGHUP reads the files again
    // and tries again what failed.
    Result<void> serve();
    // Serves standard input and output until the input ends or a termination signal comes.
    Result<void> stdio();
    // One request of the anonymous organisation, in process, in the newest protocol version: the
    // result object.
    Result<std::string> request(std::string_view method, std::string_view params);

  private:
    App(config::ConfigSetPtr config, std::unique_ptr<config::ConfigStore> store);
    Result<void> prepare();
    Result<void> open_trail();
    void open_gauges();
    void open_http_gauges();
    Result<void> follow();
    void follow_records();
    config::ConfigSetPtr files() const;
    void take();
    void tell_changes(const config::ConfigSet& before, const config::ConfigSet& now);
    void say_first_steps() const;
    // Refuses an address that others reach while nobody has credentials.
    Result<void> check_address() const;
    void warn_of_plain_http() const;
    http::ServerOptions http_options() const;
    void sweep();
    std::chrono::milliseconds cancel_time() const;
    void stop();

    config::ConfigSetPtr first_;                   // what the host itself was started with
    std::unique_ptr<config::ConfigStore> config_;  // null: nothing is followed
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<store::Secrets> secrets_;
    std::unique_ptr<access::Access> access_;
    std::unique_ptr<RecordedOrgs> recorded_;
    std::unique_ptr<audit::Trail> trail_;
    metrics::Metrics metrics_;
    catalog::Catalog catalog_;
    runtime::Calls calls_;
    admission::Admission admission_;
    Redactors redactors_{admission_.policies()};
    Invoker invoker_;
    Orgs orgs_;
    Workers workers_;
    std::unique_ptr<Choosing> choosing_;
    std::unique_ptr<Scopes> scopes_;
    plugin::EventBus events_;
    plugin::Timers timers_;
    plugin::Lifecycle lifecycle_;
    std::unique_ptr<plugin::Loader> loader_;
    std::unique_ptr<plugin::PluginFolder> folder_;
    std::unique_ptr<mcp::Server> server_;
    std::unique_ptr<Front> front_;
    std::unique_ptr<http::Server> http_;
    std::mutex taking_;
    std::int64_t records_seen_ = 0;  // the timer's, as the next
    int sweeps_ = 0;
    bool stopped_ = false;
    Timer timer_;  // last: its thread uses all of the above
};

}  // namespace pb::app
