// SPDX-License-Identifier: Apache-2.0
#include "client/engine.h"

#include <vector>

#include "client/rpc.h"

namespace pb::client {

bool Connections::add(Rpc* key, std::weak_ptr<Rpc> rpc) {
    std::lock_guard lock(mutex_);
    if (!closed_) all_[key] = std::move(rpc);
    return !closed_;
}

void Connections::remove(Rpc* key) {
    std::lock_guard lock(mutex_);
    all_.erase(key);
}

void Connections::close_all() {
    std::vector<std::shared_ptr<Rpc>> open;
    {
        std::lock_guard lock(mutex_);
        closed_ = true;
        for (const auto& [key, weak] : all_)
            if (auto rpc = weak.lock()) open.push_back(std::move(rpc));
    }
    for (const auto& rpc : open)
        rpc->close();
}

// First nothing is answered any more, so that nobody waits; then the threads that call others end
// before those others do.
Engine::~Engine() {
    connections->close_all();
    farewells.settle();
    http.stop();
    timer.stop();
}

}  // namespace pb::client
