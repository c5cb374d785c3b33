// SPDX-License-Identifier: Apache-2.0
// Grants: what a person has allowed a client (or a client may do by itself), and the codes and
// tokens that stand for it. All of them are random texts of which a digest is kept; whatever is
// revoked here is of no use from the next request on.
//
//   authorize ──► Grant, code ──redeem──► access token, refresh token
//                                              └─refresh──► both anew; the old one is spent
// A code or refresh token that is used a second time has been stolen by one of the two who used it:
// the grant ends, with everything that came of it (RFC 9700, 2.1.1 and 4.14.2).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/records.h"
#include "access/scopes.h"

namespace pb::access {

inline constexpr std::string_view access_prefix = "pba_";
inline constexpr std::string_view refresh_prefix = "pbr_";
inline constexpr std::string_view code_prefix = "pbc_";

struct Grant {
    std::string id;  // "grt_..."
    std::string org;
    std::string person;  // empty: the client's own
    std::string client;  // its client_id
    std::string client_name;
    Scopes scopes;
    std::string resource;  // that the tokens are for
    Millis created_ms = 0;
    std::optional<Millis> used_ms;
};

// What a code is bound to (RFC 6749, 4.1.3; RFC 7636).
struct CodeBinding {
    std::string redirect_uri;
    std::string code_challenge;  // S256
    std::string nonce;           // OpenID Connect's, or empty
    bool openid = false;         // an ID token was asked for
};

struct Lifetimes {
    Millis code = 60'000;
    Millis access = 3'600'000;
    Millis refresh = 30LL * 24 * 3'600'000;  // without use
    // How many spent refresh tokens of a grant are known as such.
    std::int64_t most_spent = 100;
};

// [any thread], all of it. denied: the code or token is not (or no longer) good; the message says
// nothing about whose it is.
class Grants {
  public:
    Grants(std::shared_ptr<Records> records, Lifetimes lifetimes)
        : records_(std::move(records)), lifetimes_(lifetimes) {}

    Result<Grant> add(Grant grant);  // id and time are made here
    Result<std::vector<Grant>> of_person(std::string_view person);
    Result<std::vector<Grant>> of_org(std::string_view org);
    Result<std::optional<Grant>> find(std::string_view id);
    // A machine's: its own, nobody's.
    Result<std::vector<Grant>> of_machine(std::string_view client);
    // not_found if there is none.
    Result<void> revoke(std::string_view id);
    Result<void> revoke_person(std::string_view org, std::string_view person);

    Result<std::string> issue_code(const Grant& grant, const CodeBinding& binding);
    struct Shown {
        Grant grant;
        CodeBinding binding;  // of a code
    };
    // What it stands for, so that all else is looked at before it is spent: what goes wrong then
    // costs nothing. `reused`, here and below: is set to the grant that ended, if it had been
    // spent.
    Result<Shown> find_code(std::string_view code, std::string_view client,
                            std::optional<Grant>* reused = nullptr);
    Result<Shown> find_refresh(std::string_view token, std::string_view client,
                               std::optional<Grant>* reused = nullptr);

    struct Tokens {
        std::string access, refresh;  // refresh: empty where there is none
        Scopes scopes;
        Millis expires_in = 0;  // of the access token
        Grant grant;
    };
    Result<Tokens> issue(const Grant& grant, bool with_refresh);
    // Once, and whole or not at all. Whoever redeems has held the binding against what was sent.
    Result<Tokens> redeem_code(std::string_view code, std::string_view client,
                               std::optional<Grant>* reused = nullptr);
    // The same for a refresh token. `scopes`: fewer than it has, for the new access token alone
    // (RFC 6749, 6), as of Scopes::narrowed_to().
    Result<Tokens> refresh(std::string_view token, std::string_view client,
                           const std::optional<Scopes>& scopes, std::string_view resource,
                           std::optional<Grant>* reused = nullptr);

    struct Access {
        Grant grant;
        Scopes scopes;
        Millis expires_ms = 0;
    };
    Result<std::optional<Access>> find_access(std::string_view token);
    // Whether an access token with this digest is known yet.
    Result<bool> has_access(std::string_view digest);
    // RFC 7009: an access token alone, a refresh token with its grant. A client's own only; another
    // one's, or none's, is no error and nothing happens. The grant of what was revoked.
    Result<std::optional<Grant>> revoke_token(std::string_view token, std::string_view client);
    void used(std::string_view grant, Millis at);
    // Forgets what has expired.
    void sweep();

  private:
    struct Kept;
    Result<std::optional<Kept>> kept(store::Queries& queries, std::string_view token,
                                     std::string_view kind);
    Result<std::string> keep(store::Queries& queries, std::string_view kind, const Grant& grant,
                             const Scopes& scopes, std::string_view details, Millis lasts);
    // `lasting`: of the refresh token, null for none.
    Result<Tokens> issue_both(store::Queries& queries, const Grant& grant, const Scopes& scopes,
                              const Scopes* lasting);
    Result<Shown> find_once(std::string_view kind, std::string_view token, std::string_view client,
                            std::optional<Grant>* reused);
    Result<void> forget_old(store::Queries& queries, std::string_view grant);
    // True if it was not spent before; otherwise the grant is gone.
    Result<bool> spend(store::Queries& queries, const Kept& token, std::string_view text);

    const std::shared_ptr<Records> records_;
    const Lifetimes lifetimes_;
};

}  // namespace pb::access
