// SPDX-License-Identifier: Apache-2.0
#include "parking.h"

#include <openssl/rand.h>

#include <algorithm>

#include "relay.h"

namespace pb::remote {
namespace {

// The host seals it, so that it cannot be guessed or changed; this makes it say nothing either.
std::string random_key() {
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1) return {};
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (const auto byte : bytes) {
        out += digits[byte >> 4U];
        out += digits[byte & 15U];
    }
    return out;
}

}  // namespace

std::string Parking::add(const std::shared_ptr<Relay>& relay) {
    auto key = random_key();
    std::lock_guard lock(mutex_);
    const auto own = std::count_if(places_.begin(), places_.end(), [&](const auto& place) {
        return place.second.relay->principal() == relay->principal();
    });
    if (key.empty() || places_.size() >= most || own >= static_cast<long>(most_for_one)) return {};
    const auto timer = timer_.after(patience, [weak = weak_from_this(), key] {
        if (auto self = weak.lock()) self->expire(key);
    });
    places_.emplace(key, Place{relay, timer});
    return key;
}

std::shared_ptr<Relay> Parking::take(const std::string& key, const std::string& principal) {
    std::lock_guard lock(mutex_);
    auto found = places_.find(key);
    if (found == places_.end() || found->second.relay->principal() != principal) return nullptr;
    auto relay = std::move(found->second.relay);
    timer_.cancel(found->second.timer);
    places_.erase(found);
    return relay;
}

void Parking::expire(const std::string& key) {
    std::shared_ptr<Relay> relay;
    {
        std::lock_guard lock(mutex_);
        auto found = places_.find(key);
        if (found == places_.end()) return;
        relay = std::move(found->second.relay);
        places_.erase(found);
    }
    relay->expire();
}

void Parking::clear() {
    std::map<std::string, Place> all;
    {
        std::lock_guard lock(mutex_);
        all.swap(places_);
    }
    for (auto& [key, place] : all) {
        timer_.cancel(place.timer);
        place.relay->expire();
    }
}

}  // namespace pb::remote
