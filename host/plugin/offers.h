// SPDX-License-Identifier: Apache-2.0
// Offers: the virtual capabilities of one instance - sources of tools, resources and prompts that
// it makes at run time, each a provider of its own in the catalog, all answered by the instance.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/snapshot.h"

namespace pb::plugin {

class HostInstance;
class VirtualProvider;

struct Offer {
    std::string name;  // "mcp:github"
    std::string name_space;
    std::string title, description;
    catalog::ListPolicy lists;
    std::chrono::milliseconds call_time{0};  // 0: the host's default
    bool operator==(const Offer&) const = default;
};

// The JSON that a plugin offers with; the error says what is wrong with it.
Result<Offer> parse_offer(std::string_view spec);

class Offers {
  public:
    // [any thread], all of it.
    explicit Offers(HostInstance& instance) : instance_(instance) {}

    // busy: somebody else has the name or the namespace, or there are too many; the error says who.
    Result<void> offer(Offer offer);
    catalog::Status withdraw(std::string_view name);
    // What the instance says of one of them: list_changed, resources/updated.
    catalog::Status notify(std::string_view name, std::string_view method, std::string_view params);

    // As bindings. While somebody holds the provider of one it stays the same.
    std::vector<catalog::Binding> bindings(const std::shared_ptr<HostInstance>& self);

  private:
    struct Offered {
        Offer offer;
        std::weak_ptr<VirtualProvider> provider;  // weak: it holds the instance
    };
    Result<void> check_room(const Offer& offer) const;

    HostInstance& instance_;
    mutable std::mutex mutex_;
    std::map<std::string, Offered, std::less<>> offered_;
};

}  // namespace pb::plugin
