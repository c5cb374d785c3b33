// SPDX-License-Identifier: Apache-2.0
// Turning plugins' log lines into the host's.
#include "plugin/plugin_log.h"

#include <algorithm>
#include <set>
#include <vector>

#include "base/log.h"
#include "json/scan.h"

namespace pb::plugin {
namespace {

constexpr std::size_t max_message = 8192;
constexpr std::size_t max_reason = 500;
constexpr std::size_t max_fields = 32;
constexpr std::size_t max_name = 64;

log::Level level_of(std::int32_t level) {
    static constexpr log::Level levels[] = {log::Level::debug,  log::Level::info,
                                            log::Level::notice, log::Level::warning,
                                            log::Level::error,  log::Level::critical};
    return levels[std::clamp<std::int32_t>(level, 0, 5)];
}

// Not in the middle of a UTF-8 sequence.
std::string_view cut(std::string_view text, std::size_t most) {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80)
        --most;
    return text.substr(0, most);
}

bool is_name(std::string_view name) {
    auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.' || c == '-';
    };
    return !name.empty() && name.size() <= max_name && std::all_of(name.begin(), name.end(), fits);
}

log::Value value_of(std::string_view value) {
    if (auto text = json::string_value(value)) return log::Value(*text);
    if (value == "true" || value == "false") return log::Value(value == "true");
    if (auto integer = json::integer_value(value))
        return log::Value(static_cast<long long>(*integer));
    if (auto number = json::number_value(value)) return log::Value(*number);
    return log::Value(value);
}

}  // namespace

std::string printable(std::string_view message) { return std::string(cut(message, max_reason)); }

void write_plugin_log(const LogSource& source, std::int32_t level, std::string_view message,
                      std::string_view fields) {
    if (!log::enabled(level_of(level))) return;
    log::Fields line = {{"plugin", source.plugin},
                        {"org", source.org},
                        {"capability", source.capability},
                        {"message", cut(message, max_message)}};
    // A plugin must not pass for another one, nor forge what the log itself adds.
    std::set<std::string_view> taken = {"plugin", "org",   "capability", "message",
                                        "time",   "event", "level"};
    std::vector<json::Member> members;
    json::Limits limits{.size = max_message, .depth = 8, .values = 256};
    if (!fields.empty() && json::scan(fields, limits).ok()) json::members(fields, members);
    for (const json::Member& member : members)
        if (line.size() < max_fields && is_name(member.key) && taken.insert(member.key).second)
            line.emplace_back(member.key, value_of(member.value));
    log::write(level_of(level), "plugin.log", line);
}

}  // namespace pb::plugin
