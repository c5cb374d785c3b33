// SPDX-License-Identifier: Apache-2.0
// Calls from a plugin to what the organisation's catalog exposes (service patchbay.invoke/1).
// Handlers use Call::invoke(), which carries the caller's authority; Plugin::invoke() acts as the
// capability itself.
#pragma once

#include <patchbay/error.hpp>
#include <patchbay/sync.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace patchbay {

namespace detail {

// A host service's table; Error "service_unavailable" where the host has none.
template <class Table>
const Table& service(const patchbay_host* host, const char* id) {
    const auto* table = static_cast<const Table*>(host->service(host, id));
    if (table == nullptr) {
        throw Error("service_unavailable", std::string("This host does not offer ") + id);
    }
    return *table;
}

}  // namespace detail

// The result object of an invoked method.
class Invoked {
  public:
    explicit Invoked(json result) : result_(std::move(result)) {}
    const json& raw() const noexcept { return result_; }

    // tools/call: the tool ran and failed; text() says why.
    bool is_error() const { return result_.value("isError", false); }
    // tools/call: all text blocks, joined by line breaks.
    std::string text() const {
        std::string out;
        const auto content = result_.find("content");
        if (content == result_.end() || !content->is_array()) return out;
        for (const auto& block : *content) {
            if (!block.is_object() || block.value("type", "") != "text") continue;
            if (!out.empty()) out += '\n';
            out += block.value("text", "");
        }
        return out;
    }
    // tools/call: structuredContent, or null.
    json structured() const { return result_.value("structuredContent", json()); }

  private:
    json result_;
};

// How an invoked call ended.
struct Reply {
    patchbay_status status = PATCHBAY_E_INTERNAL;
    std::string body;

    // The result. Throws Error where the call ended with an error status.
    Invoked get() const {
        json value = json::parse(body, nullptr, false);
        if (status == PATCHBAY_OK && value.is_object()) return Invoked(std::move(value));
        if (status == PATCHBAY_INPUT_REQUIRED) {
            throw Error("input_required", "The invoked tool wants to ask its caller");
        }
        Error error = detail::service_error(status, "invoke");
        const auto message = value.is_object() ? value.find("message") : value.end();
        if (message == value.end() || !message->is_string()) throw error;
        throw Error(error.code(), message->get<std::string>()).category(error.category());
    }
};
// Receives a reply, exactly once, on any thread.
using ReplyHandler = std::function<void(Reply)>;

namespace detail {

// scope: an array of {"mcpServers":{...}} objects, or null.
inline void invoke(const patchbay_host* host, patchbay_call parent, const json& scope,
                   std::string_view method, const json& params, std::chrono::nanoseconds timeout,
                   patchbay_invoke_done done, void* user) {
    const auto& table = service<patchbay_invoke_v1>(host, PATCHBAY_SERVICE_INVOKE);
    const std::string text = dump(params);
    patchbay_status status = PATCHBAY_E_UNSUPPORTED;
    if (scope.is_null()) {
        status = table.invoke(host, parent, view(method), view(text), timeout.count(), done, user);
    } else if (PATCHBAY_HAS(&table, patchbay_invoke_v1, invoke_in)) {
        const std::string servers = dump(scope);
        status = table.invoke_in(host, parent, view(servers), view(method), view(text),
                                 timeout.count(), done, user);
    }
    if (status != PATCHBAY_OK) throw service_error(status, "invoke");
}

inline void invoke_async(const patchbay_host* host, patchbay_call parent, const json& scope,
                         std::string_view method, const json& params,
                         std::chrono::nanoseconds timeout, ReplyHandler handler) {
    auto owned = std::make_unique<ReplyHandler>(std::move(handler));
    invoke(
        host, parent, scope, method, params, timeout,
        [](void* user, patchbay_status status, patchbay_str body) {
            try {
                const std::unique_ptr<ReplyHandler> handler(static_cast<ReplyHandler*>(user));
                (*handler)(Reply{status, std::string(view(body))});
            } catch (...) {
                // Nobody is left to tell; a call that the handler held was completed by its end.
            }
        },
        owned.get());
    // Only now: a refused invoke never calls back, so the handler is still ours until here.
    static_cast<void>(owned.release());
}

inline Reply invoke_and_wait(const patchbay_host* host, patchbay_call parent, const json& scope,
                             std::string_view method, const json& params,
                             std::chrono::nanoseconds timeout) {
    struct Waiting {
        Reply reply;
        Signal done;
    } waiting;
    invoke(
        host, parent, scope, method, params, timeout,
        [](void* user, patchbay_status status, patchbay_str body) {
            auto& to = *static_cast<Waiting*>(user);
            try {
                to.reply = Reply{status, std::string(view(body))};
            } catch (...) {
                to.reply.status = PATCHBAY_E_INTERNAL;
            }
            to.done.set();
        },
        &waiting);
    waiting.done.wait();
    return std::move(waiting.reply);
}

inline json tool_params(std::string_view tool, json arguments) {
    if (arguments.is_null()) arguments = json::object();
    return {{"name", tool}, {"arguments", std::move(arguments)}};
}

}  // namespace detail

}  // namespace patchbay
