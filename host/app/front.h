// SPDX-License-Identifier: Apache-2.0
// Front: everything that an HTTP request can come to. It knows which path is whose, and nothing
// else.
//
//   /mcp                           the MCP endpoint
//   /.well-known/…, /oauth/…       the authorization server
//   /api/users, /api/keys, …       administration
//   /api/…, /oauth/…, /hooks/…     the routes of capabilities
//   /healthz, /readyz, /metrics    for those who watch the host
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "access/access.h"
#include "admin/api.h"
#include "admission/admission.h"
#include "admission/authenticate.h"
#include "audit/trail.h"
#include "catalog/catalog.h"
#include "config/config.h"
#include "endpoint/gate.h"
#include "endpoint/routes.h"
#include "endpoint/streamable_http.h"
#include "metrics/metrics.h"
#include "oauth/issuers.h"
#include "oauth/server.h"
#include "outbound/http.h"
#include "store/secrets.h"

namespace pb::app {

class Front {
  public:
    // All outlive it.
    struct Parts {
        const config::HostConfig& host;
        access::Access& access;
        store::Secrets& secrets;
        const catalog::Catalog& catalog;
        admission::Admission& admission;
        mcp::Server& server;
        audit::Trail* trail = nullptr;  // null: none is kept
        metrics::Metrics& metrics;
        std::function<bool(std::string_view org)> has_file;
        // What a person can choose among, on the page that asks for consent.
        std::function<oauth::Choices(const std::string& org)> choices;
    };
    static Result<std::unique_ptr<Front>> make(const Parts& parts);
    ~Front();

    // [worker]
    void handle(const std::shared_ptr<const http::Request>& request,
                const std::shared_ptr<http::Exchange>& exchange);

    // Whether it serves: what is asked for before and after is answered 503.
    void set_ready(bool ready) { ready_ = ready; }
    // At which port it does, once that is known, and before it is ready.
    void set_port(std::uint16_t port) { port_ = port; }
    admission::Authenticator& authenticator() { return *authenticator_; }

  private:
    using RequestPtr = std::shared_ptr<const http::Request>;
    using ExchangePtr = std::shared_ptr<http::Exchange>;

    explicit Front(const Parts& parts);
    Result<void> open_issuers();
    void open_gate();
    void open_desk();
    bool watch(const RequestPtr& request, const ExchangePtr& exchange) const;
    void administer(const RequestPtr& request, const ExchangePtr& exchange);
    void show_metrics(const RequestPtr& request, const ExchangePtr& exchange) const;
    // One that is refused here.
    void tell(const http::Request& request, const runtime::Caller& caller, std::string_view outcome,
              int code) const;
    // Nothing if the request was answered instead.
    runtime::CallerPtr enter(const http::Request& request, http::Exchange& exchange) const;

    const Parts parts_;
    const endpoint::Guards guards_;
    audit::Nowhere nowhere_;
    audit::Sink& sink_;
    std::atomic<std::uint16_t> port_;
    std::atomic<bool> ready_{false};
    std::unique_ptr<outbound::Http> http_;       // for issuers
    std::unique_ptr<outbound::Http> documents_;  // that describe clients
    std::unique_ptr<oauth::Issuers> issuers_;
    std::unique_ptr<admission::Authenticator> authenticator_;
    std::unique_ptr<endpoint::Gate> gate_;
    std::unique_ptr<endpoint::StreamableHttp> endpoint_;
    std::unique_ptr<endpoint::Routes> routes_;
    std::unique_ptr<oauth::Server> desk_;
    std::unique_ptr<admin::Api> api_;
};

}  // namespace pb::app
