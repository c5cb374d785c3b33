// SPDX-License-Identifier: Apache-2.0
// The host's log: one line for each event, structured, on standard error (standard output belongs
// to the stdio transport). An event has a dotted name and fields; never a secret.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace pb::log {

enum class Level { debug, info, notice, warning, error, critical, off };
enum class Format { text, json };

// A value in a log line. Text is escaped, so that no input can forge a line.
class Value {
  public:
    Value(std::string_view text) : value_(std::string(text)) {}
    Value(const char* text) : value_(std::string(text)) {}
    Value(const std::string& text) : value_(text) {}
    Value(bool flag) : value_(flag) {}
    Value(int number) : value_(static_cast<long long>(number)) {}
    Value(long number) : value_(static_cast<long long>(number)) {}
    Value(long long number) : value_(number) {}
    Value(unsigned number) : value_(static_cast<long long>(number)) {}
    Value(unsigned long number) : value_(static_cast<long long>(number)) {}
    Value(double number) : value_(number) {}

    const std::variant<std::string, bool, long long, double>& get() const { return value_; }

  private:
    std::variant<std::string, bool, long long, double> value_;
};

using Field = std::pair<std::string_view, Value>;
using Fields = std::vector<Field>;

// [any thread] Sets what is written; the default is info and above, as text.
void configure(Level least, Format format);
Level level_from(std::string_view name);  // "debug" ... "critical", "off"; anything else: info
bool enabled(Level level);

// For code that is linked into a plugin: its lines go to `sink` (the host's log) instead, all of
// them. Null: standard error again.
using Sink = void (*)(Level level, std::string_view event, const Fields& fields);
void redirect(Sink sink);

// [any thread] Writes one line.
void write(Level level, std::string_view event, const Fields& fields);

inline void debug(std::string_view event, const Fields& fields = {}) {
    write(Level::debug, event, fields);
}
inline void info(std::string_view event, const Fields& fields = {}) {
    write(Level::info, event, fields);
}
inline void warning(std::string_view event, const Fields& fields = {}) {
    write(Level::warning, event, fields);
}
inline void error(std::string_view event, const Fields& fields = {}) {
    write(Level::error, event, fields);
}

}  // namespace pb::log
