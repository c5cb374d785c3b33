// SPDX-License-Identifier: Apache-2.0
// A call and what may be done when it gets no answer.
#include <algorithm>

#include "client/client.h"
#include "client/param_headers.h"
#include "client/wait.h"
#include "json/scan.h"
#include "mcp/messages.h"

namespace pb::client {
namespace {

// Times that one call is sent again, whatever the reasons.
constexpr int most_repeats = 3;

// What a refusal may mean besides what it says. The words of one that is no more than a tool's own
// failure can be the same, so that the link is asked before anybody relies on it.
enum class Doubt {
    none,
    session,  // the server does not know ours (any more)
    era,      // it does not speak this one (any more)
};

bool mentions_session(std::string_view text) {
    for (const std::string_view word : {"session", "Session"})
        if (text.find(word) != std::string_view::npos) return true;
    return false;
}

// As the specification says it.
bool is_session_gone(const Reply& reply) {
    return reply.kind == Reply::Kind::lost && reply.loss.why == Loss::Why::session_gone;
}

// Or in the server's own words.
bool may_be_session(const Reply& reply) {
    const bool lost = reply.kind == Reply::Kind::lost;
    if (reply.ok() || (lost && reply.loss.why != Loss::Why::status)) return false;
    return (reply.status == 400 || reply.status == 404) &&
           mentions_session(lost ? reply.loss.body : reply.text);
}

// What servers say in words of their own, and not the protocol's.
bool is_server_code(std::int64_t code) {
    return code == mcp::code::invalid_request || (code <= -32000 && code > -32020);
}

// Nothing that a server of this era would say.
bool may_be_era(const Reply& reply, bool modern) {
    if (reply.kind == Reply::Kind::error) {
        const auto code = json::integer_value(json::member(reply.text, "code")).value_or(0);
        if (code == mcp::code::unsupported_version) return true;
        return modern ? (reply.status == 400 || reply.status == 404) && is_server_code(code)
                      : is_modern_code(code);
    }
    return modern && reply.kind == Reply::Kind::lost && reply.loss.why == Loss::Why::status &&
           (reply.loss.status == 400 || reply.loss.status == 404 || reply.loss.status == 405);
}

Doubt doubt_of(const Reply& reply, const ServerInfo& info) {
    if (!info.modern() && may_be_session(reply)) return Doubt::session;
    return may_be_era(reply, info.modern()) ? Doubt::era : Doubt::none;
}

// Whether the link is as good as ever, told by the answer to a request that executes nothing.
bool is_confirmed(Doubt doubt, const Reply& answer, const ServerInfo& info) {
    if (doubt == Doubt::session) return is_session_gone(answer) || may_be_session(answer);
    if (!answer.ok()) return true;
    std::vector<std::string_view> versions;
    if (!info.modern() || !json::elements(json::member(answer.text, "supportedVersions"), versions))
        return false;
    return std::none_of(versions.begin(), versions.end(), [&](std::string_view each) {
        return json::string_value(each) == info.version_name;
    });
}

bool is_another(const ServerInfo& a, const ServerInfo& b) {
    return a.version_name != b.version_name || a.kind != b.kind;
}

// What comes after a request of our own.
class Then : public EndHandler {
  public:
    explicit Then(std::function<void(const Reply&)> then) : then_(std::move(then)) {}
    void done(Reply reply) noexcept override { then_(reply); }

  private:
    const std::function<void(const Reply&)> then_;
};

bool counts_as_failure(const Reply& reply) {
    if (reply.kind != Reply::Kind::lost) return false;
    using Why = Loss::Why;
    const auto& loss = reply.loss;
    return loss.why == Why::unreachable || loss.why == Why::broken || loss.why == Why::late ||
           loss.why == Why::malformed || (loss.why == Why::status && loss.status >= 500);
}

// It answers, whatever it says.
bool is_alive(const Reply& reply) {
    using Why = Loss::Why;
    const auto why = reply.loss.why;
    return reply.kind != Reply::Kind::lost || why == Why::session_gone || why == Why::challenged ||
           why == Why::status;
}

// The members of a caller's _meta that are its own and not the protocol's.
std::string foreign_members(std::string_view meta) {
    std::vector<json::Member> all;
    std::string out;
    if (!json::members(meta, all)) return out;
    for (const auto& [key, value] : all) {
        static constexpr std::string_view ours[] = {"progressToken",
                                                    "traceparent",
                                                    "tracestate",
                                                    "baggage",
                                                    "io.modelcontextprotocol/protocolVersion",
                                                    "io.modelcontextprotocol/clientInfo",
                                                    "io.modelcontextprotocol/clientCapabilities",
                                                    "io.modelcontextprotocol/logLevel"};
        if (std::find(std::begin(ours), std::end(ours), key) != std::end(ours)) continue;
        if (!out.empty()) out += ',';
        out.append("\"").append(key).append("\":").append(value);
    }
    return out;
}

void add(std::string& members, std::string_view more) {
    if (more.empty()) return;
    if (!members.empty()) members += ',';
    members += more;
}

}  // namespace

void Running::start() {
    const auto time = request_.time.count() > 0 ? request_.time : client_->spec().call_time;
    until_ = Deadline::clock::now() + time;
    if (!request_.own && client_->load_->fetch_add(1) >= client_->spec().limits.calls)
        return refuse_busy();
    if (!client_->link()) watch();
    seek();
}

// Who asks too much waits for nothing, and nobody waits for it.
void Running::refuse_busy() {
    Reply reply;
    reply.loss.why = Loss::Why::busy;
    reply.loss.message = std::to_string(client_->spec().limits.calls) +
                         " calls to it are under way, and no more are made at a time";
    finish(std::move(reply));
}

// As long as nothing of it is with the server, its time is nobody else's to keep.
void Running::watch() {
    {
        std::lock_guard lock(mutex_);
        if (std::exchange(watched_, true)) return;
    }
    client_->engine_.timer.after(until_ - Deadline::clock::now(), [weak = weak_from_this()] {
        auto self = weak.lock();
        if (!self) return;
        {
            std::lock_guard lock(self->mutex_);
            if (self->sent_) return;
        }
        Reply reply;
        reply.loss.why = Loss::Why::late;
        reply.loss.message = "the server could not be reached in time";
        self->finish(std::move(reply));
    });
}

void Running::seek() {
    auto opened = [self = shared_from_this()](const Result<LinkPtr>& link) {
        if (link) return self->send(*link);
        Reply reply;
        reply.loss.why =
            link.error().kind == ErrorKind::denied ? Loss::Why::challenged : Loss::Why::unreachable;
        reply.loss.message = link.error().message;
        self->finish(std::move(reply));
    };
    client_->when_open(std::move(opened), request_.regardless);
}

void Running::send(const LinkPtr& link) {
    if (!set_level(link)) send_now(link);
}

// Legacy servers are told for the whole session which messages are wanted: before the first call
// that wants less severe ones. True if the call is sent after that.
bool Running::set_level(const LinkPtr& link) {
    const auto wanted = mcp::log_severity(request_.log_level);
    if (!wanted || link->info.modern()) return false;
    if (json::member(link->info.capabilities, "logging").empty()) return false;
    auto set = link->level->load();
    while (*wanted < set && !link->level->compare_exchange_weak(set, *wanted)) {
    }
    if (*wanted >= set) return false;
    link->rpc->request(Rpc::next_id(),
                       {"logging/setLevel",
                        {},
                        "{\"level\":" + json::quote(request_.log_level) + "}",
                        {},
                        client_->spec().handshake_time},
                       std::make_shared<Then>([self = shared_from_this(), link](const Reply&) {
                           self->send_now(link);
                       }));
    return true;
}

void Running::send_now(const LinkPtr& link) {
    const auto id = Rpc::next_id();
    {
        std::lock_guard lock(mutex_);
        if (cancelled_ || ended_) return;
        link_ = link;
        id_ = id;
        sent_ = true;
    }
    Rpc::Call call;
    call.method = request_.method;
    call.name = request_.name;
    call.params = params_for(link->info, id);
    call.time = time_left();
    if (link->info.modern() && link->info.kind == Kind::http && !request_.header_params.empty())
        call.headers =
            param_headers(request_.header_params, json::member(request_.params, "arguments"));
    link->rpc->request(id, std::move(call), shared_from_this());
    bool cancelled = false;
    {
        std::lock_guard lock(mutex_);
        cancelled = cancelled_;
    }
    if (cancelled) link->rpc->cancel(id, "the request was cancelled");
}

// What is over already ends in the same way as what takes too long.
milliseconds Running::time_left() const {
    return std::max(milliseconds(1),
                    std::chrono::duration_cast<milliseconds>(until_ - Deadline::clock::now()));
}

// The params as this era has them: what the caller sent, with our own envelope in _meta.
std::string Running::params_for(const ServerInfo& info, RequestId id) const {
    std::string further = foreign_members(json::member(request_.params, "_meta"));
    if (request_.progress) add(further, "\"progressToken\":" + std::to_string(id));
    if (request_.trace.size() > 2)
        add(further, std::string_view(request_.trace).substr(1, request_.trace.size() - 2));
    if (info.modern()) {
        if (!request_.log_level.empty())
            add(further, "\"io.modelcontextprotocol/logLevel\":" + json::quote(request_.log_level));
        return json::with(
            request_.params, "_meta",
            modern_meta(client_->spec(), info.version_name, request_.client_capabilities, further));
    }
    if (further.empty()) return json::without(request_.params, "_meta");
    return json::with(request_.params, "_meta", "{" + further + "}");
}

void Running::cancel(std::string_view reason) {
    LinkPtr link;
    RequestId id = no_request;
    {
        std::lock_guard lock(mutex_);
        if (ended_) return;
        cancelled_ = true;
        link = link_;
        id = id_;
    }
    if (link) link->rpc->cancel(id, reason);
    Reply reply;
    reply.loss.why = Loss::Why::cancelled;
    reply.loss.message = "the request was cancelled";
    finish(std::move(reply));
}

void Running::question(Question question) noexcept {
    {
        std::lock_guard lock(mutex_);
        asked_ = true;
    }
    handler_->question(std::move(question));
}

void Running::done(Reply reply) noexcept {
    try {
        tell_breaker(reply);
        if (heal(reply)) return;
    } catch (const std::exception&) {
        // Then it ends as it is.
    }
    finish(std::move(reply));
}

void Running::tell_breaker(const Reply& reply) {
    if (is_alive(reply) && !counts_as_failure(reply)) return client_->breaker_.succeeded();
    if (!counts_as_failure(reply) || !client_->breaker_.failed()) return;
    // A process that hangs, or a stream that nobody serves any more, would hang for ever.
    LinkPtr link;
    {
        std::lock_guard lock(mutex_);
        link = link_;
    }
    if (link->info.kind != Kind::http) client_->discard(link);
}

// True if it is being sent again.
bool Running::heal(const Reply& reply) {
    LinkPtr link;
    {
        std::lock_guard lock(mutex_);
        if (cancelled_ || ended_ || asked_ || reply.ok() || repeats_ >= most_repeats) return false;
        ++repeats_;
        link = link_;
        sent_ = false;
    }
    const bool again = heal(reply, link);
    if (again) watch();
    return again;
}

bool Running::heal(const Reply& reply, const LinkPtr& link) {
    const bool lost = reply.kind == Reply::Kind::lost;
    if (lost && reply.loss.executed) return false;
    if (lost && reply.loss.why == Loss::Why::challenged) {
        client_->engine_.workers.post(
            [self = shared_from_this(), asked = reply.loss.challenge] { self->settle(asked); });
        return true;
    }
    const bool duplex = link->info.kind != Kind::http;
    if (lost && duplex && reply.loss.why == Loss::Why::unreachable) {
        client_->discard(link);
        seek();
        return true;
    }
    if (lost && reply.loss.why == Loss::Why::broken) {  // and nothing was sent
        seek();
        return true;
    }
    const auto doubt = doubt_of(reply, link->info);
    if (!is_session_gone(reply) && doubt == Doubt::none) return false;
    if (std::exchange(reopened_, true)) return false;
    if (doubt != Doubt::none) {
        probe(reply, link);
    } else {
        client_->discard(link);
        seek();
    }
    return true;
}

// Asks what executes nothing, over the same link. Only what refuses that too has not executed the
// call either.
void Running::probe(const Reply& refusal, const LinkPtr& link) {
    const bool modern = link->info.modern();
    Rpc::Call call;
    call.method = modern ? "server/discover" : "ping";
    call.params =
        modern ? "{\"_meta\":" + modern_meta(client_->spec(), link->info.version_name, "{}") + "}"
               : "{}";
    call.time = std::min(time_left(), client_->spec().handshake_time);
    link->rpc->request(
        Rpc::next_id(), std::move(call),
        std::make_shared<Then>([self = shared_from_this(), refusal, link](const Reply& answer) {
            self->probed(refusal, answer, link);
        }));
}

void Running::probed(const Reply& refusal, const Reply& answer, const LinkPtr& link) noexcept try {
    const auto doubt = doubt_of(refusal, link->info);
    if (!is_confirmed(doubt, answer, link->info)) return finish(refusal);
    client_->discard(link);
    if (doubt == Doubt::session) return seek();
    seek_another(refusal, link);
} catch (const std::exception&) {
    finish(refusal);
}

// A server that speaks as before has refused this call and nothing else.
void Running::seek_another(const Reply& refusal, const LinkPtr& before) {
    auto opened = [self = shared_from_this(), refusal, before](const Result<LinkPtr>& link) {
        if (link && is_another((*link)->info, before->info)) return self->send(*link);
        self->finish(refusal);
    };
    client_->when_open(std::move(opened), request_.regardless);
}

void Running::settle(const Challenge& challenge) {
    auto settled = challenge.url.empty() ? client_->credentials_->acquire(until_)
                                         : client_->credentials_->challenged(challenge, until_);
    if (settled) return seek();
    Reply reply;
    reply.loss.why =
        settled.error().kind == ErrorKind::denied ? Loss::Why::challenged : Loss::Why::unreachable;
    reply.loss.status = challenge.status;
    reply.loss.message = settled.error().message;
    finish(std::move(reply));
}

void Running::finish(Reply reply) noexcept {
    {
        std::lock_guard lock(mutex_);
        if (std::exchange(ended_, true)) return;
    }
    if (!request_.own) --*client_->load_;
    handler_->done(std::move(reply));
}

}  // namespace pb::client
