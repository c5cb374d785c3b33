// SPDX-License-Identifier: Apache-2.0
// TLS 1.2 and newer on a socket, by OpenSSL. The handshake happens inside the first reads.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "http/transport.h"

namespace pb::http {

struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreeContext>;

// From PEM files: the certificate with its chain, and its private key.
Result<TlsContext> load_tls(const std::string& certificate, const std::string& private_key);

// Null if OpenSSL has no memory.
std::unique_ptr<Transport> tls_transport(SSL_CTX* context, int descriptor);

}  // namespace pb::http
