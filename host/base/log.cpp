// SPDX-License-Identifier: Apache-2.0
// The log: a line is put together in memory and leaves in one write(2), so that lines of several
// threads (and of helper processes on the same standard error) never mix. No logging library: that
// one write is the whole job.
#include "base/log.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace pb::log {
namespace {

constexpr std::array<std::string_view, 7> level_names{"debug", "info",     "notice", "warning",
                                                      "error", "critical", "off"};
// Values come from clients and plugins: bounded, so that one cannot fill the disk with one line.
constexpr std::size_t max_text = 4096;
constexpr std::size_t max_name = 64;
constexpr std::string_view replacement = "\xEF\xBF\xBD";

std::atomic<Sink> redirected{nullptr};
std::atomic<Level> least_level{Level::info};
std::atomic<Format> line_format{Format::text};

void append_time(std::string& out) {
    const auto now = std::chrono::system_clock::now();
    const auto since = now.time_since_epoch();
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(since).count() % 1000;
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    std::array<char, 32> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
    out.append(text.data(), size);
    std::snprintf(text.data(), text.size(), ".%03dZ", static_cast<int>(millis));
    out += text.data();
}

// The length of the well-formed UTF-8 sequence at the start of `text`; 0 if there is none.
std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return 0;
    }
    const bool wrong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) ||
                       (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F);
    return wrong ? 0 : length;
}

// What could move a terminal's cursor or start a new line: C0, DEL, C1, U+2028 and U+2029.
bool is_control(std::string_view sequence) {
    const auto first = static_cast<unsigned char>(sequence[0]);
    if (sequence.size() == 1) return first < 0x20 || first == 0x7F;
    if (sequence.size() == 2) {
        return first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
    }
    return sequence == "\xE2\x80\xA8" || sequence == "\xE2\x80\xA9";
}

void append_control(std::string& out, std::string_view sequence) {
    if (sequence == "\n") {
        out += "\\n";
        return;
    }
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
    unsigned code = byte(0);
    if (sequence.size() == 2) code = byte(1);
    if (sequence.size() == 3) code = 0x2000U + (byte(2) & 0x3FU);
    std::array<char, 8> text{};
    std::snprintf(text.data(), text.size(), "\\u%04x", code);
    out += text.data();
}

// A string literal that is valid as JSON and holds no control character.
void append_quoted(std::string& out, std::string_view text) {
    const bool cut = text.size() > max_text;
    if (cut) text = text.substr(0, max_text);
    out += '"';
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
        if (length == 0) {
            out += replacement;
        } else if (sequence == "\"" || sequence == "\\") {
            out += '\\';
            out += sequence;
        } else if (is_control(sequence)) {
            append_control(out, sequence);
        } else {
            out += sequence;
        }
        text.remove_prefix(sequence.size());
    }
    if (cut) out += "...";
    out += '"';
}

// Text that needs no quotes in `name=value`.
bool is_plain(std::string_view text) {
    if (text.empty() || text.size() > max_text) return false;
    for (const char c : text) {
        if (c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '=') return false;
    }
    return true;
}

// Names may come from a plugin's log() too: kept to what cannot be taken for anything else.
std::string safe_name(std::string_view name) {
    std::string out(name.substr(0, max_name));
    for (char& c : out) {
        const bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
        if (!ok) c = '_';
    }
    return out.empty() ? "_" : out;
}

std::string safe_field_name(std::string_view name) {
    std::string out = safe_name(name);
    if (out == "time" || out == "level" || out == "event") out += '_';
    return out;
}

template <class Number>
void append_number(std::string& out, Number number) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    out.append(text.data(), end);
}

struct ValueWriter {
    std::string& out;
    Format format;

    void operator()(const std::string& text) const {
        if (format == Format::text && is_plain(text)) {
            out += text;
        } else {
            append_quoted(out, text);
        }
    }
    void operator()(bool flag) const { out += flag ? "true" : "false"; }
    void operator()(long long number) const { append_number(out, number); }
    void operator()(double number) const {
        if (std::isfinite(number)) {
            append_number(out, number);
        } else {
            out += "null";  // JSON knows no infinities
        }
    }
};

std::string text_line(Level level, std::string_view event, const Fields& fields) {
    std::string line;
    append_time(line);
    line += ' ';
    line += level_names[static_cast<std::size_t>(level)];
    line += " event=";
    line += safe_name(event);
    for (const auto& [name, value] : fields) {
        line += ' ';
        line += safe_field_name(name);
        line += '=';
        std::visit(ValueWriter{line, Format::text}, value.get());
    }
    line += '\n';
    return line;
}

std::string json_line(Level level, std::string_view event, const Fields& fields) {
    std::string line = "{\"time\":\"";
    append_time(line);
    line += "\",\"level\":\"";
    line += level_names[static_cast<std::size_t>(level)];
    line += "\",\"event\":\"";
    line += safe_name(event);
    line += '"';
    for (const auto& [name, value] : fields) {
        line += ",\"";
        line += safe_field_name(name);
        line += "\":";
        std::visit(ValueWriter{line, Format::json}, value.get());
    }
    line += "}\n";
    return line;
}

void write_all(std::string_view line) {
    while (!line.empty()) {
        const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;  // nobody reads; there is no better place to say so
        line.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace

void configure(Level least, Format format) {
    least_level.store(least, std::memory_order_relaxed);
    line_format.store(format, std::memory_order_relaxed);
}

Level level_from(std::string_view name) {
    for (std::size_t i = 0; i < level_names.size(); ++i) {
        if (level_names[i] == name) return static_cast<Level>(i);
    }
    return Level::info;
}

bool enabled(Level level) {
    return level != Level::off && level >= least_level.load(std::memory_order_relaxed);
}

void redirect(Sink sink) { redirected.store(sink, std::memory_order_release); }

void write(Level level, std::string_view event, const Fields& fields) {
    if (const auto sink = redirected.load(std::memory_order_acquire))
        return sink(level, event, fields);
    if (!enabled(level)) return;
    const Format format = line_format.load(std::memory_order_relaxed);
    write_all(format == Format::json ? json_line(level, event, fields)
                                     : text_line(level, event, fields));
}

}  // namespace pb::log
