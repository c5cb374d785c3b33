// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or the Error that explains its absence, for failures that are expected.
// Exceptions stay for the unexpected; they are caught at the edges of threads and requests.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace pb {

// What kind of failure: few on purpose; the text says the rest. The protocol layer maps a kind to a
// JSON-RPC code and an HTTP status in one place (mcp/errors).
enum class ErrorKind {
    invalid,      // the input is wrong
    not_found,    // no such thing (or not for this caller)
    unsupported,  // not implemented here
    denied,       // the caller may not
    cancelled,
    deadline,  // its time is over
    busy,      // overloaded; later may work
    gone,      // it has ended
    internal,  // our fault, or a plugin's
};

struct Error {
    ErrorKind kind = ErrorKind::internal;
    std::string message;  // one sentence for a person: what was wrong and what would be right
};

template <class T>
class [[nodiscard]] Result {
  public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return state_.index() == 0; }
    bool ok() const { return state_.index() == 0; }

    T& value() & { return std::get<0>(state_); }
    const T& value() const& { return std::get<0>(state_); }
    T&& value() && { return std::get<0>(std::move(state_)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    const Error& error() const& { return std::get<1>(state_); }
    Error&& error() && { return std::get<1>(std::move(state_)); }

  private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
  public:
    Result() = default;
    Result(Error error) : error_(std::move(error)) {}

    explicit operator bool() const { return !error_; }
    bool ok() const { return !error_; }
    const Error& error() const& { return *error_; }
    Error&& error() && { return std::move(*error_); }

  private:
    std::optional<Error> error_;
};

inline Error invalid(std::string message) { return {ErrorKind::invalid, std::move(message)}; }
inline Error not_found(std::string message) { return {ErrorKind::not_found, std::move(message)}; }
inline Error internal_error(std::string message) {
    return {ErrorKind::internal, std::move(message)};
}

}  // namespace pb
