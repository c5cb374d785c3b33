// SPDX-License-Identifier: Apache-2.0
// App: a host, put together. Objects are made in the order of what they stand on and end in
// reverse; nothing here decides anything.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "access/access.h"
#include "admission/admission.h"
#include "admission/authenticate.h"
#include "app/invoker.h"
#include "app/orgs.h"
#include "catalog/catalog.h"
#include "config/config_store.h"
#include "endpoint/routes.h"
#include "endpoint/streamable_http.h"
#include "http/server.h"
#include "mcp/server.h"
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
    void open_gate();
    Result<void> follow();
    // Refuses an address that others reach while nobody has credentials.
    Result<void> check_address() const;
    http::ServerOptions http_options() const;
    void handle(const std::shared_ptr<const http::Request>& request,
                const std::shared_ptr<http::Exchange>& exchange);
    void sweep();
    std::chrono::milliseconds cancel_time() const;
    void stop();

    config::ConfigSetPtr first_;                   // what the host itself was started with
    std::unique_ptr<config::ConfigStore> config_;  // null: nothing is followed
    std::unique_ptr<store::Store> store_;
    std::unique_ptr<store::Secrets> secrets_;
    std::unique_ptr<access::Access> access_;
    catalog::Catalog catalog_;
    runtime::Calls calls_;
    admission::Admission admission_;
    Invoker invoker_;
    Orgs orgs_;
    Workers workers_;
    std::unique_ptr<Scopes> scopes_;
    plugin::EventBus events_;
    plugin::Timers timers_;
    plugin::Lifecycle lifecycle_;
    std::unique_ptr<plugin::Loader> loader_;
    std::unique_ptr<plugin::PluginFolder> folder_;
    std::unique_ptr<admission::Authenticator> authenticator_;
    std::unique_ptr<endpoint::Gate> gate_;
    std::unique_ptr<mcp::Server> server_;
    std::unique_ptr<endpoint::StreamableHttp> endpoint_;
    std::unique_ptr<endpoint::Routes> routes_;
    std::unique_ptr<http::Server> http_;
    std::atomic<bool> draining_{false};
    bool stopped_ = false;
    Timer timer_;  // last: its thread uses all of the above
};

}  // namespace pb::app
