// SPDX-License-Identifier: Apache-2.0
// Queries: SQL with its values, one line where it is used; each is prepared once. Not for several
// threads at once; the owner locks.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "store/database.h"

namespace pb::store {

// Bound as bytes, not as text.
struct Bytes {
    std::string_view value;
};

class Queries {
  public:
    // `what`: what the errors say cannot be read or written ("the access records").
    Queries(Database database, std::string what)
        : database_(std::move(database)), what_(std::move(what)) {}

    // How many rows it changed. `sql` is a literal: it is kept.
    template <class... Values>
    Result<std::int64_t> run(std::string_view sql, const Values&... values) {
        auto statement = take(sql);
        if (!statement) return statement.error();
        const Statement::Use use(**statement);
        bind_all(use, values...);
        int got = use->step();
        while (got == SQLITE_ROW)
            got = use->step();
        if (got != SQLITE_DONE) return database_.failure(what_ + " cannot be written");
        return database_.changes();
    }

    // What `read` makes of each row.
    template <class Read, class... Values>
    auto rows(std::string_view sql, Read read, const Values&... values)
        -> Result<std::vector<std::invoke_result_t<Read, const Statement&>>> {
        auto statement = take(sql);
        if (!statement) return statement.error();
        const Statement::Use use(**statement);
        bind_all(use, values...);
        std::vector<std::invoke_result_t<Read, const Statement&>> out;
        int got = use->step();
        for (; got == SQLITE_ROW; got = use->step())
            out.push_back(read(**statement));
        if (got != SQLITE_DONE) return database_.failure(what_ + " cannot be read");
        return out;
    }

    // The first row, if there is one.
    template <class Read, class... Values>
    auto row(std::string_view sql, Read read, const Values&... values)
        -> Result<std::optional<std::invoke_result_t<Read, const Statement&>>> {
        auto all = rows(sql, read, values...);
        if (!all) return std::move(all).error();
        if (all->empty()) return std::optional<std::invoke_result_t<Read, const Statement&>>();
        return std::optional(std::move(all->front()));
    }

    Result<Transaction> begin() const { return Transaction::begin(database_); }

  private:
    Result<const Statement*> take(std::string_view sql);

    template <class... Values>
    static void bind_all(const Statement::Use& use, const Values&... values) {
        int index = 0;
        (bind(use, ++index, values), ...);
    }
    template <class Value>
    static void bind(const Statement::Use& use, int index, const Value& value) {
        if constexpr (std::is_same_v<Value, Bytes>)
            use->bind_bytes(index, value.value);
        else if constexpr (std::is_integral_v<Value>)
            use->bind(index, static_cast<std::int64_t>(value));
        else
            use->bind_text(index, value);
    }
    template <class Value>
    static void bind(const Statement::Use& use, int index, const std::optional<Value>& value) {
        if (value)
            bind(use, index, *value);
        else
            use->bind_null(index);
    }

    Database database_;
    std::string what_;
    std::map<std::string_view, Statement> statements_;
};

}  // namespace pb::store
