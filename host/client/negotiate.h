// SPDX-License-Identifier: Apache-2.0
// Negotiation: which era, version and transport a server speaks, and a link in it.
// https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning#backward-compatibility-with-initialization-based-versions
#pragma once

#include <atomic>
#include <climits>
#include <memory>
#include <optional>
#include <string>

#include "client/rpc.h"
#include "client/spec.h"

namespace pb::client {

// A server as it is spoken to now. Immutable; replaced when the server changes.
struct Link {
    std::shared_ptr<Rpc> rpc;
    ServerInfo info;
    // Legacy: the least severe level that was asked for (mcp::log_severity); none at first.
    std::shared_ptr<std::atomic<int>> level = std::make_shared<std::atomic<int>>(INT_MAX);
};

using LinkPtr = std::shared_ptr<const Link>;

struct Negotiation {
    Engine& engine;
    const ServerSpec& spec;
    CredentialsPtr credentials;
    std::weak_ptr<Listener> listener;
    std::optional<mcp::Version> remembered;  // the verdict of before: tried first
    Deadline deadline;
};

// [waits] Opens a link. With `version` in the spec only that era is tried; otherwise the modern
// one, then the legacy one, then (over HTTP) the transport of 2024-11-05.
Result<LinkPtr> negotiate(const Negotiation& negotiation);

// An error that only a server of the modern era has.
bool is_modern_code(std::int64_t code);

// What we can be asked in the legacy eras, as `capabilities` of initialize: everything; whether the
// one who calls can be asked is seen when the question comes.
std::string_view legacy_capabilities(mcp::Version version);

// The _meta of a modern request: version, who we are, what can be asked of the caller, and further
// members ("\"a\":1,\"b\":2", without braces).
std::string modern_meta(const ServerSpec& spec, std::string_view version_name,
                        std::string_view client_capabilities, std::string_view further = {});

}  // namespace pb::client
