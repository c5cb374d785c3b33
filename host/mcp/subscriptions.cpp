// SPDX-License-Identifier: Apache-2.0
#include "mcp/subscriptions.h"

#include <algorithm>
#include <atomic>
#include <set>

#include "json/scan.h"

namespace pb::mcp {
namespace {

constexpr std::string_view id_key = "io.modelcontextprotocol/subscriptionId";
constexpr std::size_t most_uris = 1000;

// Nobody waits for what a provider says to resources/subscribe.
class Unheard : public runtime::CallObserver {
  public:
    void completed(runtime::Status, std::string_view) noexcept override {}
    runtime::Status notified(std::string_view, std::string_view) noexcept override {
        return runtime::Status::ok;
    }
};

}  // namespace

// One modern listen stream.
class Subscriptions::Listener : public Cancellable {
  public:
    Listener(Subscriptions& owner, RequestPtr request)
        : owner_(owner), request_(std::move(request)) {
        const auto filter = json::member(request_->message.params, "notifications");
        auto wants = [&](std::string_view name) { return json::member(filter, name) == "true"; };
        tools_ = wants("toolsListChanged");
        prompts_ = wants("promptsListChanged");
        resources_ = wants("resourcesListChanged");
        std::vector<std::string_view> uris;
        json::elements(json::member(filter, "resourceSubscriptions"), uris);
        for (const auto& item : uris) {
            auto uri = json::string_value(item);
            if (uri && uris_.size() < most_uris &&
                owner_.admission_.find(*request_->caller, "resources/read", *uri))
                uris_.insert(std::move(*uri));
        }
    }

    const runtime::Caller& caller() const { return *request_->caller; }
    const std::set<std::string>& uris() const { return uris_; }

    void acknowledge() {
        std::string honoured;
        auto add = [&](std::string_view member) {
            (honoured += honoured.empty() ? "" : ",") += member;
        };
        if (tools_) add("\"toolsListChanged\":true");
        if (prompts_) add("\"promptsListChanged\":true");
        if (resources_) add("\"resourcesListChanged\":true");
        if (!uris_.empty()) {
            std::string list = "\"resourceSubscriptions\":[";
            for (const auto& uri : uris_) {
                if (list.back() != '[') list += ',';
                json::append_quoted(list, uri);
            }
            add(list + "]");
        }
        send("notifications/subscriptions/acknowledged", "\"notifications\":{" + honoured + "}");
    }

    void changed(const catalog::Changes& changes) {
        if (changes.tools && tools_) send("notifications/tools/list_changed", {});
        if (changes.prompts && prompts_) send("notifications/prompts/list_changed", {});
        if (changes.resources && resources_) send("notifications/resources/list_changed", {});
    }

    void updated(const std::string& uri) {
        if (uris_.contains(uri))
            send("notifications/resources/updated", "\"uri\":" + json::quote(uri));
    }

    void cancel() override {
        if (ended_.exchange(true)) return;
        request_->outlet->end();
        owner_.remove(this);
    }

    // The server's own end: the notice that the cancellation page asks for, then the response.
    void close() {
        if (ended_.exchange(true)) return;
        request_->outlet->send(notification_message(
            "notifications/cancelled", "{\"requestId\":" + id() +
                                           ",\"reason\":\"the server is shutting down\"," + meta() +
                                           "}"));
        request_->answer("{\"resultType\":\"complete\"," + meta() + "}");
    }

  private:
    std::string id() const { return std::string(request_->message.id); }
    std::string meta() const { return "\"_meta\":{\"" + std::string(id_key) + "\":" + id() + "}"; }
    void send(std::string_view method, const std::string& members) {
        if (ended_) return;
        const auto sent = request_->outlet->send(notification_message(
            method, "{" + meta() + (members.empty() ? "" : "," + members) + "}"));
        // A reader that fell behind must not believe that nothing changed: its stream ends, and it
        // lists again when it listens again.
        if (sent == Sent::again) cancel();
    }

    Subscriptions& owner_;
    RequestPtr request_;
    bool tools_ = false, prompts_ = false, resources_ = false;
    std::set<std::string> uris_;
    std::atomic<bool> ended_{false};
};

void Subscriptions::listen(const RequestPtr& request) {
    const auto filter = json::member(request->message.params, "notifications");
    if (filter.empty() || json::type_of(filter) != json::Type::object)
        return request->fail(
            {code::invalid_params, "params.notifications must be an object", {}, 400});
    if (!request->outlet->can_send())
        return request->fail({code::invalid_request,
                              "subscriptions/listen needs a client that accepts text/event-stream",
                              {},
                              406});
    auto listener = std::make_shared<Listener>(*this, request);
    {
        std::lock_guard lock(mutex_);
        if (listeners_.size() >= most_)
            return request->fail({code::internal_error, "too many subscriptions", {}, 503});
    }
    if (request->session && !request->session->begin(request->message.id, listener))
        return refuse_duplicate(*request);
    for (const auto& uri : listener->uris())
        count(listener->caller(), uri, +1);
    // Acknowledged before it can hear anything else; what changes in between is in the lists that
    // the client reads after the acknowledgment.
    listener->acknowledge();
    {
        std::lock_guard lock(mutex_);
        listeners_.emplace(listener.get(), listener);
    }
    request->outlet->on_gone([weak = std::weak_ptr<Listener>(listener)] {
        if (auto alive = weak.lock()) alive->cancel();
    });
}

void Subscriptions::remove(const Listener* listener) {
    std::shared_ptr<Listener> kept;
    {
        std::lock_guard lock(mutex_);
        auto found = listeners_.find(listener);
        if (found == listeners_.end()) return;
        kept = std::move(found->second);
        listeners_.erase(found);
    }
    for (const auto& uri : kept->uris())
        count(kept->caller(), uri, -1);
}

bool Subscriptions::subscribe(const SessionPtr& session, const std::string& uri) {
    if (!admission_.find(*session->caller, "resources/read", uri)) return false;
    {
        std::lock_guard lock(session->mutex);
        if (session->subscriptions.size() >= most_uris) return false;
        if (!session->subscriptions.insert(uri).second) return true;
    }
    count(*session->caller, uri, +1);
    return true;
}

void Subscriptions::unsubscribe(const SessionPtr& session, const std::string& uri) {
    {
        std::lock_guard lock(session->mutex);
        if (session->subscriptions.erase(uri) == 0) return;
    }
    count(*session->caller, uri, -1);
}

void Subscriptions::forget(const SessionPtr& session) {
    std::set<std::string> uris;
    {
        std::lock_guard lock(session->mutex);
        uris.swap(session->subscriptions);
    }
    for (const auto& uri : uris)
        count(*session->caller, uri, -1);
}

void Subscriptions::attach(const SessionPtr& session) {
    std::lock_guard lock(mutex_);
    attached_.push_back(session);
}

// The provider is told of the first subscriber and of the last one's leaving.
void Subscriptions::count(const runtime::Caller& caller, const std::string& uri, int step) {
    std::string_view method;
    {
        std::lock_guard lock(mutex_);
        const std::pair key(caller.org, uri);
        auto& number = counts_[key];
        number += step;
        if (step > 0 && number == 1) method = "resources/subscribe";
        if (number <= 0) {
            counts_.erase(key);
            method = "resources/unsubscribe";
        }
    }
    if (method.empty()) return;
    auto target = admission_.find(caller, "resources/read", uri);
    if (!target || !target->binding->resource_subscriptions) return;
    const auto params = "{\"uri\":" + json::quote(target->local_name) + "}";
    runtime::CallSpec spec;
    spec.provider = target->binding->provider;
    spec.method = method;
    spec.params = params;
    spec.caller = std::make_shared<runtime::Caller>(caller);
    spec.observer = std::make_shared<Unheard>();
    admission_.calls().start(spec);
}

std::vector<std::shared_ptr<Subscriptions::Listener>> Subscriptions::listeners(
    const std::string& org) const {
    std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Listener>> out;
    for (const auto& entry : listeners_)
        if (entry.second->caller().org == org) out.push_back(entry.second);
    return out;
}

std::vector<SessionPtr> Subscriptions::sessions(const std::string& org) const {
    auto out = sessions_.all();
    {
        std::lock_guard lock(mutex_);
        for (const auto& weak : attached_)
            if (auto session = weak.lock()) out.push_back(std::move(session));
    }
    std::erase_if(out, [&](const SessionPtr& session) {
        return session->caller->org != org || !session->initialized;
    });
    return out;
}

void Subscriptions::lists_changed(const std::string& org, const catalog::Changes& changes) {
    for (const auto& listener : listeners(org))
        listener->changed(changes);
    for (const auto& session : sessions(org)) {
        std::shared_ptr<Outlet> stream;
        {
            std::lock_guard lock(session->mutex);
            stream = session->standalone;
        }
        if (!stream) continue;
        if (changes.tools)
            stream->send(notification_message("notifications/tools/list_changed", {}));
        if (changes.prompts)
            stream->send(notification_message("notifications/prompts/list_changed", {}));
        if (changes.resources)
            stream->send(notification_message("notifications/resources/list_changed", {}));
    }
}

void Subscriptions::resource_updated(const std::string& org, const std::string& uri) {
    for (const auto& listener : listeners(org))
        listener->updated(uri);
    for (const auto& session : sessions(org)) {
        std::shared_ptr<Outlet> stream;
        {
            std::lock_guard lock(session->mutex);
            if (session->subscriptions.contains(uri)) stream = session->standalone;
        }
        if (stream)
            stream->send(notification_message("notifications/resources/updated",
                                              "{\"uri\":" + json::quote(uri) + "}"));
    }
}

void Subscriptions::goodbye() {
    std::map<const Listener*, std::shared_ptr<Listener>> all;
    {
        std::lock_guard lock(mutex_);
        all.swap(listeners_);
    }
    for (const auto& entry : all)
        entry.second->close();
}

std::size_t Subscriptions::listening() const {
    std::lock_guard lock(mutex_);
    return listeners_.size();
}

}  // namespace pb::mcp
