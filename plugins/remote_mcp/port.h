// SPDX-License-Identifier: Apache-2.0
// Port: the host as this plugin's parts see it: the ABI's functions with C++ types, and nothing
// else. Copies lead to the same host, until one of them is closed: then what is still under way
// here (a reply, a look, a sign-in) finds nobody, instead of a host that is gone. [any thread].
#pragma once

#include <patchbay/plugin.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/result.h"

namespace pb::remote {

class Port {
  public:
    explicit Port(const patchbay_host* host) : host_(host) {}

    // Nothing gets through any more; what is on its way is waited for.
    void close() const;
    // One that can stop writing: what is still at work for a server that is removed must not bring
    // back what was removed. Its copies stop with it.
    Port stoppable() const;
    // Waits for what is being written.
    void stop_writing() const;

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
    // One of the organisation's own; the error says why there is none.
    Result<std::string> own_secret(std::string_view name) const;
    Result<void> put_secret(std::string_view name, std::string_view value) const;
    void remove_secret(std::string_view name) const;
    std::vector<std::string> secret_names(std::string_view prefix) const;

    const patchbay_host* host() const { return host_; }

  private:
    struct Gate {
        std::mutex mutex;
        std::condition_variable left;
        int inside = 0;
        bool closed = false;
    };
    // Kept while something is on its way; null if the port is closed.
    std::shared_ptr<void> enter() const;
    // What `act` says; nothing if it failed, which is logged, or if the port is closed.
    template <class Act>
    auto attempt(const char* failed, const Act& act) const -> decltype(act());

    const patchbay_host* host_;
    std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();

    struct Writing {
        std::shared_mutex mutex;
        bool shut = false;
    };
    template <class Write>
    Result<void> write(const char* failed, const Write& write) const;
    std::shared_ptr<Writing> writing_;  // null if it writes always
};

}  // namespace pb::remote
