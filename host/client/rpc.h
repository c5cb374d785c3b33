// SPDX-License-Identifier: Apache-2.0
// Rpc: JSON-RPC over one transport: requests and their answers, what comes before an answer, and
// what the server asks (legacy) or says by itself.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "client/engine.h"
#include "client/transport.h"

namespace pb::client {

class Rpc;

// Whether a server may ask the caller something because of a request of this method.
bool may_ask(std::string_view method);

// A request of the server (legacy eras): sampling, elicitation, roots. Answer it once; an answer to
// a server that is gone is dropped. Until then the time of the request that it belongs to stands
// still: it is a person's.
struct Question {
    std::string id;  // the server's, as JSON text
    std::string method;
    std::string params;  // JSON object
    std::weak_ptr<Rpc> from;
    RequestId about = no_request;

    void answer(std::string_view result) const;
    void refuse(int code, std::string_view message) const;
};

// How a request ended.
struct Reply {
    enum class Kind { result, error, lost };
    Kind kind = Kind::lost;
    std::string text;  // the result, or the JSON-RPC error: a JSON object as it came
    int status = 0;    // HTTP's, where there is one
    Loss loss;

    bool ok() const { return kind == Kind::result; }
};

// Hears of one request. [any thread], one at a time; nothing after done(), but what was under way
// when it was cancelled. Must not block.
class Handler {
  public:
    virtual ~Handler() = default;
    // params of notifications/progress (the token is ours) and notifications/message.
    virtual void progress(std::string_view params) noexcept = 0;
    virtual void message(std::string_view params) noexcept = 0;
    virtual void question(Question question) noexcept = 0;
    virtual void done(Reply reply) noexcept = 0;
};

using HandlerPtr = std::shared_ptr<Handler>;

// What belongs to no request. [any thread]; must not block.
class Listener {
  public:
    virtual ~Listener() = default;
    virtual void notified(std::string_view method, std::string_view params) noexcept = 0;
    // The transport of `rpc` is of no use any more, and it was not we who ended it.
    virtual void ended(const Rpc& rpc, const Loss& loss) noexcept = 0;
};

class Rpc final : public Inbox, public std::enable_shared_from_this<Rpc> {
  public:
    Rpc(Engine& engine, TransportPtr transport, std::weak_ptr<Listener> listener, Limits limits);
    ~Rpc() override;

    Result<void> open(Deadline deadline);

    struct Call {
        std::string_view method;
        std::string_view name;
        std::string params;  // JSON object, complete
        outbound::Headers headers;
        milliseconds time{60'000};  // 0: any
    };
    // An id for a request that is about to be made: also its progress token.
    static RequestId next_id();
    // [any thread] Sends; the handler hears how it ends.
    void request(RequestId id, Call call, const HandlerPtr& handler);
    // [any thread] Tells the server, as its transport asks for it; done(cancelled) follows.
    void cancel(RequestId id, std::string_view reason);
    void notify(std::string_view method, std::string_view params);
    // [waits] The same, until the server has it: what is sent next does not overtake it.
    void tell(std::string_view method, std::string_view params, Deadline deadline);
    void answer(std::string text, RequestId about);

    // [waits] A request of our own.
    Reply ask(Call call);

    Transport& transport() { return *transport_; }
    // What was negotiated, also for the transport.
    void agreed(const ServerInfo& info);
    // Nobody gets an answer any more.
    bool has_ended() const;
    void close();

    bool received(std::string_view text, RequestId about, int status) override;
    void lost(RequestId id, Loss loss) override;
    void closed(Loss loss) override;
    void stale(Loss loss) override;

  private:
    using Clock = std::chrono::steady_clock;
    struct Pending {
        HandlerPtr handler;
        Clock::time_point until;
        bool may_ask = false;
        bool sending = true;
        int questions = 0;       // without an answer
        Clock::duration rest{};  // of its time, once there is none
    };
    struct Incoming;

    HandlerPtr find(RequestId id);
    HandlerPtr stand_still(RequestId id);
    void go_on(RequestId id);
    HandlerPtr take(RequestId id);
    HandlerPtr take_cancelled(RequestId id, std::string_view reason);
    void sent(RequestId id);
    RequestId owner_of(const Incoming& message, RequestId about);
    bool deal(std::string_view text, RequestId about, int status);
    bool answered(const Incoming& message, RequestId about, int status);
    void asked(const Incoming& message, RequestId about);
    void notified(const Incoming& message, RequestId about);
    void torn_down(const Incoming& message);
    void end(const Loss& loss, Listener* told);
    void tell_cancelled(RequestId id, std::string_view reason);
    void watch();
    void sweep();

    Engine& engine_;
    const std::shared_ptr<Connections> connections_;
    const TransportPtr transport_;
    const std::weak_ptr<Listener> listener_;
    const Limits limits_;

    std::atomic<bool> modern_{false};

    mutable std::mutex mutex_;
    std::unordered_map<RequestId, Pending> pending_;
    std::set<RequestId> unsent_;  // cancelled while they were being sent
    bool watching_ = false;
    bool closed_ = false;
};

}  // namespace pb::client
