// SPDX-License-Identifier: Apache-2.0
// Publishing and delivering events.
#include "plugin/event_bus.h"

#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace pb::plugin {
namespace {

// After so many events another subscription gets its turn.
constexpr int turn = 16;

struct Event {
    std::string topic, data;
    std::size_t size() const { return topic.size() + data.size(); }
};

}  // namespace

class EventBus::Subscription {
  public:
    Subscription(std::string_view org, std::string_view prefix, Receiver receiver)
        : org(org), prefix(prefix), receiver(std::move(receiver)) {}

    const std::string org, prefix;
    const Receiver receiver;
    Gate gate;

    // Under the board's mutex:
    std::deque<std::shared_ptr<const Event>> queue;
    std::size_t queued_bytes = 0;
    bool scheduled = false;  // a delivery is posted or running

    bool has_room(const Event& event) const {
        return queue.size() < max_queued && queued_bytes + event.size() <= max_queued_bytes;
    }
    std::shared_ptr<const Event> take() {
        auto event = std::move(queue.front());
        queue.pop_front();
        queued_bytes -= event->size();
        return event;
    }
};

// Shared with posted deliveries, which may outlive the bus.
struct EventBus::Board {
    explicit Board(Workers& workers) : workers(workers) {}
    Workers& workers;
    std::mutex mutex;
    std::multimap<std::string, Handle, std::less<>> subscriptions;  // by organisation
};

EventBus::EventBus(Workers& workers) : board_(std::make_shared<Board>(workers)) {}

catalog::Status EventBus::publish(std::string_view org, std::string_view topic,
                                  std::string_view data) {
    if (topic.empty() || topic.size() > max_topic || data.size() > max_data)
        return catalog::Status::invalid;
    auto event = std::make_shared<const Event>(Event{std::string(topic), std::string(data)});
    std::vector<Handle> idle;
    std::unique_lock lock(board_->mutex);
    auto [first, last] = board_->subscriptions.equal_range(org);
    // Nobody or everybody: a publisher that tries again must not deliver twice.
    for (auto at = first; at != last; ++at)
        if (topic.starts_with(at->second->prefix) && !at->second->has_room(*event))
            return catalog::Status::again;
    for (auto at = first; at != last; ++at) {
        const Handle& subscription = at->second;
        if (!topic.starts_with(subscription->prefix)) continue;
        subscription->queue.push_back(event);
        subscription->queued_bytes += event->size();
        if (!std::exchange(subscription->scheduled, true)) idle.push_back(subscription);
    }
    lock.unlock();
    for (Handle& subscription : idle)
        board_->workers.post(
            [board = board_, handle = std::move(subscription)] { deliver(board, handle); });
    return catalog::Status::ok;
}

void EventBus::deliver(const std::shared_ptr<Board>& board, const Handle& subscription) {
    if (Gate::Inside inside(subscription->gate); inside) {
        for (int count = 0; count < turn; ++count) {
            std::shared_ptr<const Event> event;
            {
                std::lock_guard lock(board->mutex);
                if (subscription->queue.empty()) break;
                event = subscription->take();
            }
            subscription->receiver(event->topic, event->data);
        }
    }
    // Only outside the gate: the next delivery must find it open.
    {
        std::lock_guard lock(board->mutex);
        subscription->scheduled = !subscription->queue.empty();
        if (!subscription->scheduled) return;
    }
    board->workers.post([board, subscription] { deliver(board, subscription); });
}

EventBus::Handle EventBus::subscribe(std::string_view org, std::string_view prefix,
                                     Receiver receiver) {
    auto subscription = std::make_shared<Subscription>(org, prefix, std::move(receiver));
    std::lock_guard lock(board_->mutex);
    board_->subscriptions.emplace(subscription->org, subscription);
    return subscription;
}

void EventBus::close(const Handle& handle) {
    std::lock_guard lock(board_->mutex);
    auto [first, last] = board_->subscriptions.equal_range(handle->org);
    for (auto at = first; at != last; ++at)
        if (at->second == handle) {
            board_->subscriptions.erase(at);
            break;
        }
    handle->queue.clear();
    handle->queued_bytes = 0;
    handle->gate.close();
}

Gate& EventBus::gate(const Handle& handle) { return handle->gate; }

}  // namespace pb::plugin
