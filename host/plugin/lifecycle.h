// SPDX-License-Identifier: Apache-2.0
// Lifecycle: the threads on which instances that nobody holds any more are stopped and destroyed. A
// stop() that hangs is reported and left behind; it delays neither the others nor the shutdown.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace pb::plugin {

class Lifecycle {
  public:
    explicit Lifecycle(std::chrono::milliseconds patience = std::chrono::seconds(10),
                       std::size_t most_threads = 4);
    // finish() with a bound of twice the patience.
    ~Lifecycle();
    Lifecycle(const Lifecycle&) = delete;
    Lifecycle& operator=(const Lifecycle&) = delete;

    // [any thread] Of an instance that will be retired: finish() waits until what is returned is
    // gone. The work that is handed to retire() should hold it.
    std::shared_ptr<void> adopt();

    // [any thread] Never blocks. `label` is for the log.
    void retire(std::string label, std::function<void()> stop_and_destroy);

    // [any thread] Waits until everything retired so far has ended or was left behind; false if the
    // time was over first.
    bool drain(std::chrono::milliseconds timeout);

    // The same for every adopted instance, also those that somebody holds yet: what an instance
    // stands on may go when this was true.
    bool finish(std::chrono::milliseconds timeout);

    // How many never came back. If any, the process must end with _exit(): their threads are still
    // in plugin code.
    std::size_t left_behind() const;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace pb::plugin
