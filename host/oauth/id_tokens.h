// SPDX-License-Identifier: Apache-2.0
// ID tokens (OpenID Connect Core, 2): who has signed in, for the client that asked for it. They
// open nothing here. The key that signs them is made when it is first needed and kept as a secret
// of the host's own.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "jose/jose.h"
#include "store/secrets.h"

namespace pb::oauth {

class IdTokens {
  public:
    explicit IdTokens(store::Secrets& secrets) : secrets_(secrets) {}

    struct Claims {
        std::string issuer, subject, audience, nonce;
    };
    // [any thread], both.
    Result<std::string> make(const Claims& claims);
    // The key set (RFC 7517).
    Result<std::string> jwks();

  private:
    Result<std::shared_ptr<const jose::SigningKey>> key();

    store::Secrets& secrets_;
    std::mutex mutex_;
    std::shared_ptr<const jose::SigningKey> key_;
};

}  // namespace pb::oauth
