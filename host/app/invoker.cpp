// SPDX-License-Identifier: Apache-2.0
#include "app/invoker.h"

#include "admission/authenticate.h"
#include "base/log.h"
#include "json/scan.h"

namespace pb::app {
namespace {

using catalog::Status;
using Done = std::function<void(Status, std::string_view)>;

class Forward : public runtime::CallObserver {
  public:
    explicit Forward(Done done) : done_(std::move(done)) {}
    void completed(Status status, std::string_view body) noexcept override { done_(status, body); }
    Status notified(std::string_view, std::string_view) noexcept override { return Status::ok; }

  private:
    Done done_;
};

template <class Entries>
std::string listed(std::string_view name, const Entries& entries) {
    std::string out = "{\"" + std::string(name) + "\":[";
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (i) out += ',';
        out += entries[i].definition;
    }
    return out + "]}";
}

// The list methods; empty if `method` is none.
std::string list(const catalog::Snapshot& snapshot, std::string_view method) {
    if (method == "tools/list") return listed("tools", snapshot.tools);
    if (method == "resources/list") return listed("resources", snapshot.resources);
    if (method == "resources/templates/list")
        return listed("resourceTemplates", snapshot.templates);
    if (method == "prompts/list") return listed("prompts", snapshot.prompts);
    return {};
}

std::string message_body(std::string_view text) {
    return "{\"message\":" + json::quote(text) + "}";
}

}  // namespace

catalog::Status Invoker::invoke(const catalog::ServiceIdentity& self, catalog::CallId parent,
                                std::string_view method, std::string_view params,
                                std::int64_t timeout_ns, Done done) noexcept {
    try {
        if (!json::scan(params).ok() || json::type_of(params) != json::Type::object)
            return Status::invalid;
        runtime::CallerPtr caller;
        auto client = std::make_shared<runtime::ClientView>();
        if (parent == catalog::no_call) {
            caller = admission::Authenticator::service(self.org, self.capability);
        } else {
            auto origin = admission_.calls().origin(parent);
            if (!origin.caller) return Status::gone;
            if (origin.depth >= admission_.calls().options().max_depth) return Status::busy;
            caller = origin.caller;
            *client = *origin.client;
            client->progress = false;  // progress of a nested call belongs to nobody's token
            client->log_level.clear();
        }
        if (auto body = list(*admission_.visible(*caller), method); !body.empty())
            return done(Status::ok, body), Status::ok;
        const bool read = method == "resources/read";
        if (!read && method != "tools/call" && method != "prompts/get") return Status::invalid;
        const auto name = json::string_value(json::member(params, read ? "uri" : "name"));
        if (!name) return Status::invalid;
        auto target = admission_.find(*caller, method, *name);
        if (!target) {
            done(Status::not_found, message_body(target.error().message));
            return Status::ok;
        }
        admission::Admitted admitted;
        admitted.method = method;
        admitted.params = params;
        admitted.caller = caller;
        admitted.client = client;
        admitted.parent = parent;
        admitted.timeout = std::chrono::nanoseconds(std::max<std::int64_t>(0, timeout_ns));
        admission_.call(*target, admitted, std::make_shared<Forward>(std::move(done)));
        return Status::ok;
    } catch (const std::exception& fault) {
        log::error("invoke.fault", {{"reason", fault.what()}});
        return Status::internal;
    }
}

}  // namespace pb::app
