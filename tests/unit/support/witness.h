// SPDX-License-Identifier: Apache-2.0
// Witness: an observer of one call that remembers all it hears, and that completed() came once.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "runtime/calls.h"

namespace pb::test {

class Witness : public runtime::CallObserver {
  public:
    using Status = runtime::Status;

    void begun(runtime::CallId id) noexcept override {
        {
            std::lock_guard lock(mutex_);
            id_ = id;
        }
        if (on_begun) on_begun(id);
    }
    void completed(Status status, std::string_view body) noexcept override {
        std::lock_guard lock(mutex_);
        ++times_;
        status_ = status;
        body_ = body;
        changed_.notify_all();
    }
    Status notified(std::string_view method, std::string_view params) noexcept override {
        std::lock_guard lock(mutex_);
        notices_.emplace_back(method, params);
        return answer_to_notices;
    }
    void still_running() noexcept override {
        std::lock_guard lock(mutex_);
        ++lasting_;
        changed_.notify_all();
    }

    // Set before the call begins.
    std::function<void(runtime::CallId)> on_begun;
    Status answer_to_notices = Status::ok;

    bool wait() {
        return until([this] { return times_ > 0; });
    }
    bool wait_lasting() {
        return until([this] { return lasting_ > 0; });
    }

    int times() const { return read(times_); }
    int lasting() const { return read(lasting_); }
    Status status() const { return read(status_); }
    std::string body() const { return read(body_); }
    nlohmann::json result() const { return nlohmann::json::parse(body()); }
    std::string message() const { return result().value("message", ""); }
    runtime::CallId id() const { return read(id_); }
    std::vector<std::pair<std::string, std::string>> notices() const { return read(notices_); }

  private:
    template <class T>
    T read(const T& member) const {
        std::lock_guard lock(mutex_);
        return member;
    }
    bool until(const std::function<bool()>& condition) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(60), condition);
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    int times_ = 0, lasting_ = 0;
    runtime::CallId id_ = catalog::no_call;
    Status status_ = Status::internal;
    std::string body_;
    std::vector<std::pair<std::string, std::string>> notices_;
};
using WitnessPtr = std::shared_ptr<Witness>;

}  // namespace pb::test
