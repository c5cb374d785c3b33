// SPDX-License-Identifier: Apache-2.0
#include "access/grants.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "json/parse.h"

namespace pb::access {
namespace {

using json::Json;

constexpr const char* grant_columns =
    "SELECT id, org, person, client, client_name, scopes, resource, created_ms, used_ms"
    " FROM consent ";

Scopes scopes_of(std::string_view text) {
    auto scopes = Scopes::parse(text);
    return scopes ? std::move(*scopes) : Scopes();
}

// The columns of grant_columns, from `first` on.
Grant grant_of(const store::Statement& row, int first) {
    const auto text = [&](int column) { return std::string(row.bytes(first + column)); };
    Grant out{text(0),     text(1),
              text(2),     text(3),
              text(4),     scopes_of(row.bytes(first + 5)),
              text(6),     row.integer(first + 7),
              std::nullopt};
    if (!row.is_null(first + 8)) out.used_ms = row.integer(first + 8);
    return out;
}

Grant whole_grant(const store::Statement& row) { return grant_of(row, 0); }

Error not_good() { return {ErrorKind::denied, "it is unknown, spent, expired or revoked"}; }

std::string details_of(const CodeBinding& binding) {
    return json::dump(Json{{"redirect_uri", binding.redirect_uri},
                           {"code_challenge", binding.code_challenge},
                           {"nonce", binding.nonce},
                           {"openid", binding.openid}});
}

CodeBinding binding_of(std::string_view details) {
    const auto read = json::parse(details);
    if (!read) return {};
    return {read->value("redirect_uri", ""), read->value("code_challenge", ""),
            read->value("nonce", ""), read->value("openid", false)};
}

}  // namespace

// A code or token as it is kept.
struct Grants::Kept {
    Grant grant;
    Scopes scopes;
    std::string details;
    Millis expires_ms = 0;
    bool spent = false;
};

Result<Grant> Grants::add(Grant grant) {
    grant.id = "grt_" + random_text(12);
    grant.created_ms = now_ms();
    auto added = records_->use()->run(
        "INSERT INTO consent(id, org, person, client, client_name, scopes, resource, created_ms)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        grant.id, grant.org, grant.person, grant.client, grant.client_name, grant.scopes.text(),
        grant.resource, grant.created_ms);
    if (!added) return added.error();
    return grant;
}

Result<std::vector<Grant>> Grants::of_person(std::string_view person) {
    static const std::string sql =
        std::string(grant_columns) + "WHERE person=?1 ORDER BY created_ms, id";
    return records_->use()->rows(sql, whole_grant, person);
}

Result<std::vector<Grant>> Grants::of_org(std::string_view org) {
    static const std::string sql =
        std::string(grant_columns) + "WHERE org=?1 ORDER BY created_ms, id";
    return records_->use()->rows(sql, whole_grant, org);
}

Result<std::optional<Grant>> Grants::find(std::string_view id) {
    static const std::string sql = std::string(grant_columns) + "WHERE id=?1";
    return records_->use()->row(sql, whole_grant, id);
}

Result<std::vector<Grant>> Grants::of_machine(std::string_view client) {
    static const std::string sql =
        std::string(grant_columns) + "WHERE client=?1 AND person='' ORDER BY created_ms, id";
    return records_->use()->rows(sql, whole_grant, client);
}

Result<void> Grants::revoke(std::string_view id) {
    auto gone = records_->change()->run("DELETE FROM consent WHERE id=?1", id);
    if (!gone) return gone.error();
    if (*gone == 0) return not_found("there is no such grant");
    return {};
}

Result<void> Grants::revoke_person(std::string_view org, std::string_view person) {
    auto gone =
        records_->change()->run("DELETE FROM consent WHERE org=?1 AND person=?2", org, person);
    return gone ? Result<void>() : gone.error();
}

Result<std::optional<Grants::Kept>> Grants::kept(store::Queries& queries, std::string_view token,
                                                 std::string_view kind) {
    const auto key = sha256(token);
    return queries.row(
        "SELECT t.scopes, t.details, t.expires_ms, t.used_ms, c.id, c.org, c.person, c.client,"
        " c.client_name, c.scopes, c.resource, c.created_ms, c.used_ms"
        " FROM token t JOIN consent c ON c.id=t.consent WHERE t.digest=?1 AND t.kind=?2",
        [](const store::Statement& row) {
            return Kept{grant_of(row, 4), scopes_of(row.bytes(0)), std::string(row.bytes(1)),
                        row.integer(2), !row.is_null(3)};
        },
        store::Bytes{key}, kind);
}

Result<std::string> Grants::keep(store::Queries& queries, std::string_view kind, const Grant& grant,
                                 const Scopes& scopes, std::string_view details, Millis lasts) {
    const auto prefix = kind == "code"     ? code_prefix
                        : kind == "access" ? access_prefix
                                           : refresh_prefix;
    const auto text = std::string(prefix) + random_text(32);
    const auto key = sha256(text);
    const auto now = now_ms();
    auto done = queries.run(
        "INSERT INTO token(digest, kind, consent, scopes, details, created_ms, expires_ms)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        store::Bytes{key}, kind, grant.id, scopes.text(), details, now, now + lasts);
    if (!done) return done.error();
    return text;
}

Result<bool> Grants::spend(store::Queries& queries, const Kept& token, std::string_view text) {
    if (token.spent) {
        log::warning(
            "grant.reused",
            {{"org", token.grant.org}, {"grant", token.grant.id}, {"client", token.grant.client}});
        auto gone = queries.run("DELETE FROM consent WHERE id=?1", token.grant.id);
        return gone ? Result<bool>(false) : gone.error();
    }
    const auto key = sha256(text);
    auto spent =
        queries.run("UPDATE token SET used_ms=?2 WHERE digest=?1", store::Bytes{key}, now_ms());
    return spent ? Result<bool>(true) : spent.error();
}

// Whoever refreshes all day leaves no more than this behind: an older one is just no good.
Result<void> Grants::forget_old(store::Queries& queries, std::string_view grant) {
    auto gone = queries.run(
        "DELETE FROM token WHERE consent=?1 AND kind='refresh' AND used_ms IS NOT NULL AND"
        " rowid NOT IN (SELECT rowid FROM token WHERE consent=?1 AND kind='refresh'"
        " AND used_ms IS NOT NULL ORDER BY used_ms DESC, rowid DESC LIMIT ?2)",
        grant, lifetimes_.most_spent);
    return gone ? Result<void>() : gone.error();
}

Result<std::string> Grants::issue_code(const Grant& grant, const CodeBinding& binding) {
    auto use = records_->use();
    return keep(*use, "code", grant, grant.scopes, details_of(binding), lifetimes_.code);
}

Result<Grants::Shown> Grants::find_once(std::string_view kind, std::string_view token,
                                        std::string_view client, std::optional<Grant>* reused) {
    auto use = records_->change();
    auto found = kept(*use, token, kind);
    if (!found) return found.error();
    if (!*found || (*found)->grant.client != client) return not_good();
    if ((*found)->spent) {
        auto ended = spend(*use, **found, token);
        if (!ended) return ended.error();
        if (reused) *reused = std::move((*found)->grant);
        return not_good();
    }
    if ((*found)->expires_ms <= now_ms()) return not_good();
    return Shown{std::move((*found)->grant), binding_of((*found)->details)};
}

Result<Grants::Shown> Grants::find_code(std::string_view code, std::string_view client,
                                        std::optional<Grant>* reused) {
    return find_once("code", code, client, reused);
}

Result<Grants::Shown> Grants::find_refresh(std::string_view token, std::string_view client,
                                           std::optional<Grant>* reused) {
    return find_once("refresh", token, client, reused);
}

Result<Grants::Tokens> Grants::redeem_code(std::string_view code, std::string_view client,
                                           std::optional<Grant>* reused) {
    auto use = records_->change();
    auto& queries = *use;
    auto all = queries.begin();
    if (!all) return all.error();
    auto found = kept(queries, code, "code");
    if (!found) return found.error();
    if (!*found || (*found)->grant.client != client) return not_good();
    const Kept& old = **found;
    auto fresh = spend(queries, old, code);
    if (!fresh) return fresh.error();
    if (!*fresh || old.expires_ms <= now_ms()) {
        if (auto done = all->commit(); !done) return done.error();
        if (!*fresh && reused) *reused = old.grant;
        return not_good();
    }
    auto out = issue_both(queries, old.grant, old.grant.scopes, &old.grant.scopes);
    if (!out) return out;
    if (auto done = all->commit(); !done) return done.error();
    return out;
}

Result<Grants::Tokens> Grants::issue_both(store::Queries& queries, const Grant& grant,
                                          const Scopes& scopes, const Scopes* lasting) {
    Tokens out{{}, {}, scopes, lifetimes_.access, grant};
    auto access = keep(queries, "access", grant, scopes, "{}", lifetimes_.access);
    if (!access) return access.error();
    out.access = std::move(*access);
    if (!lasting) return out;
    auto refresh = keep(queries, "refresh", grant, *lasting, "{}", lifetimes_.refresh);
    if (!refresh) return refresh.error();
    out.refresh = std::move(*refresh);
    return out;
}

Result<Grants::Tokens> Grants::issue(const Grant& grant, bool with_refresh) {
    auto use = records_->use();
    auto& queries = *use;
    auto all = queries.begin();
    if (!all) return all.error();
    auto out = issue_both(queries, grant, grant.scopes, with_refresh ? &grant.scopes : nullptr);
    if (!out) return out;
    if (auto done = all->commit(); !done) return done.error();
    return out;
}

Result<Grants::Tokens> Grants::refresh(std::string_view token, std::string_view client,
                                       const std::optional<Scopes>& scopes,
                                       std::string_view resource, std::optional<Grant>* reused) {
    auto use = records_->change();
    auto& queries = *use;
    auto all = queries.begin();
    if (!all) return all.error();
    auto found = kept(queries, token, "refresh");
    if (!found) return found.error();
    if (!*found || (*found)->grant.client != client) return not_good();
    const Kept& old = **found;
    // What is asked for is looked at before the token is spent for it.
    const auto wanted = scopes ? old.scopes.narrowed_to(*scopes) : std::optional(old.scopes);
    if (!old.spent && !wanted) return invalid("the token was not granted all of these scopes");
    if (!old.spent && !resource.empty() && resource != old.grant.resource)
        return Error{ErrorKind::unsupported, "the token is for another resource"};
    auto fresh = spend(queries, old, token);
    if (!fresh) return fresh.error();
    if (!*fresh || old.expires_ms <= now_ms()) {
        if (auto done = all->commit(); !done) return done.error();
        if (!*fresh && reused) *reused = old.grant;
        return not_good();
    }
    if (auto done = forget_old(queries, old.grant.id); !done) return done.error();
    auto out = issue_both(queries, old.grant, *wanted, &old.scopes);
    if (!out) return out;
    if (auto done = all->commit(); !done) return done.error();
    return out;
}

Result<std::optional<Grants::Access>> Grants::find_access(std::string_view token) {
    auto use = records_->use();
    auto found = kept(*use, token, "access");
    if (!found) return found.error();
    if (!*found || (*found)->expires_ms <= now_ms()) return std::optional<Access>();
    return std::optional(
        Access{std::move((*found)->grant), std::move((*found)->scopes), (*found)->expires_ms});
}

Result<bool> Grants::has_access(std::string_view digest) {
    auto one = records_->use()->row(
        "SELECT 1 FROM token WHERE digest=?1 AND kind='access'",
        [](const store::Statement& row) { return row.integer(0); }, store::Bytes{digest});
    if (!one) return one.error();
    return one->has_value();
}

Result<std::optional<Grant>> Grants::revoke_token(std::string_view token, std::string_view client) {
    auto use = records_->change();
    auto& queries = *use;
    for (const std::string_view kind : {"refresh", "access"}) {
        auto found = kept(queries, token, kind);
        if (!found) return found.error();
        if (!*found || (*found)->grant.client != client) continue;
        const auto key = sha256(token);
        auto gone = kind == "refresh"
                        ? queries.run("DELETE FROM consent WHERE id=?1", (*found)->grant.id)
                        : queries.run("DELETE FROM token WHERE digest=?1", store::Bytes{key});
        if (!gone) return gone.error();
        return std::optional(std::move((*found)->grant));
    }
    return std::optional<Grant>();
}

void Grants::used(std::string_view grant, Millis at) {
    auto done = records_->use()->run("UPDATE consent SET used_ms=?2 WHERE id=?1", grant, at);
    if (!done) log::warning("grant.use_unrecorded", {{"reason", done.error().message}});
}

void Grants::sweep() {
    const auto now = now_ms();
    auto use = records_->use();
    // A spent refresh token is kept as long as it would have lasted: its second use tells a theft.
    auto done = use->run("DELETE FROM token WHERE expires_ms<?1", now);
    if (done)
        done = use->run(
            "DELETE FROM consent WHERE created_ms<?1 AND NOT EXISTS"
            " (SELECT 1 FROM token WHERE token.consent=consent.id)",
            now - lifetimes_.access);
    if (!done) log::warning("grants.not_swept", {{"reason", done.error().message}});
}

}  // namespace pb::access
