// SPDX-License-Identifier: Apache-2.0
// The store in one SQLite file: one connection, one lock, statements prepared once.
#include "store/store.h"

#include <mutex>
#include <vector>

#include "json/utf8.h"
#include "store/database.h"

namespace pb::store {
namespace {

constexpr std::int64_t schema_version = 1;

// Keys are blobs, so that their order is that of their bytes. Versions come from one counter, so
// that a key that was removed and written again never has an old version.
constexpr const char* schema = R"(
CREATE TABLE value(
    id INTEGER PRIMARY KEY,
    org TEXT NOT NULL,
    capability TEXT NOT NULL,
    key BLOB NOT NULL,
    version INTEGER NOT NULL,
    value BLOB NOT NULL,
    UNIQUE(org, capability, key));
CREATE TABLE counter(last INTEGER NOT NULL);
INSERT INTO counter VALUES(0);
CREATE TABLE schema(version INTEGER NOT NULL);
INSERT INTO schema VALUES(1);
)";

// What list() holds in memory at a time before it hands it on.
constexpr std::size_t batch_bytes = 4u << 20;

Result<void> check_key(std::string_view key) {
    if (key.empty() || key.size() > max_key)
        return invalid("a store key has 1 to 512 bytes, not " + std::to_string(key.size()));
    const auto* at = reinterpret_cast<const unsigned char*>(key.data());
    for (const auto* end = at + key.size(); at < end;) {
        std::size_t length = json::utf8_length(at, end);
        if (length == 0) return invalid("a store key must be UTF-8 text");
        at += length;
    }
    return {};
}

// The smallest text that is larger than everything that starts with prefix; empty if there is none.
std::string after_prefix(std::string_view prefix) {
    std::string bound(prefix);
    while (!bound.empty() && bound.back() == '\xff')
        bound.pop_back();
    if (!bound.empty()) bound.back() = static_cast<char>(bound.back() + 1);
    return bound;
}

class SqliteStore final : public Store {
  public:
    explicit SqliteStore(Database database) : database_(std::move(database)) {}

    Result<void> prepare();

    Result<Value> get(const Owner& owner, std::string_view key) override;
    Result<std::int64_t> put(const Owner& owner, std::string_view key, std::string_view value,
                             std::int64_t if_version) override;
    Result<void> remove(const Owner& owner, std::string_view key, std::int64_t if_version) override;
    Result<void> list(const Owner& owner, std::string_view prefix, std::string_view after,
                      std::uint32_t limit, const Each& each) override;

  private:
    struct Pair {
        std::string key, value;
    };
    // The version that is there, 0 for none. The lock is held.
    Result<std::int64_t> version_of(const Owner& owner, std::string_view key);
    Result<std::int64_t> next_version();
    Result<void> check_version(std::int64_t wanted, std::int64_t present) const;
    // Some of the wanted pairs; `more` if there may be others after them.
    Result<std::vector<Pair>> batch(const Owner& owner, std::string_view prefix,
                                    std::string_view after, std::uint32_t limit, bool& more);
    static void bind_key(const Statement::Use& use, const Owner& owner, std::string_view key);

    std::mutex mutex_;
    Database database_;
    Statement get_, version_, next_, put_, remove_, list_;
};

Result<void> SqliteStore::prepare() {
    const struct {
        Statement& statement;
        std::string_view sql;
    } all[] = {
        {get_, "SELECT value, version FROM value WHERE org=?1 AND capability=?2 AND key=?3"},
        {version_, "SELECT version FROM value WHERE org=?1 AND capability=?2 AND key=?3"},
        {next_, "UPDATE counter SET last=last+1 RETURNING last"},
        {put_,
         "INSERT INTO value(org, capability, key, version, value) VALUES(?1, ?2, ?3, ?4, ?5)"
         " ON CONFLICT(org, capability, key) DO UPDATE SET version=?4, value=?5"},
        {remove_, "DELETE FROM value WHERE org=?1 AND capability=?2 AND key=?3"},
        {list_,
         "SELECT key, value FROM value WHERE org=?1 AND capability=?2 AND key>=?3 AND key>?4"
         " AND (?5=x'' OR key<?5) ORDER BY key LIMIT ?6"},
    };
    for (const auto& [statement, sql] : all) {
        auto prepared = database_.prepare(sql);
        if (!prepared) return prepared.error();
        statement = std::move(*prepared);
    }
    return {};
}

void SqliteStore::bind_key(const Statement::Use& use, const Owner& owner, std::string_view key) {
    use->bind_text(1, owner.org);
    use->bind_text(2, owner.capability);
    use->bind_bytes(3, key);
}

Result<Value> SqliteStore::get(const Owner& owner, std::string_view key) {
    auto checked = check_key(key);
    if (!checked) return checked.error();
    std::lock_guard lock(mutex_);
    Statement::Use use(get_);
    bind_key(use, owner, key);
    int got = use->step();
    if (got == SQLITE_DONE) return not_found("the store has no such key");
    if (got != SQLITE_ROW) return database_.failure("the store cannot be read");
    return Value{std::string(use->bytes(0)), use->integer(1)};
}

Result<std::int64_t> SqliteStore::version_of(const Owner& owner, std::string_view key) {
    Statement::Use use(version_);
    bind_key(use, owner, key);
    int got = use->step();
    if (got == SQLITE_DONE) return std::int64_t{0};
    if (got != SQLITE_ROW) return database_.failure("the store cannot be read");
    return use->integer(0);
}

Result<std::int64_t> SqliteStore::next_version() {
    Statement::Use use(next_);
    if (use->step() != SQLITE_ROW) return database_.failure("the store cannot be written");
    return use->integer(0);
}

Result<void> SqliteStore::check_version(std::int64_t wanted, std::int64_t present) const {
    if (wanted == any_version || wanted == present) return {};
    return Error{ErrorKind::busy, "the key has another version now: read it again and retry"};
}

Result<std::int64_t> SqliteStore::put(const Owner& owner, std::string_view key,
                                      std::string_view value, std::int64_t if_version) {
    auto checked = check_key(key);
    if (!checked) return checked.error();
    if (value.size() > max_value) return invalid("a stored value has at most 16 MiB");
    if (if_version < any_version) return invalid("if_version is a version, 0 or -1");
    std::lock_guard lock(mutex_);
    auto transaction = Transaction::begin(database_);
    if (!transaction) return transaction.error();
    auto present = version_of(owner, key);
    if (!present) return present.error();
    auto matches = check_version(if_version, *present);
    if (!matches) return matches.error();
    auto version = next_version();
    if (!version) return version.error();
    {
        Statement::Use use(put_);
        bind_key(use, owner, key);
        use->bind(4, *version);
        use->bind_bytes(5, value);
        if (use->step() != SQLITE_DONE) return database_.failure("the store cannot be written");
    }
    auto committed = transaction->commit();
    if (!committed) return committed.error();
    return *version;
}

Result<void> SqliteStore::remove(const Owner& owner, std::string_view key,
                                 std::int64_t if_version) {
    auto checked = check_key(key);
    if (!checked) return checked.error();
    if (if_version < any_version) return invalid("if_version is a version, 0 or -1");
    std::lock_guard lock(mutex_);
    auto transaction = Transaction::begin(database_);
    if (!transaction) return transaction.error();
    auto present = version_of(owner, key);
    if (!present) return present.error();
    auto matches = check_version(if_version, *present);
    if (!matches) return matches.error();
    if (*present == 0) return not_found("the store has no such key");
    {
        Statement::Use use(remove_);
        bind_key(use, owner, key);
        if (use->step() != SQLITE_DONE) return database_.failure("the store cannot be written");
    }
    return transaction->commit();
}

Result<std::vector<SqliteStore::Pair>> SqliteStore::batch(const Owner& owner,
                                                          std::string_view prefix,
                                                          std::string_view after,
                                                          std::uint32_t limit, bool& more) {
    std::string bound = after_prefix(prefix);
    std::vector<Pair> pairs;
    std::size_t bytes = 0;
    std::lock_guard lock(mutex_);
    Statement::Use use(list_);
    bind_key(use, owner, prefix);
    use->bind_bytes(4, after);
    use->bind_bytes(5, bound);
    use->bind(6, limit);
    int got;
    while ((got = use->step()) == SQLITE_ROW) {
        pairs.push_back({std::string(use->bytes(0)), std::string(use->bytes(1))});
        bytes += pairs.back().key.size() + pairs.back().value.size();
        if (bytes >= batch_bytes) break;
    }
    if (got != SQLITE_ROW && got != SQLITE_DONE)
        return database_.failure("the store cannot be read");
    more = got == SQLITE_ROW;
    return pairs;
}

Result<void> SqliteStore::list(const Owner& owner, std::string_view prefix, std::string_view after,
                               std::uint32_t limit, const Each& each) {
    if (limit == 0 || limit > max_list)
        return invalid("a list of store keys has a limit of 1 to 1000");
    if (prefix.size() > max_key || after.size() > max_key)
        return invalid("a store key has at most 512 bytes");
    std::string last(after);
    for (bool more = true; more && limit > 0;) {
        auto pairs = batch(owner, prefix, last, limit, more);
        if (!pairs) return pairs.error();
        // Without the lock: the receiver may use the store.
        for (const Pair& pair : *pairs)
            each(pair.key, pair.value);
        limit -= static_cast<std::uint32_t>(pairs->size());
        if (!pairs->empty()) last = pairs->back().key;
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Store>> open_store(const std::string& path) {
    auto database = Database::open(path);
    if (!database) return database.error();
    auto migrated = ensure_schema(*database, schema, schema_version);
    if (!migrated) {
        Error error = migrated.error();
        error.message = "the store '" + path + "' cannot be used: " + error.message;
        return error;
    }
    auto store = std::make_unique<SqliteStore>(std::move(*database));
    auto prepared = store->prepare();
    if (!prepared) return prepared.error();
    return std::unique_ptr<Store>(std::move(store));
}

}  // namespace pb::store
