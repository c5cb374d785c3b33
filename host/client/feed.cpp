// SPDX-License-Identifier: Apache-2.0
#include "client/feed.h"

#include <algorithm>

#include "client/wait.h"
#include "json/scan.h"
#include "mcp/messages.h"

namespace pb::client {
namespace {

constexpr milliseconds first_pause{1'000}, longest_pause{60'000};
constexpr std::string_view id_member = "io.modelcontextprotocol/subscriptionId";

// The server does not do this, now and later. Everything else may have passed in a while.
bool is_final(const Reply& reply) {
    if (reply.kind == Reply::Kind::error) {
        const auto code = json::integer_value(json::member(reply.text, "code"));
        return code == mcp::code::method_not_found || code == mcp::code::invalid_params;
    }
    const auto status = reply.loss.status;
    return reply.kind == Reply::Kind::lost &&
           (reply.loss.why == Loss::Why::cancelled || status == 400 || status == 404 ||
            status == 405 || status == 501);
}

bool says(const ServerInfo& info, std::string_view list, std::string_view what) {
    return json::member(json::member(info.capabilities, list), what) == "true";
}

}  // namespace

// One subscriptions/listen.
class Feed::Stream : public EndHandler {
  public:
    Stream(std::weak_ptr<Feed> feed, RequestId id) : feed_(std::move(feed)), id_(id) {}
    void done(Reply reply) noexcept override {
        auto feed = feed_.lock();
        if (feed && !is_final(reply)) feed->again(id_, reply.ok());
    }

  private:
    const std::weak_ptr<Feed> feed_;
    const RequestId id_;
};

std::string Feed::filter() const {
    const auto& info = link_->info;
    std::string out = "{";
    auto add = [&](std::string_view text) {
        if (out.size() > 1) out += ',';
        out += text;
    };
    if (says(info, "tools", "listChanged")) add("\"toolsListChanged\":true");
    if (says(info, "prompts", "listChanged")) add("\"promptsListChanged\":true");
    if (says(info, "resources", "listChanged")) add("\"resourcesListChanged\":true");
    if (!wanted_.empty()) {
        std::string uris = "\"resourceSubscriptions\":[";
        for (const auto& uri : wanted_) {
            if (uris.back() != '[') uris += ',';
            json::append_quoted(uris, uri);
        }
        add(uris + "]");
    }
    return out + "}";
}

void Feed::want(const std::set<std::string>& uris) {
    std::set<std::string> before;
    {
        std::lock_guard lock(mutex_);
        if (stopped_ || (uris == wanted_ && current_ != no_request)) return;
        before = std::exchange(wanted_, uris);
    }
    if (link_->info.modern())
        listen();
    else
        change(before, uris);
}

void Feed::listen() {
    const auto id = Rpc::next_id();
    std::string notifications;
    RequestId orphan = no_request;
    {
        std::lock_guard lock(mutex_);
        if (stopped_) return;
        notifications = filter();
        // The one before goes on until this one is acknowledged.
        orphan = before_;
        before_ = std::exchange(current_, notifications == "{}" ? no_request : id);
    }
    if (orphan != no_request) link_->rpc->cancel(orphan, "another subscription has taken over");
    if (notifications == "{}") return acknowledged({});
    link_->rpc->request(id,
                        {"subscriptions/listen",
                         {},
                         "{\"_meta\":" + modern_meta(spec_, link_->info.version_name, "{}") +
                             ",\"notifications\":" + notifications + "}",
                         {},
                         milliseconds(0)},
                        std::make_shared<Stream>(weak_from_this(), id));
}

void Feed::acknowledged(std::string_view params) {
    const auto id = json::integer_value(json::member(json::member(params, "_meta"), id_member));
    RequestId done = no_request;
    {
        std::lock_guard lock(mutex_);
        if (id && static_cast<RequestId>(*id) != current_) return;
        pause_ = first_pause;
        done = std::exchange(before_, no_request);
    }
    if (done != no_request) link_->rpc->cancel(done, "another subscription has taken over");
}

void Feed::again(RequestId ended, bool heard) {
    milliseconds wait{};
    {
        std::lock_guard lock(mutex_);
        if (before_ == ended) before_ = no_request;
        if (stopped_ || current_ != ended) return;
        current_ = no_request;
        wait = heard ? first_pause : pause_;
        pause_ = std::min(2 * pause_, longest_pause);
    }
    engine_.timer.after(wait, [weak = weak_from_this()] {
        auto self = weak.lock();
        if (!self) return;
        {
            std::lock_guard lock(self->mutex_);
            if (self->current_ != no_request) return;
        }
        self->listen();
    });
}

void Feed::change(const std::set<std::string>& before, const std::set<std::string>& now) {
    if (!says(link_->info, "resources", "subscribe")) return;
    auto tell = [&](const char* method, const std::string& uri) {
        link_->rpc->request(
            Rpc::next_id(),
            {method, uri, "{\"uri\":" + json::quote(uri) + "}", {}, spec_.call_time},
            std::make_shared<EndHandler>());
    };
    for (const auto& uri : now)
        if (!before.contains(uri)) tell("resources/subscribe", uri);
    for (const auto& uri : before)
        if (!now.contains(uri)) tell("resources/unsubscribe", uri);
}

void Feed::stop() {
    RequestId one = no_request, other = no_request;
    {
        std::lock_guard lock(mutex_);
        stopped_ = true;
        one = std::exchange(current_, no_request);
        other = std::exchange(before_, no_request);
    }
    for (const auto id : {one, other})
        if (id != no_request) link_->rpc->cancel(id, "no longer wanted");
}

}  // namespace pb::client
