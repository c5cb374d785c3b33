// SPDX-License-Identifier: Apache-2.0
// Names that were resolved and held against the policy, remembered for a while.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "outbound/address_policy.h"
#include "outbound/resolver.h"

namespace pb::outbound {

using Clock = std::chrono::steady_clock;

// Every address of a place, all of them allowed.
struct Checked {
    std::vector<sockaddr_storage> addresses;

    bool holds(const sockaddr& address) const;
};
using CheckedPtr = std::shared_ptr<const Checked>;

// Empty if every one is allowed, else why not.
std::string refusal_of(const AddressPolicy& policy, const std::vector<sockaddr_storage>& addresses);

// "1.2.3.4" or "[::1]".
std::string text_of(const sockaddr_storage& address);

// [one thread]
class Names {
  public:
    explicit Names(std::chrono::seconds kept) : kept_(kept) {}

    CheckedPtr find(const std::string& place) const;  // null if it is not known or too old
    void remember(const std::string& place, CheckedPtr checked);

    static constexpr std::size_t most = 1024;

  private:
    struct Entry {
        CheckedPtr checked;
        Clock::time_point until;
    };
    std::chrono::seconds kept_;
    std::map<std::string, Entry> entries_;
};

}  // namespace pb::outbound
