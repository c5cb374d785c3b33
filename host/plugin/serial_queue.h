// SPDX-License-Identifier: Apache-2.0
// SerialQueue: the calls of a plugin that takes one at a time. Nobody blocks: a call that finds
// another running is queued, and whoever finishes runs it.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "catalog/provider.h"

namespace pb::plugin {

class SerialQueue {
  public:
    explicit SerialQueue(std::size_t most) : most_(most) {}

    using Deadline = std::optional<std::chrono::steady_clock::time_point>;

    // A request that outlives the caller's views.
    struct Waiting {
        catalog::CallId call = catalog::no_call;
        std::string method, params, context;
        Deadline deadline;
    };

    // run: the caller handles it now and then asks next() until there is none.
    enum class Admission { run, queued, full };
    Admission enter(const catalog::ProviderRequest& request);
    std::optional<Waiting> next();

    // True if the call was waiting; it is not any more.
    bool remove(catalog::CallId call);
    // True if the call waits behind one that is over its own time.
    bool held_up(catalog::CallId call);

  private:
    using Place = std::deque<Waiting>::iterator;
    Place find(catalog::CallId call);

    const std::size_t most_;
    std::mutex mutex_;
    bool running_ = false;
    Deadline running_until_;
    std::deque<Waiting> waiting_;
};

}  // namespace pb::plugin
