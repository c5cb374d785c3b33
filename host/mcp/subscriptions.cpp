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

    const runtime::CallerPtr& caller() const { return request_->caller; }
    const std::set<std::string>& uris() const { return uris_; }

    // The first that the client hears; what changed before it is told right behind.
    void acknowledge() {
        bool taken = false;
        {
            std::lock_guard lock(mutex_);
            acknowledged_ = true;
            taken = send("notifications/subscriptions/acknowledged",
                         "\"notifications\":{" + honoured() + "}") &&
                    tell(std::exchange(held_lists_, {})) &&
                    std::all_of(held_uris_.begin(), held_uris_.end(),
                                [this](const auto& uri) { return tell(uri); });
            held_uris_.clear();
        }
        if (!taken) give_up();
    }

    void changed(const catalog::Changes& changes) {
        bool taken = true;
        {
            std::lock_guard lock(mutex_);
            if (acknowledged_) {
                taken = tell(changes);
            } else {
                held_lists_.tools |= changes.tools;
                held_lists_.prompts |= changes.prompts;
                held_lists_.resources |= changes.resources;
            }
        }
        if (!taken) give_up();
    }

    void updated(const std::string& uri) {
        if (!uris_.contains(uri)) return;
        bool taken = true;
        {
            std::lock_guard lock(mutex_);
            if (acknowledged_)
                taken = tell(uri);
            else
                held_uris_.insert(uri);
        }
        if (!taken) give_up();
    }

    void cancel() override {
        if (ended_.exchange(true)) return;
        request_->end();
        owner_.remove(this);
    }

    // The server's own end: the notice that the cancellation page asks for, then the response.
    void close(std::string_view reason) {
        if (ended_.exchange(true)) return;
        request_->outlet->send(notification_message(
            "notifications/cancelled",
            "{\"requestId\":" + id() + ",\"reason\":" + json::quote(reason) + "," + meta() + "}"));
        request_->answer("{\"resultType\":\"complete\"," + meta(owner_.server_info_) + "}");
    }

  private:
    std::string id() const { return std::string(request_->message.id); }
    std::string meta(const std::string& server_info = {}) const {
        std::string out = "\"_meta\":{\"" + std::string(id_key) + "\":" + id();
        if (!server_info.empty()) out += ",\"io.modelcontextprotocol/serverInfo\":" + server_info;
        return out + "}";
    }

    std::string honoured() const {
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
        return honoured;
    }

    // With mutex_; false: the reader is behind.
    bool tell(const catalog::Changes& changes) {
        return (!changes.tools || !tools_ || send("notifications/tools/list_changed", {})) &&
               (!changes.prompts || !prompts_ || send("notifications/prompts/list_changed", {})) &&
               (!changes.resources || !resources_ ||
                send("notifications/resources/list_changed", {}));
    }
    bool tell(const std::string& uri) {
        return send("notifications/resources/updated", "\"uri\":" + json::quote(uri));
    }
    bool send(std::string_view method, const std::string& members) {
        if (ended_) return true;
        return request_->outlet->send(notification_message(
                   method, "{" + meta() + (members.empty() ? "" : "," + members) + "}")) !=
               Sent::again;
    }
    // A reader that fell behind must not believe that nothing changed: its stream ends, and it
    // lists again when it listens again. Without mutex_: a provider is told, and may answer.
    void give_up() {
        close("the client reads too slowly");
        owner_.remove(this);
    }

    Subscriptions& owner_;
    RequestPtr request_;
    bool tools_ = false, prompts_ = false, resources_ = false;
    std::set<std::string> uris_;
    std::atomic<bool> ended_{false};
    std::mutex mutex_;  // guards what follows, and that notices leave in their order
    bool acknowledged_ = false;
    catalog::Changes held_lists_;
    std::set<std::string> held_uris_;
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
    bool refused = false;
    {
        std::lock_guard lock(mutex_);
        refused = closing_ || listeners_.size() >= most_;
        if (!refused) listeners_.emplace(listener.get(), listener);
    }
    if (refused)
        return request->fail({code::internal_error,
                              "too many subscriptions, or the server is shutting down",
                              {},
                              503});
    // It counts from here, so that whoever ends it from now on can take it off again.
    for (const auto& uri : listener->uris())
        count(listener->caller(), uri, +1);
    if (!begin(*request, listener)) return remove(listener.get());
    request->outlet->on_gone([weak = std::weak_ptr<Listener>(listener)] {
        if (auto alive = weak.lock()) alive->cancel();
    });
    listener->acknowledge();
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
        if (session->closed || session->subscriptions.size() >= most_uris) return false;
        if (!session->subscriptions.insert(uri).second) return true;
    }
    count(session->caller, uri, +1);
    return true;
}

void Subscriptions::unsubscribe(const SessionPtr& session, const std::string& uri) {
    {
        std::lock_guard lock(session->mutex);
        if (session->subscriptions.erase(uri) == 0) return;
    }
    count(session->caller, uri, -1);
}

void Subscriptions::forget(const SessionPtr& session) {
    std::set<std::string> uris;
    {
        std::lock_guard lock(session->mutex);
        uris.swap(session->subscriptions);
    }
    for (const auto& uri : uris)
        count(session->caller, uri, -1);
}

void Subscriptions::attach(const SessionPtr& session) {
    std::lock_guard lock(mutex_);
    attached_.push_back(session);
}

void Subscriptions::count(const runtime::CallerPtr& caller, const std::string& uri, int step) {
    const Key key(caller->org, uri);
    {
        std::lock_guard lock(mutex_);
        auto& watched = watched_[key];
        watched.subscribers += step;
        watched.caller = caller;
    }
    tell_provider(key);
}

void Subscriptions::providers_changed(const std::string& org) {
    std::vector<Key> keys;
    {
        std::lock_guard lock(mutex_);
        for (auto at = watched_.lower_bound({org, {}});
             at != watched_.end() && at->first.first == org; ++at)
            keys.push_back(at->first);
    }
    for (const auto& key : keys)
        tell_provider(key);
}

// The provider has answered, and may be told the next.
class Subscriptions::Told : public runtime::CallObserver {
  public:
    Told(Subscriptions& owner, Key key) : owner_(owner), key_(std::move(key)) {}
    void completed(runtime::Status, std::string_view) noexcept override {
        {
            std::lock_guard lock(owner_.mutex_);
            owner_.watched_[key_].telling = false;
        }
        owner_.tell_provider(key_);
    }
    runtime::Status notified(std::string_view, std::string_view) noexcept override {
        return runtime::Status::ok;
    }

  private:
    Subscriptions& owner_;
    Key key_;
};

// The provider is told of the first subscriber and of the last one's leaving, and a new generation
// of it of those that are there. One thing at a time for each URI, so that the last that a provider
// hears is what is so.
void Subscriptions::tell_provider(const Key& key) {
    runtime::CallerPtr caller;
    {
        std::lock_guard lock(mutex_);
        const auto at = watched_.find(key);
        if (at == watched_.end()) return;
        at->second.again = true;
        if (std::exchange(at->second.telling, true)) return;
        caller = at->second.caller;
    }
    runtime::CallSpec spec;
    std::string uri;
    if (!next_to_tell(key, *caller, spec, uri)) return;
    const auto params = "{\"uri\":" + json::quote(uri) + "}";
    spec.params = params;
    spec.caller = std::move(caller);
    spec.observer = std::make_shared<Told>(*this, key);
    admission_.calls().start(spec);
}

// False: there is nothing to tell, also after a last look.
bool Subscriptions::next_to_tell(const Key& key, const runtime::Caller& caller,
                                 runtime::CallSpec& spec, std::string& uri) {
    for (;;) {
        {
            std::lock_guard lock(mutex_);
            watched_[key].again = false;
        }
        const auto target = admission_.find(caller, "resources/read", key.second);
        const bool can = target && target->binding->resource_subscriptions;
        std::lock_guard lock(mutex_);
        auto& watched = watched_[key];
        const auto told = watched.told.lock();
        if (watched.subscribers > 0 && can && target->binding->provider != told) {
            spec.method = "resources/subscribe";
            spec.provider = target->binding->provider;
            watched.told = spec.provider;
            watched.local_uri = target->local_name;
        } else if (watched.subscribers == 0 && told) {
            spec.method = "resources/unsubscribe";
            spec.provider = told;
            watched.told.reset();
        } else if (watched.again) {
            continue;
        } else {
            watched.telling = false;
            if (watched.subscribers == 0) watched_.erase(key);
            return false;
        }
        uri = watched.local_uri;
        return true;
    }
}

std::vector<std::shared_ptr<Subscriptions::Listener>> Subscriptions::listeners(
    const std::string& org) const {
    std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<Listener>> out;
    for (const auto& entry : listeners_)
        if (entry.second->caller()->org == org) out.push_back(entry.second);
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

void Subscriptions::end_of(const runtime::StandingOf& standing) {
    std::vector<std::shared_ptr<Listener>> all;
    {
        std::lock_guard lock(mutex_);
        for (const auto& entry : listeners_)
            all.push_back(entry.second);
    }
    for (const auto& listener : all) {
        if (standing(*listener->caller()) == runtime::Standing::good) continue;
        listener->close("the credential is not good any more");
        remove(listener.get());
    }
}

void Subscriptions::goodbye() {
    std::map<const Listener*, std::shared_ptr<Listener>> all;
    {
        std::lock_guard lock(mutex_);
        closing_ = true;
        all.swap(listeners_);
    }
    for (const auto& entry : all)
        entry.second->close("the server is shutting down");
}

std::size_t Subscriptions::listening() const {
    std::lock_guard lock(mutex_);
    return listeners_.size();
}

}  // namespace pb::mcp
