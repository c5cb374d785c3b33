// SPDX-License-Identifier: Apache-2.0
// Engine: what all clients of a process share: one HTTP loop, one clock, threads for
// what waits, and the child processes.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>

#include "base/timer.h"
#include "base/workers.h"
#include "client/child.h"
#include "outbound/http.h"

namespace pb::client {

class Rpc;

// The connections that are open, to be ended together.
class Connections {
  public:
    // False if there will be no more of them.
    bool add(Rpc* key, std::weak_ptr<Rpc> rpc);
    void remove(Rpc* key);
    void close_all();

  private:
    std::mutex mutex_;
    std::map<Rpc*, std::weak_ptr<Rpc>> all_;
    bool closed_ = false;
};

// Last words to servers, for which nobody waits but the end of everything, a moment.
class Farewells {
  public:
    void settle() {
        std::unique_lock lock(said_->mutex);
        said_->left.wait_for(lock, std::chrono::seconds(1), [&] { return said_->open == 0; });
    }
    // To be kept until it is said.
    std::shared_ptr<void> begin() {
        std::lock_guard lock(said_->mutex);
        ++said_->open;
        return {nullptr, [said = said_](void*) {
                    std::lock_guard lock(said->mutex);
                    if (--said->open == 0) said->left.notify_all();
                }};
    }

  private:
    struct Said {
        std::mutex mutex;
        std::condition_variable left;
        int open = 0;
    };
    const std::shared_ptr<Said> said_ = std::make_shared<Said>();
};

struct Engine {
    explicit Engine(outbound::Http::Options options) : http(std::move(options)) {}
    // Everything that still runs ends, as cancelled. Not on a thread of its own.
    ~Engine();

    const std::shared_ptr<Connections> connections = std::make_shared<Connections>();
    outbound::Http http;
    Timer timer;
    Farewells farewells;
    Children children;
    // Handshakes, sign-ins and discovery wait here, each on a thread of its own: so many servers
    // may be slow at once before one delays another. Last: it uses all the others.
    Workers workers{256};
};

}  // namespace pb::client
