// SPDX-License-Identifier: Apache-2.0
// EventBus: events between the capabilities of one organisation. At most once, in order for each
// publisher, to those subscribed at that moment; every subscription has a bounded queue and
// receives one event at a time.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "base/workers.h"
#include "catalog/provider.h"
#include "plugin/gate.h"

namespace pb::plugin {

class EventBus {
  public:
    using Receiver = std::function<void(std::string_view topic, std::string_view data)>;
    class Subscription;
    using Handle = std::shared_ptr<Subscription>;

    explicit EventBus(Workers& workers);
    EventBus(const EventBus&) = delete;
    EventBus& operator=(const EventBus&) = delete;

    static constexpr std::size_t max_topic = 128;
    static constexpr std::size_t max_data = 1u << 20;
    static constexpr std::size_t max_queued = 256;             // events, for each subscription
    static constexpr std::size_t max_queued_bytes = 8u << 20;  // likewise

    // [any thread] again: a subscriber's queue is full and nobody received it. invalid: the topic
    // or the data is too long. `data` must be checked JSON.
    catalog::Status publish(std::string_view org, std::string_view topic, std::string_view data);

    // [any thread] Every topic that starts with prefix. It lasts until close().
    Handle subscribe(std::string_view org, std::string_view prefix, Receiver receiver);

    // [any thread] No event begins to be delivered after it; the gate tells whether one still is.
    // Closing again does nothing.
    void close(const Handle& handle);
    static Gate& gate(const Handle& handle);

  private:
    struct Board;
    static void deliver(const std::shared_ptr<Board>& board, const Handle& subscription);
    std::shared_ptr<Board> board_;
};

}  // namespace pb::plugin
