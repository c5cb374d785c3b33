// SPDX-License-Identifier: Apache-2.0
// Opening a database and its statements.
#include "store/database.h"

#include <sys/stat.h>

#include <chrono>
#include <thread>
#include <utility>

namespace pb::store {
namespace {

constexpr int busy_timeout_ms = 5'000;

// Unlike other statements, the change to a write-ahead log does not wait for somebody who is at the
// same file: two hosts may begin on a new one together.
Result<void> use_wal(const Database& database) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(busy_timeout_ms);
    for (;;) {
        auto statement = database.prepare("PRAGMA journal_mode=WAL");
        if (statement && statement->step() == SQLITE_ROW) {
            if (statement->bytes(0) == "wal") return {};
            return internal_error("its file system allows no write-ahead log");
        }
        Error error = database.failure("it cannot get a write-ahead log");
        if (error.kind != ErrorKind::busy || std::chrono::steady_clock::now() >= end) return error;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

}  // namespace

void Statement::bind(int index, std::int64_t value) const {
    sqlite3_bind_int64(statement_.get(), index, value);
}

void Statement::bind_text(int index, std::string_view value) const {
    // A null pointer would bind NULL instead of the empty text.
    sqlite3_bind_text64(statement_.get(), index, value.data() ? value.data() : "", value.size(),
                        SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::bind_bytes(int index, std::string_view value) const {
    sqlite3_bind_blob64(statement_.get(), index, value.data() ? value.data() : "", value.size(),
                        SQLITE_STATIC);
}

std::string_view Statement::bytes(int column) const {
    const void* data = sqlite3_column_blob(statement_.get(), column);
    int size = sqlite3_column_bytes(statement_.get(), column);
    if (!data || size <= 0) return {};
    return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
}

Result<Database> Database::open(const std::string& path) {
    Database database;
    sqlite3* handle = nullptr;
    // SQLite's own mutexes are off: the owner's lock is the only one needed.
    int opened =
        sqlite3_open_v2(path.c_str(), &handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    database.handle_.reset(handle);
    if (opened != SQLITE_OK) return database.failure("the store '" + path + "' cannot be opened");
    // Its log and index files take over the mode.
    chmod(path.c_str(), S_IRUSR | S_IWUSR);
    sqlite3_busy_timeout(handle, busy_timeout_ms);
    if (auto wal = use_wal(database); !wal) {
        return Error{wal.error().kind,
                     "the store '" + path + "' cannot be used: " + wal.error().message};
    }
    auto ready = database.execute(
        "PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
        "PRAGMA trusted_schema=OFF; PRAGMA journal_size_limit=67108864;");
    if (!ready) return database.failure("the store '" + path + "' cannot be used");
    return database;
}

Result<Database> Database::open_to_read(const std::string& path) {
    Database database;
    sqlite3* handle = nullptr;
    int opened =
        sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
    database.handle_.reset(handle);
    if (opened != SQLITE_OK) return database.failure("the store '" + path + "' cannot be opened");
    sqlite3_busy_timeout(handle, busy_timeout_ms);
    if (!database.execute("PRAGMA trusted_schema=OFF"))
        return database.failure("the store '" + path + "' cannot be read");
    return database;
}

Result<void> Database::execute(const char* sql) const {
    if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        return failure("the store failed");
    return {};
}

Result<Statement> Database::prepare(std::string_view sql) const {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
        return failure("the store failed");
    return Statement(statement);
}

Error Database::failure(const std::string& doing) const {
    if (!handle_) return internal_error(doing + ": out of memory");
    ErrorKind kind =
        sqlite3_errcode(handle_.get()) == SQLITE_BUSY ? ErrorKind::busy : ErrorKind::internal;
    return {kind, doing + ": " + sqlite3_errmsg(handle_.get())};
}

Result<void> check_schema(const Database& database, std::int64_t version) {
    auto found = database.prepare("SELECT version FROM schema");
    if (!found) return found.error();
    if (found->step() != SQLITE_ROW) return database.failure("its schema version cannot be read");
    if (const auto theirs = found->integer(0); theirs != version)
        return Error{ErrorKind::unsupported,
                     "it was written by another version of Patchbay (its schema is " +
                         std::to_string(theirs) + ", this one's is " + std::to_string(version) +
                         ")"};
    return {};
}

Result<void> ensure_schema(const Database& database, const char* schema, std::int64_t version) {
    const auto is_empty = [&]() -> Result<bool> {
        auto found = database.prepare("SELECT count(*) FROM sqlite_schema WHERE name='schema'");
        if (!found) return found.error();
        if (found->step() != SQLITE_ROW) return database.failure("it cannot be read");
        return found->integer(0) == 0;
    };
    auto empty = is_empty();
    if (!empty) return empty.error();
    if (!*empty) return check_schema(database, version);
    auto making = Transaction::begin(database);
    if (!making) return making.error();
    empty = is_empty();  // two programs may come to this at once
    if (!empty) return empty.error();
    if (*empty)
        if (auto made = database.execute(schema); !made) return made;
    if (auto checked = check_schema(database, version); !checked) return checked;
    return making->commit();
}

Result<Transaction> Transaction::begin(const Database& database) {
    // IMMEDIATE: the lock is taken before anything is read, so that a commit never finds itself
    // late.
    auto begun = database.execute("BEGIN IMMEDIATE");
    if (!begun) return begun.error();
    return Transaction(&database);
}

Transaction::~Transaction() {
    if (database_) (void)database_->execute("ROLLBACK");
}

Result<void> Transaction::commit() {
    auto done = database_->execute("COMMIT");
    if (done) database_ = nullptr;
    return done;
}

}  // namespace pb::store
