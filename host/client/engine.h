// SPDX-License-Identifier: Apache-2.0
// Engine: what all clients of a process share: one HTTP loop, one clock, threads for
// what waits, and the child processes.
#pragma once

#include "base/timer.h"
#include "base/workers.h"
#include "client/child.h"
#include "outbound/http.h"

namespace pb::client {

struct Engine {
    explicit Engine(outbound::Http::Options options) : http(std::move(options)) {}

    // Handshakes, sign-ins and discovery wait here, each on a thread of its own: so many servers
    // may be slow at once before one delays another.
    Workers workers{256};
    Children children;
    Timer timer;
    outbound::Http http;  // last: its thread uses the others
};

}  // namespace pb::client
