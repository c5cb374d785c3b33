// SPDX-License-Identifier: Apache-2.0
#include "client/negotiate.h"

#include <algorithm>

#include "client/http_transport.h"
#include "client/sse_transport.h"
#include "client/stdio_transport.h"
#include "json/scan.h"
#include "mcp/messages.h"

namespace pb::client {
namespace {

// What the first message to a server told.
enum class Verdict {
    open,
    not_this_era,
    unclear,  // it broke: a server of this era, or one that cannot cope with it
    failed,   // another era will not help
};

constexpr int most_sign_ins = 4;  // acquire and challenges within one exchange
constexpr int most_versions = 3;  // tries after UnsupportedProtocolVersionError
// How long a stdio server may be silent to a probe that it may not know.
constexpr milliseconds probe_time{5'000};
constexpr milliseconds notice_time{5'000};
constexpr std::size_t max_instructions = 64U << 10U;
constexpr std::string_view oldest_name = "2024-11-05";

std::int64_t code_of(const Reply& reply) {
    if (reply.kind != Reply::Kind::error) return 0;
    return json::integer_value(json::member(reply.text, "code")).value_or(0);
}

ErrorKind kind_of(const Loss& loss) {
    if (loss.why == Loss::Why::late) return ErrorKind::deadline;
    if (loss.why == Loss::Why::challenged) return ErrorKind::denied;
    if (loss.why == Loss::Why::busy) return ErrorKind::busy;
    return ErrorKind::internal;
}

Error error_of(const Reply& reply) {
    if (reply.kind == Reply::Kind::lost) return {kind_of(reply.loss), reply.loss.message};
    const auto said = json::string_value(json::member(reply.text, "message")).value_or("");
    return internal_error("the server refused: " + said.substr(0, 500));
}

milliseconds left(Deadline deadline) {
    const auto rest =
        std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    return std::max(rest, milliseconds(1));
}

class Negotiator {
  public:
    explicit Negotiator(const Negotiation& wanted) : wanted_(wanted), spec_(wanted.spec) {}

    Result<LinkPtr> run();

  private:
    Result<void> connect(Kind kind);
    Reply exchange(std::string_view method, const std::string& params, milliseconds time);
    bool settle_challenge(const Loss& loss, Reply& reply);
    Result<LinkPtr> modern(Verdict& verdict);
    Verdict modern_verdict(const Reply& reply) const;
    milliseconds probe_time_here() const;
    Result<LinkPtr> discovered(std::string_view result, Verdict& verdict);
    Result<LinkPtr> legacy(mcp::Version version, Verdict& verdict);
    Verdict legacy_verdict(const Reply& reply) const;
    Result<LinkPtr> initialized(std::string_view result);
    Result<LinkPtr> over_sse(const Error& before);
    bool choose_version(std::string_view supported);
    LinkPtr link() { return std::make_shared<const Link>(Link{rpc_, info_}); }

    const Negotiation& wanted_;
    const ServerSpec& spec_;
    std::shared_ptr<Rpc> rpc_;
    ServerInfo info_;
    std::string version_name_{mcp::name_of(mcp::newest)};
    bool lost_ = false;                         // the connection went with the last exchange
    std::optional<mcp::Version> legacy_offer_;  // of a modern server that also speaks the old way
};

Result<void> Negotiator::connect(Kind kind) {
    TransportPtr transport;
    if (kind == Kind::stdio)
        transport = make_stdio_transport(wanted_.engine, spec_);
    else if (kind == Kind::sse)
        transport = make_sse_transport(wanted_.engine, spec_, wanted_.credentials);
    else
        transport = make_http_transport(wanted_.engine, spec_, wanted_.credentials);
    info_.kind = kind;
    rpc_ =
        std::make_shared<Rpc>(wanted_.engine, std::move(transport), wanted_.listener, spec_.limits);
    return rpc_->open(wanted_.deadline);
}

// One request, with whatever sign-in it takes.
Reply Negotiator::exchange(std::string_view method, const std::string& params, milliseconds time) {
    Reply reply;
    for (int tries = 0; tries <= most_sign_ins; ++tries) {
        reply = rpc_->ask({method, {}, params, {}, std::min(time, left(wanted_.deadline))});
        if (reply.kind != Reply::Kind::lost || reply.loss.why != Loss::Why::challenged) break;
        if (!settle_challenge(reply.loss, reply)) break;
    }
    lost_ = reply.kind == Reply::Kind::lost &&
            (reply.loss.why == Loss::Why::broken || reply.loss.why == Loss::Why::unreachable);
    return reply;
}

// True if the request is worth another try; otherwise the reply says why not.
bool Negotiator::settle_challenge(const Loss& loss, Reply& reply) {
    auto done = loss.challenge.url.empty()
                    ? wanted_.credentials->acquire(wanted_.deadline)
                    : wanted_.credentials->challenged(loss.challenge, wanted_.deadline);
    if (!done) reply.loss.message = done.error().message;
    return done.ok();
}

Result<LinkPtr> Negotiator::run() {
    auto connected = connect(spec_.kind);
    if (!connected) return connected.error();
    const auto version = spec_.version ? spec_.version : wanted_.remembered;
    const bool old = version && !mcp::is_modern(*version);
    Verdict verdict{};
    if (spec_.kind == Kind::sse) return legacy(old ? *version : mcp::newest_legacy, verdict);
    auto first = old ? legacy(*version, verdict) : modern(verdict);
    if (first || verdict == Verdict::failed) return first;
    // What was remembered may no longer be true; what was configured is.
    if (!spec_.version) {
        // A process that the first message has ended gets another chance.
        if (spec_.kind == Kind::stdio && lost_)
            if (connected = connect(Kind::stdio); !connected) return connected.error();
        first = old ? modern(verdict) : legacy(legacy_offer_.value_or(mcp::newest_legacy), verdict);
        if (first || verdict == Verdict::failed) return first;
    } else if (!old) {
        return first;
    }
    const bool perhaps_sse = spec_.kind == Kind::http && verdict == Verdict::not_this_era;
    return perhaps_sse ? over_sse(first.error()) : first;
}

// Silence is an answer only to a probe of a server that may be of another era.
milliseconds Negotiator::probe_time_here() const {
    if (spec_.version || wanted_.remembered == mcp::newest) return spec_.handshake_time;
    return spec_.kind == Kind::stdio ? probe_time : spec_.handshake_time / 2;
}

Result<LinkPtr> Negotiator::modern(Verdict& verdict) {
    Reply reply;
    for (int tries = 0; tries < most_versions; ++tries) {
        info_.version = mcp::newest;
        info_.version_name = version_name_;
        rpc_->agreed(info_);
        const auto params = "{\"_meta\":" + modern_meta(spec_, version_name_, "{}") + "}";
        reply = exchange("server/discover", params, probe_time_here());
        if (reply.ok()) return discovered(reply.text, verdict);
        if (code_of(reply) != mcp::code::unsupported_version) break;
        if (!choose_version(json::member(json::member(reply.text, "data"), "supported"))) break;
    }
    verdict = legacy_offer_ ? Verdict::not_this_era : modern_verdict(reply);
    return error_of(reply);
}

Verdict Negotiator::modern_verdict(const Reply& reply) const {
    using Why = Loss::Why;
    if (reply.kind == Reply::Kind::error)
        return is_modern_code(code_of(reply)) ? Verdict::failed : Verdict::not_this_era;
    const auto& loss = reply.loss;
    if (loss.why == Why::broken || loss.why == Why::late) return Verdict::unclear;
    if (spec_.kind == Kind::stdio) return Verdict::not_this_era;
    if (loss.why != Why::status && loss.why != Why::malformed) return Verdict::failed;
    return loss.status == 429 || loss.status == 503 ? Verdict::failed : Verdict::not_this_era;
}

// From what the server says it supports: a modern version that we speak, or else a legacy one.
bool Negotiator::choose_version(std::string_view supported) {
    std::vector<std::string_view> names;
    json::elements(supported, names);
    bool modern = false;
    for (const auto each : names) {
        const auto version = mcp::version_from(json::string_value(each).value_or(""));
        if (!version) continue;
        modern |= mcp::is_modern(*version);
        if (!mcp::is_modern(*version) && (!legacy_offer_ || *version > *legacy_offer_))
            legacy_offer_ = version;
    }
    if (modern) legacy_offer_.reset();
    return modern;
}

Result<LinkPtr> Negotiator::discovered(std::string_view result, Verdict& verdict) {
    info_.capabilities = json::member(result, "capabilities");
    const bool capable =
        !info_.capabilities.empty() && json::type_of(info_.capabilities) == json::Type::object;
    const auto supported = json::member(result, "supportedVersions");
    if (supported.empty() ? !capable : !choose_version(supported)) {
        const bool other = legacy_offer_ || supported.empty();
        verdict = other ? Verdict::not_this_era : Verdict::failed;
        return internal_error("the server does not speak a version that is spoken here");
    }
    if (!capable) info_.capabilities = "{}";
    const auto meta = json::member(result, "_meta");
    info_.server_info = json::member(meta, "io.modelcontextprotocol/serverInfo");
    if (info_.server_info.empty()) info_.server_info = "{}";
    info_.instructions = json::string_value(json::member(result, "instructions")).value_or("");
    if (info_.instructions.size() > max_instructions) info_.instructions.clear();
    return link();
}

Result<LinkPtr> Negotiator::legacy(mcp::Version version, Verdict& verdict) {
    info_.version = version;
    info_.version_name.clear();  // initialize carries it in its body alone
    rpc_->agreed(info_);
    const auto params = "{\"protocolVersion\":" + json::quote(mcp::name_of(version)) +
                        ",\"capabilities\":" + std::string(legacy_capabilities(version)) +
                        ",\"clientInfo\":{\"name\":" + json::quote(spec_.client_name) +
                        ",\"title\":" + json::quote(spec_.client_title) +
                        ",\"version\":" + json::quote(spec_.client_version) + "}}";
    auto reply = exchange("initialize", params, spec_.handshake_time);
    if (reply.ok()) {
        verdict = Verdict::failed;  // whatever comes now, another era will not help
        return initialized(reply.text);
    }
    verdict = legacy_verdict(reply);
    return error_of(reply);
}

Verdict Negotiator::legacy_verdict(const Reply& reply) const {
    using Why = Loss::Why;
    if (reply.kind == Reply::Kind::error || reply.loss.why == Why::malformed)
        return Verdict::not_this_era;
    const auto& loss = reply.loss;
    if (loss.why == Why::broken || loss.why == Why::late || spec_.kind == Kind::stdio)
        return Verdict::unclear;
    if (loss.why != Why::status) return Verdict::failed;
    if (loss.status == 400 || loss.status == 404 || loss.status == 405)
        return Verdict::not_this_era;
    return loss.status >= 500 && loss.status != 503 ? Verdict::unclear : Verdict::failed;
}

Result<LinkPtr> Negotiator::initialized(std::string_view result) {
    const auto name = json::string_value(json::member(result, "protocolVersion")).value_or("");
    const auto version = mcp::version_from(name);
    if (version && mcp::is_modern(*version))
        return internal_error("the server answered initialize with " + name);
    if (!version && name != oldest_name)
        return internal_error("the server speaks protocol version '" + name.substr(0, 40) +
                              "', which is not spoken here");
    info_.version = version.value_or(mcp::Version::v2025_03_26);
    info_.version_name = name;
    info_.capabilities = json::member(result, "capabilities");
    if (info_.capabilities.empty()) info_.capabilities = "{}";
    info_.server_info = json::member(result, "serverInfo");
    if (info_.server_info.empty()) info_.server_info = "{}";
    info_.instructions = json::string_value(json::member(result, "instructions")).value_or("");
    if (info_.instructions.size() > max_instructions) info_.instructions.clear();
    rpc_->agreed(info_);
    // Servers refuse what overtakes it.
    rpc_->tell("notifications/initialized", "{}",
               std::min(wanted_.deadline, std::chrono::steady_clock::now() + notice_time));
    rpc_->transport().listen();
    return link();
}

Result<LinkPtr> Negotiator::over_sse(const Error& before) {
    rpc_->close();
    if (auto connected = connect(Kind::sse); !connected) return before;
    Verdict verdict{};
    return legacy(spec_.version.value_or(mcp::newest_legacy), verdict);
}

}  // namespace

Result<LinkPtr> negotiate(const Negotiation& negotiation) { return Negotiator(negotiation).run(); }

bool is_modern_code(std::int64_t code) {
    return code == mcp::code::unsupported_version || code == mcp::code::header_mismatch ||
           code == mcp::code::missing_client_capability;
}

std::string_view legacy_capabilities(mcp::Version version) {
    if (version == mcp::Version::v2025_03_26) return R"({"roots":{},"sampling":{}})";
    if (version == mcp::Version::v2025_06_18)
        return R"({"roots":{},"sampling":{},"elicitation":{}})";
    return R"({"roots":{},"sampling":{"tools":{},"context":{}},"elicitation":{"form":{},"url":{}}})";
}

std::string modern_meta(const ServerSpec& spec, std::string_view version_name,
                        std::string_view client_capabilities, std::string_view further) {
    std::string out = "{\"io.modelcontextprotocol/protocolVersion\":";
    json::append_quoted(out, version_name);
    out += ",\"io.modelcontextprotocol/clientInfo\":{\"name\":";
    json::append_quoted(out, spec.client_name);
    out += ",\"title\":";
    json::append_quoted(out, spec.client_title);
    out += ",\"version\":";
    json::append_quoted(out, spec.client_version);
    out += "},\"io.modelcontextprotocol/clientCapabilities\":";
    out += client_capabilities.empty() ? "{}" : client_capabilities;
    if (!further.empty()) (out += ',') += further;
    out += '}';
    return out;
}

}  // namespace pb::client
