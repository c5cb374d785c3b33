// SPDX-License-Identifier: Apache-2.0
// The first link: who asks. A credential says who and in which organisation; without one there is a
// single answer, the anonymous principal of the configured organisation, and only for a peer on
// this machine, where the host is not reached through anything else.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "access/access.h"
#include "runtime/caller.h"

namespace pb::admission {

// What a request carries. Empty: it does not.
struct Presented {
    std::string_view authorization = {};  // the header's value
    std::string_view api_key = {};        // X-API-Key
    std::string_view url_key = {};        // ?apiKey=
    std::string_view org = {};            // X-Org-ID
    bool loopback = false;                // the peer is on this machine
    bool forwarded = false;               // and asks for somebody else, or under another name
    bool repeated = false;                // one of these headers came more than once
};

// Why there is no caller, as RFC 6750, 3.1 puts it.
struct Refused {
    int status = 401;         // or 400, 403
    std::string_view error;   // "invalid_token", "invalid_request"; empty: no credential came
    std::string description;  // for a person
};

using Authenticated = std::variant<runtime::CallerPtr, Refused>;

// A token that an issuer elsewhere has signed; nothing if it is none of an issuer that is known.
using ExternalTokens = std::function<std::optional<Authenticated>(std::string_view token)>;

class Authenticator {
  public:
    struct Options {
        std::string anonymous_org = {};
        bool anonymous = true;  // on this machine, without credentials
        // Of which resource tokens have to be (RFC 8707): the MCP endpoint's URLs.
        std::function<bool(std::string_view resource)> is_ours = {};
        std::function<bool(std::string_view org)> takes_url_keys = {};
        ExternalTokens external = {};
    };

    explicit Authenticator(Options options) : Authenticator(std::move(options), nullptr) {}
    // `access`: null where nobody has credentials. Kept by whoever keeps this.
    Authenticator(Options options, access::Access* access);

    // [any thread]
    Authenticated authenticate(const Presented& presented);
    // Whoever started this program: on its standard input, on the command line.
    const runtime::CallerPtr& local() const { return anonymous_; }

    // [any thread] Whether whoever this is could still come in with the same credential: by its
    // time alone, and by the records too.
    static runtime::Standing in_time(const runtime::Caller& caller);
    runtime::Standing standing(const runtime::Caller& caller);
    // Another number when credentials were taken away.
    std::int64_t version() const { return access_ ? access_->records->version() : 0; }

    // Whose token an issuer elsewhere has signed.
    static runtime::CallerPtr external(const std::string& org, const std::string& principal,
                                       const access::Scopes& scopes, const std::string& client,
                                       access::Millis expires_ms = 0);
    // A capability that acts on its own behalf.
    static runtime::CallerPtr service(const std::string& org, const std::string& capability);

  private:
    Authenticated by_secret(std::string_view secret, bool in_url);
    // Null: there is none.
    runtime::CallerPtr look_up(std::string_view secret, bool in_url, Refused& refused);
    runtime::CallerPtr look_up_key(std::string_view secret, bool in_url, Refused& refused);
    runtime::CallerPtr look_up_token(std::string_view secret, Refused& refused);
    // nullopt: nobody knows at present.
    std::optional<bool> has_key(const runtime::Caller& caller);
    std::optional<bool> has_grant(const runtime::Caller& caller);

    const Options options_;
    const runtime::CallerPtr anonymous_;
    access::Access* const access_;

    std::mutex mutex_;
    std::int64_t version_ = 0;  // of the records, when known_ was begun
    std::unordered_map<std::string, runtime::CallerPtr> known_;  // by the secret's digest
};

}  // namespace pb::admission
