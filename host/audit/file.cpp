// SPDX-License-Identifier: Apache-2.0
#include "audit/file.h"

#include <limits>
#include <random>

namespace pb::audit {
namespace {

constexpr const char* cannot_write = "the audit trail cannot be written";
constexpr std::size_t many_records = 16;
constexpr std::int64_t id_mask = (std::int64_t{1} << id_shift) - 1;

// Version 1. Only organisations have an index: a reader walks through one's records from the newest
// to the oldest, and each further index would make every call dearer. How much each one has is
// kept, because counting it would mean to read the whole file. A text that is empty is NULL, which
// takes less time to write.
constexpr const char* schema = R"(
CREATE TABLE record(
    id INTEGER PRIMARY KEY,
    size INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    code INTEGER NOT NULL,
    duration_us INTEGER NOT NULL,
    request_bytes INTEGER NOT NULL,
    response_bytes INTEGER NOT NULL,
    org TEXT NOT NULL,
    kind TEXT,
    method TEXT,
    principal TEXT,
    principal_kind TEXT,
    credential TEXT,
    client TEXT,
    address TEXT,
    name TEXT,
    original TEXT,
    capability TEXT,
    upstream TEXT,
    outcome TEXT,
    reason TEXT,
    trace_id TEXT,
    arguments TEXT,
    result TEXT) STRICT;
CREATE INDEX record_org ON record(org);
CREATE TABLE held(
    org TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TRIGGER gone AFTER DELETE ON record BEGIN
    UPDATE held SET bytes = bytes - old.size WHERE org = old.org;
END;
CREATE TABLE dropped(
    org TEXT PRIMARY KEY,
    records INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE schema(version INTEGER NOT NULL) STRICT;
INSERT INTO schema VALUES(1);
)";
constexpr int column_count = 2 + static_cast<int>(number_fields.size() + text_fields.size());

// Many rows in one go take a good deal less time than one by one; OR FAIL, because otherwise SQLite
// keeps a copy of every page that it changes, to take back the rows before one that fails.
std::string insert_sql(std::size_t rows) {
    std::string row = "(?";
    for (int i = 1; i < column_count; ++i)
        row += ",?";
    row += ')';
    std::string out =
        "INSERT OR FAIL INTO record(id, size, at_ms, code, duration_us, request_bytes, "
        "response_bytes, org,"
        " kind, method, principal, principal_kind, credential, client, address, name, original,"
        " capability, upstream, outcome, reason, trace_id, arguments, result) VALUES" +
        row;
    for (std::size_t i = 1; i < rows; ++i)
        out.append(",").append(row);
    return out;
}

// What a record takes besides its texts.
constexpr std::int64_t record_overhead = 64;

std::int64_t size_of(const Packed& record) {
    std::int64_t out = record_overhead;
    for (const auto text : record.texts)
        out += static_cast<std::int64_t>(text.size());
    return out;
}

}  // namespace

File::File(store::Database database, store::Statement insert, store::Statement insert_many)
    : database_(std::move(database)),
      insert_(std::move(insert)),
      insert_many_(std::move(insert_many)),
      // Another program, or this one before, may have written in the same millisecond.
      next_(static_cast<std::int64_t>(std::random_device()()) & id_mask) {}

Result<File> File::open(const std::string& path) {
    auto database = store::Database::open(path);
    if (!database) return database.error();
    if (auto made = store::ensure_schema(*database, schema, schema_version); !made)
        return Error{made.error().kind, "'" + path + "' cannot be used: " + made.error().message};
    // Moving records from the log to the file goes better in larger portions.
    if (auto set = database->execute("PRAGMA wal_autocheckpoint=4000"); !set) return set.error();
    auto insert = database->prepare(insert_sql(1));
    if (!insert) return insert.error();
    auto many = database->prepare(insert_sql(many_records));
    if (!many) return many.error();
    return File(std::move(*database), std::move(*insert), std::move(*many));
}

// The statement's one row or its many.
int File::insert(const store::Statement& statement, std::span<const Packed> records) {
    const store::Statement::Use use(statement);
    int column = 0;
    for (const auto& record : records) {
        next_ = (next_ + 1) & id_mask;
        use->bind(++column, id_at(record.at_ms()) | next_);
        use->bind(++column, size_of(record));
        for (const auto number : record.numbers)
            use->bind(++column, number);
        use->bind_text(++column, record.org());
        for (std::size_t i = 1; i < record.texts.size(); ++i)
            if (++column; !record.texts[i].empty()) use->bind_text(column, record.texts[i]);
    }
    return use->step();
}

Result<void> File::insert(std::span<const Packed> records) {
    constexpr int most_tries = 1000;
    std::size_t done = 0;
    if (records.size() == many_records) {
        const int got = insert(insert_many_, records);
        if (got == SQLITE_DONE) return {};
        // Only an id can be there already; those before it were written.
        if (got != SQLITE_CONSTRAINT) return database_.failure(cannot_write);
        done = static_cast<std::size_t>(database_.changes());
    }
    for (std::size_t i = done; i < records.size(); ++i)
        for (int tries = 1;; ++tries) {
            const int got = insert(insert_, records.subspan(i, 1));
            if (got == SQLITE_DONE) break;
            if (got != SQLITE_CONSTRAINT || tries == most_tries)
                return database_.failure(cannot_write);
        }
    return {};
}

Result<void> File::append(const std::vector<Chunk>& chunks, std::size_t from, std::size_t count) {
    auto writing = store::Transaction::begin(database_);
    if (!writing) return writing.error();
    Sizes sizes;
    std::vector<Packed> some;
    some.reserve(many_records);
    for (std::size_t i = from; i < from + count; ++i) {
        std::string_view packed = chunks[i].bytes;
        while (!packed.empty()) {
            some.push_back(unpack(packed));
            sizes[some.back().org()] += size_of(some.back());
            if (some.size() < many_records) continue;
            if (auto done = insert(some); !done) return done;
            some.clear();
        }
    }
    if (auto done = insert(some); !done) return done;
    if (auto held = hold(sizes); !held) return held;
    return writing->commit();
}

// Adds to what organisations have.
Result<void> File::hold(const Sizes& sizes) {
    auto add = database_.prepare(
        "INSERT INTO held(org, bytes) VALUES(?1, ?2)"
        " ON CONFLICT(org) DO UPDATE SET bytes = bytes + ?2");
    if (!add) return add.error();
    for (const auto& [org, bytes] : sizes) {
        const store::Statement::Use use(*add);
        use->bind_text(1, org);
        use->bind(2, bytes);
        if (use->step() != SQLITE_DONE) return database_.failure(cannot_write);
    }
    return {};
}

Result<void> File::append(const Loss& loss) {
    auto writing = store::Transaction::begin(database_);
    if (!writing) return writing.error();
    auto total = database_.prepare(
        "INSERT INTO dropped(org, records) VALUES(?1, ?2)"
        " ON CONFLICT(org) DO UPDATE SET records = records + ?2");
    if (!total) return total.error();
    for (const auto& [org, records] : loss.by_org) {
        Record record;
        record.at_ms = loss.from_ms;
        record.duration_us = (loss.to_ms - loss.from_ms) * 1000;
        record.org = org;
        record.kind = "audit";
        record.method = "audit.dropped";
        record.outcome = "error";
        record.reason = std::to_string(records) +
                        " records found no room while the trail could not be written fast enough";
        record.arguments = "{\"records\":" + std::to_string(records) + "}";
        std::string packed;
        pack(record, packed);
        std::string_view text = packed;
        const auto unpacked = unpack(text);
        if (auto done = insert({&unpacked, 1}); !done) return done;
        if (auto held = hold({{org, size_of(unpacked)}}); !held) return held;
        const store::Statement::Use use(*total);
        use->bind_text(1, org);
        use->bind(2, static_cast<std::int64_t>(records));
        if (use->step() != SQLITE_DONE) return database_.failure(cannot_write);
    }
    return writing->commit();
}

Result<std::int64_t> File::remove_oldest(std::chrono::milliseconds keep, std::int64_t keep_bytes,
                                         std::int64_t now_ms, std::int64_t most) {
    std::int64_t gone = 0;
    if (keep.count() > 0) {
        auto old = remove(
            "DELETE FROM record WHERE id < ?1 AND id <= (SELECT max(id) FROM"
            " (SELECT id FROM record WHERE id < ?1 ORDER BY id LIMIT ?2))",
            id_at(now_ms - keep.count()), most);
        if (!old) return old;
        gone = *old;
    }
    if (keep_bytes <= 0 || gone >= most) return gone;
    auto pages = number(
        "SELECT (SELECT page_count FROM pragma_page_count) -"
        " (SELECT freelist_count FROM pragma_freelist_count)");
    auto page = number("PRAGMA page_size");
    if (!pages || !page) return (pages ? page : pages).error();
    if (*pages * *page <= keep_bytes) return gone;
    // Of who has most, so that nobody pushes others out by doing much.
    auto others = remove(
        "DELETE FROM record WHERE id < ?1 AND id IN (SELECT id FROM record INDEXED BY record_org"
        " WHERE org = (SELECT org FROM held ORDER BY bytes DESC LIMIT 1) ORDER BY id LIMIT ?2)",
        std::numeric_limits<std::int64_t>::max(), most - gone);
    if (!others) return others;
    return gone + *others;
}

// `sql` deletes at most ?2 of those whose id is below ?1. How many it did.
Result<std::int64_t> File::remove(std::string_view sql, std::int64_t below, std::int64_t most) {
    auto remove = database_.prepare(sql);
    if (!remove) return remove.error();
    const store::Statement::Use use(*remove);
    use->bind(1, below);
    use->bind(2, most);
    if (use->step() != SQLITE_DONE) return database_.failure("old audit records cannot be removed");
    return database_.changes();
}

Result<void> File::bound_pages(std::int64_t pages) {
    constexpr std::int64_t no_bound = 4294967294;
    return database_.execute(
        ("PRAGMA max_page_count=" + std::to_string(pages > 0 ? pages : no_bound)).c_str());
}

Result<std::int64_t> File::number(std::string_view sql) {
    auto statement = database_.prepare(sql);
    if (!statement) return statement.error();
    if (statement->step() != SQLITE_ROW) return database_.failure("the audit trail cannot be read");
    return statement->integer(0);
}

}  // namespace pb::audit
