// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

#include <algorithm>
#include <set>

#include "entry.h"
#include "outbound/target.h"
#include "sha256.h"

namespace pb::remote {
namespace {

using client::milliseconds;

constexpr std::size_t max_headers = 100, max_text = 8192;

std::string text(const Json& entry, const char* name) {
    const auto found = entry.find(name);
    return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

// Reads one entry, member by member.
class Reader {
  public:
    Reader(const std::string& name, const Json& entry, const HostFacts& host, bool scoped,
           std::vector<std::string> remarks)
        : entry_(entry), host_(host), scoped_(scoped) {
        out_.name = out_.spec.name = name;
        out_.remarks = std::move(remarks);
    }

    Result<Settings> read() {
        for (auto step :
             {&Reader::shape, &Reader::texts, &Reader::transport, &Reader::naming, &Reader::times,
              &Reader::protocol, &Reader::rules, &Reader::auth, &Reader::switches})
            if (auto done = (this->*step)(); !done) return done.error();
        remarks();
        return std::move(out_);
    }

  private:
    Result<void> shape();
    Result<void> texts();
    Result<void> transport();
    Result<void> reach_http();
    Result<void> reach_stdio();
    Result<void> headers();
    Result<void> naming();
    Result<void> times();
    Result<void> protocol();
    Result<void> rules();
    Result<void> auth();
    Result<void> auth_members() const;
    Result<void> identity(const std::string& type);
    Result<void> switches();
    void remarks();
    Result<void> duration(const char* name, milliseconds& into, std::int64_t least,
                          std::int64_t most);
    Result<void> flag(const char* name, bool& into);

    const Json& entry_;
    const HostFacts& host_;
    const bool scoped_;
    Settings out_;
};

Result<void> Reader::shape() {
    if (const auto why = text(entry_, "unresolved"); !why.empty()) return invalid(why);
    out_.spec.client_version = host_.version;
    return check_name(out_.name);
}

Result<void> Reader::texts() {
    static const std::set<std::string> choices{"type", "transport", "protocol", "acts_as",
                                               "on_tool_change"};
    static const std::set<std::string> others{"url",   "command",     "cwd",
                                              "title", "description", "namespace"};
    for (const auto& [name, value] : entry_.items()) {
        const bool choice = choices.contains(name);
        if (!choice && !others.contains(name)) continue;
        if (!value.is_string()) return invalid(name + " must be a text");
        if (choice && value.get_ref<const std::string&>().empty())
            return invalid(name + " must not be empty; leave it out for its default");
    }
    return {};
}

Result<void> Reader::transport() {
    auto type = text(entry_, "type");
    if (type.empty()) type = text(entry_, "transport");
    const bool command = entry_.contains("command");
    if (type.empty()) type = command ? "stdio" : "http";
    if (type == "stdio") return reach_stdio();
    if (type != "http" && type != "streamable-http" && type != "streamableHttp" && type != "sse")
        return invalid("type must be http, sse or stdio, and is '" + type.substr(0, 40) + "'");
    out_.spec.kind = type == "sse" ? client::Kind::sse : client::Kind::http;
    return reach_http();
}

Result<void> Reader::reach_http() {
    out_.spec.url = text(entry_, "url");
    if (out_.spec.url.empty()) return invalid("url is missing");
    auto target = outbound::parse_target(out_.spec.url);
    if (!target) return invalid("url: " + target.error().message);
    return headers();
}

Result<void> Reader::headers() {
    const auto found = entry_.find("headers");
    if (found == entry_.end()) return {};
    if (!found->is_object() || found->size() > max_headers)
        return invalid("headers must be an object of at most 100 texts");
    for (const auto& [name, value] : found->items()) {
        const bool fine = !name.empty() && value.is_string() && value.size() <= max_text &&
                          std::all_of(name.begin(), name.end(), [](unsigned char c) {
                              return std::isalnum(c) != 0 || c == '-' || c == '_';
                          });
        const auto* content = fine ? value.get_ptr<const std::string*>() : nullptr;
        if (!content || content->find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
            return invalid("headers: '" + name.substr(0, 64) +
                           "' is not a header's name with a text of one line");
        static const std::set<std::string> ours{"host",
                                                "content-length",
                                                "transfer-encoding",
                                                "connection",
                                                "content-type",
                                                "accept",
                                                "mcp-session-id",
                                                "mcp-method",
                                                "mcp-name",
                                                "mcp-protocol-version",
                                                "last-event-id",
                                                "upgrade"};
        if (ours.contains(lower(name)))
            return invalid("headers: '" + name + "' is set by Patchbay");
        out_.spec.headers.emplace_back(name, *content);
    }
    return {};
}

Result<void> Reader::reach_stdio() {
    if (scoped_) return invalid("a scoped server must be a remote one: type http or sse");
    if (!host_.allow_stdio)
        return invalid(
            "type stdio starts a program on the host, which its operator has not allowed; "
            "\"outbound\": {\"allow_stdio\": true} in the host's configuration would");
    // Whoever administers an organisation need not be somebody who may run programs here.
    if (!host_.is_operators)
        return invalid(
            "type stdio starts a program on the host, which is the operator's to say: in the "
            "organisation's file (orgs/<org>.json), or in the organisation '" +
            host_.operator_org + "'");
    auto& spec = out_.spec;
    spec.kind = client::Kind::stdio;
    spec.command = text(entry_, "command");
    if (spec.command.empty()) return invalid("command is missing");
    spec.cwd = text(entry_, "cwd");
    if (const auto found = entry_.find("args"); found != entry_.end()) {
        if (!found->is_array()) return invalid("args must be an array of texts");
        for (const auto& each : *found) {
            if (!each.is_string()) return invalid("args must be an array of texts");
            spec.arguments.push_back(each.get<std::string>());
        }
    }
    if (const auto found = entry_.find("env"); found != entry_.end()) {
        if (!found->is_object()) return invalid("env must be an object of texts");
        for (const auto& [name, value] : found->items()) {
            if (!value.is_string() || name.empty() || name.find('=') != std::string::npos)
                return invalid("env must be an object of texts");
            spec.environment.emplace(name, value.get<std::string>());
        }
    }
    return {};
}

Result<void> Reader::naming() {
    out_.title = text(entry_, "title");
    out_.description = text(entry_, "description");
    const auto found = entry_.find("namespace");
    if (found == entry_.end()) {
        out_.name_space = namespace_for(out_.name);
        if (!out_.name_space.empty()) return {};
        out_.name_space = namespace_for("server-" + sha256(out_.name).substr(0, 8));
        out_.remarks.push_back("no namespace can be made of its name; it is '" + out_.name_space +
                               "', and namespace would set another");
        return {};
    }
    out_.name_space = found->get<std::string>();
    return {};
}

Result<void> Reader::duration(const char* name, milliseconds& into, std::int64_t least,
                              std::int64_t most) {
    const auto found = entry_.find(name);
    if (found == entry_.end()) return {};
    if (!found->is_number_integer() || *found < least || *found > most)
        return invalid(std::string(name) + " must be a number of milliseconds from " +
                       std::to_string(least) + " to " + std::to_string(most));
    into = milliseconds(found->get<std::int64_t>());
    return {};
}

Result<void> Reader::times() {
    constexpr std::int64_t day = 86'400'000;
    if (auto done = duration("timeout", out_.timeout, 100, 3'600'000); !done) return done;
    if (out_.timeout.count() > 0) out_.spec.call_time = out_.timeout;
    if (auto done = duration("connect_timeout", out_.spec.connect_time, 100, 120'000); !done)
        return done;
    if (auto done = duration("refresh", out_.refresh, 1'000, 30 * day); !done) return done;
    if (auto done = duration("serve_stale", out_.serve_stale, 0, 365 * day); !done) return done;
    out_.spec.handshake_time = std::max(out_.spec.connect_time, out_.spec.handshake_time);
    return {};
}

Result<void> Reader::protocol() {
    const auto wanted = text(entry_, "protocol");
    if (wanted.empty() || wanted == "auto") return {};
    out_.spec.version = mcp::version_from(wanted);
    if (!out_.spec.version)
        return invalid("protocol must be auto, 2026-07-28, 2025-11-25, 2025-06-18 or 2025-03-26");
    return {};
}

Result<void> Reader::rules() {
    auto rules = ToolRules::read(entry_.contains("tools") ? entry_["tools"] : Json());
    if (!rules) return rules.error();
    out_.rules = std::move(*rules);
    const auto change = text(entry_, "on_tool_change");
    if (change == "quarantine")
        out_.on_tool_change = OnToolChange::quarantine;
    else if (!change.empty() && change != "allow")
        return invalid("on_tool_change must be allow or quarantine");
    return {};
}

Result<void> Reader::auth() {
    auto type = std::string("none");
    if (const auto found = entry_.find("auth"); found != entry_.end()) {
        if (found->is_string())
            out_.auth = Json{{"type", *found}};
        else if (found->is_object())
            out_.auth = *found;
        else
            return invalid("auth must be an object with a type");
        if (auto done = auth_members(); !done) return done;
        type = text(out_.auth, "type");
    }
    static const std::set<std::string> types{"none", "bearer", "basic", "oauth"};
    if (!types.contains(type)) return invalid("auth.type must be none, bearer, basic or oauth");
    const auto grant = text(out_.auth, "grant");
    if (out_.auth.contains("grant") && grant != "authorization_code" &&
        grant != "client_credentials")
        return invalid("auth.grant must be authorization_code or client_credentials");
    if (out_.spec.kind == client::Kind::stdio && type != "none")
        return invalid("a stdio server gets its credentials by env, not by auth");
    if (type == "bearer" && text(out_.auth, "token").empty())
        return invalid("auth.token is missing");
    if (type == "basic" && text(out_.auth, "username").empty())
        return invalid("auth.username is missing");
    const auto is_own = [](const auto& header) { return lower(header.first) == "authorization"; };
    const auto& headers = out_.spec.headers;
    if (type != "none" && std::any_of(headers.begin(), headers.end(), is_own))
        return invalid("headers: 'Authorization' is what auth sends; leave one of the two out");
    if (scoped_ && type == "oauth")
        return invalid(
            "a scoped server cannot have auth.type oauth, which is for what is registered with the "
            "organisation: give it a token (bearer, or a header)");
    return identity(type);
}

Result<void> Reader::auth_members() const {
    static const std::set<std::string> texts{
        "type",        "token",   "username",           "password", "grant",
        "client_id",   "issuer",  "private_key",        "key_id",   "client_secret",
        "auth_method", "acts_as", "client_metadata_url"};
    for (const auto& [name, value] : out_.auth.items()) {
        const auto where = "auth." + name.substr(0, 64);
        if (texts.contains(name)) {
            if (!value.is_string()) return invalid(where + " must be a text");
        } else if (name == "scopes") {
            if (!value.is_array() || !std::all_of(value.begin(), value.end(), [](const auto& each) {
                    return each.is_string();
                }))
                return invalid("auth.scopes must be a list of texts");
        } else if (name == "offline_access") {
            if (!value.is_boolean()) return invalid("auth.offline_access must be true or false");
        } else {
            return invalid(where +
                           " is not known; with type there are token (bearer), username "
                           "and password (basic), grant, client_id, client_secret, private_key, "
                           "key_id, issuer, scopes, auth_method, client_metadata_url and "
                           "offline_access (oauth)");
        }
    }
    return {};
}

// As whom the server is spoken to.
Result<void> Reader::identity(const std::string& type) {
    const bool shows = type != "none" || !out_.spec.headers.empty();
    auto acts_as = text(entry_, "acts_as");
    if (acts_as.empty()) acts_as = text(out_.auth, "acts_as");
    if (acts_as.empty()) acts_as = shows ? "service" : "none";
    if (acts_as == "user") {
        if (type != "oauth") return invalid("acts_as user needs auth.type oauth");
        out_.acts_as = ActsAs::user;
    } else if (acts_as == "service") {
        out_.acts_as = ActsAs::service;
    } else if (acts_as != "none" || type != "none") {
        return invalid("acts_as must be none (without auth), service or user");
    }
    return {};
}

Result<void> Reader::flag(const char* name, bool& into) {
    const auto found = entry_.find(name);
    if (found == entry_.end()) return {};
    if (!found->is_boolean()) return invalid(std::string(name) + " must be true or false");
    into = found->get<bool>();
    return {};
}

Result<void> Reader::switches() {
    bool disabled = false;
    if (auto done = flag("disabled", disabled); !done) return done;
    if (auto done = flag("enabled", out_.enabled); !done) return done;
    out_.enabled = out_.enabled && !disabled;
    return {};
}

// What a file pasted from a client says beyond this means something to that client alone.
void Reader::remarks() {
    static const std::set<std::string> known{
        "type",     "transport", "url",      "headers",     "command",         "args",
        "env",      "cwd",       "title",    "namespace",   "description",     "tools",
        "timeout",  "refresh",   "protocol", "auth",        "connect_timeout", "acts_as",
        "disabled", "enabled",   "name",     "serve_stale", "on_tool_change"};
    for (const auto& [name, value] : entry_.items())
        if (!known.contains(name) && out_.remarks.size() < 20)
            out_.remarks.push_back("'" + name.substr(0, 64) + "' is not known and is ignored");
}

}  // namespace

HostFacts HostFacts::read(const Json& host) {
    HostFacts out;
    if (!host.is_object()) return out;
    out.version = host.value("version", out.version);
    out.public_url = host.value("public_url", out.public_url);
    out.operator_org = host.value("operator_org", out.operator_org);
    const auto outbound = host.value("outbound", Json::object());
    out.allow_stdio = outbound.value("allow_stdio", false);
    out.allow_private_cidrs = outbound.value("allow_private_cidrs", std::vector<std::string>());
    return out;
}

std::string_view name_of(ActsAs acts_as) {
    static constexpr std::string_view names[] = {"none", "service", "user"};
    return names[static_cast<int>(acts_as)];
}

bool Settings::has_sign_in() const {
    return text(auth, "type") == "oauth" && text(auth, "grant") != "client_credentials";
}

std::string Settings::without_credentials() const {
    if (!spec.headers.empty() || auth.value("type", "none") != "none") return {};
    return "; give it some: \"auth\": {\"type\": \"oauth\"} to sign in, a token ({\"type\": "
           "\"bearer\", \"token\": ...}), or the headers that it wants";
}

std::string Settings::identity() const {
    // Nothing secret goes into what is kept in the open, not even as a digest.
    std::vector<std::string> shown;
    for (const auto& [name, value] : spec.headers)
        shown.push_back(name);
    for (const auto& [name, value] : spec.environment)
        shown.push_back(name);
    Json about{
        {"kind", static_cast<int>(spec.kind)}, {"url", spec.url}, {"command", spec.command},
        {"arguments", spec.arguments},         {"shown", shown},  {"auth", text(auth, "type")},
        {"acts_as", name_of(acts_as)}};
    return sha256(about.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string capability_of(const std::string& server) {
    std::string out = "mcp:";
    for (const unsigned char c : server) {
        const bool fine = std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
        out += fine ? static_cast<char>(std::tolower(c)) : '-';
    }
    return out;
}

Result<void> check_name(const std::string& name) {
    const bool fine = !name.empty() && name.size() <= 64 && name.front() != ' ' &&
                      std::all_of(name.begin(), name.end(), [](unsigned char c) {
                          return c >= 0x20 && c < 0x7f && c != '/' && c != '"';
                      });
    if (fine) return {};
    return invalid("a server's name has 1 to 64 printable ASCII characters, none of them / or \"");
}

Result<Settings> read_settings(const std::string& name, const Json& entry, const HostFacts& host,
                               bool scoped) {
    try {
        std::vector<std::string> remarks;
        auto ours = in_our_words(entry, remarks);
        if (!ours) return ours.error();
        return Reader(name, *ours, host, scoped, std::move(remarks)).read();
    } catch (const Json::exception& fault) {
        return invalid(std::string("its settings are malformed: ") + fault.what());
    }
}

}  // namespace pb::remote
