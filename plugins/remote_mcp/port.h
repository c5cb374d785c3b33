// SPDX-License-Identifier: Apache-2.0
// Port: the host as this plugin's parts see it: the ABI's functions with C++ types, and nothing
// else. [any thread], all of it.
#pragma once

#include <patchbay/plugin.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"

namespace pb::remote {

class Port {
  public:
    explicit Port(const patchbay_host* host) : host_(host) {}

    void log(log::Level level, std::string_view event, const nlohmann::json& fields = {}) const;

    // Calls that the host made.
    patchbay_status complete(patchbay_call call, patchbay_status status,
                             std::string_view body) const;
    patchbay_status notify(patchbay_call call, std::string_view method,
                           std::string_view params) const;

    // Virtual capabilities.
    Result<void> offer(const nlohmann::json& spec) const;
    void withdraw(std::string_view capability) const;
    void changed(std::string_view capability, std::string_view method,
                 std::string_view params = "{}") const;

    // What lasts. Failures are logged; nothing is what was not there.
    std::optional<std::string> get(std::string_view key) const;
    Result<void> put(std::string_view key, std::string_view value) const;
    void remove(std::string_view key) const;
    std::vector<patchbay::Store::Item> list(std::string_view prefix) const;

    // The same, encrypted.
    std::optional<std::string> secret(std::string_view name) const;
    Result<void> put_secret(std::string_view name, std::string_view value) const;
    void remove_secret(std::string_view name) const;
    std::vector<std::string> secret_names(std::string_view prefix) const;

    const patchbay_host* host() const { return host_; }

  private:
    const patchbay_host* host_;
};

}  // namespace pb::remote
