// SPDX-License-Identifier: Apache-2.0
// Shelf: the named things of one kind that a plugin offers (tools, resources, ...), read by calls
// while others are added and removed.
#pragma once

#include <patchbay/json.hpp>
#include <patchbay/sync.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace patchbay::detail {

// E has a member `definition`: its JSON text in the list. Thread-safe. Ordered by name, so that
// lists are the same whatever order things came in.
template <class E>
class Shelf {
  public:
    // changed: told after every change, on the thread that made it.
    explicit Shelf(std::function<void()> changed) : changed_(std::move(changed)) {}

    void put(const std::string& name, E entry) {
        auto shared = std::make_shared<const E>(std::move(entry));
        {
            const std::lock_guard lock(mutex_);
            entries_[name].swap(shared);
        }
        changed_();
    }
    bool remove(std::string_view name) {
        std::shared_ptr<const E> removed;  // ends outside the lock
        {
            const std::lock_guard lock(mutex_);
            const auto at = entries_.find(name);
            if (at == entries_.end()) return false;
            removed = std::move(at->second);
            entries_.erase(at);
        }
        changed_();
        return true;
    }
    std::shared_ptr<const E> find(std::string_view name) const {
        const SharedLock<SharedMutex> lock(mutex_);
        const auto at = entries_.find(name);
        return at == entries_.end() ? nullptr : at->second;
    }
    // The first, in order, for which accept(entry) is true.
    template <class F>
    std::shared_ptr<const E> find_if(F&& accept) const {
        const SharedLock<SharedMutex> lock(mutex_);
        for (const auto& [name, entry] : entries_) {
            if (accept(*entry)) return entry;
        }
        return nullptr;
    }
    bool empty() const {
        const SharedLock<SharedMutex> lock(mutex_);
        return entries_.empty();
    }
    // {"<member>":[definitions]}
    std::string list(std::string_view member) const {
        std::string out = "{\"" + std::string(member) + "\":[";
        const SharedLock<SharedMutex> lock(mutex_);
        bool first = true;
        for (const auto& [name, entry] : entries_) {
            if (!first) out += ',';
            first = false;
            out += entry->definition;
        }
        return out + "]}";
    }

  private:
    mutable SharedMutex mutex_;
    std::map<std::string, std::shared_ptr<const E>, std::less<>> entries_;
    std::function<void()> changed_;
};

// What every definition can have: title, description, icons, _meta. B is the builder itself.
template <class B>
class Describable {
  public:
    // For people; the name is for programs.
    B& title(std::string text) { return set("title", std::move(text)); }
    B& describe(std::string text) { return set("description", std::move(text)); }
    // sizes: "48x48", "any".
    B& icon(std::string src, std::string mime_type = {},
            const std::vector<std::string>& sizes = {}) {
        ordered_json icon = {{"src", std::move(src)}};
        if (!mime_type.empty()) icon["mimeType"] = std::move(mime_type);
        if (!sizes.empty()) icon["sizes"] = sizes;
        definition_["icons"].push_back(std::move(icon));
        return self();
    }
    // One member of _meta.
    B& meta(const std::string& name, ordered_json value) {
        definition_["_meta"][name] = std::move(value);
        return self();
    }

  protected:
    explicit Describable(ordered_json definition) : definition_(std::move(definition)) {}
    B& set(const char* name, ordered_json value) {
        definition_[name] = std::move(value);
        return self();
    }
    B& self() { return static_cast<B&>(*this); }

    ordered_json definition_;
};

// std::function wants copies; handlers that own move-only things get them by sharing.
template <class F>
auto shared_handler(F&& handler) {
    return std::make_shared<std::decay_t<F>>(std::forward<F>(handler));
}

}  // namespace patchbay::detail
