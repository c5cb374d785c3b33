// SPDX-License-Identifier: Apache-2.0
// A page is looked for in windows of so many records of the organisation, as long as there is time:
// no question keeps the file, or whoever asks after this one, for long.
#include "audit/reader.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <limits>

#include "audit/file.h"
#include "base/base64.h"
#include "base/tokens.h"
#include "json/scan.h"

namespace pb::audit {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t window = 20'000;
constexpr std::chrono::milliseconds patience{2'000};
constexpr std::size_t most_bytes = 4u << 20, longest_filter = 2048, longest_glob = 256;
constexpr std::size_t id_bytes = 8;
constexpr std::array<std::string_view, 10> outcomes{
    "ok",      "input_required", "tool_error", "error", "denied",
    "limited", "cancelled",      "deadline",   "busy",  "failed"};

// Numbers first, then texts, in the order of packed.h.
constexpr std::string_view columns =
    "SELECT id, at_ms, code, duration_us, request_bytes, response_bytes, org, kind, method,"
    " principal, principal_kind, credential, client, address, name, original, capability, upstream,"
    " outcome, reason, trace_id, arguments, result FROM record ";
// ?1 and ?2 are the window, ?3 the organisation.
constexpr std::string_view of_org =
    " INDEXED BY record_org WHERE id >= ?1 AND id < ?2 AND org = ?3";
constexpr std::string_view of_all = " WHERE id >= ?1 AND id < ?2 AND ?3 IS NULL";
constexpr std::string_view as_asked =
    " AND (?4 = '' OR kind = ?4) AND (?5 = '' OR method = ?5) AND (?6 = '' OR coalesce(name, '') "
    "GLOB ?6)"
    " AND (?7 = '' OR outcome = ?7 OR (?7 = 'failed' AND outcome NOT IN ('ok', 'input_required')))"
    " AND (?8 = '' OR principal = ?8) AND (?9 = '' OR client = ?9)"
    " AND (?10 = '' OR credential = ?10) AND (?11 = '' OR capability = ?11)"
    " AND (?12 = '' OR trace_id = ?12) ORDER BY id DESC LIMIT ?13";

std::string_view whose(const Filter& filter) { return filter.org ? of_org : of_all; }

Result<void> check_filter(const Filter& filter) {
    for (const auto* text :
         {&filter.kind, &filter.method, &filter.name, &filter.outcome, &filter.principal,
          &filter.client, &filter.credential, &filter.capability, &filter.trace_id})
        if (text->size() > longest_filter)
            return invalid("a filter of the audit trail is longer than 2048 bytes");
    if (filter.name.find('*') != std::string::npos && filter.name.size() > longest_glob)
        return invalid("a name with \"*\" is longer than 256 bytes");
    if (!filter.outcome.empty() &&
        std::find(outcomes.begin(), outcomes.end(), filter.outcome) == outcomes.end()) {
        std::string all;
        for (const auto each : outcomes)
            all.append(all.empty() ? "" : ", ").append(each);
        return invalid("there is no such outcome; there are: " + all);
    }
    return {};
}

// SQLite's pattern for a name in which "*" alone is special.
std::string glob_of(std::string_view name) {
    std::string out;
    for (const char c : name) {
        if (c == '*' && out.ends_with('*')) continue;
        if (c == '?' || c == '[')
            out.append(1, '[').append(1, c).append(1, ']');
        else
            out += c;
    }
    return out;
}

// Good for one organisation alone; nothing in it is a secret.
std::string mark_of(const std::optional<std::string>& org) {
    return sha256(org ? "audit of " + *org : "audit").substr(0, id_bytes);
}

std::string cursor_at(std::int64_t id, const std::optional<std::string>& org) {
    std::string bytes;
    for (std::size_t i = id_bytes; i-- > 0;)
        bytes += static_cast<char>(static_cast<std::uint64_t>(id) >> (8 * i) & 0xff);
    return base64_encode(bytes + mark_of(org), Alphabet::url);
}

std::optional<std::int64_t> id_of(std::string_view cursor, const std::optional<std::string>& org) {
    const auto bytes = base64_decode(cursor, Alphabet::url);
    if (!bytes || bytes->size() != 2 * id_bytes || bytes->substr(id_bytes) != mark_of(org))
        return std::nullopt;
    std::uint64_t id = 0;
    for (std::size_t i = 0; i < id_bytes; ++i)
        id = id << 8 | static_cast<unsigned char>((*bytes)[i]);
    return static_cast<std::int64_t>(id);
}

// "2026-11-22T04:51:02.123Z"
std::string time_text(std::int64_t ms) {
    const std::time_t seconds = ms / 1000;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    std::array<char, 64> text{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
    std::snprintf(text.data() + size, text.size() - size, ".%03dZ", static_cast<int>(ms % 1000));
    return text.data();
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
    out.append(out.size() > 1 ? ",\"" : "\"").append(name).append("\":").append(value);
}

// What is empty or 0 is left out, but for what every record has.
std::string line_of(const store::Statement& row) {
    constexpr int first_text = 1 + static_cast<int>(number_fields.size());
    std::string out = "{";
    append_member(out, "id", json::quote(std::to_string(row.integer(0))));
    append_member(out, "at", json::quote(time_text(std::max<std::int64_t>(row.integer(1), 0))));
    for (std::size_t i = 0; i < text_fields.size(); ++i) {
        const auto text = row.bytes(first_text + static_cast<int>(i));
        if (text.empty()) continue;
        const bool json = text_fields[i] == "arguments" || text_fields[i] == "result";
        append_member(out, text_fields[i],
                      json && json::scan(text) ? json::compact(text) : json::quote(text));
    }
    for (std::size_t i = 1; i < number_fields.size(); ++i) {
        const auto number = row.integer(1 + static_cast<int>(i));
        if (number != 0) append_member(out, number_fields[i], std::to_string(number));
    }
    return out + "}";
}

void bind_window(const store::Statement::Use& use, const Filter& filter, std::int64_t low,
                 std::int64_t high) {
    use->bind(1, low);
    use->bind(2, high);
    if (filter.org)
        use->bind_text(3, *filter.org);
    else
        use->bind_null(3);
}

}  // namespace

std::string Page::json() const {
    std::string out = "{\"records\":[";
    for (const auto& record : records)
        out.append(&record == &records.front() ? "" : ",").append(record);
    out += "]";
    if (!next.empty()) append_member(out, "next", json::quote(next));
    append_member(out, "dropped", std::to_string(dropped));
    return out + "}";
}

Result<std::unique_ptr<Reader>> Reader::open(const std::string& folder,
                                             std::chrono::milliseconds time) {
    const auto path = folder + "/audit.db";
    struct stat file {};
    if (stat(path.c_str(), &file) != 0)
        return not_found("there is no audit trail in '" + folder + "' yet");
    auto database = store::Database::open_to_read(path);
    if (!database) return database.error();
    if (auto checked = store::check_schema(*database, schema_version); !checked)
        return Error{checked.error().kind,
                     "'" + path + "' cannot be used: " + checked.error().message};
    return std::unique_ptr<Reader>(new Reader(std::move(*database), time));
}

// Where the window that ends below `high` begins; nullopt if all that is left fits.
Result<std::optional<std::int64_t>> Reader::floor(const Filter& filter, std::int64_t low,
                                                  std::int64_t high) const {
    auto found = database_.prepare("SELECT id FROM record" + std::string(whose(filter)) +
                                   " ORDER BY id DESC LIMIT 1 OFFSET ?4");
    if (!found) return found.error();
    const store::Statement::Use use(*found);
    bind_window(use, filter, low, high);
    use->bind(4, window);
    const int got = use->step();
    if (got == SQLITE_ROW) return std::optional(use->integer(0));
    if (got != SQLITE_DONE) return database_.failure("the audit trail cannot be read");
    return std::optional<std::int64_t>();
}

// The id of the last one of the page if it is full, 0 otherwise.
Result<std::int64_t> Reader::collect(const Filter& filter, std::int64_t low, std::int64_t high,
                                     std::size_t limit, Page& page, std::size_t& bytes) const {
    auto found = database_.prepare(std::string(columns).append(whose(filter)).append(as_asked));
    if (!found) return found.error();
    const auto name = glob_of(filter.name);
    const store::Statement::Use use(*found);
    bind_window(use, filter, low, high);
    int column = 3;
    for (const std::string_view text :
         {std::string_view(filter.kind), std::string_view(filter.method), std::string_view(name),
          std::string_view(filter.outcome), std::string_view(filter.principal),
          std::string_view(filter.client), std::string_view(filter.credential),
          std::string_view(filter.capability), std::string_view(filter.trace_id)})
        use->bind_text(++column, text);
    use->bind(++column, static_cast<std::int64_t>(limit - page.records.size()));
    int got = use->step();
    for (; got == SQLITE_ROW; got = use->step()) {
        page.records.push_back(line_of(*found));
        bytes += page.records.back().size();
        if (page.records.size() == limit || bytes >= most_bytes) return use->integer(0);
    }
    if (got != SQLITE_DONE) return database_.failure("the audit trail cannot be read");
    return std::int64_t{0};
}

Result<std::int64_t> Reader::dropped(const Filter& filter) const {
    auto found = database_.prepare(
        "SELECT coalesce(sum(records), 0) FROM dropped WHERE ?1 IS NULL OR org = ?1");
    if (!found) return found.error();
    const store::Statement::Use use(*found);
    if (filter.org) use->bind_text(1, *filter.org);
    if (use->step() != SQLITE_ROW) return database_.failure("the audit trail cannot be read");
    return use->integer(0);
}

// The records of [low, high), the newest first.
Result<Page> Reader::look_for(const Filter& filter, std::int64_t low, std::int64_t high,
                              std::size_t limit) const {
    Page page;
    auto lost = dropped(filter);
    if (!lost) return lost.error();
    page.dropped = *lost;
    const auto end = Clock::now() + time_;
    for (std::size_t bytes = 0;;) {
        auto begin = floor(filter, low, high);
        if (!begin) return begin.error();
        auto last = collect(filter, begin->value_or(low), high, limit, page, bytes);
        if (!last) return last.error();
        if (*last == 0 && !*begin) return page;
        high = *last != 0 ? *last : **begin;
        if (*last != 0 || Clock::now() >= end) {
            page.next = cursor_at(high, filter.org);
            return page;
        }
    }
}

Result<Page> Reader::page(const Filter& filter, std::string_view cursor, std::size_t limit) {
    if (limit < 1 || limit > most_per_page)
        return invalid("a page of the audit trail has 1 to 1000 records");
    if (auto fine = check_filter(filter); !fine) return fine.error();
    const auto low = filter.from_ms ? id_at(*filter.from_ms) : 0;
    auto high = filter.to_ms ? id_at(*filter.to_ms) : std::numeric_limits<std::int64_t>::max();
    if (!cursor.empty()) {
        const auto id = id_of(cursor, filter.org);
        if (!id) return invalid("the cursor is not one of this organisation's audit trail");
        high = std::min(high, *id);
    }
    std::unique_lock lock(mutex_);
    if (!free_.wait_for(lock, patience, [this] { return !reading_; }))
        return Error{ErrorKind::busy, "others are reading the audit trail; try again"};
    reading_ = true;
    lock.unlock();
    const Turn turn(*this);
    return look_for(filter, low, high, limit);
}

}  // namespace pb::audit
