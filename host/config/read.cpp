// SPDX-License-Identifier: Apache-2.0
// Reading: text, schema, values, rules - in this order, each only if the one before held.
#include "config/read.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "base/url.h"
#include "config/members.h"
#include "config/read_access.h"
#include "config/validate.h"

namespace pb::config {
namespace fs = std::filesystem;
namespace {

constexpr const char* default_file = "etc/patchbay.json";

void read_listen(const Members& in, Listen& listen) {
    in.read("address", listen.address);
    in.read("port", listen.port);
    in.read("endpoint", listen.endpoint);
    in.read("public_url", listen.public_url);
    in.read("allowed_hosts", listen.allowed_hosts);
    in.read("allowed_origins", listen.allowed_origins);
    in.read("trusted_proxies", listen.trusted_proxies);
    if (in.has("tls")) {
        Tls tls;
        in.in("tls").read_path("certificate", tls.certificate);
        in.in("tls").read_path("private_key", tls.private_key);
        listen.tls = tls;
    }
    const Members limits = in.in("limits");
    limits.read("workers", listen.limits.workers);
    limits.read("max_workers", listen.limits.max_workers);
    limits.read("max_connections", listen.limits.max_connections);
    limits.read("max_connections_per_peer", listen.limits.max_connections_per_peer);
    limits.read("max_header_bytes", listen.limits.max_header_bytes);
    limits.read("max_body_bytes", listen.limits.max_body_bytes);
    limits.read("stream_buffer_bytes", listen.limits.stream_buffer_bytes);
    limits.read("header_time_ms", listen.limits.header_time);
    limits.read("body_time_ms", listen.limits.body_time);
    limits.read("idle_time_ms", listen.limits.idle_time);
    limits.read("write_time_ms", listen.limits.write_time);
    limits.read("stream_stall_ms", listen.limits.stream_stall);
    limits.read("keep_alive_comment_ms", listen.limits.keep_alive_comment);
}

// As clients and browsers write them, because they are compared from now on: scheme and host in
// lower case, no port that the scheme has anyway, no slash at the end.
Result<void> normalise(const std::string& path, Listen& listen) {
    while (listen.endpoint.size() > 1 && listen.endpoint.ends_with('/'))
        listen.endpoint.pop_back();
    if (listen.public_url.empty()) return {};
    const auto url = parse_url(listen.public_url, path + ": /listen/public_url:");
    if (!url) return url.error();
    listen.public_url = url->text();
    return {};
}

void read_plugins(const Members& in, Plugins& plugins) {
    in.read_path("folder", plugins.folder);
    in.read("allow_sha256", plugins.allow_sha256);
    for (std::string& hash : plugins.allow_sha256) {
        std::transform(hash.begin(), hash.end(), hash.begin(),
                       [](char c) { return c >= 'A' && c <= 'F' ? char(c - 'A' + 'a') : c; });
    }
    in.read_paths("signature_keys", plugins.signature_keys);
    in.read("probe", plugins.probe);
    in.read("insecure_permissions", plugins.insecure_permissions);
}

void read_calls(const Members& in, CallConfig& calls) {
    in.read("default_timeout_ms", calls.default_timeout);
    in.read("max_timeout_ms", calls.max_timeout);
    in.read("grace_ms", calls.grace);
    in.read("max_depth", calls.max_depth);
    in.read("concurrency_per_provider", calls.concurrency_per_provider);
    in.in("breaker").read("failures", calls.breaker.failures);
    in.in("breaker").read("cool_off_ms", calls.breaker.cool_off);
}

HostConfig host_from(const Members& in, const std::string& folder) {
    HostConfig host;
    in.in("server").read("name", host.server.name);
    in.in("server").read("title", host.server.title);
    in.in("server").read("instructions", host.server.instructions);
    read_listen(in.in("listen"), host.listen);
    in.in("outbound").read("allow_stdio", host.outbound.allow_stdio);
    in.in("outbound").read("allow_private_cidrs", host.outbound.allow_private_cidrs);
    in.in("outbound").read_path("ca_file", host.outbound.ca_file);
    read_plugins(in.in("plugins"), host.plugins);
    in.read_path("data_dir", host.data_dir);
    host.org_dir = (fs::path(folder) / "orgs").lexically_normal().string();
    in.read_path("org_dir", host.org_dir);
    host.org_dir_named = in.has("org_dir");
    in.read("anonymous_org", host.anonymous_org);
    std::string level = "info";
    std::string format = "text";
    in.in("log").read("level", level);
    in.in("log").read("format", format);
    host.log.level = log::level_from(level);
    host.log.format = format == "json" ? log::Format::json : log::Format::text;
    read_calls(in.in("calls"), host.calls);
    in.in("sessions").read("max", host.sessions.max);
    in.in("sessions").read("idle_ms", host.sessions.idle);
    in.in("input_required").read("ttl_ms", host.input_required.ttl);
    in.in("input_required").read("max_rounds", host.input_required.max_rounds);
    read_host_access(in, host);
    in.read("drain_ms", host.drain);
    return host;
}

CapabilityConfig capability_from(const Json& value) {
    CapabilityConfig capability;
    const Members in(value, "");
    in.read("enabled", capability.enabled);
    if (in.has("namespace")) capability.name_space = value.at("namespace").get<std::string>();
    in.read("config", capability.config);
    return capability;
}

// Two capabilities that the file itself puts under one namespace; the others are known only when
// the plugins are.
Result<void> check_namespaces(const OrgConfig& org, const std::string& path) {
    std::map<std::string, std::string> owners;
    for (const auto& [name, capability] : *org.capabilities) {
        if (!capability.enabled) continue;
        const std::string name_space = capability.name_space.value_or(name);
        if (name_space.empty()) continue;  // several may have none
        const auto [owner, is_new] = owners.emplace(name_space, name);
        if (is_new) continue;
        return invalid(path + ": capabilities \"" + owner->second + "\" and \"" + name +
                       "\" have the same namespace \"" + name_space +
                       "\"; give one of them another");
    }
    return {};
}

// 10.0.0.0/8, fd00::/8: an address whose bits behind the prefix are zero.
Result<void> check_cidr(const char* member, const std::string& text) {
    const auto wrong = [&](const char* what) {
        return invalid(std::string(member) + ": \"" + text + "\" " + what);
    };
    const auto slash = text.find('/');
    const std::string_view digits =
        slash == text.npos ? std::string_view() : std::string_view(text).substr(slash + 1);
    unsigned prefix = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    std::array<unsigned char, 16> bytes{};
    const std::string address = text.substr(0, slash);
    unsigned bits = 0;
    if (inet_pton(AF_INET, address.c_str(), bytes.data()) == 1) bits = 32;
    if (inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1) bits = 128;
    const bool canonical = digits.size() == 1 || (!digits.empty() && digits.front() != '0');
    if (bits == 0 || !canonical || read.ec != std::errc() ||
        read.ptr != digits.data() + digits.size() || prefix > bits) {
        return wrong("is no range of addresses such as 10.0.0.0/8 or fd00::/8");
    }
    for (unsigned bit = prefix; bit < bits; ++bit) {
        if ((bytes[bit / 8] >> (7 - bit % 8) & 1) != 0)
            return wrong("has an address with bits set behind its prefix");
    }
    return {};
}

Result<OrgConfig> org_from(const std::string& name, const std::string& path, Validated read) {
    OrgConfig org;
    org.name = name;
    const Json& value = read.value;
    org.server_problems = std::move(read.server_problems);
    const Members in(value, "");
    in.read("instructions", org.instructions);
    in.read("mcpServers", org.mcp_servers);
    read_org_access(in, org.access);
    if (!in.has("capabilities")) return org;
    org.capabilities.emplace();
    org.others_enabled = false;
    for (const auto& [name, member] : value.at("capabilities").items()) {
        if (name == "*") {
            org.others_enabled = member.at("enabled").get<bool>();
        } else {
            org.capabilities->emplace(name, capability_from(member));
        }
    }
    auto unique = check_namespaces(org, path);
    if (!unique) return unique.error();
    return org;
}

void apply(const Overrides& overrides, HostConfig& host) {
    const auto set = [](const auto& from, auto& to) {
        if (from) to = *from;
    };
    set(overrides.address, host.listen.address);
    set(overrides.port, host.listen.port);
    set(overrides.plugins_folder, host.plugins.folder);
    set(overrides.data_dir, host.data_dir);
    set(overrides.org_dir, host.org_dir);
    host.org_dir_named |= overrides.org_dir.has_value();
    set(overrides.log_level, host.log.level);
    set(overrides.log_format, host.log.format);
}

}  // namespace

std::string Members::against_base(const std::string& path) const {
    return (fs::path(base_) / path).lexically_normal().string();
}

bool is_loopback(const std::string& address) {
    in_addr v4{};
    in6_addr v6{};
    if (inet_pton(AF_INET, address.c_str(), &v4) == 1) {
        return (ntohl(v4.s_addr) >> 24U) == 127;
    }
    return inet_pton(AF_INET6, address.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool is_private(const Listen& listen) {
    if (listen.public_url.empty()) return true;
    const auto url = parse_url(listen.public_url, "listen.public_url");
    if (!url) return false;
    const bool literal = url->host.starts_with('[');
    return url->host == "localhost" ||
           is_loopback(literal ? url->host.substr(1, url->host.size() - 2) : url->host);
}

bool is_org_name(std::string_view name) {
    const auto alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    const auto inner = [&](char c) { return alnum(c) || c == '_' || c == '-'; };
    return !name.empty() && name.size() <= 64 && alnum(name.front()) && alnum(name.back()) &&
           std::all_of(name.begin(), name.end(), inner);
}

Result<HostConfig> read_host(const std::string& path) {
    auto value = read_validated(path, Kind::host);
    if (!value) return value.error();
    const std::string folder = fs::path(path).parent_path().string();
    auto host = host_from(Members(value->value, folder), folder);
    if (auto done = normalise(path, host.listen); !done) return done.error();
    return host;
}

Result<OrgConfig> read_org(const std::string& path) {
    const auto name = fs::path(path).stem().string();
    if (!is_org_name(name)) {
        return invalid(path +
                       ": an organisation's file name must be lower-case letters, digits, '-' and "
                       "'_' (at most 64, starting and ending with a letter or digit), then .json");
    }
    auto read = read_validated(path, Kind::org);
    if (!read) return read.error();
    return org_from(name, path, std::move(*read));
}

Result<OrgConfig> parse_org(const std::string& name, const std::string& text) {
    if (!is_org_name(name)) {
        return invalid(
            "an organisation's name must be lower-case letters, digits, '-' and '_' (at most 64, "
            "starting and ending with a letter or digit)");
    }
    const auto where = "organisation " + name;
    auto read = parse_validated(where, text, Kind::org);
    if (!read) return read.error();
    return org_from(name, where, std::move(*read));
}

std::string host_file(const Overrides& overrides) {
    if (overrides.config_file) return *overrides.config_file;
    std::error_code ignored;
    return fs::exists(default_file, ignored) ? default_file : "";
}

Result<HostConfig> load_host(const Overrides& overrides) {
    HostConfig host;
    const std::string path = host_file(overrides);
    if (!path.empty()) {
        auto read = read_host(path);
        if (!read) return read.error();
        host = std::move(*read);
    }
    apply(overrides, host);
    if (host.listen.address == "localhost") host.listen.address = "127.0.0.1";
    auto checked = check_host(host);
    if (!checked) return checked.error();
    return host;
}

Result<void> check_host(const HostConfig& host) {
    in6_addr ignored{};
    if (inet_pton(AF_INET, host.listen.address.c_str(), &ignored) != 1 &&
        inet_pton(AF_INET6, host.listen.address.c_str(), &ignored) != 1) {
        return invalid("listen address \"" + host.listen.address +
                       "\" is no IP address such as 127.0.0.1, 0.0.0.0 or ::");
    }
    if (host.calls.default_timeout > host.calls.max_timeout) {
        return invalid("calls.default_timeout_ms is longer than calls.max_timeout_ms");
    }
    if (host.listen.limits.workers > host.listen.limits.max_workers) {
        return invalid("listen.limits.workers is more than listen.limits.max_workers");
    }
    for (const auto& cidr : host.outbound.allow_private_cidrs) {
        if (auto sound = check_cidr("outbound.allow_private_cidrs", cidr); !sound) return sound;
    }
    for (const auto& cidr : host.access.oauth.allow_private_cidrs) {
        if (auto sound = check_cidr("access.oauth.allow_private_cidrs", cidr); !sound) return sound;
    }
    for (const auto& cidr : host.listen.trusted_proxies) {
        if (auto sound = check_cidr("listen.trusted_proxies", cidr); !sound) return sound;
    }
    return {};
}

std::optional<CapabilityConfig> OrgConfig::capability(std::string_view capability_name) const {
    if (!capabilities) return CapabilityConfig{};
    const auto named = capabilities->find(std::string(capability_name));
    if (named == capabilities->end()) {
        return others_enabled ? std::optional<CapabilityConfig>(CapabilityConfig{}) : std::nullopt;
    }
    return named->second.enabled ? std::optional<CapabilityConfig>(named->second) : std::nullopt;
}

}  // namespace pb::config
