// SPDX-License-Identifier: Apache-2.0
// HostInstance: the host's side of one plugin instance; what start_instance() hands out as a
// Provider. Seen only inside this folder.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "plugin/callbacks.h"
#include "plugin/instance.h"
#include "plugin/offers.h"
#include "plugin/serial_queue.h"

namespace pb::plugin {

class HostInstance final : public Instance, public std::enable_shared_from_this<HostInstance> {
  public:
    HostInstance(LibraryPtr library, InstanceSpec spec, nlohmann::json config,
                 const Wiring& wiring);
    ~HostInstance() override;

    // [lifecycle] Makes the plugin's side and starts it. After an error nothing of it is left,
    // unless must_stay().
    Result<void> begin();
    // [lifecycle] The end of one that has begun: stop, then destroy.
    void end() noexcept;
    // The plugin broke the rules in a way that leaves unknown what of it still runs: so its host
    // table must stay valid for good.
    bool must_stay() const { return must_stay_; }

    std::string_view label() const override { return label_; }
    std::string_view capability() const override { return spec_.capability; }
    void handle(const catalog::ProviderRequest& request) noexcept override;
    void cancel(catalog::CallId call) noexcept override;
    std::vector<catalog::Binding> offered() override {
        return offers_.bindings(shared_from_this());
    }
    Result<void> configure(const std::string& config, std::chrono::milliseconds timeout) override;

    // For the host table and the services; [any thread].
    static HostInstance& of(const patchbay_host* host) {
        return *static_cast<HostInstance*>(host->impl);
    }
    const InstanceSpec& spec() const { return spec_; }
    const Wiring& wiring() const { return wiring_; }
    const store::Owner& owner() const { return owner_; }
    bool takes_servers() const {
        const auto* capability = library_->manifest.capability(spec_.capability);
        return capability && !capability->takes.empty();
    }
    // An instance may only touch its own calls; others are gone to it.
    bool owns(catalog::CallId call) const noexcept { return wiring_.calls.belongs(call, *this); }
    std::shared_ptr<const nlohmann::json> config() const;
    Callbacks& callbacks() { return callbacks_; }
    Offers& offers() { return offers_; }
    bool stopping();
    void log(int32_t level, std::string_view message, std::string_view fields);
    // Runs a function of the plugin that answers nobody: what it throws is logged and ends there.
    template <class Body>
    void contain(const char* where, Body&& body) const noexcept {
        try {
            body();
        } catch (...) {
            threw(where);
        }
    }
    catalog::Status announce(std::string_view method, std::string_view params);
    // Whether it may be announced now.
    catalog::Status check_announcement(std::string_view method, std::string_view params);
    // Sleeps; gone as soon as the instance stops.
    catalog::Status sleep(std::chrono::nanoseconds time);

  private:
    void dispatch(const catalog::ProviderRequest& request) noexcept;
    void run_waiting() noexcept;
    bool unqueue(catalog::CallId call) noexcept;
    void tell_cancelled() noexcept;
    void fail(catalog::CallId call, catalog::Status status, std::string_view message) noexcept;
    void threw(const char* where) const noexcept;
    Result<void> take_over(const std::string& text, std::shared_ptr<const nlohmann::json> config);
    void swap_config(std::shared_ptr<const nlohmann::json>& config);
    void announce_stop();
    void close_callbacks(std::chrono::milliseconds patience);
    std::string reason_of(const char* otherwise);

    const LibraryPtr library_;
    const InstanceSpec spec_;
    const Wiring wiring_;
    const std::string label_;
    const store::Owner owner_;
    const patchbay_host host_;
    patchbay_plugin* plugin_ = nullptr;
    bool must_stay_ = false;
    std::optional<SerialQueue> serial_;
    Callbacks callbacks_;
    Offers offers_{*this};

    mutable std::mutex mutex_;
    std::condition_variable stopped_;
    std::shared_ptr<const nlohmann::json> config_;
    bool starting_ = true;  // or taking over a configuration
    bool stopping_ = false;
    std::string last_error_;  // logged meanwhile
    std::deque<catalog::CallId> to_cancel_;
    bool cancelling_ = false;
};

}  // namespace pb::plugin
