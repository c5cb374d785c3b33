// SPDX-License-Identifier: Apache-2.0
// The one thread that looks at the clock: replaces stuck workers, ends what is too slow, sends the
// comments that keep streams alive.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "http/workers.h"

namespace pb::http {

class Ticker {
  public:
    Ticker(Reactor& reactor, Workers& workers);
    ~Ticker() { stop(); }
    void stop();

  private:
    void run();
    void scan();

    Reactor& reactor_;
    Workers& workers_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace pb::http
