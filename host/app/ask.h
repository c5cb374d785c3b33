// SPDX-License-Identifier: Apache-2.0
// Questions of the host's own: a call that somebody waits for.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "catalog/catalog.h"
#include "runtime/calls.h"

namespace pb::app {

// Waits for a call's end, at most `limit`. The body of a result, or why there is none.
class Waiter : public runtime::CallObserver {
  public:
    void completed(runtime::Status status, std::string_view body) noexcept override;
    runtime::Status notified(std::string_view, std::string_view) noexcept override {
        return runtime::Status::ok;
    }
    Result<std::string> wait(std::chrono::milliseconds limit);

  private:
    std::mutex mutex_;
    std::condition_variable done_;
    bool over_ = false;
    runtime::Status status_ = runtime::Status::internal;
    std::string body_;
};

// The host itself, in the organisation's name.
runtime::CallerPtr host_caller(const std::string& org);

// What the catalog's builder asks providers with: as the host itself, in the organisation's name.
catalog::Ask make_ask(runtime::Calls& calls, std::chrono::milliseconds limit);

}  // namespace pb::app
