// SPDX-License-Identifier: Apache-2.0
#include "access/records.h"

#include <chrono>

namespace pb::access {
namespace {

constexpr Millis look_every = 100;

// Version 1. What is secret is kept as a digest (tokens, keys: 256 random bits) or by argon2id
// (passwords). Times are milliseconds since 1970; NULL or 0: never.
constexpr std::int64_t schema_version = 1;
constexpr const char* schema = R"(
CREATE TABLE org(
    name TEXT PRIMARY KEY,
    config TEXT NOT NULL,
    created_ms INTEGER NOT NULL) STRICT;
CREATE TABLE person(
    id TEXT PRIMARY KEY,
    login TEXT NOT NULL UNIQUE COLLATE NOCASE,
    name TEXT NOT NULL,
    password TEXT NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0,
    created_ms INTEGER NOT NULL) STRICT;
CREATE TABLE member(
    org TEXT NOT NULL,
    person TEXT NOT NULL REFERENCES person(id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    PRIMARY KEY(org, person)) STRICT;
CREATE TABLE browser(
    digest BLOB PRIMARY KEY,
    person TEXT NOT NULL REFERENCES person(id) ON DELETE CASCADE,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL) STRICT;
CREATE TABLE api_key(
    id TEXT PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    org TEXT NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_by TEXT NOT NULL,
    role TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER,
    used_ms INTEGER) STRICT;
CREATE INDEX api_key_org ON api_key(org);
CREATE TABLE client(
    id TEXT PRIMARY KEY,
    digest BLOB,
    org TEXT,
    scopes TEXT,
    role TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    used_ms INTEGER) STRICT;
CREATE TABLE consent(
    id TEXT PRIMARY KEY,
    org TEXT NOT NULL,
    person TEXT NOT NULL,
    client TEXT NOT NULL,
    client_name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    resource TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    used_ms INTEGER) STRICT;
CREATE INDEX consent_person ON consent(person);
CREATE INDEX consent_org ON consent(org);
CREATE TABLE token(
    digest BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    consent TEXT NOT NULL REFERENCES consent(id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    details TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_ms INTEGER) STRICT;
CREATE INDEX token_consent ON token(consent);
CREATE INDEX token_expires ON token(expires_ms);
CREATE TABLE schema(version INTEGER NOT NULL) STRICT;
INSERT INTO schema VALUES(1);
)";

}  // namespace

Millis now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

Result<std::shared_ptr<Records>> Records::open(const std::string& path) {
    auto database = store::Database::open(path);
    if (!database) return database.error();
    if (auto made = store::ensure_schema(*database, schema, schema_version); !made)
        return Error{made.error().kind, "'" + path + "' cannot be used: " + made.error().message};
    return std::shared_ptr<Records>(
        new Records(store::Queries(std::move(*database), "the access records")));
}

std::int64_t Records::version() {
    const auto now = now_ms();
    auto looked = looked_ms_.load();
    const bool fresh = now >= looked && now - looked < look_every;
    if (!fresh && looked_ms_.compare_exchange_strong(looked, now)) {
        auto seen = use()->row("PRAGMA data_version",
                               [](const store::Statement& row) { return row.integer(0); });
        if (seen && *seen) seen_ = **seen;
    }
    return (seen_ << 32) + own_changes_;
}

}  // namespace pb::access
