// SPDX-License-Identifier: Apache-2.0
#include "client/http_transport.h"

#include <algorithm>
#include <unordered_map>

#include "client/http_stream.h"
#include "client/param_headers.h"

namespace pb::client {
namespace {

constexpr std::size_t max_session = 1024;
constexpr milliseconds short_message{30'000};  // a notification, an answer, a farewell
constexpr milliseconds first_pause{1'000}, longest_pause{60'000}, shortest_pause{50};
// A standing stream that lasted so long was worth having.
constexpr milliseconds lasting{5'000};
// How long a stream may stay open after its answer.
constexpr milliseconds linger{1'000};
// Tries to resume one stream in a row in which nothing came.
constexpr int most_resumes = 5;

bool is_session(std::string_view id) {
    return !id.empty() && id.size() <= max_session &&
           std::all_of(id.begin(), id.end(), [](char c) { return c >= 0x21 && c <= 0x7e; });
}

// Whether another try may bring what is missing.
bool broke_off(const HttpStream::End& end) {
    if (!end.failure) return end.events || end.head.status >= 500;
    return end.failure->fault == outbound::Fault::broken ||
           end.failure->fault == outbound::Fault::unreachable;
}

class HttpTransport final : public Transport, public std::enable_shared_from_this<HttpTransport> {
  public:
    HttpTransport(Engine& engine, const ServerSpec& spec, CredentialsPtr credentials)
        : engine_(engine), spec_(spec), credentials_(std::move(credentials)) {}
    ~HttpTransport() override { end(); }

    Result<void> open(std::shared_ptr<Inbox> inbox, Deadline) override {
        inbox_ = inbox;
        return {};
    }
    void send(Outgoing message) override;
    void abandon(RequestId id) override;
    void agreed(const ServerInfo& info) override;
    void listen() override;
    void close() override { end(); }
    bool per_request() const override { return modern_; }

  private:
    struct Waiting {
        std::shared_ptr<HttpStream> stream;
        std::string last_id;  // event id; empty: it cannot be resumed
        milliseconds retry = first_pause;
        bool resumed = false;
        int resumes = 0;  // in a row
    };

    void end();
    std::optional<SignedRequest> request(std::string_view method);
    void begin(RequestId id, SignedRequest request, bool opens_session = false,
               const std::function<void()>& arrived = nullptr);
    HttpStream::Hooks hooks(RequestId id, SentPtr sent, bool opens_session,
                            std::function<void()> arrived);
    bool message(RequestId id, std::string_view text, int status);
    void close_soon(RequestId id);
    void opened(const outbound::Head& head);
    void ended(RequestId id, HttpStream::End end, const Sent& sent);
    bool resume(RequestId id, const HttpStream::End& end);
    void resume_now(RequestId id, const std::string& last_id);
    void lost(RequestId id, Loss loss);
    void listen_now(const std::string& last_id, milliseconds pause);
    void listened(const HttpStream::End& end, milliseconds pause, bool lasted);

    Engine& engine_;
    const ServerSpec spec_;
    const CredentialsPtr credentials_;
    std::weak_ptr<Inbox> inbox_;

    std::mutex mutex_;
    std::atomic<bool> modern_{true};
    std::string version_, session_;
    std::unordered_map<RequestId, Waiting> waiting_;
    std::shared_ptr<HttpStream> standing_;
    bool stood_ = false;  // the server has had a standing stream for this session
    bool closed_ = false;
};

// Everything but the body; nothing without credentials that are ready.
std::optional<SignedRequest> HttpTransport::request(std::string_view method) {
    auto out = sign_request(*credentials_, spec_, method, spec_.url);
    if (!out) return out;
    auto& request = out->request;
    request.time = milliseconds(0);  // requests are watched by those who made them
    request.max_answer = 0;          // the stream has its own bound
    std::lock_guard lock(mutex_);
    if (!version_.empty()) request.headers.emplace_back("MCP-Protocol-Version", version_);
    if (!session_.empty()) request.headers.emplace_back("Mcp-Session-Id", session_);
    return out;
}

void HttpTransport::send(Outgoing message) {
    auto post = request("POST");
    if (!post) {
        Loss loss;
        loss.why = Loss::Why::challenged;
        loss.message = "credentials have to be got first";
        if (message.arrived) message.arrived();
        return lost(message.id, std::move(loss));
    }
    auto& headers = post->request.headers;
    headers.emplace_back("Content-Type", "application/json");
    headers.emplace_back("Accept", "application/json, text/event-stream");
    if (modern_ && !message.method.empty()) {
        headers.emplace_back("Mcp-Method", std::string(message.method));
        if (!message.name.empty()) headers.emplace_back("Mcp-Name", encode_header(message.name));
    }
    for (auto& header : message.headers)
        headers.push_back(std::move(header));
    post->request.body = std::move(message.text);
    post->request.connect_time = connect_time(spec_, message.time);
    if (message.id == no_request) post->request.time = short_message;
    begin(message.id, std::move(*post), message.method == "initialize", message.arrived);
}

void HttpTransport::begin(RequestId id, SignedRequest request, bool opens_session,
                          const std::function<void()>& arrived) {
    auto stream =
        std::make_shared<HttpStream>(engine_.http, spec_.limits.message,
                                     hooks(id, std::move(request.sent), opens_session, arrived));
    bool closed = false;
    {
        std::lock_guard lock(mutex_);
        closed = closed_;
        if (!closed && id != no_request) waiting_[id].stream = stream;
    }
    if (!closed) return stream->start(std::move(request.request));
    if (arrived) arrived();
}

HttpStream::Hooks HttpTransport::hooks(RequestId id, SentPtr sent, bool opens_session,
                                       std::function<void()> arrived) {
    HttpStream::Hooks out;
    out.event = [weak = weak_from_this(), id](const outbound::Event& event) {
        auto self = weak.lock();
        if (!self || !self->message(id, event.data, 200)) return false;
        self->close_soon(id);
        return true;
    };
    if (opens_session)
        out.head = [weak = weak_from_this()](const outbound::Head& head) {
            if (auto self = weak.lock()) self->opened(head);
        };
    out.end = [weak = weak_from_this(), id, sent = std::move(sent),
               arrived = std::move(arrived)](HttpStream::End end) {
        if (auto self = weak.lock()) self->ended(id, std::move(end), *sent);
        if (arrived) arrived();
    };
    return out;
}

bool HttpTransport::message(RequestId id, std::string_view text, int status) {
    auto inbox = inbox_.lock();
    return inbox && inbox->received(text, id, status);
}

// Servers end a stream after its answer. One that does not would keep a connection for ever.
void HttpTransport::close_soon(RequestId id) {
    std::weak_ptr<HttpStream> stream;
    {
        std::lock_guard lock(mutex_);
        const auto found = waiting_.find(id);
        if (found == waiting_.end()) return;
        stream = found->second.stream;
    }
    engine_.timer.after(linger, [stream] {
        if (auto self = stream.lock()) self->abandon();
    });
}

// The session counts with the answer that brings it.
void HttpTransport::opened(const outbound::Head& head) {
    const auto session = head.header("Mcp-Session-Id");
    if (head.status != 200 || !is_session(session)) return;
    std::lock_guard lock(mutex_);
    session_ = session;
}

void HttpTransport::ended(RequestId id, HttpStream::End end, const Sent& sent) {
    if (id == no_request) return;
    if (!end.answered && !end.events && !end.failure && !end.body.empty())
        end.answered = message(id, end.body, end.head.status);
    if (!end.answered && !end.abandoned && resume(id, end)) return;
    bool in_session = false, resumed = false;
    {
        std::lock_guard lock(mutex_);
        if (auto found = waiting_.find(id); found != waiting_.end()) {
            resumed = found->second.resumed;
            waiting_.erase(found);
        }
        in_session = !session_.empty();
    }
    if (end.answered || end.abandoned) return;
    auto loss = loss_of(end, sent);
    if (resumed) {
        loss.why = Loss::Why::broken;
        loss.executed = true;
    } else if (loss.status == 404 && in_session && !modern_) {
        loss.why = Loss::Why::session_gone;
    }
    lost(id, std::move(loss));
}

// A legacy stream that named an event may be taken up again where it broke off.
bool HttpTransport::resume(RequestId id, const HttpStream::End& end) {
    if (modern_) return false;
    std::string last;
    milliseconds pause{};
    {
        std::lock_guard lock(mutex_);
        auto found = waiting_.find(id);
        if (found == waiting_.end() || closed_) return false;
        auto& waiting = found->second;
        if (!end.last_id.empty() && end.last_id != waiting.last_id) {
            waiting.last_id = end.last_id;
            waiting.resumes = 0;
        }
        if (end.retry) waiting.retry = *end.retry;
        if (waiting.last_id.empty() || !broke_off(end) || ++waiting.resumes > most_resumes)
            return false;
        waiting.stream = nullptr;
        waiting.resumed = true;
        last = waiting.last_id;
        pause = std::max(waiting.retry, shortest_pause);
    }
    engine_.timer.after(pause, [weak = weak_from_this(), id, last] {
        if (auto self = weak.lock()) self->resume_now(id, last);
    });
    return true;
}

void HttpTransport::resume_now(RequestId id, const std::string& last_id) {
    {
        std::lock_guard lock(mutex_);
        if (!waiting_.contains(id) || closed_) return;
    }
    auto get = request("GET");
    if (!get) {
        Loss loss;
        loss.executed = true;
        loss.message = "the server's event stream ended and cannot be resumed without credentials";
        return lost(id, std::move(loss));
    }
    get->request.headers.emplace_back("Accept", "text/event-stream");
    get->request.headers.emplace_back("Last-Event-ID", last_id);
    begin(id, std::move(*get));
}

void HttpTransport::lost(RequestId id, Loss loss) {
    auto inbox = inbox_.lock();
    if (inbox && id != no_request) inbox->lost(id, std::move(loss));
}

void HttpTransport::abandon(RequestId id) {
    std::shared_ptr<HttpStream> stream;
    {
        std::lock_guard lock(mutex_);
        auto found = waiting_.find(id);
        if (found == waiting_.end()) return;
        stream = std::move(found->second.stream);
        waiting_.erase(found);
    }
    if (stream) stream->abandon();
}

void HttpTransport::agreed(const ServerInfo& info) {
    modern_ = info.modern();
    std::lock_guard lock(mutex_);
    version_ = info.version_name;
    if (info.version_name.empty()) session_.clear();
}

void HttpTransport::listen() {
    if (!modern_) listen_now({}, first_pause);
}

void HttpTransport::listen_now(const std::string& last_id, milliseconds pause) {
    auto get = request("GET");
    if (!get) {
        // Somebody else's request will get them.
        engine_.timer.after(longest_pause, [weak = weak_from_this(), last_id] {
            if (auto self = weak.lock()) self->listen_now(last_id, longest_pause);
        });
        return;
    }
    get->request.headers.emplace_back("Accept", "text/event-stream");
    if (!last_id.empty()) get->request.headers.emplace_back("Last-Event-ID", last_id);
    HttpStream::Hooks hooks;
    hooks.event = [weak = weak_from_this()](const outbound::Event& event) {
        if (auto self = weak.lock()) self->message(no_request, event.data, 200);
        return false;
    };
    const auto begun = std::chrono::steady_clock::now();
    hooks.end = [weak = weak_from_this(), pause, begun](const HttpStream::End& end) {
        const bool lasted = std::chrono::steady_clock::now() - begun >= lasting;
        if (auto self = weak.lock()) self->listened(end, pause, lasted);
    };
    auto stream =
        std::make_shared<HttpStream>(engine_.http, spec_.limits.message, std::move(hooks));
    {
        std::lock_guard lock(mutex_);
        if (closed_) return;
        standing_ = stream;
    }
    stream->start(std::move(get->request));
}

// A server without such a stream says so once; one whose stream ended gets a new one, later and
// later if nothing comes of it.
void HttpTransport::listened(const HttpStream::End& end, milliseconds pause, bool lasted) {
    const auto status = end.head.status;
    const bool none = status >= 400 && status < 500 && status != 401 && status != 403 &&
                      status != 408 && status != 429;
    if (end.abandoned) return;
    bool forgotten = false;
    {
        std::lock_guard lock(mutex_);
        stood_ |= end.events;
        forgotten = !end.failure && status == 404 && stood_ && !session_.empty();
    }
    if (forgotten) {
        Loss loss;
        loss.why = Loss::Why::session_gone;
        loss.message = "the server has ended the session";
        if (auto inbox = inbox_.lock()) inbox->stale(std::move(loss));
        return;
    }
    if (!end.failure && none) return;
    const bool worth = end.heard || lasted;
    const auto next = worth ? first_pause : std::min(2 * pause, longest_pause);
    const auto wait = std::max(end.retry.value_or(next), worth ? shortest_pause : next);
    engine_.timer.after(wait, [weak = weak_from_this(), last = end.last_id, next] {
        if (auto self = weak.lock()) self->listen_now(last, next);
    });
}

void HttpTransport::end() {
    std::unordered_map<RequestId, Waiting> waiting;
    std::shared_ptr<HttpStream> standing;
    std::string session;
    {
        std::lock_guard lock(mutex_);
        if (closed_) return;
        closed_ = true;
        waiting.swap(waiting_);
        standing.swap(standing_);
        session = session_;
    }
    for (auto& [id, each] : waiting)
        if (each.stream) each.stream->abandon();
    if (standing) standing->abandon();
    if (session.empty()) return;
    auto farewell = request("DELETE");
    if (!farewell) return;
    farewell->request.time = short_message;
    HttpStream::Hooks nothing;
    nothing.event = [](const outbound::Event&) { return false; };
    nothing.end = [unsaid = engine_.farewells.begin()](const HttpStream::End&) {};
    std::make_shared<HttpStream>(engine_.http, max_session, std::move(nothing))
        ->start(std::move(farewell->request));
}

}  // namespace

TransportPtr make_http_transport(Engine& engine, const ServerSpec& spec,
                                 CredentialsPtr credentials) {
    return std::make_shared<HttpTransport>(engine, spec, std::move(credentials));
}

}  // namespace pb::client
