// SPDX-License-Identifier: Apache-2.0
#include "access/keys.h"

#include <algorithm>

#include "base/log.h"

namespace pb::access {
namespace {

constexpr std::size_t longest_key_name = 200;
constexpr const char* key_columns =
    "SELECT id, org, name, scopes, created_by, role, created_ms, expires_ms, used_ms FROM api_key ";

std::optional<Millis> when(const store::Statement& row, int column) {
    if (row.is_null(column)) return std::nullopt;
    return row.integer(column);
}

ApiKey key_of(const store::Statement& row) {
    auto scopes = Scopes::parse(row.bytes(3));
    return {std::string(row.bytes(0)),
            std::string(row.bytes(1)),
            std::string(row.bytes(2)),
            scopes ? std::move(*scopes) : Scopes(),
            std::string(row.bytes(4)),
            std::string(row.bytes(5)),
            row.integer(6),
            when(row, 7),
            when(row, 8)};
}

}  // namespace

Result<Keys::Made> Keys::make(std::string_view org, std::string_view name, const Scopes& scopes,
                              std::string_view created_by, std::optional<Millis> expires_ms,
                              std::string_view role) {
    const bool plain = std::none_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (name.empty() || name.size() > longest_key_name || !plain)
        return invalid("a key has a name of 1 to 200 bytes, without control characters");
    if (scopes.empty())
        return invalid("a key without mcp:read, mcp:write or mcp:admin may do nothing");
    const auto now = now_ms();
    if (expires_ms && *expires_ms <= now) return invalid("a key expires in the future");
    Made out{{"key_" + random_text(12), std::string(org), std::string(name), scopes,
              std::string(created_by), std::string(role), now, expires_ms, std::nullopt},
             std::string(key_prefix) + random_text(32)};
    auto kept = records_->use()->run(
        "INSERT INTO api_key(id, digest, org, name, scopes, created_by, role, created_ms,"
        " expires_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        out.key.id, store::Bytes{sha256(out.secret)}, org, name, scopes.text(), created_by, role,
        now, expires_ms);
    if (!kept) return kept.error();
    return out;
}

Result<std::optional<ApiKey>> Keys::find(std::string_view secret) {
    static const std::string sql =
        std::string(key_columns) + "WHERE digest=?1 AND (expires_ms IS NULL OR expires_ms>?2)";
    const auto key = sha256(secret);
    return records_->use()->row(sql, key_of, store::Bytes{key}, now_ms());
}

Result<std::vector<ApiKey>> Keys::list(std::string_view org) {
    static const std::string sql =
        std::string(key_columns) + "WHERE org=?1 ORDER BY created_ms, id";
    return records_->use()->rows(sql, key_of, org);
}

Result<bool> Keys::exists(std::string_view org, std::string_view id) {
    auto one = records_->use()->row(
        "SELECT 1 FROM api_key WHERE org=?1 AND id=?2",
        [](const store::Statement& row) { return row.integer(0); }, org, id);
    if (!one) return one.error();
    return one->has_value();
}

Result<void> Keys::revoke(std::string_view org, std::string_view id) {
    auto gone = records_->change()->run("DELETE FROM api_key WHERE org=?1 AND id=?2", org, id);
    if (!gone) return gone.error();
    if (*gone == 0) return not_found("there is no such key");
    return {};
}

Result<bool> Keys::any() {
    auto one = records_->use()->row("SELECT 1 FROM api_key LIMIT 1",
                                    [](const store::Statement& row) { return row.integer(0); });
    if (!one) return one.error();
    return one->has_value();
}

void Keys::used(std::string_view id, Millis at) {
    auto done = records_->use()->run("UPDATE api_key SET used_ms=?2 WHERE id=?1", id, at);
    if (!done) log::warning("key.use_unrecorded", {{"reason", done.error().message}});
}

}  // namespace pb::access
