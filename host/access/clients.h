// SPDX-License-Identifier: Apache-2.0
// OAuth clients that are registered here: by themselves (RFC 7591) or, for machines, by an
// administrator. Clients that are described by a document at their client_id are not kept.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "access/records.h"
#include "access/scopes.h"

namespace pb::access {

struct OAuthClient {
    std::string id;
    std::string name;
    std::vector<std::string> redirect_uris;
    // "none", "client_secret_basic" or "client_secret_post"
    std::string auth_method = "none";
    bool web = false;        // application_type "web": no loopback redirects, no other schemes
    std::string client_uri;  // shown to the person; or empty
    // A machine's: it signs in as itself, with these scopes, in this organisation.
    std::string org;
    Scopes scopes;
    std::string role;  // a machine's: its maker's, as of keys
    Millis created_ms = 0;

    bool is_machine() const { return !org.empty(); }
};

// RFC 7591, 3.2.2.
struct RegistrationError {
    std::string code;  // "invalid_redirect_uri" or "invalid_client_metadata"
    std::string description;
};

// What a client says of itself, checked: only redirect URIs that lead to it alone (https, a
// loopback address, or a scheme of its own that is a reversed domain name), only grants and methods
// that there are here. Members that nobody here knows are left out.
std::variant<OAuthClient, RegistrationError> read_client(const nlohmann::json& metadata);

// Whether a client may be sent to this URI: exactly one of its own, but for the port of a loopback
// address (RFC 8252, 7.3).
bool redirects_to(const OAuthClient& client, std::string_view uri);

// [any thread], all of it.
class Clients {
  public:
    // `most`: how many that registered themselves are kept.
    explicit Clients(std::shared_ptr<Records> records, std::int64_t most = 10'000)
        : records_(std::move(records)), most_(most) {}

    struct Made {
        OAuthClient client;
        std::string secret;  // empty for auth_method "none"; nowhere else
    };
    // busy if too many that registered themselves are in use already; a machine is always added.
    Result<Made> add(OAuthClient client);
    Result<std::optional<OAuthClient>> find(std::string_view id);
    // False if there is no such client or it has another secret, or none.
    Result<bool> has_secret(std::string_view id, std::string_view secret);
    Result<std::vector<OAuthClient>> machines(std::string_view org);
    // With its grants. not_found if the organisation has none with this id.
    Result<void> remove(std::string_view org, std::string_view id);
    void used(std::string_view id);
    // Forgets those that registered themselves and were never used, or not for a long time.
    void sweep();

  private:
    Result<void> make_room(store::Queries& queries);

    const std::shared_ptr<Records> records_;
    const std::int64_t most_;
};

}  // namespace pb::access
