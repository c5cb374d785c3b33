// SPDX-License-Identifier: Apache-2.0
// Seal: a plugin's state for the next round, carried by the client and trusted again when it comes
// back (AES-256-GCM). It is bound to who asked, for what, with which arguments, and until when.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/aes_gcm.h"
#include "base/result.h"

namespace pb::mcp {

class Seal {
  public:
    using Key = aes_gcm::Key;

    Seal(Key key, std::chrono::milliseconds ttl) : key_(key), ttl_(ttl) {}

    // What a sealed state belongs to: everything that must be the same when it comes back.
    struct Binding {
        std::string_view org, principal, method, name;
        std::string_view arguments;  // JSON text as sent; its white space counts
    };

    struct Opened {
        std::string state;
        int round = 0;
    };
    // base64url text. `round`: how many times the client was asked, this one included.
    std::string close(const Binding& binding, int round, std::string_view state) const;
    // One answer for everything that is wrong: the reasons are nobody's business.
    Result<Opened> open(const Binding& binding, std::string_view sealed) const;

  private:
    Key key_;
    std::chrono::milliseconds ttl_;
};

}  // namespace pb::mcp
