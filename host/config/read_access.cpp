// SPDX-License-Identifier: Apache-2.0
#include "config/read_access.h"

namespace pb::config {
namespace {

void read_seconds(const Members& in, const char* name, std::chrono::seconds& target) {
    std::int64_t count = target.count();
    in.read(name, count);
    target = std::chrono::seconds(count);
}

// {"per_minute": 200, "burst": 400}; false: no bound.
Rate rate_from(const Json& value) {
    Rate rate;
    if (value.is_boolean()) return rate;
    const Members in(value, "");
    in.read("per_minute", rate.per_minute);
    in.read("burst", rate.burst);
    return rate;
}

void read_rate(const Json& object, const char* name, Rate& target) {
    if (object.contains(name)) target = rate_from(object.at(name));
}

ExternalIssuer issuer_from(const Json& value) {
    ExternalIssuer issuer;
    const Members in(value, "");
    in.read("issuer", issuer.issuer);
    in.read("jwks_uri", issuer.jwks_uri);
    in.read("audiences", issuer.audiences);
    in.read("algorithms", issuer.algorithms);
    in.read("org", issuer.org);
    in.read("org_claim", issuer.org_claim);
    in.read("orgs", issuer.orgs);
    in.read("principal_claim", issuer.principal_claim);
    in.read("scope_claim", issuer.scope_claim);
    in.read("scopes", issuer.scopes);
    in.read("own_scopes", issuer.own_scopes);
    in.read("default_scopes", issuer.default_scopes);
    read_seconds(in, "clock_skew_seconds", issuer.clock_skew);
    return issuer;
}

Forbidden forbidden_from(const Json& value) {
    Forbidden rule;
    const Members in(value, "");
    in.read("roles", rule.roles);
    in.read("capabilities", rule.capabilities);
    in.read("tools", rule.tools);
    in.read("levels", rule.levels);
    return rule;
}

}  // namespace

void read_host_access(const Members& in, HostConfig& host) {
    const Members access = in.in("access");
    std::string anonymous = "loopback";
    access.read("anonymous", anonymous);
    host.access.anonymous = anonymous == "loopback";
    Json issuers = Json::array();
    access.read("issuers", issuers);
    for (const auto& issuer : issuers)
        host.access.issuers.push_back(issuer_from(issuer));
    const Members oauth = access.in("oauth");
    oauth.read("registration", host.access.oauth.registration);
    oauth.read("allow_private_cidrs", host.access.oauth.allow_private_cidrs);
    read_seconds(oauth, "access_token_seconds", host.access.oauth.access_token);
    read_seconds(oauth, "refresh_token_seconds", host.access.oauth.refresh_token);
    Json limits = Json::object();
    oauth.read("limits", limits);
    read_rate(limits, "sign_in", host.access.oauth.sign_in);
    read_rate(limits, "register", host.access.oauth.register_client);
    read_rate(limits, "token", host.access.oauth.token);

    const Members audit = in.in("audit");
    audit.read("enabled", host.audit.enabled);
    std::int64_t days = host.audit.retention.count() / 24;
    audit.read("retention_days", days);
    host.audit.retention = std::chrono::hours(24 * days);
    std::int64_t megabytes = host.audit.max_bytes >> 20;
    audit.read("max_megabytes", megabytes);
    host.audit.max_bytes = megabytes << 20;
    in.in("metrics").read("open", host.open_metrics);
}

void read_org_access(const Members& in, OrgAccess& access) {
    const Members from = in.in("access");
    Json forbidden = Json::array();
    from.read("forbidden", forbidden);
    for (const auto& rule : forbidden)
        access.forbidden.push_back(forbidden_from(rule));
    std::string out_of_scope = "hide";
    from.read("out_of_scope", out_of_scope);
    access.challenges = out_of_scope == "challenge";
    from.read("api_key_in_url", access.keys_in_urls);
    Json limits = Json::object();
    from.read("limits", limits);
    read_rate(limits, "credential", access.limits.credential);
    read_rate(limits, "org", access.limits.org);
    if (limits.contains("tools"))
        for (const auto& [pattern, rate] : limits.at("tools").items())
            access.limits.tools.emplace_back(pattern, rate_from(rate));
    const Members audit = in.in("audit");
    audit.read("arguments", access.audit.arguments);
    audit.read("results", access.audit.results);
    audit.read("redact", access.audit.redact);
}

}  // namespace pb::config
