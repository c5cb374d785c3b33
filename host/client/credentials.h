// SPDX-License-Identifier: Apache-2.0
// Credentials: what a client shows to one server. One object for each server and identity, so that
// no server ever sees what belongs to another.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "outbound/http.h"

namespace pb::client {

using Deadline = std::chrono::steady_clock::time_point;

// What a server answered instead of serving.
struct Challenge {
    int status = 401;              // or 403
    std::string method = "POST";   // of the request that was refused
    std::string url;               // and where it went
    std::string www_authenticate;  // all fields of that name, joined by ", "; empty if absent
    outbound::Headers used;        // what the refused request carried of ours
    std::string dpop_nonce;        // the DPoP-Nonce field, or empty
};

class Credentials {
  public:
    virtual ~Credentials() = default;

    // [any thread] The headers for a request to `url`; does not wait. Nothing if acquire() has to
    // come first.
    virtual std::optional<outbound::Headers> ready(std::string_view method,
                                                   std::string_view url) = 0;
    // [waits] Gets what is missing or about to expire; for all who ask at the same time once. The
    // kind of the error is `denied` if only a person can help (sign-in).
    virtual Result<void> acquire(Deadline deadline) = 0;
    // [waits] A request was refused. Success: it may be repeated with what ready() says now. At
    // once, if somebody else has already got something newer than what was used.
    virtual Result<void> challenged(const Challenge& challenge, Deadline deadline) = 0;
};

using CredentialsPtr = std::shared_ptr<Credentials>;

// The same headers always: none, static ones, Bearer, Basic. A challenge is final.
CredentialsPtr fixed_credentials(outbound::Headers headers);
outbound::Headers bearer(std::string_view token);
outbound::Headers basic(std::string_view user, std::string_view password);

}  // namespace pb::client
