// SPDX-License-Identifier: Apache-2.0
// Virtual capabilities: further sources of tools, resources and prompts that an instance makes at
// run time, each with a namespace, lists and a breaker of its own (service
// patchbay.capabilities/1). Plugin::capabilities() makes it; Plugin::virtual_calls() answers for
// them.
//
//   plugin.virtual_calls([](patchbay::Call& call, std::string_view method) -> patchbay::json {
//       if (method == "tools/list") return lists_of(call.capability());
//       ...
//       throw patchbay::ProtocolError(PATCHBAY_E_UNSUPPORTED, "Unknown method");
//   });
//   plugin.capabilities().offer({"mcp:github", "github"});
#pragma once

#include <patchbay/invoke.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay {

struct Offer {
    std::string name;        // "mcp:github": with a ':'
    std::string name_space;  // "github"
    std::string title = {}, description = {};
    bool private_lists = false;  // what is listed depends on the caller
    std::optional<std::int64_t> ttl_ms = {};
    std::chrono::milliseconds call_time{0};  // where callers name none; 0: the host's default

    json spec() const {
        json out = {{"name", name},
                    {"namespace", name_space},
                    {"lists", {{"scope", private_lists ? "private" : "public"}}}};
        if (!title.empty()) out["title"] = title;
        if (!description.empty()) out["description"] = description;
        if (ttl_ms) out["lists"]["ttl_ms"] = *ttl_ms;
        if (call_time.count() > 0) out["call_time_ms"] = call_time.count();
        return out;
    }
};

// All functions may be called from any thread.
class Capabilities {
  public:
    explicit Capabilities(const patchbay_host* host)
        : host_(host),
          table_(&detail::service<patchbay_capabilities_v1>(host, PATCHBAY_SERVICE_CAPABILITIES)) {}

    // Makes it, or replaces what was said of it. Throws Error with the host's reason: "invalid",
    // "busy" (somebody else has the name or the namespace), "stopping".
    void offer(const Offer& offer) const {
        const std::string text = dump(offer.spec());
        std::string reason;
        const auto status = table_->offer(
            host_, view(text),
            [](void* user, patchbay_str, patchbay_str why) noexcept {
                *static_cast<std::string*>(user) = view(why);
            },
            &reason);
        if (status == PATCHBAY_OK) return;
        const Error error = detail::service_error(status, "capabilities.offer");
        if (reason.empty()) throw error;
        throw Error(error.code(), reason).category(error.category());
    }
    // False if it is not offered.
    bool withdraw(std::string_view name) const {
        const auto status = table_->withdraw(host_, view(name));
        if (status == PATCHBAY_E_NOT_FOUND) return false;
        if (status != PATCHBAY_OK) throw detail::service_error(status, "capabilities.withdraw");
        return true;
    }

    // The host asks for its lists again. False, here and below: it is not offered, or the host is
    // stopping.
    bool tools_changed(std::string_view name) const {
        return notify(name, "notifications/tools/list_changed", "{}");
    }
    bool resources_changed(std::string_view name) const {
        return notify(name, "notifications/resources/list_changed", "{}");
    }
    bool prompts_changed(std::string_view name) const {
        return notify(name, "notifications/prompts/list_changed", "{}");
    }
    // Tells subscribers of one of its resources, by its own URI.
    bool resource_updated(std::string_view name, std::string_view uri) const {
        std::string params = "{\"uri\":";
        detail::append_quoted(params, uri);
        return notify(name, "notifications/resources/updated", params + '}');
    }

  private:
    bool notify(std::string_view name, std::string_view method, std::string_view params) const {
        return table_->notify(host_, view(name), view(method), view(params)) == PATCHBAY_OK;
    }
    const patchbay_host* host_;
    const patchbay_capabilities_v1* table_;
};

}  // namespace patchbay
