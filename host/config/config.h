// SPDX-License-Identifier: Apache-2.0
// The configuration as values: what etc/patchbay.json and etc/orgs/<org>.json say, with defaults
// filled in. Plain data; reading is config/read.h, keeping it current is config/config_store.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/buckets.h"
#include "base/log.h"

namespace pb::config {

using Json = nlohmann::json;
using std::chrono::milliseconds;

struct ServerIdentity {
    std::string name = "patchbay";
    std::string title = "Patchbay";
    std::string instructions;
    bool operator==(const ServerIdentity&) const = default;
};

struct ListenLimits {
    std::size_t workers = 0;  // 0: the server decides
    std::size_t max_workers = 256;
    std::size_t max_connections = 20'000;
    std::size_t max_connections_per_peer = 0;  // 0: no bound of its own
    std::size_t max_header_bytes = 32U << 10U;
    std::size_t max_body_bytes = 8U << 20U;
    std::size_t stream_buffer_bytes = 1U << 20U;
    milliseconds header_time{10'000};
    milliseconds body_time{60'000};
    milliseconds idle_time{75'000};
    milliseconds write_time{30'000};
    milliseconds stream_stall{30'000};
    milliseconds keep_alive_comment{15'000};
    bool operator==(const ListenLimits&) const = default;
};

struct Tls {
    std::string certificate;
    std::string private_key;
    bool operator==(const Tls&) const = default;
};

struct Listen {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;
    std::string endpoint = "/mcp";
    std::optional<Tls> tls;
    std::vector<std::string> allowed_hosts;
    std::vector<std::string> allowed_origins;
    std::vector<std::string> trusted_proxies;  // ranges of addresses
    ListenLimits limits;
    // At which people reach the host, as browsers write it, without a slash at its end; or empty.
    std::string public_url;
    bool operator==(const Listen&) const = default;
};

// What capabilities may reach from here.
struct Outbound {
    bool allow_stdio = false;                      // start programs of this machine
    std::vector<std::string> allow_private_cidrs;  // of addresses that are not public
    std::string ca_file;  // who vouches for servers, as PEM; empty: whom the system trusts
    bool operator==(const Outbound&) const = default;
};

struct Plugins {
    std::string folder = "plugins";
    std::vector<std::string> allow_sha256;  // lower case
    std::vector<std::string> signature_keys;
    bool probe = true;
    bool insecure_permissions = false;
    bool operator==(const Plugins&) const = default;
};

struct LogConfig {
    log::Level level = log::Level::info;
    log::Format format = log::Format::text;
    bool operator==(const LogConfig&) const = default;
};

struct Breaker {
    int failures = 5;
    milliseconds cool_off{30'000};
    bool operator==(const Breaker&) const = default;
};

struct CallConfig {
    milliseconds default_timeout{60'000};
    milliseconds max_timeout{600'000};
    milliseconds grace{2'000};
    int max_depth = 8;
    int concurrency_per_provider = 128;
    Breaker breaker;
    bool operator==(const CallConfig&) const = default;
};

struct Sessions {
    std::size_t max = 10'000;
    milliseconds idle{3'600'000};
    bool operator==(const Sessions&) const = default;
};

struct InputRequired {
    milliseconds ttl{600'000};
    int max_rounds = 16;
    bool operator==(const InputRequired&) const = default;
};

// Tokens that somebody else issues, and what they are worth here.
struct ExternalIssuer {
    std::string issuer;                  // as in the token's `iss`
    std::string jwks_uri;                // empty: found in the issuer's metadata
    std::vector<std::string> audiences;  // empty: the URL of the MCP endpoint
    std::vector<std::string> algorithms;
    std::string org;  // of everybody; or, where it is empty, by a claim
    std::string org_claim;
    std::map<std::string, std::string> orgs;  // from the claim's values; empty: they are the names
    std::string principal_claim = "sub";
    std::string scope_claim = "scope";
    std::map<std::string, std::vector<std::string>> scopes;  // from the claim's values
    bool own_scopes = false;  // names like mcp:read in the claim count as they are
    std::vector<std::string> default_scopes;
    std::chrono::seconds clock_skew{60};
    bool operator==(const ExternalIssuer&) const = default;
};

struct OAuthConfig {
    bool registration = true;  // clients register themselves (RFC 7591)
    // Where documents that describe clients may be besides the public network. Anybody names such a
    // place without a credential, so what capabilities may reach does not count here.
    std::vector<std::string> allow_private_cidrs;
    std::chrono::seconds access_token{3600};
    std::chrono::seconds refresh_token{30 * 24 * 3600};  // without use
    // For each address.
    Rate sign_in{10, 10}, register_client{20, 20}, token{120, 120};
    bool operator==(const OAuthConfig&) const = default;
};

struct HostAccess {
    bool anonymous = true;  // on this machine, where there is no public URL
    std::vector<ExternalIssuer> issuers;
    OAuthConfig oauth;
    bool operator==(const HostAccess&) const = default;
};

struct HostAudit {
    bool enabled = true;
    std::chrono::hours retention{90 * 24};
    std::int64_t max_bytes = std::int64_t{4} << 30;
    bool operator==(const HostAudit&) const = default;
};

struct HostConfig {
    ServerIdentity server;
    Listen listen;
    Outbound outbound;
    Plugins plugins;
    std::string data_dir = "var";
    std::string org_dir = "etc/orgs";
    bool org_dir_named = false;  // then the folder must exist
    std::string anonymous_org = "default";
    LogConfig log;
    CallConfig calls;
    Sessions sessions;
    InputRequired input_required;
    HostAccess access;
    HostAudit audit;
    bool open_metrics = false;  // GET /metrics for everybody who reaches the host
    milliseconds drain{10'000};
    bool operator==(const HostConfig&) const = default;
};

struct CapabilityConfig {
    bool enabled = true;
    std::optional<std::string> name_space;  // absent: the capability's name
    Json config = Json::object();           // references not resolved
    bool operator==(const CapabilityConfig&) const = default;
};

// What an organisation forbids, whatever a credential says: what matches all that is given.
struct Forbidden {
    std::set<std::string> roles;         // of people; empty: of everybody, programs too
    std::set<std::string> capabilities;  // by capability name or namespace
    std::vector<std::string> tools;      // exposed names, with * and ?
    std::set<std::string> levels;        // "read", "write", "admin"
    bool operator==(const Forbidden&) const = default;
};

struct Limits {
    Rate credential{200, 200};
    Rate org;
    std::vector<std::pair<std::string, Rate>> tools;  // exposed names, with * and ?
    bool operator==(const Limits&) const = default;
};

// What of arguments and results the audit trail has.
struct OrgAudit {
    bool arguments = false;
    bool results = false;
    std::vector<std::string> redact;  // names of members, or JSON pointers
    bool operator==(const OrgAudit&) const = default;
};

struct OrgAccess {
    std::vector<Forbidden> forbidden;
    // A tool outside the scopes is unknown; or it is (still unlisted) refused with the scope that
    // it needs, so that a client can ask for that.
    bool challenges = false;
    bool keys_in_urls = false;
    Limits limits;
    OrgAudit audit;
    bool operator==(const OrgAccess&) const = default;
};

struct OrgConfig {
    std::string name;  // the file's, without .json
    std::string instructions;
    // Absent: every capability. Present: those that are named; the others if `others_enabled`.
    std::optional<std::map<std::string, CapabilityConfig>> capabilities;
    bool others_enabled = true;
    Json mcp_servers = Json::object();         // as written; each may be wrong
    std::vector<std::string> server_problems;  // what is, with file and line
    OrgAccess access;
    bool recorded = false;  // made at run time: it says what its administrators say, no operator

    // What this organisation says of a capability; nullopt if it does not have it.
    std::optional<CapabilityConfig> capability(std::string_view name) const;
    bool operator==(const OrgConfig&) const = default;
};

using OrgPtr = std::shared_ptr<const OrgConfig>;

// Everything at one moment. Immutable once made; an organisation that did not change keeps its
// pointer, so that comparing pointers says who did.
struct ConfigSet {
    HostConfig host;
    std::map<std::string, OrgPtr, std::less<>> orgs;
};

using ConfigSetPtr = std::shared_ptr<const ConfigSet>;

// What the command line says; it wins over the file. Paths are relative to the working directory.
struct Overrides {
    std::optional<std::string> config_file;  // absent: etc/patchbay.json if it exists
    std::optional<std::string> address;
    std::optional<std::uint16_t> port;
    std::optional<std::string> plugins_folder;
    std::optional<std::string> data_dir;
    std::optional<std::string> org_dir;
    std::optional<log::Level> log_level;
    std::optional<log::Format> log_format;
};

}  // namespace pb::config
