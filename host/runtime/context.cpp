// SPDX-License-Identifier: Apache-2.0
#include "runtime/context.h"

#include "json/scan.h"

namespace pb::runtime {
namespace {

void append_ids(std::string& out, std::string_view name, std::string_view prefix,
                const std::vector<std::string>& scopes) {
    bool any = false;
    for (const auto& scope : scopes) {
        if (!scope.starts_with(prefix)) continue;
        out += any ? "," : (",\"" + std::string(name) + "\":[");
        json::append_quoted(out, std::string_view(scope).substr(prefix.size()));
        any = true;
    }
    if (any) out += ']';
}

}  // namespace

std::string make_context(const Caller& caller, const ClientView& client, int depth,
                         std::string_view capability) {
    std::string out;
    out.reserve(256 + client.info.size() + client.capabilities.size());
    out += "{\"org\":";
    json::append_quoted(out, caller.org);
    if (!capability.empty()) {
        out += ",\"capability\":";
        json::append_quoted(out, capability);
    }
    out += ",\"principal\":{\"id\":";
    json::append_quoted(out, caller.principal);
    out += ",\"kind\":";
    json::append_quoted(out, caller.principal_kind);
    out += "},\"scopes\":[";
    for (std::size_t i = 0; i < caller.scopes.size(); ++i) {
        if (i) out += ',';
        json::append_quoted(out, caller.scopes[i]);
    }
    out += ']';
    append_ids(out, "sources", "source:", caller.scopes);
    append_ids(out, "objects", "object:", caller.scopes);
    if (!client.info.empty()) (out += ",\"client\":") += client.info;
    if (!client.capabilities.empty()) (out += ",\"clientCapabilities\":") += client.capabilities;
    if (!client.protocol_version.empty()) {
        out += ",\"protocolVersion\":";
        json::append_quoted(out, client.protocol_version);
    }
    if (!client.log_level.empty()) {
        out += ",\"logLevel\":";
        json::append_quoted(out, client.log_level);
    }
    if (!client.trace.empty()) (out += ",\"trace\":") += client.trace;
    out += client.progress ? ",\"progress\":true" : ",\"progress\":false";
    out += ",\"depth\":";
    out += std::to_string(depth);
    out += '}';
    return out;
}

}  // namespace pb::runtime
