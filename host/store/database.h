// SPDX-License-Identifier: Apache-2.0
// A thin RAII layer over sqlite3: a connection and its prepared statements. Not for several threads
// at once; the owner locks.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pb::store {

class Statement {
  public:
    Statement() = default;
    explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

    // Bytes and text must stay alive until the Use ends.
    void bind(int index, std::int64_t value) const;
    void bind_text(int index, std::string_view value) const;
    void bind_bytes(int index, std::string_view value) const;
    void bind_null(int index) const { sqlite3_bind_null(statement_.get(), index); }

    // SQLITE_ROW, SQLITE_DONE or an error code.
    int step() const { return sqlite3_step(statement_.get()); }
    std::int64_t integer(int column) const {
        return sqlite3_column_int64(statement_.get(), column);
    }
    bool is_null(int column) const {
        return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
    }
    std::string_view bytes(int column) const;  // until the next step

    // Makes a cached statement ready for its next use, however this one ends.
    class Use {
      public:
        explicit Use(const Statement& statement) : statement_(statement) {}
        ~Use() {
            sqlite3_reset(statement_.statement_.get());
            sqlite3_clear_bindings(statement_.statement_.get());
        }
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;
        const Statement* operator->() const { return &statement_; }

      private:
        const Statement& statement_;
    };

  private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
  public:
    // Write-ahead log, synchronous=NORMAL: a commit survives the end of the process; only the loss
    // of power may cost the last ones, never the file's consistency.
    static Result<Database> open(const std::string& path);
    // One that somebody else writes, perhaps just now.
    static Result<Database> open_to_read(const std::string& path);

    Result<void> execute(const char* sql) const;
    Result<Statement> prepare(std::string_view sql) const;
    // How many rows the last statement has changed.
    std::int64_t changes() const { return sqlite3_changes64(handle_.get()); }
    // What the last failed function had to say.
    Error failure(const std::string& doing) const;

  private:
    struct Close {
        void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
    };
    std::unique_ptr<sqlite3, Close> handle_;
};

// Makes the tables of an empty file; `schema` makes a table `schema` with `version` as its one row.
// unsupported: the file is of another version.
Result<void> ensure_schema(const Database& database, const char* schema, std::int64_t version);
// [for readers] The same for a file that somebody else makes.
Result<void> check_schema(const Database& database, std::int64_t version);

// Begins a write transaction; rolls back unless committed.
class Transaction {
  public:
    static Result<Transaction> begin(const Database& database);
    ~Transaction();
    Transaction(Transaction&& other) noexcept
        : database_(std::exchange(other.database_, nullptr)) {}
    Result<void> commit();

  private:
    explicit Transaction(const Database* database) : database_(database) {}
    const Database* database_;
};

}  // namespace pb::store
