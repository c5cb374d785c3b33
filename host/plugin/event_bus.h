// SPDX-License-Identifier: Apache-2.0
// EventBus: events between the capabilities of one organisation. At most once, in order for each
// publisher, to those subscribed at that moment; every subscription has a bounded queue and
// receives one event at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "catalog/provider.h"
#include "plugin/workers.h"

namespace pb::plugin {

class EventBus {
  public:
    using Receiver = std::function<void(std::string_view topic, std::string_view data)>;

    explicit EventBus(Workers& workers) : workers_(workers) {}
    EventBus(const EventBus&) = delete;
    EventBus& operator=(const EventBus&) = delete;

    static constexpr std::size_t max_topic = 128;
    static constexpr std::size_t max_data = 1u << 20;
    static constexpr std::size_t max_queued = 256;             // events, for each subscription
    static constexpr std::size_t max_queued_bytes = 8u << 20;  // likewise

    // [any thread] again: a subscriber's queue is full and nobody received it. `data` must be
    // checked JSON.
    catalog::Status publish(std::string_view org, std::string_view topic, std::string_view data);

    // [any thread] Every topic that starts with prefix.
    std::uint64_t subscribe(std::string_view org, std::string_view prefix, Receiver receiver);

    // [any thread] After it the receiver is not running and is not called again (from the receiver
    // itself: not called again). False if there is no such subscription.
    bool unsubscribe(std::uint64_t id);

    // The two halves of unsubscribe(), for an owner that has many: no event arrives after close();
    // wait() says whether the receiver has returned by then.
    class Subscription;
    using Handle = std::shared_ptr<Subscription>;
    Handle close(std::uint64_t id);
    static bool wait(const Handle& handle, std::chrono::steady_clock::time_point until);

  private:
    void deliver(const Handle& subscription);

    Workers& workers_;
    std::mutex mutex_;
    std::uint64_t next_id_ = 1;
    std::map<std::uint64_t, Handle> by_id_;
    std::multimap<std::string, Handle, std::less<>> by_org_;
};

}  // namespace pb::plugin
