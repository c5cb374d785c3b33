// SPDX-License-Identifier: Apache-2.0
// Client: one MCP server, spoken to in whatever era it speaks, for one identity. It opens a link
// when it is needed, keeps it, and heals it: a lost session, a changed era, an expired token, a
// process that ended. A request is sent again only where it cannot have been executed.
//
//   call() ── link there ──► Rpc ──► handler
//     └─ none ─► waits for the one that is being opened ─► Rpc ──► handler
// A server that fails again and again is left alone for a while (its breaker), then tried once; a
// process that ends again and again is started later and later.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/breaker.h"
#include "client/feed.h"
#include "client/negotiate.h"
#include "client/restarts.h"
#include "json/header_params.h"

namespace pb::client {

// What a client's owner hears. [any thread]; must not block.
class Events {
  public:
    virtual ~Events() = default;
    virtual void opened(const ServerInfo& info) noexcept = 0;
    // notifications/*/list_changed, notifications/resources/updated, and others unread.
    virtual void notified(std::string_view method, std::string_view params) noexcept = 0;
    virtual void ended(const std::string& why) noexcept = 0;
};

struct CallRequest {
    std::string method;
    std::string name;    // what it is about: a tool's or prompt's name, a URI; or empty
    std::string params;  // JSON object; members of its _meta that are not the protocol's are kept
    std::vector<json::HeaderParam> header_params;  // of the tool's schema
    milliseconds time{0};                          // 0: the server's call_time
    // Of whom it is made for:
    std::string client_capabilities = "{}";
    std::string log_level;  // empty: none wanted
    std::string trace;      // {"traceparent",...} as JSON, or empty
    bool progress = false;
    bool regardless = false;  // somebody wants it now, however often the server has failed
    bool own = false;  // ours and no caller's: not counted, nor refused because of the others
};

// The calls that a server has to do with now: for the bound on them, which several clients of one
// server have in common.
using Load = std::atomic<std::size_t>;
using LoadPtr = std::shared_ptr<Load>;

class Running;  // a call that has not ended

class Client final : public Listener, public std::enable_shared_from_this<Client> {
  public:
    static std::shared_ptr<Client> make(Engine& engine, ServerSpec spec, CredentialsPtr credentials,
                                        std::weak_ptr<Events> events,
                                        std::optional<mcp::Version> remembered = std::nullopt,
                                        LoadPtr load = std::make_shared<Load>(0));
    ~Client() override;

    // [waits] The link, opened if there is none; `regardless` as in CallRequest.
    Result<LinkPtr> open(Deadline deadline, bool regardless = false);
    // [any thread] Null if there is none now.
    LinkPtr link() const;
    // [any thread] The handler hears how it ends; done() exactly once.
    std::shared_ptr<Running> call(CallRequest request, HandlerPtr handler);
    // [waits] A call of our own.
    Reply ask(CallRequest request);
    // [any thread] The resources whose updates are wanted, whole; kept over every new link.
    void subscribe(std::set<std::string> uris);
    // [any thread] The end: what runs is answered as cancelled, nothing is opened any more.
    void close();

    const ServerSpec& spec() const { return spec_; }
    const CredentialsPtr& credentials() const { return credentials_; }
    Breaker& breaker() { return breaker_; }

    void notified(std::string_view method, std::string_view params) noexcept override;
    void ended(const Rpc& rpc, const Loss& loss) noexcept override;

  private:
    friend class Running;
    using Waiter = std::function<void(const Result<LinkPtr>&)>;

    Client(Engine& engine, ServerSpec spec, CredentialsPtr credentials,
           std::weak_ptr<Events> events, std::optional<mcp::Version> remembered, LoadPtr load);
    void when_open(Waiter waiter, bool regardless);
    std::optional<Error> refusal(bool regardless);
    void open_now();
    void opened(Result<LinkPtr> result);
    void feed_what_is_wanted();
    // `stale` is of no use: whoever asks next gets another.
    void discard(const LinkPtr& stale);

    Engine& engine_;
    const ServerSpec spec_;
    const CredentialsPtr credentials_;
    const std::weak_ptr<Events> events_;
    const LoadPtr load_;
    Breaker breaker_;
    Restarts restarts_;  // of a process

    mutable std::mutex mutex_;
    LinkPtr link_;
    std::optional<mcp::Version> remembered_;
    std::vector<Waiter> waiters_;
    bool opening_ = false, closed_ = false;
    std::mutex feeding_;  // what is wanted reaches the feed in its order
    std::set<std::string> subscriptions_;
    std::shared_ptr<Feed> feed_;
};

class Running final : public Handler, public std::enable_shared_from_this<Running> {
  public:
    Running(std::shared_ptr<Client> client, CallRequest request, HandlerPtr handler)
        : client_(std::move(client)), request_(std::move(request)), handler_(std::move(handler)) {}

    // [any thread] Tells the server; done(cancelled) follows unless it has ended.
    void cancel(std::string_view reason);

    void progress(std::string_view params) noexcept override { handler_->progress(params); }
    void message(std::string_view params) noexcept override { handler_->message(params); }
    void question(Question question) noexcept override;
    void done(Reply reply) noexcept override;

  private:
    friend class Client;
    void start();
    void refuse_busy();
    void send(const LinkPtr& link);
    void send_now(const LinkPtr& link);
    bool set_level(const LinkPtr& link);
    void tell_breaker(const Reply& reply);
    bool heal(const Reply& reply);
    bool heal(const Reply& reply, const LinkPtr& link);
    void seek();
    void seek_another(const Reply& refusal, const LinkPtr& before);
    void probe(const Reply& refusal, const LinkPtr& link);
    void probed(const Reply& refusal, const Reply& answer, const LinkPtr& link) noexcept;
    milliseconds time_left() const;
    void watch();
    void settle(const Challenge& challenge);
    void finish(Reply reply) noexcept;
    std::string params_for(const ServerInfo& info, RequestId id) const;

    const std::shared_ptr<Client> client_;
    const CallRequest request_;
    const HandlerPtr handler_;

    Deadline until_{};

    std::mutex mutex_;
    LinkPtr link_;
    RequestId id_ = no_request;
    int repeats_ = 0;
    bool reopened_ = false;  // because the link seemed to be of no use; once is enough
    bool sent_ = false, watched_ = false;
    bool asked_ = false;  // because of it: it is being executed
    bool cancelled_ = false, ended_ = false;
};

}  // namespace pb::client
