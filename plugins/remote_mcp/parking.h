// SPDX-License-Identifier: Apache-2.0
// Parking: calls of legacy servers that wait for an answer which the caller has yet to give.
// Bounded in number and time; only the caller who was asked can come back to one.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/timer.h"

namespace pb::remote {

class Relay;

class Parking : public std::enable_shared_from_this<Parking> {
  public:
    explicit Parking(Timer& timer) : timer_(timer) {}
    ~Parking() { clear(); }

    // The key under which it is found again; empty if too many are parked.
    std::string add(const std::shared_ptr<Relay>& relay);
    // Takes it out. Null if there is none of that key and principal (any more).
    std::shared_ptr<Relay> take(const std::string& key, const std::string& principal);
    // Ends all of them.
    void clear();

    static constexpr std::size_t most = 1'000, most_for_one = 50;
    static constexpr std::chrono::minutes patience{10};

  private:
    struct Place {
        std::shared_ptr<Relay> relay;
        std::uint64_t timer = 0;
    };
    void expire(const std::string& key);

    Timer& timer_;
    std::mutex mutex_;
    std::map<std::string, Place> places_;
};

}  // namespace pb::remote
