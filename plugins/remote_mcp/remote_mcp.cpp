// SPDX-License-Identifier: Apache-2.0
// The capability remote_mcp: remote MCP servers as virtual capabilities. This file is the plugin's
// edge: calls for a virtual capability go to the hub, everything else to the SDK.
#include <patchbay/plugin.hpp>

#include "base/log.h"
#include "hub.h"
#include "json/scan.h"
#include "tools.h"

PATCHBAY_MANIFEST(R"({
    "id": "remote_mcp",
    "version": "1.0.0",
    "abi": "1.1",
    "title": "Remote MCP servers",
    "description": "Remote MCP servers, each under its own namespace as if it were native",
    "capabilities": [{
        "name": "remote_mcp",
        "title": "Remote MCP servers",
        "takes": ["mcpServers"],
        "config_schema": {"type": "object", "additionalProperties": false},
        "routes": [
            {"path": "/api/mcp-servers", "access": "admin"},
            {"path": "/oauth/callback", "access": "public"},
            {"path": "/oauth/client", "access": "public"}
        ]
    }]
})");

namespace pb::remote {
namespace {

std::string_view view(patchbay_str text) {
    return {text.data, static_cast<std::size_t>(text.size)};
}

// What the client library logs goes to the host's log, through whichever instance is there.
class LogBridge {
  public:
    explicit LogBridge(const Port& port) : port_(port) {
        std::lock_guard lock(mutex);
        ports.push_back(&port_);
        log::redirect(&write);
    }
    ~LogBridge() {
        std::lock_guard lock(mutex);
        std::erase(ports, &port_);
        if (ports.empty()) log::redirect(nullptr);
    }
    LogBridge(const LogBridge&) = delete;
    LogBridge& operator=(const LogBridge&) = delete;

  private:
    static void write(log::Level level, std::string_view event, const log::Fields& fields) {
        auto members = Json::object();
        for (const auto& field : fields)
            std::visit([&](const auto& value) { members[std::string(field.first)] = value; },
                       field.second.get());
        std::lock_guard lock(mutex);
        if (!ports.empty()) ports.front()->log(level, event, members);
    }

    static inline std::mutex mutex;
    static inline std::vector<const Port*> ports;
    const Port port_;
};

// One instance: the SDK's table behind ours.
struct Instance {
    patchbay_plugin table{};
    Hub hub;
    patchbay::Plugin plugin;
    const Port port;
    const LogBridge bridge;

    explicit Instance(const patchbay_host* host)
        : hub(host), plugin(host), port(host), bridge(port) {
        table.struct_size = sizeof table;
        table.abi_major = PATCHBAY_ABI_MAJOR;
        table.abi_minor = PATCHBAY_ABI_MINOR;
        table.impl = this;
        table.start = [](patchbay_plugin* self, patchbay_str start) {
            return of(self).begin(view(start));
        };
        table.configure = [](patchbay_plugin* self, patchbay_str start) {
            return of(self).configure(view(start));
        };
        table.stop = [](patchbay_plugin* self) {
            of(self).hub.stop();
            of(self).plugin.stop();
        };
        table.destroy = [](patchbay_plugin* self) { delete &of(self); };
        table.handle = [](patchbay_plugin* self, patchbay_call call,
                          const patchbay_request* request) { of(self).handle(call, *request); };
        table.cancel = [](patchbay_plugin* self, patchbay_call call) {
            of(self).hub.cancel(call);
            of(self).plugin.cancel(call);
        };
    }

    static Instance& of(patchbay_plugin* self) { return *static_cast<Instance*>(self->impl); }

    // The host shows the last error that is logged here as the reason.
    template <class Body>
    patchbay_status contained(Body&& body) noexcept {
        try {
            const Result<void> done = body();
            if (done) return PATCHBAY_OK;
            port.log(log::Level::error, done.error().message);
            return done.error().kind == ErrorKind::invalid ? PATCHBAY_E_INVALID
                                                           : PATCHBAY_E_INTERNAL;
        } catch (const std::exception& fault) {
            port.log(log::Level::error, fault.what());
            return PATCHBAY_E_INTERNAL;
        }
    }

    patchbay_status begin(std::string_view start) noexcept {
        return contained([&]() -> Result<void> {
            plugin.start(start, [](patchbay::Plugin&) {});
            offer_tools(plugin, hub);
            offer_routes(plugin, hub);
            return hub.start(Json::parse(start));
        });
    }

    patchbay_status configure(std::string_view start) noexcept {
        return contained([&]() { return hub.configure(Json::parse(start)); });
    }

    void handle(patchbay_call call, const patchbay_request& request) noexcept {
        try {
            const auto capability =
                json::string_value(json::member(view(request.context), "capability"));
            if (!capability || !capability->starts_with("mcp:"))
                return plugin.handle(call, request);
            hub.handle(*capability,
                       {call, std::string(view(request.method)), std::string(view(request.params)),
                        std::string(view(request.context))});
        } catch (const std::exception& fault) {
            port.complete(call, PATCHBAY_E_INTERNAL,
                          "{\"message\":" + json::quote(fault.what()) + "}");
        }
    }
};

}  // namespace
}  // namespace pb::remote

extern "C" PATCHBAY_EXPORT patchbay_plugin* patchbay_plugin_v1(const patchbay_host* host) {
    // Older hosts know no virtual capabilities, without which there is nothing to do here.
    if (host == nullptr || host->abi_major != PATCHBAY_ABI_MAJOR || host->abi_minor < 1)
        return nullptr;
    try {
        return &(new pb::remote::Instance(host))->table;
    } catch (...) {
        return nullptr;
    }
}
