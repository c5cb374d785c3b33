// SPDX-License-Identifier: Apache-2.0
#include "access/clients.h"

#include <sodium.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "json/parse.h"

namespace pb::access {
namespace {

using json::Json;

constexpr std::size_t longest_uri = 2048, longest_client_name = 100, most_uris = 16;
constexpr Millis day = 24 * 3'600'000LL;
constexpr Millis unused_for = day, idle_for = 180 * day;
// Schemes that editors have long had to themselves, and register without a reversed domain name.
constexpr std::string_view editors[] = {"cursor", "vscode", "vscode-insiders", "windsurf"};
constexpr const char* client_columns =
    "SELECT id, org, scopes, metadata, created_ms, role FROM client ";

bool is_plain(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool is_visible_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// "http://127.0.0.1:8123/cb?x" in its parts; scheme and host in lower case.
struct Uri {
    std::string scheme, host, port, rest;

    bool loopback() const { return host == "127.0.0.1" || host == "[::1]" || host == "localhost"; }
};

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

std::optional<Uri> uri_of(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    Uri out{lower(text.substr(0, colon)), {}, {}, {}};
    const bool scheme = std::all_of(out.scheme.begin(), out.scheme.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    });
    if (!scheme || out.scheme[0] < 'a') return std::nullopt;
    auto rest = text.substr(colon + 1);
    if (!rest.starts_with("//")) {
        out.rest = rest;
        return out;
    }
    rest.remove_prefix(2);
    const auto end = std::min(rest.find_first_of("/?"), rest.size());
    const auto authority = rest.substr(0, end);
    out.rest = rest.substr(end);
    if (authority.find('@') != std::string_view::npos) return std::nullopt;
    const auto bracket = authority.rfind(']');
    const auto at = authority.rfind(':');
    const bool has_port =
        at != std::string_view::npos && (bracket == std::string_view::npos || at > bracket);
    out.host = lower(has_port ? authority.substr(0, at) : authority);
    if (has_port) out.port = authority.substr(at + 1);
    const bool digits =
        std::all_of(out.port.begin(), out.port.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits || out.port.size() > 5) return std::nullopt;
    return out;
}

// Empty if a client may have it; `web`: of application_type "web".
std::string wrong_with(const std::string& text, bool web) {
    if (text.size() > longest_uri) return "it is longer than 2048 bytes";
    if (!is_visible_ascii(text) || text.find('\\') != std::string::npos)
        return "it holds characters that have to be percent-encoded";
    if (text.find('#') != std::string::npos) return "it has a fragment";
    const auto uri = uri_of(text);
    if (!uri) return "it is no absolute URI without user information";
    if (uri->scheme == "https") return uri->host.empty() ? "it names no host" : "";
    if (uri->scheme == "http")
        return uri->loopback() && !web ? "" : "http is for loopback addresses alone; use https";
    // RFC 8252, 7.1: others can claim a short one, and javascript: or data: are no client at all.
    const bool known =
        std::find(std::begin(editors), std::end(editors), uri->scheme) != std::end(editors);
    if (web || (!known && uri->scheme.find('.') == std::string::npos))
        return "a scheme of the client's own is a reversed domain name, like com.example.app";
    return "";
}

RegistrationError wrong_metadata(std::string description) {
    return {"invalid_client_metadata", std::move(description)};
}

// A member's string; empty if it is absent.
std::optional<std::string> text_in(const Json& metadata, const char* name) {
    const auto at = metadata.find(name);
    if (at == metadata.end() || at->is_null()) return "";
    if (!at->is_string()) return std::nullopt;
    return at->get<std::string>();
}

// Whether a list member, if it is there, names only these.
bool only(const Json& metadata, const char* name, std::initializer_list<std::string_view> allowed) {
    const auto at = metadata.find(name);
    if (at == metadata.end() || at->is_null()) return true;
    return at->is_array() && std::all_of(at->begin(), at->end(), [&](const Json& each) {
               return each.is_string() &&
                      std::find(allowed.begin(), allowed.end(),
                                each.get_ref<const std::string&>()) != allowed.end();
           });
}

std::optional<RegistrationError> read_redirects(const Json& metadata, OAuthClient& out) {
    const auto uris = metadata.find("redirect_uris");
    if (uris == metadata.end() || !uris->is_array() || uris->empty() || uris->size() > most_uris)
        return RegistrationError{"invalid_redirect_uri",
                                 "redirect_uris is a list of 1 to 16 absolute URIs"};
    for (const auto& each : *uris) {
        const auto text = each.is_string() ? each.get<std::string>() : "";
        if (const auto wrong = wrong_with(text, out.web); !wrong.empty())
            return RegistrationError{"invalid_redirect_uri", "a redirect URI is refused: " + wrong};
        out.redirect_uris.push_back(text);
    }
    return std::nullopt;
}

std::string metadata_of(const OAuthClient& client) {
    return json::dump(Json{{"client_name", client.name},
                           {"redirect_uris", client.redirect_uris},
                           {"auth_method", client.auth_method},
                           {"web", client.web},
                           {"client_uri", client.client_uri}});
}

OAuthClient client_of(const store::Statement& row) {
    OAuthClient out;
    out.id = row.bytes(0);
    out.org = row.bytes(1);
    if (auto scopes = Scopes::parse(row.bytes(2))) out.scopes = std::move(*scopes);
    out.created_ms = row.integer(4);
    out.role = row.bytes(5);
    const auto read = json::parse(row.bytes(3));
    if (!read) return out;
    out.name = read->value("client_name", "");
    out.redirect_uris = read->value("redirect_uris", std::vector<std::string>());
    out.auth_method = read->value("auth_method", "none");
    out.web = read->value("web", false);
    out.client_uri = read->value("client_uri", "");
    return out;
}

}  // namespace

std::variant<OAuthClient, RegistrationError> read_client(const Json& metadata) {
    if (!metadata.is_object()) return wrong_metadata("the metadata is a JSON object");
    OAuthClient out;
    const auto type = text_in(metadata, "application_type");
    if (!type || (!type->empty() && *type != "native" && *type != "web"))
        return wrong_metadata("application_type is \"native\" or \"web\"");
    out.web = *type == "web";
    if (auto wrong = read_redirects(metadata, out)) return *wrong;
    const auto name = text_in(metadata, "client_name");
    if (!name || name->size() > longest_client_name || !is_plain(*name))
        return wrong_metadata("client_name has at most 100 bytes and no control characters");
    out.name = *name;
    const auto uri = text_in(metadata, "client_uri");
    if (!uri || (!uri->empty() && (!uri->starts_with("https://") || uri->size() > longest_uri ||
                                   !is_visible_ascii(*uri))))
        return wrong_metadata("client_uri is an https URL");
    out.client_uri = *uri;
    if (!only(metadata, "grant_types", {"authorization_code", "refresh_token"}))
        return wrong_metadata("grant_types here are authorization_code and refresh_token");
    if (!only(metadata, "response_types", {"code"}))
        return wrong_metadata("the response type here is code");
    const auto method = text_in(metadata, "token_endpoint_auth_method");
    const bool known =
        method && (method->empty() || *method == "none" || *method == "client_secret_basic" ||
                   *method == "client_secret_post");
    if (!known)
        return wrong_metadata(
            "token_endpoint_auth_method is none, client_secret_basic or client_secret_post");
    // RFC 7591, 2: who says nothing has a secret.
    out.auth_method = method->empty() ? "client_secret_basic" : *method;
    return out;
}

bool redirects_to(const OAuthClient& client, std::string_view uri) {
    for (const auto& own : client.redirect_uris) {
        if (own == uri) return true;
        auto ours = uri_of(own), asked = uri_of(uri);
        if (!ours || !asked || ours->scheme != "http" || !ours->loopback()) continue;
        if (asked->scheme == "http" && asked->host == ours->host && asked->rest == ours->rest)
            return true;
    }
    return false;
}

// Anybody may register any number: the oldest of those that came to nothing make room, and who has
// been let in stays.
Result<void> Clients::make_room(store::Queries& queries) {
    auto count = queries.row("SELECT count(*) FROM client WHERE org=''",
                             [](const store::Statement& row) { return row.integer(0); });
    if (!count) return count.error();
    if (count->value_or(0) < most_) return {};
    auto gone = queries.run(
        "DELETE FROM client WHERE id=(SELECT id FROM client WHERE org='' AND used_ms IS NULL AND"
        " NOT EXISTS (SELECT 1 FROM consent WHERE consent.client=client.id)"
        " ORDER BY created_ms, rowid LIMIT 1)");
    if (!gone) return gone.error();
    if (*gone == 0) return Error{ErrorKind::busy, "too many clients are registered and in use"};
    return {};
}

Result<Clients::Made> Clients::add(OAuthClient client) {
    auto use = records_->use();
    if (!client.is_machine())
        if (auto room = make_room(*use); !room) return room.error();
    client.id = "cli_" + random_text(16);
    client.created_ms = now_ms();
    Made out{std::move(client), {}};
    std::optional<store::Bytes> kept;
    std::string key;
    if (out.client.auth_method != "none") {
        out.secret = "pbs_" + random_text(32);
        key = sha256(out.secret);
        kept = store::Bytes{key};
    }
    auto done = use->run(
        "INSERT INTO client(id, digest, org, scopes, role, metadata, created_ms)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        out.client.id, kept, out.client.org, out.client.scopes.text(), out.client.role,
        metadata_of(out.client), out.client.created_ms);
    if (!done) return done.error();
    return out;
}

Result<std::optional<OAuthClient>> Clients::find(std::string_view id) {
    static const std::string sql = std::string(client_columns) + "WHERE id=?1";
    return records_->use()->row(sql, client_of, id);
}

Result<bool> Clients::has_secret(std::string_view id, std::string_view secret) {
    auto kept = records_->use()->row(
        "SELECT digest FROM client WHERE id=?1 AND digest IS NOT NULL",
        [](const store::Statement& row) { return std::string(row.bytes(0)); }, id);
    if (!kept) return kept.error();
    const auto given = sha256(secret);
    return *kept && (*kept)->size() == given.size() &&
           sodium_memcmp((*kept)->data(), given.data(), given.size()) == 0;
}

Result<std::vector<OAuthClient>> Clients::machines(std::string_view org) {
    static const std::string sql =
        std::string(client_columns) + "WHERE org=?1 ORDER BY created_ms, id";
    return records_->use()->rows(sql, client_of, org);
}

Result<void> Clients::remove(std::string_view org, std::string_view id) {
    auto use = records_->change();
    auto both = use->begin();
    if (!both) return both.error();
    auto gone = use->run("DELETE FROM client WHERE org=?1 AND id=?2", org, id);
    if (!gone) return gone.error();
    if (*gone == 0) return not_found("there is no such client");
    if (auto done = use->run("DELETE FROM consent WHERE client=?1", id); !done) return done.error();
    return both->commit();
}

void Clients::used(std::string_view id) {
    auto done = records_->use()->run("UPDATE client SET used_ms=?2 WHERE id=?1", id, now_ms());
    if (!done) log::warning("client.use_unrecorded", {{"reason", done.error().message}});
}

void Clients::sweep() {
    const auto now = now_ms();
    auto done = records_->use()->run(
        "DELETE FROM client WHERE org='' AND coalesce(used_ms, created_ms)<?1 AND"
        " (used_ms IS NULL OR used_ms<?2) AND NOT EXISTS"
        " (SELECT 1 FROM consent WHERE consent.client=client.id)",
        now - unused_for, now - idle_for);
    if (!done) log::warning("clients.not_swept", {{"reason", done.error().message}});
}

}  // namespace pb::access
