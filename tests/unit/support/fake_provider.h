// SPDX-License-Identifier: Apache-2.0
// A provider made of functions.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "catalog/provider.h"

namespace pb::test {

using catalog::Status;
using nlohmann::json;

// Answers the methods it was given; keeps calls that nobody answers.
class FakeProvider : public catalog::Provider {
  public:
    explicit FakeProvider(catalog::CallSink& calls) : calls_(calls) {}

    using Handler = std::function<void(catalog::CallId, const json& params, const json& context)>;
    std::map<std::string, Handler> handlers;

    // [any thread] How often it was told to cancel a call.
    std::size_t cancels() {
        std::lock_guard lock(mutex);
        return cancelled.size();
    }

    std::string_view label() const override { return "fake@1.0.0#1"; }
    void handle(const catalog::ProviderRequest& request) noexcept override {
        auto found = handlers.find(std::string(request.method));
        if (found == handlers.end()) {
            calls_.complete(request.call, Status::unsupported, {});
            return;
        }
        found->second(request.call, json::parse(request.params), json::parse(request.context));
    }
    void cancel(catalog::CallId call) noexcept override {
        std::lock_guard lock(mutex);
        cancelled.push_back(call);
        changed.notify_all();
    }

    void ok(catalog::CallId call, const json& body) {
        calls_.complete(call, Status::ok, body.dump());
    }

    std::mutex mutex;
    std::condition_variable changed;
    std::vector<catalog::CallId> cancelled;
    bool wait_cancelled(catalog::CallId call) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, std::chrono::seconds(60), [&] {
            return std::find(cancelled.begin(), cancelled.end(), call) != cancelled.end();
        });
    }

  private:
    catalog::CallSink& calls_;
};

inline json text_result(const std::string& text) {
    return {{"content", {{{"type", "text"}, {"text", text}}}}};
}

inline json simple_tool(const std::string& name) {
    return {{"name", name}, {"description", "a tool"}, {"inputSchema", {{"type", "object"}}}};
}

}  // namespace pb::test
