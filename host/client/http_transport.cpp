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
constexpr milliseconds first_pause{1'000}, longest_pause{60'000};
// Tries to resume one stream in a row in which nothing came.
constexpr int most_resumes = 5;

bool is_session(std::string_view id) {
    return !id.empty() && id.size() <= max_session &&
           std::all_of(id.begin(), id.end(), [](char c) { return c >= 0x21 && c <= 0x7e; });
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
        int resumes = 0;
    };
    using Sent = std::shared_ptr<const outbound::Request>;

    void end();
    std::optional<outbound::Request> request(std::string method);
    void begin(RequestId id, outbound::Request request, bool opens_session = false,
               std::function<void()> arrived = nullptr);
    HttpStream::Hooks hooks(RequestId id, Sent sent, bool opens_session,
                            std::function<void()> arrived);
    bool message(RequestId id, std::string_view text, int status);
    void opened(const outbound::Head& head);
    void ended(RequestId id, HttpStream::End end, const outbound::Request& sent);
    bool resume(RequestId id, const HttpStream::End& end);
    void resume_now(RequestId id, const std::string& last_id);
    void lost(RequestId id, Loss loss);
    void listen_now(const std::string& last_id, milliseconds pause);
    void listened(const HttpStream::End& end, milliseconds pause);

    Engine& engine_;
    const ServerSpec spec_;
    const CredentialsPtr credentials_;
    std::weak_ptr<Inbox> inbox_;

    std::mutex mutex_;
    std::atomic<bool> modern_{true};
    std::string version_, session_;
    std::unordered_map<RequestId, Waiting> waiting_;
    std::shared_ptr<HttpStream> standing_;
    bool closed_ = false;
};

// Everything but the body; nothing without credentials that are ready.
std::optional<outbound::Request> HttpTransport::request(std::string method) {
    auto credentials = credentials_->ready(method, spec_.url);
    if (!credentials) return std::nullopt;
    outbound::Request out;
    out.method = std::move(method);
    out.url = spec_.url;
    out.headers = spec_.headers;
    out.headers.insert(out.headers.end(), credentials->begin(), credentials->end());
    out.connect_time = spec_.connect_time;
    out.time = milliseconds(0);  // requests are watched by those who made them
    std::lock_guard lock(mutex_);
    if (!version_.empty()) out.headers.emplace_back("MCP-Protocol-Version", version_);
    if (!session_.empty()) out.headers.emplace_back("Mcp-Session-Id", session_);
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
    post->headers.emplace_back("Content-Type", "application/json");
    post->headers.emplace_back("Accept", "application/json, text/event-stream");
    if (modern_ && !message.method.empty()) {
        post->headers.emplace_back("Mcp-Method", std::string(message.method));
        if (!message.name.empty())
            post->headers.emplace_back("Mcp-Name", encode_header(message.name));
    }
    for (auto& header : message.headers)
        post->headers.push_back(std::move(header));
    post->max_answer = spec_.limits.message;
    post->body = std::move(message.text);
    if (message.id == no_request) post->time = short_message;
    begin(message.id, std::move(*post), message.method == "initialize", std::move(message.arrived));
}

void HttpTransport::begin(RequestId id, outbound::Request request, bool opens_session,
                          std::function<void()> arrived) {
    const auto sent = std::make_shared<const outbound::Request>(
        outbound::Request{request.method, request.url, request.headers, {}});  // without the body
    // The bound of a stream is that of each event in it.
    auto stream = std::make_shared<HttpStream>(engine_.http, spec_.limits.message,
                                               hooks(id, sent, opens_session, arrived));
    bool closed = false;
    {
        std::lock_guard lock(mutex_);
        closed = closed_;
        if (!closed && id != no_request) waiting_[id].stream = stream;
    }
    if (!closed) return stream->start(std::move(request));
    if (arrived) arrived();
}

HttpStream::Hooks HttpTransport::hooks(RequestId id, Sent sent, bool opens_session,
                                       std::function<void()> arrived) {
    HttpStream::Hooks out;
    out.event = [weak = weak_from_this(), id](const outbound::Event& event) {
        auto self = weak.lock();
        return self && self->message(id, event.data, 200);
    };
    if (opens_session)
        out.head = [weak = weak_from_this()](const outbound::Head& head) {
            if (auto self = weak.lock()) self->opened(head);
        };
    out.end = [weak = weak_from_this(), id, sent,
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

// The session counts with the answer that brings it.
void HttpTransport::opened(const outbound::Head& head) {
    const auto session = head.header("Mcp-Session-Id");
    if (head.status != 200 || !is_session(session)) return;
    std::lock_guard lock(mutex_);
    session_ = session;
}

void HttpTransport::ended(RequestId id, HttpStream::End end, const outbound::Request& sent) {
    if (id == no_request) return;
    if (!end.answered && !end.events && !end.failure && !end.body.empty())
        end.answered = message(id, end.body, end.head.status);
    if (!end.answered && !end.abandoned && resume(id, end)) return;
    bool in_session = false, resumed = false;
    {
        std::lock_guard lock(mutex_);
        if (auto found = waiting_.find(id); found != waiting_.end()) {
            resumed = found->second.resumes > 0;
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
    if (modern_ || !end.events || end.last_id.empty()) return false;
    if (end.failure && end.failure->fault != outbound::Fault::broken) return false;
    {
        std::lock_guard lock(mutex_);
        auto found = waiting_.find(id);
        if (found == waiting_.end() || closed_) return false;
        if (++found->second.resumes > most_resumes) return false;
        found->second.stream = nullptr;
    }
    const auto pause = std::clamp(end.retry.value_or(first_pause), milliseconds(0), longest_pause);
    engine_.timer.after(pause, [weak = weak_from_this(), id, last = end.last_id] {
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
    get->headers.emplace_back("Accept", "text/event-stream");
    get->headers.emplace_back("Last-Event-ID", last_id);
    get->max_answer = 0;
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
    get->headers.emplace_back("Accept", "text/event-stream");
    if (!last_id.empty()) get->headers.emplace_back("Last-Event-ID", last_id);
    get->max_answer = 0;
    HttpStream::Hooks hooks;
    hooks.event = [weak = weak_from_this()](const outbound::Event& event) {
        if (auto self = weak.lock()) self->message(no_request, event.data, 200);
        return false;
    };
    hooks.end = [weak = weak_from_this(), pause](const HttpStream::End& end) {
        if (auto self = weak.lock()) self->listened(end, pause);
    };
    auto stream =
        std::make_shared<HttpStream>(engine_.http, spec_.limits.message, std::move(hooks));
    {
        std::lock_guard lock(mutex_);
        if (closed_) return;
        standing_ = stream;
    }
    stream->start(std::move(*get));
}

// A server without such a stream says so once; one whose stream ended gets a new one, later and
// later if nothing comes of it.
void HttpTransport::listened(const HttpStream::End& end, milliseconds pause) {
    const auto status = end.head.status;
    const bool none = status >= 400 && status < 500 && status != 401 && status != 403 &&
                      status != 408 && status != 429;
    if (end.abandoned || (!end.failure && none)) return;
    const auto next = end.events ? first_pause : std::min(2 * pause, longest_pause);
    const auto wait = std::clamp(end.retry.value_or(next), milliseconds(100), longest_pause);
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
    farewell->time = short_message;
    HttpStream::Hooks nothing;
    nothing.event = [](const outbound::Event&) { return false; };
    nothing.end = [](const HttpStream::End&) {};
    std::make_shared<HttpStream>(engine_.http, max_session, std::move(nothing))
        ->start(std::move(*farewell));
}

}  // namespace

TransportPtr make_http_transport(Engine& engine, const ServerSpec& spec,
                                 CredentialsPtr credentials) {
    return std::make_shared<HttpTransport>(engine, spec, std::move(credentials));
}

}  // namespace pb::client
