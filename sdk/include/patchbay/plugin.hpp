// SPDX-License-Identifier: Apache-2.0
// The Patchbay C++ SDK: header-only, over the C header, with nlohmann/json. A whole plugin:
//
//   #include <patchbay/plugin.hpp>
//
//   struct ForecastInput { std::string city; std::optional<int> days; };
//   PATCHBAY_STRUCT(ForecastInput,
//       PATCHBAY_FIELD(city, "City name").min_length(1),
//       PATCHBAY_FIELD(days, "How many days").minimum(1).maximum(14).default_value(3))
//
//   PATCHBAY_PLUGIN("weather", "1.0.0", plugin) {
//       plugin.tool("forecast").describe("Weather forecast for a city").input<ForecastInput>()
//           .read_only()
//           .handle([](const ForecastInput& in, patchbay::Call& call) {
//               call.progress(0.5, "asking the weather");
//               return patchbay::text(in.city + ": sunny");
//           });
//   }
//
// Where to look: fields.hpp (typed arguments and results), tool.hpp, resource.hpp, prompt.hpp,
// content.hpp (what handlers return), error.hpp (what they throw), call.hpp and async_call.hpp (the
// call, asking the user), services.hpp (store, secrets, events, timers), capabilities.hpp (virtual
// capabilities), http.hpp (plain HTTP), access.hpp (what callers can be narrowed to), instance.hpp
// (the plugin).
#pragma once

#include <patchbay/dispatch.hpp>

namespace patchbay::detail {

using SetUp = void (*)(Plugin&);

// The C table and the instance behind it: one allocation. No function lets an exception out.
struct Instance {
    patchbay_plugin table;  // first: the host's pointer to it is a pointer to this
    Plugin plugin;
    SetUp set_up;

    Instance(const patchbay_host* host, SetUp body) : table{}, plugin(host), set_up(body) {
        table.struct_size = sizeof(patchbay_plugin);
        table.abi_major = PATCHBAY_ABI_MAJOR;
        table.abi_minor = PATCHBAY_ABI_MINOR;
        table.impl = this;
        table.start = &Instance::start;
        table.stop = [](patchbay_plugin* self) { of(self).plugin.stop(); };
        table.destroy = [](patchbay_plugin* self) { delete &of(self); };
        table.handle = [](patchbay_plugin* self, patchbay_call call,
                          const patchbay_request* request) {
            of(self).plugin.handle(call, *request);
        };
        table.cancel = [](patchbay_plugin* self, patchbay_call call) {
            of(self).plugin.cancel(call);
        };
        table.configure = [](patchbay_plugin* self, patchbay_str start) {
            return contained(of(self).plugin,
                             [&](Plugin& plugin) { return plugin.configure(view(start)); });
        };
    }

    static Instance& of(patchbay_plugin* self) noexcept {
        return *static_cast<Instance*>(self->impl);
    }

    // The host shows the last error that is logged here as the reason.
    static patchbay_status start(patchbay_plugin* self, patchbay_str start) noexcept {
        Plugin& plugin = of(self).plugin;
        const auto status = contained(plugin, [&](Plugin& made) {
            made.start(view(start), of(self).set_up);
            return patchbay_status{PATCHBAY_OK};
        });
        // What was begun before the failure ends here: the host calls destroy(), but not stop().
        if (status != PATCHBAY_OK) plugin.stop();
        return status;
    }

    template <class Body>
    static patchbay_status contained(Plugin& plugin, Body&& body) noexcept {
        try {
            return body(plugin);
        } catch (const ProtocolError& error) {
            plugin.log(Level::error, error.what());
            return error.status();
        } catch (const Error& error) {
            plugin.log(Level::error, error.what());
            return error.category() == Category::validation ? PATCHBAY_E_INVALID
                                                            : PATCHBAY_E_INTERNAL;
        } catch (const std::exception& error) {
            plugin.log(Level::error, error.what());
        } catch (...) {
            plugin.log(Level::error, "The plugin's set-up failed");
        }
        return PATCHBAY_E_INTERNAL;
    }
};

inline patchbay_plugin* make_instance(const patchbay_host* host, SetUp set_up) noexcept {
    if (host == nullptr || host->abi_major != PATCHBAY_ABI_MAJOR ||
        !PATCHBAY_HAS(host, patchbay_host, wait)) {
        return nullptr;
    }
    try {
        return &(new Instance(host, set_up))->table;
    } catch (...) {
        return nullptr;
    }
}

// The manifest's rule for ids that also name a capability.
constexpr bool good_plugin_id(std::string_view id) {
    const auto alphanumeric = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    };
    if (id.empty() || !alphanumeric(id.front()) || !alphanumeric(id.back())) return false;
    for (std::size_t i = 0; i < id.size(); ++i) {
        if (!alphanumeric(id[i]) && id[i] != '-' && id[i] != '_') return false;
        if (i > 0 && id[i] == '_' && id[i - 1] == '_') return false;
    }
    return true;
}

}  // namespace patchbay::detail

// A plugin with one capability, named like it: PATCHBAY_PLUGIN("weather", "1.0.0", plugin) { ... }
// The body sets up one instance, `plugin`, whenever one starts: config(), org() and so on are
// there. What it throws is logged and ends the start. Once per library; id and version: string
// literals.
// NOLINTBEGIN(bugprone-macro-parentheses): `plugin` is a name, not an expression.
#define PATCHBAY_PLUGIN(id, version, plugin)                                                    \
    static_assert(::patchbay::detail::good_plugin_id(id),                                       \
                  "a plugin's id is made of a-z, 0-9, '-' and '_', without \"__\"");            \
    PATCHBAY_PLUGIN_MANIFEST("{\"id\":\"" id "\",\"version\":\"" version "\",\"abi\":\"1.0\"}", \
                             plugin)

// The same with a whole manifest, as a string literal of JSON (plugin.h says what is in it): for a
// title, several capabilities, a config_schema, "threading", ...
#define PATCHBAY_PLUGIN_MANIFEST(manifest, plugin)                                              \
    static_assert(sizeof(manifest) <= PATCHBAY_MANIFEST_MAX_SIZE, "the manifest is too long");  \
    PATCHBAY_MANIFEST(manifest);                                                                \
    static void patchbay_set_up_(::patchbay::Plugin& plugin);                                   \
    extern "C" PATCHBAY_EXPORT patchbay_plugin* patchbay_plugin_v1(const patchbay_host* host) { \
        return ::patchbay::detail::make_instance(host, &patchbay_set_up_);                      \
    }                                                                                           \
    static void patchbay_set_up_([[maybe_unused]] ::patchbay::Plugin& plugin)
// NOLINTEND(bugprone-macro-parentheses)
