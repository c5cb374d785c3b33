// SPDX-License-Identifier: Apache-2.0
// Names to addresses. An interface, so that a test can answer differently the second time.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace pb::outbound {

class Resolver {
  public:
    virtual ~Resolver() = default;
    // [any thread, several at once] Blocks. Never an empty list.
    virtual Result<std::vector<sockaddr_storage>> resolve(const std::string& host,
                                                          std::uint16_t port) = 0;
};

using ResolverPtr = std::shared_ptr<Resolver>;

// getaddrinfo().
ResolverPtr system_resolver();

}  // namespace pb::outbound
