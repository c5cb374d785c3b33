// SPDX-License-Identifier: Apache-2.0
// How a handler says that it failed. Everything here is thrown inside the plugin and caught by the
// SDK before the boundary; nothing crosses it.
//
//   Error          the tool's own failure: a result with isError that the model can read and act on
//                  https://modelcontextprotocol.io/specification/2026-07-28/server/tools#error-handling
//   ProtocolError  the request itself is at fault (unknown resource, ...): a JSON-RPC error
//   Cancelled      the call was cancelled or its time is over: what call.sleep() throws
//   anything else  an Error with the code "internal" and what() as its message
#pragma once

#include <patchbay/json.hpp>

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>

namespace patchbay {

// What the caller can do about a failure.
enum class Category {
    transient,   // try again later, unchanged
    permanent,   // trying again will not help
    validation,  // try again with other arguments
    auth         // try again with other rights
};

inline const char* to_text(Category category) noexcept {
    switch (category) {
        case Category::transient:
            return "transient";
        case Category::validation:
            return "validation";
        case Category::auth:
            return "auth";
        case Category::permanent:
            break;
    }
    return "permanent";
}

// A tool's failure, for the model and the person behind it: no secrets in any of its texts.
//   throw patchbay::Error("no_such_city", "There is no city called " + name).validation();
//   throw patchbay::Error("busy", "The forecast service is overloaded").transient(30);
class Error : public std::runtime_error {
  public:
    // code: a short stable snake_case word; message: one sentence.
    Error(std::string code, const std::string& message)
        : std::runtime_error(message), code_(std::move(code)) {}

    // Worth retrying, after so many seconds if given.
    Error& transient(std::optional<double> retry_after_seconds = std::nullopt) {
        retry_after_ = retry_after_seconds;
        return category(Category::transient);
    }
    Error& validation() { return category(Category::validation); }
    Error& auth() { return category(Category::auth); }
    Error& category(Category category) {
        category_ = category;
        return *this;
    }
    // For a transient failure after which the work may have been done all the same: a repetition is
    // the caller's decision, no client's own.
    Error& may_have_run() {
        may_have_run_ = true;
        return *this;
    }
    // What to do instead; one sentence.
    Error& hint(std::string hint) {
        hint_ = std::move(hint);
        return *this;
    }

    const std::string& code() const noexcept { return code_; }
    Category category() const noexcept { return category_; }
    bool retryable() const noexcept { return category_ == Category::transient && !may_have_run_; }
    std::optional<double> retry_after_seconds() const noexcept { return retry_after_; }
    const std::string& hint() const noexcept { return hint_; }

    // {"code","category","retryable","message","retry_after_seconds"?,"hint"?}
    json body() const {
        json out = {{"code", code_},
                    {"category", to_text(category_)},
                    {"retryable", retryable()},
                    {"message", what()}};
        if (retry_after_) out["retry_after_seconds"] = *retry_after_;
        if (!hint_.empty()) out["hint"] = hint_;
        return out;
    }

  private:
    std::string code_;
    std::string hint_;
    std::optional<double> retry_after_;
    Category category_ = Category::permanent;
    bool may_have_run_ = false;
};
using ToolError = Error;

// Ends the call with a JSON-RPC error. status: one of PATCHBAY_E_*; the host maps it to the code.
class ProtocolError : public std::runtime_error {
  public:
    ProtocolError(patchbay_status status, const std::string& message, json data = nullptr)
        : std::runtime_error(message), data_(std::move(data)), status_(status) {}

    patchbay_status status() const noexcept { return status_; }
    const json& data() const noexcept { return data_; }

  private:
    json data_;
    patchbay_status status_;
};

// For resource and prompt handlers: what was asked for does not exist (any more).
inline ProtocolError not_found(const std::string& message, json data = nullptr) {
    return {PATCHBAY_E_NOT_FOUND, message, std::move(data)};
}

// For what a caller's source: and object: scopes leave out (Call::permits_source()), in tools,
// resources and prompts alike.
inline Error not_permitted() {
    return Error("permission_denied", "Not permitted by current access scope").auth();
}

// The call is over: cancelled by the client, past its deadline, or ended by the host. Let it pass,
// so that the handler ends; catch it only to clean up.
class Cancelled : public std::exception {
  public:
    // status: PATCHBAY_E_CANCELLED, PATCHBAY_E_DEADLINE or PATCHBAY_E_GONE.
    explicit Cancelled(patchbay_status status) noexcept : status_(status) {}
    patchbay_status status() const noexcept { return status_; }
    const char* what() const noexcept override {
        return status_ == PATCHBAY_E_DEADLINE ? "The call's time is over"
                                              : "The call was cancelled";
    }

  private:
    patchbay_status status_;
};

namespace detail {

// Ends a handler whose questions must be answered first. Not a std::exception, so that a handler's
// own catch of those does not swallow it.
struct AskFirst {};

// The Error for a status that a host service answered.
inline Error service_error(patchbay_status status, const std::string& what) {
    switch (status) {
        case PATCHBAY_E_AGAIN:
        case PATCHBAY_E_BUSY:
            return Error("busy", what + ": the host is busy").transient();
        case PATCHBAY_E_NOT_FOUND:
            return {"not_found", what + ": not found"};
        case PATCHBAY_E_INVALID:
            return Error("invalid", what + ": invalid argument").validation();
        case PATCHBAY_E_DENIED:
            return Error("denied", what + ": not permitted").auth();
        case PATCHBAY_E_CANCELLED:
            return {"cancelled", what + ": cancelled"};
        case PATCHBAY_E_DEADLINE:
            return Error("deadline", what + ": out of time").transient();
        case PATCHBAY_E_GONE:
            return {"stopping", what + ": the call or the plugin has ended"};
        case PATCHBAY_E_UNSUPPORTED:
            return {"unsupported", what + ": this host does not offer it"};
        default:
            return {"host_failure", what + ": the host failed"};
    }
}

}  // namespace detail

}  // namespace patchbay
