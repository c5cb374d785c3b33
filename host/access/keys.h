// SPDX-License-Identifier: Apache-2.0
// API keys: for programs that sign in as themselves. A key is shown once, when it is made; what is
// kept is its digest.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/records.h"
#include "access/scopes.h"

namespace pb::access {

inline constexpr std::string_view key_prefix = "pb_";

struct ApiKey {
    std::string id;  // "key_..."; not secret
    std::string org;
    std::string name;
    Scopes scopes;
    std::string created_by;  // a person's id, or "cli"
    // Its maker's, for rules about roles: nobody leaves them behind by making a key. Empty: the
    // operator's own.
    std::string role;
    Millis created_ms = 0;
    std::optional<Millis> expires_ms;
    std::optional<Millis> used_ms;  // to the minute or so

    bool is_expired(Millis now) const { return expires_ms && *expires_ms <= now; }
};

// [any thread], all of it.
class Keys {
  public:
    explicit Keys(std::shared_ptr<Records> records) : records_(std::move(records)) {}

    struct Made {
        ApiKey key;
        std::string secret;  // "pb_...", nowhere else
    };
    Result<Made> make(std::string_view org, std::string_view name, const Scopes& scopes,
                      std::string_view created_by, std::optional<Millis> expires_ms,
                      std::string_view role = {});
    // Nothing if there is no such key any more, or it has expired.
    Result<std::optional<ApiKey>> find(std::string_view secret);
    Result<std::vector<ApiKey>> list(std::string_view org);
    Result<bool> exists(std::string_view org, std::string_view id);
    // not_found if the organisation has none with this id.
    Result<void> revoke(std::string_view org, std::string_view id);
    // Whether there is one anywhere.
    Result<bool> any();
    void used(std::string_view id, Millis at);

  private:
    const std::shared_ptr<Records> records_;
};

}  // namespace pb::access
