// SPDX-License-Identifier: Apache-2.0
// Calls: which relay answers which call of the host, so that a cancellation finds it.
#pragma once

#include <patchbay/plugin.h>

#include <array>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace pb::remote {

class Relay;

class Calls {
  public:
    void add(patchbay_call id, std::shared_ptr<Relay> relay) {
        auto& part = of(id);
        std::lock_guard lock(part.mutex);
        part.relays[id] = std::move(relay);
    }
    std::shared_ptr<Relay> find(patchbay_call id) {
        auto& part = of(id);
        std::lock_guard lock(part.mutex);
        auto found = part.relays.find(id);
        return found == part.relays.end() ? nullptr : found->second;
    }
    void remove(patchbay_call id) {
        std::shared_ptr<Relay> last;  // ends outside the lock
        auto& part = of(id);
        std::lock_guard lock(part.mutex);
        auto found = part.relays.find(id);
        if (found == part.relays.end()) return;
        last = std::move(found->second);
        part.relays.erase(found);
    }
    std::vector<std::shared_ptr<Relay>> all() {
        std::vector<std::shared_ptr<Relay>> out;
        for (auto& part : parts_) {
            std::lock_guard lock(part.mutex);
            for (const auto& [id, relay] : part.relays)
                out.push_back(relay);
        }
        return out;
    }

  private:
    struct Part {
        std::mutex mutex;
        std::unordered_map<patchbay_call, std::shared_ptr<Relay>> relays;
    };
    Part& of(patchbay_call id) { return parts_[id % parts_.size()]; }

    std::array<Part, 16> parts_;
};

}  // namespace pb::remote
