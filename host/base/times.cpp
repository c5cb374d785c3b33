// SPDX-License-Identifier: Apache-2.0
#include "base/times.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace pb {
namespace {

namespace chrono = std::chrono;

constexpr std::int64_t second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
constexpr std::int64_t last = 253'402'300'799'999;  // of the year 9999

// Takes text from its beginning; after the first mismatch everything fails.
class Reader {
  public:
    explicit Reader(std::string_view text) : rest_(text) {}

    int digits(std::size_t count) {
        int out = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const char c = rest_.empty() ? '\0' : rest_.front();
            if (c < '0' || c > '9') good_ = false;
            if (!good_) return 0;
            out = out * 10 + (c - '0');
            rest_.remove_prefix(1);
        }
        return out;
    }
    bool take(char wanted) {
        if (!rest_.starts_with(wanted)) return false;
        rest_.remove_prefix(1);
        return true;
    }
    void need(char wanted, char also = '\0') {
        good_ = (take(wanted) || (also && take(also))) && good_;
    }
    // The part of a second, in milliseconds; what is finer is dropped.
    std::int64_t fraction() {
        std::int64_t out = 0, scale = 100;
        do {
            out += scale * digits(1);
            scale /= 10;
        } while (good_ && !rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9');
        return out;
    }
    bool done() const { return good_ && rest_.empty(); }

  private:
    std::string_view rest_;
    bool good_ = true;
};

// Minutes east of Greenwich, in milliseconds.
std::optional<std::int64_t> offset(Reader& in) {
    if (in.take('Z') || in.take('z')) return 0;
    const bool west = in.take('-');
    if (!west) in.need('+');
    const int hours = in.digits(2);
    in.need(':');
    const int minutes = in.digits(2);
    if (hours > 23 || minutes > 59) return std::nullopt;
    const auto out = hours * hour + minutes * minute;
    return west ? -out : out;
}

}  // namespace

std::string iso_time(std::int64_t ms) {
    const chrono::sys_time<chrono::milliseconds> at{chrono::milliseconds(ms)};
    const auto days = chrono::floor<chrono::days>(at);
    const chrono::year_month_day date(days);
    const chrono::hh_mm_ss time(at - days);
    std::array<char, 64> out{};
    std::snprintf(out.data(), out.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                  static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                  static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()),
                  static_cast<int>(time.subseconds().count()));
    return out.data();
}

std::optional<std::int64_t> parse_time(std::string_view text) {
    Reader in(text);
    const chrono::year year(in.digits(4));
    in.need('-');
    const chrono::month month(static_cast<unsigned>(in.digits(2)));
    in.need('-');
    const chrono::year_month_day date(year, month,
                                      chrono::day(static_cast<unsigned>(in.digits(2))));
    if (!date.ok()) return std::nullopt;
    std::int64_t out = chrono::sys_days(date).time_since_epoch().count() * day;
    if (!in.done()) {
        in.need('T', 't');
        const int hours = in.digits(2);
        in.need(':');
        const int minutes = in.digits(2);
        in.need(':');
        const int seconds = in.digits(2);
        if (hours > 23 || minutes > 59 || seconds > 59) return std::nullopt;
        out += hours * hour + minutes * minute + seconds * second;
        if (in.take('.')) out += in.fraction();
        const auto east = offset(in);
        if (!east || !in.done()) return std::nullopt;
        out -= *east;
    }
    if (out < 0 || out > last) return std::nullopt;
    return out;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
    if (text.empty()) return std::nullopt;
    const auto unit = [&]() -> std::int64_t {
        switch (text.back()) {
            case 's':
                return second;
            case 'm':
                return minute;
            case 'h':
                return hour;
            case 'd':
                return day;
            case 'w':
                return 7 * day;
            default:
                return 0;
        }
    }();
    std::uint32_t count = 0;
    const char* end = text.data() + text.size() - 1;
    const auto read = std::from_chars(text.data(), end, count);
    const auto out = static_cast<std::int64_t>(count) * unit;
    if (unit == 0 || read.ec != std::errc{} || read.ptr != end || out > 36'525 * day)
        return std::nullopt;
    return out;
}

}  // namespace pb
