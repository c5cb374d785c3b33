// SPDX-License-Identifier: Apache-2.0
#include "client/sse_transport.h"

#include <condition_variable>

#include "client/http_stream.h"
#include "outbound/target.h"

namespace pb::client {
namespace {

constexpr std::size_t max_endpoint = 4096;
constexpr milliseconds post_time{60'000};
// A connection that nobody had free is said so before the wait for the endpoint ends.
constexpr milliseconds named_late{1'000};
constexpr int most_sign_ins = 4;

class SseTransport final : public Transport, public std::enable_shared_from_this<SseTransport> {
  public:
    SseTransport(Engine& engine, const ServerSpec& spec, CredentialsPtr credentials)
        : engine_(engine), spec_(spec), credentials_(std::move(credentials)) {}
    ~SseTransport() override { close(); }

    Result<void> open(std::shared_ptr<Inbox> inbox, Deadline deadline) override;
    void send(Outgoing message) override;
    void abandon(RequestId) override {}
    void agreed(const ServerInfo& info) override {
        std::lock_guard lock(mutex_);
        version_ = info.version_name;
    }
    void listen() override {}
    void close() override;
    bool per_request() const override { return false; }

  private:
    std::optional<Loss> connect(Deadline deadline);
    std::optional<SignedRequest> request(std::string_view method, const std::string& url);
    bool event(const outbound::Event& event);
    Result<std::string> own_endpoint(const std::string& named) const;
    void ended(const HttpStream::End& end, const Sent& sent);
    void posted(RequestId id, const HttpStream::End& end, const Sent& sent);

    Engine& engine_;
    const ServerSpec spec_;
    const CredentialsPtr credentials_;
    std::weak_ptr<Inbox> inbox_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::string endpoint_, version_;
    std::shared_ptr<HttpStream> stream_;
    std::optional<Loss> end_;
    bool closed_ = false;
};

std::optional<SignedRequest> SseTransport::request(std::string_view method,
                                                   const std::string& url) {
    auto out = sign_request(*credentials_, spec_, method, url);
    std::lock_guard lock(mutex_);
    if (out && !version_.empty())
        out->request.headers.emplace_back("MCP-Protocol-Version", version_);
    return out;
}

Loss unsigned_yet() {
    Loss loss;
    loss.why = Loss::Why::challenged;
    loss.message = "credentials have to be got first";
    return loss;
}

// With whatever sign-in it takes: nobody above hears of this request.
Result<void> SseTransport::open(std::shared_ptr<Inbox> inbox, Deadline deadline) {
    inbox_ = inbox;
    std::optional<Loss> loss;
    for (int tries = 0; tries <= most_sign_ins; ++tries) {
        loss = connect(deadline);
        if (!loss) return {};
        if (loss->why != Loss::Why::challenged) break;
        auto settled = loss->challenge.url.empty()
                           ? credentials_->acquire(deadline)
                           : credentials_->challenged(loss->challenge, deadline);
        if (settled) continue;
        close();
        return settled.error();
    }
    close();
    const auto kind = loss->why == Loss::Why::late         ? ErrorKind::deadline
                      : loss->why == Loss::Why::challenged ? ErrorKind::denied
                                                           : ErrorKind::internal;
    return Error{kind, loss->message};
}

// Nothing once the endpoint is known.
std::optional<Loss> SseTransport::connect(Deadline deadline) {
    auto signed_get = request("GET", spec_.url);
    if (!signed_get) return unsigned_yet();
    auto& [get, sent] = *signed_get;
    get.headers.emplace_back("Accept", "text/event-stream");
    get.max_answer = 0;
    get.time = milliseconds(0);
    HttpStream::Hooks hooks;
    hooks.event = [weak = weak_from_this()](const outbound::Event& event) {
        auto self = weak.lock();
        return self && self->event(event);
    };
    hooks.end = [weak = weak_from_this(), sent = sent](const HttpStream::End& end) {
        if (auto self = weak.lock()) self->ended(end, *sent);
    };
    auto stream =
        std::make_shared<HttpStream>(engine_.http, spec_.limits.message, std::move(hooks));
    {
        std::lock_guard lock(mutex_);
        stream_ = stream;
        end_.reset();
    }
    stream->start(std::move(get));
    const auto until = std::min(deadline, Deadline::clock::now() + spec_.connect_time + named_late);
    std::unique_lock lock(mutex_);
    if (!changed_.wait_until(lock, until,
                             [this] { return !endpoint_.empty() || end_ || closed_; })) {
        Loss loss;
        loss.why = Loss::Why::late;
        loss.message = "the server named no endpoint in time";
        return loss;
    }
    if (!endpoint_.empty()) return std::nullopt;
    Loss closed;
    closed.message = "the connection was closed";
    return end_.value_or(closed);
}

// Whoever could name another origin would get our credentials.
Result<std::string> SseTransport::own_endpoint(const std::string& named) const {
    if (named.size() > max_endpoint) return invalid("the server's endpoint is too long");
    auto base = outbound::parse_target(spec_.url);
    if (!base) return base.error();
    auto target = outbound::resolve_reference(*base, named);
    if (!target) return target.error();
    if (!target->same_origin(*base))
        return invalid("the server's endpoint is not of its own origin");
    return target->url;
}

bool SseTransport::event(const outbound::Event& event) {
    if (event.type == "endpoint") {
        const auto url = own_endpoint(event.data);
        std::lock_guard lock(mutex_);
        if (url && endpoint_.empty()) endpoint_ = *url;
        if (!url && endpoint_.empty()) {
            end_ = Loss{};
            end_->message = url.error().message;
        }
        changed_.notify_all();
        return false;
    }
    if (auto inbox = inbox_.lock()) inbox->received(event.data, no_request, 200);
    return false;
}

void SseTransport::ended(const HttpStream::End& end, const Sent& sent) {
    auto loss = loss_of(end, sent);
    if (loss.why == Loss::Why::malformed) loss.message = "the server answered with no event stream";
    loss.executed = true;
    {
        std::lock_guard lock(mutex_);
        if (!end_) end_ = loss;
        changed_.notify_all();
        if (closed_ || endpoint_.empty()) return;
    }
    if (auto inbox = inbox_.lock()) inbox->closed(std::move(loss));
}

void SseTransport::send(Outgoing message) {
    std::string endpoint;
    {
        std::lock_guard lock(mutex_);
        endpoint = endpoint_;
    }
    auto signed_post = request("POST", endpoint);
    if (!signed_post) {
        if (message.arrived) message.arrived();
        if (auto inbox = inbox_.lock()) inbox->lost(message.id, unsigned_yet());
        return;
    }
    auto& [post, sent] = *signed_post;
    post.headers.emplace_back("Content-Type", "application/json");
    post.headers.emplace_back("Accept", "application/json, text/event-stream");
    post.time = post_time;
    post.body = std::move(message.text);
    post.connect_time = connect_time(spec_, message.time);
    HttpStream::Hooks hooks;
    hooks.event = [](const outbound::Event&) { return false; };
    hooks.end = [weak = weak_from_this(), id = message.id, sent = sent,
                 arrived = std::move(message.arrived)](const HttpStream::End& end) {
        if (auto self = weak.lock()) self->posted(id, end, *sent);
        if (arrived) arrived();
    };
    std::make_shared<HttpStream>(engine_.http, spec_.limits.message, std::move(hooks))
        ->start(std::move(post));
}

// The answer comes on the stream; this is only whether the message arrived.
void SseTransport::posted(RequestId id, const HttpStream::End& end, const Sent& sent) {
    if (!end.failure && end.head.status < 300) return;
    auto inbox = inbox_.lock();
    if (!inbox || id == no_request) return;
    auto loss = loss_of(end, sent);
    // The endpoint names the session.
    if (loss.status == 404 || loss.status == 410) loss.why = Loss::Why::session_gone;
    inbox->lost(id, std::move(loss));
}

void SseTransport::close() {
    std::shared_ptr<HttpStream> stream;
    {
        std::lock_guard lock(mutex_);
        closed_ = true;
        stream.swap(stream_);
        changed_.notify_all();
    }
    if (stream) stream->abandon();
}

}  // namespace

TransportPtr make_sse_transport(Engine& engine, const ServerSpec& spec,
                                CredentialsPtr credentials) {
    return std::make_shared<SseTransport>(engine, spec, std::move(credentials));
}

}  // namespace pb::client
