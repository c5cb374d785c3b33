// SPDX-License-Identifier: Apache-2.0
// The host's services as classes: Store, Secrets, Events, Schedule. Plugin::store(), secrets(),
// events() and schedule() make them. Everything is confined to the instance's organisation and
// capability. All functions may be called from any thread and throw Error: "service_unavailable"
// where this host lacks the service, otherwise a code for what the host said.
#pragma once

#include <patchbay/invoke.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace patchbay {

// What Store and Secrets have in common: values under keys, each with a version.
template <class Table>
class Values {
  public:
    struct Entry {
        std::string value;
        std::int64_t version = 0;  // grows with each write
    };

    // The entry, or nothing.
    std::optional<Entry> get(std::string_view key) const {
        Entry out;
        // noexcept, here and in list(): with no memory for the value there is nothing to go on
        // with.
        const auto status = table_->get(
            host_, view(key),
            [](void* user, patchbay_str, patchbay_str value) noexcept {
                static_cast<Entry*>(user)->value = view(value);
            },
            &out, &out.version);
        if (status == PATCHBAY_E_NOT_FOUND) return std::nullopt;
        expect(status, "get");
        return out;
    }
    // Writes, whatever is there. The new version.
    std::int64_t put(std::string_view key, std::string_view value) const {
        std::int64_t version = 0;
        expect(table_->put(host_, view(key), view(value), -1, &version), "put");
        return version;
    }
    // Writes if the entry's version is `version` (0 = there is none). The new version, or nothing
    // if another writer was there first.
    std::optional<std::int64_t> put_if(std::string_view key, std::string_view value,
                                       std::int64_t version) const {
        std::int64_t now = 0;
        const auto status = table_->put(host_, view(key), view(value), version, &now);
        if (status == PATCHBAY_E_BUSY) return std::nullopt;
        expect(status, "put");
        return now;
    }
    // False if there was nothing.
    bool remove(std::string_view key) const {
        const auto status = table_->remove(host_, view(key), -1);
        if (status == PATCHBAY_E_NOT_FOUND) return false;
        expect(status, "remove");
        return true;
    }
    // False if there was nothing or another version.
    bool remove_if(std::string_view key, std::int64_t version) const {
        const auto status = table_->remove(host_, view(key), version);
        if (status == PATCHBAY_E_NOT_FOUND || status == PATCHBAY_E_BUSY) return false;
        expect(status, "remove");
        return true;
    }

  protected:
    // `name`: for the errors.
    Values(const patchbay_host* host, const char* id, const char* name)
        : host_(host), table_(&detail::service<Table>(host, id)), name_(name) {}

    template <class Item>
    std::vector<Item> list(std::string_view prefix, std::string_view after, std::uint32_t limit,
                           patchbay_sink add) const {
        std::vector<Item> out;
        expect(table_->list(host_, view(prefix), view(after), limit, add, &out), "list");
        return out;
    }
    void expect(patchbay_status status, const char* what) const {
        if (status != PATCHBAY_OK)
            throw detail::service_error(status, std::string(name_) + "." + what);
    }
    const patchbay_host* host() const { return host_; }
    const Table& table() const { return *table_; }

  private:
    const patchbay_host* host_;
    const Table* table_;
    const char* name_;
};

// A durable key-value store. Keys: 1 to 512 bytes of UTF-8; values: up to 16 MiB of any bytes.
class Store : public Values<patchbay_store_v1> {
  public:
    struct Item {
        std::string key;
        std::string value;
    };

    explicit Store(const patchbay_host* host) : Values(host, PATCHBAY_SERVICE_STORE, "store") {}

    // Up to `limit` (1 to 1000) entries whose keys start with `prefix`, in byte order, after the
    // key `after`. The next page: after = the last key.
    std::vector<Item> list(std::string_view prefix, std::string_view after = {},
                           std::uint32_t limit = 1000) const {
        return Values::list<Item>(prefix, after, limit,
                                  [](void* out, patchbay_str key, patchbay_str value) noexcept {
                                      static_cast<std::vector<Item>*>(out)->push_back(
                                          {std::string(view(key)), std::string(view(value))});
                                  });
    }

    // Values that are JSON. get_json: null if there is none or it is not JSON.
    json get_json(std::string_view key) const {
        const auto entry = get(key);
        if (!entry) return nullptr;
        json value = json::parse(entry->value, nullptr, false);
        return value.is_discarded() ? json() : value;
    }
    std::int64_t put_json(std::string_view key, const json& value) const {
        return put(key, dump(value));
    }
};

// Values that the host encrypts at rest, for tokens, passwords and keys; apart from the store.
// Their keys (names) are like the store's, the values have up to 64 KiB of any bytes.
class Secrets : public Values<patchbay_secrets_v1> {
  public:
    explicit Secrets(const patchbay_host* host)
        : Values(host, PATCHBAY_SERVICE_SECRETS, "secrets") {}

    // Up to `limit` (1 to 1000) names that start with `prefix`, in byte order, after `after`.
    std::vector<std::string> list(std::string_view prefix = {}, std::string_view after = {},
                                  std::uint32_t limit = 1000) const {
        return Values::list<std::string>(
            prefix, after, limit, [](void* out, patchbay_str name, patchbay_str) noexcept {
                static_cast<std::vector<std::string>*>(out)->emplace_back(view(name));
            });
    }

    // One of the organisation's own, for a capability that takes mcpServers; nothing if there is
    // none of this name.
    std::optional<std::string> get_own(std::string_view name) const {
        const auto& table = this->table();
        if (table.struct_size < sizeof table)
            throw detail::service_error(PATCHBAY_E_UNSUPPORTED, "secrets.get_own");
        std::string out;
        const auto status = table.get_own(
            host(), view(name),
            [](void* user, patchbay_str, patchbay_str value) noexcept {
                static_cast<std::string*>(user)->assign(view(value));
            },
            &out);
        if (status == PATCHBAY_E_NOT_FOUND) return std::nullopt;
        expect(status, "get_own");
        return out;
    }
};

// A subscription or a timer; ends with the object (at the latest with the instance).
class [[nodiscard]] Handle {
  public:
    Handle() = default;
    explicit Handle(std::function<void()> end) : end_(std::move(end)) {}
    Handle(Handle&& other) noexcept : end_(std::exchange(other.end_, nullptr)) {}
    Handle& operator=(Handle&& other) noexcept {
        if (this != &other) {
            reset();
            end_ = std::exchange(other.end_, nullptr);
        }
        return *this;
    }
    ~Handle() { reset(); }
    // Ends it. After this returns its function does not run and is not called again - unless this
    // is that function.
    void reset() {
        if (const auto end = std::exchange(end_, nullptr)) end();
    }
    explicit operator bool() const noexcept { return static_cast<bool>(end_); }

  private:
    std::function<void()> end_;
};

namespace detail {

// What a C callback gets as its user pointer. The function is shared, so that one that ends its own
// handle lives to its end.
template <class F>
struct Callback {
    std::shared_ptr<F> function;
};

}  // namespace detail

// Events between the capabilities of one organisation; delivered at most once, not stored.
class Events {
  public:
    using Handler = std::function<void(std::string_view topic, const json& data)>;

    explicit Events(const patchbay_host* host)
        : host_(host),
          table_(&detail::service<patchbay_events_v1>(host, PATCHBAY_SERVICE_EVENTS)) {}

    // topic: 1 to 128 bytes. False: a subscriber is behind and nobody received it; try later.
    bool publish(std::string_view topic, const json& data) const {
        const std::string text = dump(data);
        const auto status = table_->publish(host_, view(topic), view(text));
        if (status == PATCHBAY_E_AGAIN) return false;
        if (status != PATCHBAY_OK) throw detail::service_error(status, "events.publish");
        return true;
    }
    // Every topic that starts with `prefix`, one event at a time, on a host thread. What the
    // handler throws is ignored.
    Handle subscribe(std::string_view prefix, Handler handler) const {
        using Callback = detail::Callback<Handler>;
        auto callback =
            std::make_unique<Callback>(Callback{std::make_shared<Handler>(std::move(handler))});
        std::uint64_t id = 0;
        const auto status = table_->subscribe(
            host_, view(prefix),
            [](void* user, patchbay_str topic, patchbay_str data) {
                try {
                    const auto function = static_cast<Callback*>(user)->function;
                    (*function)(view(topic), json::parse(view(data)));
                } catch (...) {
                    // An event has nobody to answer to.
                }
            },
            callback.get(), &id);
        if (status != PATCHBAY_OK) throw detail::service_error(status, "events.subscribe");
        return Handle([host = host_, table = table_, id,
                       callback = std::shared_ptr<Callback>(std::move(callback))] {
            table->unsubscribe(host, id);
        });
    }

  private:
    const patchbay_host* host_;
    const patchbay_events_v1* table_;
};

// Timers; they end with the instance.
class Schedule {
  public:
    explicit Schedule(const patchbay_host* host)
        : host_(host),
          table_(&detail::service<patchbay_schedule_v1>(host, PATCHBAY_SERVICE_SCHEDULE)) {}

    // Once, after `delay`, on a host thread.
    Handle after(std::chrono::nanoseconds delay, std::function<void()> action) const {
        return start(delay, {}, std::move(action));
    }
    // Every `period` (at least 1 ms), first after one period; never while it still runs. What the
    // action throws is ignored.
    Handle every(std::chrono::nanoseconds period, std::function<void()> action) const {
        return start(period, period, std::move(action));
    }

  private:
    Handle start(std::chrono::nanoseconds delay, std::chrono::nanoseconds period,
                 std::function<void()> action) const {
        using Callback = detail::Callback<std::function<void()>>;
        auto callback = std::make_unique<Callback>(
            Callback{std::make_shared<std::function<void()>>(std::move(action))});
        std::uint64_t id = 0;
        const auto status = table_->schedule(
            host_, delay.count(), period.count(),
            [](void* user) {
                try {
                    const auto function = static_cast<Callback*>(user)->function;
                    (*function)();
                } catch (...) {
                    // A timer has nobody to answer to.
                }
            },
            callback.get(), &id);
        if (status != PATCHBAY_OK) throw detail::service_error(status, "schedule");
        return Handle([host = host_, table = table_, id,
                       callback = std::shared_ptr<Callback>(std::move(callback))] {
            table->cancel(host, id);
        });
    }

    const patchbay_host* host_;
    const patchbay_schedule_v1* table_;
};

}  // namespace patchbay
