// SPDX-License-Identifier: Apache-2.0
// How a call ends: the mapping from what a handler returns or throws to complete(), and AsyncCall,
// which a handler keeps to complete it later.
#pragma once

#include <patchbay/call.hpp>
#include <patchbay/content.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace patchbay {

namespace detail {

// Tools turn an Error into a result; other methods have no such result.
enum class CallKind {
    tool,
    tool_with_schema,  // it has an outputSchema
    asking,            // prompts/get, resources/read
    plain
};

struct Ending {
    patchbay_status status = PATCHBAY_E_INTERNAL;
    std::string body;
};

inline std::string error_text(std::string_view message, const json& data = nullptr) {
    std::string out = "{\"message\":";
    append_quoted(out, message);
    if (!data.is_null()) out += ",\"data\":" + dump(data);
    return out + '}';
}

inline Ending ending_of(const Error& error, CallKind kind) {
    if (kind == CallKind::tool || kind == CallKind::tool_with_schema) {
        return {PATCHBAY_OK, failure_text(error, kind == CallKind::tool_with_schema)};
    }
    const bool fault_of_caller = error.category() == Category::validation;
    return {error.category() == Category::auth ? PATCHBAY_E_DENIED
            : fault_of_caller                  ? PATCHBAY_E_INVALID
            : error.retryable()                ? PATCHBAY_E_BUSY
                                               : PATCHBAY_E_INTERNAL,
            error_text(error.what(), error.body())};
}

// The one place where exceptions become answers. Call it inside a catch block.
inline Ending ending_of_exception(const Call& call, CallKind kind) {
    try {
        throw;
    } catch (const AskFirst&) {
        if (kind == CallKind::plain) {
            return {PATCHBAY_E_INTERNAL, error_text("The plugin asked the user where it cannot")};
        }
        return {PATCHBAY_INPUT_REQUIRED, call.questions_text()};
    } catch (const Error& error) {
        return ending_of(error, kind);
    } catch (const ProtocolError& error) {
        return {error.status(), error_text(error.what(), error.data())};
    } catch (const Cancelled& cancelled) {
        return {cancelled.status(), error_text(cancelled.what())};
    } catch (const std::exception& error) {
        return ending_of(Error("internal", error.what()), kind);
    } catch (...) {
        return ending_of(Error("internal", "The plugin failed"), kind);
    }
}

inline bool end(const patchbay_host* host, patchbay_call id, const Ending& ending) noexcept {
    return host->complete(host, id, ending.status, view(ending.body)) != PATCHBAY_E_GONE;
}

// Runs `make`, which returns the result's text, and ends the call with what comes of it.
template <class F>
bool end_with(const Call& call, CallKind kind, F&& make) noexcept {
    try {
        Ending ending;
        try {
            ending.body = make();
            ending.status = PATCHBAY_OK;
        } catch (...) {
            ending = ending_of_exception(call, kind);
        }
        return end(call.host(), call.id(), ending);
    } catch (...) {
        // Out of memory while saying so: the host has words for an empty body.
        return call.host()->complete(call.host(), call.id(), PATCHBAY_E_INTERNAL, {nullptr, 0}) !=
               PATCHBAY_E_GONE;
    }
}

// What a tool's handler may return, as the text of a result. Described values become structured
// content.
template <class R>
std::string result_text(const R& value) {
    if constexpr (std::is_same_v<R, Result>) {
        return value.text();
    } else if constexpr (std::is_same_v<R, json>) {
        return structured(value).text();
    } else if constexpr (std::is_same_v<R, Content> || std::is_same_v<R, std::vector<Content>>) {
        return Result(value).text();
    } else if constexpr (std::is_convertible_v<const R&, std::string_view>) {
        std::string out = "{\"content\":[{\"type\":\"text\",\"text\":";
        append_quoted(out, value);
        return out + "}]}";
    } else if constexpr (Shaped<R>) {
        return structured(Shape<R>::write(value)).text();
    } else {
        static_assert(always_false<R>,
                      "a tool returns Result, Content, text, json, a described struct or nothing");
    }
}

// What to do when a call is cancelled. One for each plugin instance.
class CancelTable {
  public:
    void add(patchbay_call id, std::function<void()> action) {
        const std::lock_guard lock(mutex_);
        actions_[id] = std::move(action);
    }
    // The action, which no one else gets any more; empty if there is none.
    std::function<void()> take(patchbay_call id) {
        const std::lock_guard lock(mutex_);
        const auto at = actions_.find(id);
        if (at == actions_.end()) return {};
        auto out = std::move(at->second);
        actions_.erase(at);
        return out;
    }

  private:
    Mutex mutex_;
    std::unordered_map<patchbay_call, std::function<void()>> actions_;
};

// Between an AsyncCall and the dispatcher that made it. While the handler still runs, a dropped
// call is left to the dispatcher, which knows whether the handler threw or asked.
enum class AsyncState { handler_runs, dropped_inside, handler_returned, ended };
struct AsyncLink {
    std::atomic<AsyncState> state{AsyncState::handler_runs};
    std::shared_ptr<CancelTable> cancels;
    std::shared_ptr<Call> dropped;  // the call, if dropped_inside
    CallKind kind = CallKind::tool;
};

}  // namespace detail

// A call that outlives its handler. Move it to where the work is done and complete() it there,
// exactly once; further attempts do nothing. Dropping it ends the call with an internal error, so
// nothing waits for ever. Move-only.
class AsyncCall : public Call {
  public:
    // For the SDK.
    AsyncCall(Call&& call, std::shared_ptr<detail::AsyncLink> link)
        : Call(std::move(call)), link_(std::move(link)) {
        own_context();
    }
    AsyncCall(AsyncCall&& other) noexcept = default;
    AsyncCall& operator=(AsyncCall&&) = delete;
    ~AsyncCall() {
        if (!link_) return;
        if (link_->state == detail::AsyncState::handler_runs && leave_to_dispatcher()) return;
        end_with([]() -> std::string { throw dropped(); });
    }

    // Ends the call with a result: whatever a synchronous handler may return. False if it had
    // already ended.
    template <class R>
    bool complete(const R& value) {
        return end_with([&] { return detail::result_text(value); });
    }
    bool complete() {
        return end_with([] { return Result().text(); });
    }
    // Ends the call with a failure.
    bool fail(const Error& error) {
        return end_with([&]() -> std::string { throw Error(error); });
    }
    bool fail(const ProtocolError& error) {
        return end_with([&]() -> std::string { throw ProtocolError(error); });
    }
    // Ends the call with what `work(call)` returns or throws: on the thread that does the work,
    // this makes it as easy as a synchronous handler - questions and errors included.
    template <class F>
    bool finish_with(F&& work) {
        return end_with([&]() -> std::string {
            if constexpr (std::is_void_v<std::invoke_result_t<F, Call&>>) {
                work(static_cast<Call&>(*this));
                return Result().text();
            } else {
                return detail::result_text(work(static_cast<Call&>(*this)));
            }
        });
    }

    // Runs `action` once if the call is cancelled or runs out of time, on a host thread; at once if
    // that has already happened. The call must still be completed.
    void on_cancel(std::function<void()> action) {
        if (!link_) return;
        link_->cancels->add(id(), std::move(action));
        if (!cancelled()) return;
        if (const auto late = link_->cancels->take(id())) late();
    }

    static ProtocolError dropped() {
        return {PATCHBAY_E_INTERNAL, "The plugin dropped the call without an answer"};
    }

  private:
    bool leave_to_dispatcher() noexcept {
        try {
            // What the handler asked must survive it.
            const auto link = link_;
            link->dropped =
                std::shared_ptr<Call>(new AsyncCall(std::move(static_cast<Call&>(*this)), nullptr));
            auto expected = detail::AsyncState::handler_runs;
            if (!link->state.compare_exchange_strong(expected,
                                                     detail::AsyncState::dropped_inside)) {
                return false;
            }
            link->cancels->take(id());
            return true;
        } catch (...) {
            return false;
        }
    }
    template <class F>
    bool end_with(F&& make) noexcept {
        if (!link_) return false;
        const auto link = std::move(link_);
        link->state = detail::AsyncState::ended;
        const bool first = detail::end_with(*this, link->kind, std::forward<F>(make));
        // Only now: finish_with() does its work in between, and that can be cancelled.
        link->cancels->take(id());
        return first;
    }

    std::shared_ptr<detail::AsyncLink> link_;
};

}  // namespace patchbay
