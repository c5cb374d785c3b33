// SPDX-License-Identifier: Apache-2.0
#include "mcp/subscriptions.h"

#include <algorithm>
#include <atomic>

#include "json/scan.h"

namespace pb::mcp {
namespace {

constexpr std::string_view id_key = "io.modelcontextprotocol/subscriptionId";
constexpr std::size_t most_uris = 1000;
constexpr std::size_t most_agreed = 1000;
constexpr std::chrono::seconds asking_time{10};

using runtime::Status;

// What the provider decides by.
std::string rights_of(const runtime::Caller& caller) {
    return caller.principal + '\n' + caller.permissions;
}

// Whether the provider has let somebody hear of a resource. One that cannot say at present is not
// taken for a refusal, but where it narrows rows nobody else knows.
bool agrees(Status status, const runtime::Caller& caller) {
    if (status == Status::ok) return true;
    if (status == Status::denied || status == Status::not_found || status == Status::invalid)
        return false;
    return !caller.permits.sources() && !caller.permits.objects();
}

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
    // Those that were asked for and are there.
    const std::set<std::string>& uris() const { return uris_; }
    // The providers of all of them have to answer, and whoever asks them be done with asking.
    void await_answers() { waiting_ = uris_.size() + 1; }
    void answered() {
        if (--waiting_ == 0) acknowledge();
    }
    void refused(const std::string& uri) {
        std::lock_guard lock(mutex_);
        refused_.insert(uri);
    }

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
        if (uris_.size() > refused_.size()) {
            std::string list = "\"resourceSubscriptions\":[";
            for (const auto& uri : uris_) {
                if (refused_.contains(uri)) continue;
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
    std::atomic<std::size_t> waiting_{0};
    std::atomic<bool> ended_{false};
    std::mutex mutex_;  // guards what follows, and that notices leave in their order
    std::set<std::string> refused_;
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
    listener->await_answers();
    for (const auto& uri : listener->uris())
        watch(uri, listener.get(), {request->caller, listener, {}, [listener, uri](bool granted) {
                                        if (!granted) listener->refused(uri);
                                        listener->answered();
                                    }});
    if (!begin(*request, listener)) remove(listener.get());
    // Whoever ended it before it was watched for took nothing off.
    if (!listens(listener.get())) return leave_all(*listener);
    request->outlet->on_gone([weak = std::weak_ptr<Listener>(listener)] {
        if (auto alive = weak.lock()) alive->cancel();
    });
    for (const auto& uri : listener->uris())
        tell_provider({request->caller->org, uri});
    listener->answered();
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
    leave_all(*kept);
}

bool Subscriptions::listens(const Listener* listener) const {
    std::lock_guard lock(mutex_);
    return listeners_.contains(listener);
}

void Subscriptions::leave_all(const Listener& listener) {
    for (const auto& uri : listener.uris())
        leave({listener.caller()->org, uri}, &listener);
}

void Subscriptions::subscribe(const RequestPtr& request, const std::string& uri) {
    const auto& session = request->session;
    const auto answer = [request, uri](bool granted) {
        if (granted) return request->answer("{}");
        request->fail({code::resource_not_found, "Resource not found",
                       "{\"uri\":" + json::quote(uri) + "}", 200});
    };
    if (!admission_.find(*request->caller, "resources/read", uri)) return answer(false);
    {
        std::lock_guard lock(session->mutex);
        if (session->closed || session->subscriptions.size() >= most_uris) return answer(false);
        if (!session->subscriptions.insert(uri).second) return answer(true);
    }
    watch(uri, session.get(), {request->caller, {}, session, answer});
    bool stays = false;
    {
        std::lock_guard lock(session->mutex);
        stays = session->subscriptions.contains(uri);
    }
    // Ended before it was watched for.
    if (!stays) leave({request->caller->org, uri}, session.get());
    tell_provider({request->caller->org, uri});
}

void Subscriptions::unsubscribe(const SessionPtr& session, const std::string& uri) {
    {
        std::lock_guard lock(session->mutex);
        if (session->subscriptions.erase(uri) == 0) return;
    }
    leave({session->caller->org, uri}, session.get());
}

void Subscriptions::forget(const SessionPtr& session) {
    std::set<std::string> uris;
    {
        std::lock_guard lock(session->mutex);
        uris.swap(session->subscriptions);
    }
    for (const auto& uri : uris)
        leave({session->caller->org, uri}, session.get());
}

void Subscriptions::attach(const SessionPtr& session) {
    std::lock_guard lock(mutex_);
    attached_.push_back(session);
}

void Subscriptions::watch(const std::string& uri, const void* who, Subscriber subscriber) {
    const Key key(subscriber.caller->org, uri);
    const auto made = std::make_shared<Subscriber>(std::move(subscriber));
    std::lock_guard lock(mutex_);
    auto& watched = watched_[key];
    made->queued = true;
    watched.all.insert_or_assign(who, made);
    watched.to_ask.push_back(made);
}

void Subscriptions::leave(const Key& key, const void* who) {
    {
        std::lock_guard lock(mutex_);
        const auto at = watched_.find(key);
        if (at == watched_.end()) return;
        const auto found = at->second.all.find(who);
        if (found == at->second.all.end()) return;
        at->second.last = found->second->caller;
        found->second->left = true;
        at->second.all.erase(found);
    }
    tell_provider(key);
}

// A new generation of the provider has agreed to nothing yet.
void Subscriptions::providers_changed(const std::string& org) {
    std::vector<Key> keys;
    {
        std::lock_guard lock(mutex_);
        for (auto at = watched_.lower_bound({org, {}});
             at != watched_.end() && at->first.first == org; ++at) {
            for (const auto& entry : at->second.all)
                if (!std::exchange(entry.second->queued, true))
                    at->second.to_ask.push_back(entry.second);
            keys.push_back(at->first);
        }
    }
    for (const auto& key : keys)
        tell_provider(key);
}

// The provider's answer, about a subscriber (null: of those who left). It may come before the call
// is even started: then whoever starts it goes on, or one answer would lie on top of the other.
class Subscriptions::Told : public runtime::CallObserver {
  public:
    Told(Subscriptions& owner, Key key, const runtime::CallSpec& spec, std::string uri,
         SubscriberPtr who)
        : owner_(owner),
          key_(std::move(key)),
          provider_(spec.provider),
          uri_(std::move(uri)),
          who_(std::move(who)) {}

    void completed(Status status, std::string_view) noexcept override {
        if (who_) hear(status);
        if (left_.exchange(true)) owner_.work(key_);
    }
    Status notified(std::string_view, std::string_view) noexcept override { return Status::ok; }
    // False: the answer is there.
    bool leave() { return !left_.exchange(true); }

  private:
    void hear(Status status) {
        const bool granted = agrees(status, *who_->caller);
        if (granted) {
            std::lock_guard lock(owner_.mutex_);
            auto& watched = owner_.watched_[key_];
            if (watched.told.lock() != provider_ || watched.agreed.size() >= most_agreed)
                watched.agreed.clear();
            watched.told = provider_;
            watched.local_uri = uri_;
            if (status == Status::ok) watched.agreed.insert(rights_of(*who_->caller));
        }
        owner_.settle(key_, who_, granted);
    }

    Subscriptions& owner_;
    const Key key_;
    const std::shared_ptr<catalog::Provider> provider_;
    const std::string uri_;
    const SubscriberPtr who_;
    std::atomic<bool> left_{false};
};

// The provider is asked for the subscribers, as each of them, and told of the last one's leaving.
// One thing at a time for each URI, so that the last that a provider hears is what is so.
void Subscriptions::tell_provider(const Key& key) {
    {
        std::lock_guard lock(mutex_);
        const auto at = watched_.find(key);
        if (at == watched_.end() || std::exchange(at->second.telling, true)) return;
    }
    work(key);
}

// With `telling`, which goes with the call that is started, or is over.
void Subscriptions::work(const Key& key) {
    for (;;) {
        SubscriberPtr next;
        runtime::CallSpec spec;
        std::string uri;
        {
            std::lock_guard lock(mutex_);
            auto& watched = watched_[key];
            if (!watched.to_ask.empty()) {
                next = std::move(watched.to_ask.front());
                watched.to_ask.pop_front();
                next->queued = false;
            } else if (spec.provider = watched.told.lock();
                       watched.all.empty() && spec.provider && watched.last) {
                watched.told.reset();
                watched.agreed.clear();
                spec.method = "resources/unsubscribe";
                spec.caller = watched.last;
                uri = watched.local_uri;
            } else {
                watched.telling = false;
                if (watched.all.empty()) watched_.erase(key);
                return;
            }
        }
        if (next ? ask(key, next) : start(key, std::move(spec), uri, nullptr)) return;
    }
}

// False: it is settled already.
bool Subscriptions::ask(const Key& key, const SubscriberPtr& who) {
    const auto target = admission_.find(*who->caller, "resources/read", key.second);
    bool asks = target && target->binding->resource_subscriptions;
    bool granted = static_cast<bool>(target);
    {
        std::lock_guard lock(mutex_);
        auto& watched = watched_[key];
        if (who->left) asks = false;
        if (asks && watched.told.lock() == target->binding->provider &&
            watched.agreed.contains(rights_of(*who->caller)))
            asks = false;
        // What is gone at present may come again, and nobody hears of it until then.
        granted = granted || who->granted;
    }
    if (!asks) {
        settle(key, who, granted);
        return false;
    }
    runtime::CallSpec spec;
    spec.method = "resources/subscribe";
    spec.provider = target->binding->provider;
    spec.caller = who->caller;
    return start(key, std::move(spec), target->local_name, who);
}

// False: it is answered already.
bool Subscriptions::start(const Key& key, runtime::CallSpec spec, const std::string& uri,
                          const SubscriberPtr& who) {
    const auto params = "{\"uri\":" + json::quote(uri) + "}";
    const auto told = std::make_shared<Told>(*this, key, spec, uri, who);
    spec.params = params;
    spec.timeout = asking_time;
    spec.observer = told;
    admission_.calls().start(spec);
    return told->leave();
}

void Subscriptions::settle(const Key& key, const SubscriberPtr& who, bool granted) {
    std::function<void(bool)> answered;
    bool missed = false, leaves = false;
    {
        std::lock_guard lock(mutex_);
        answered.swap(who->answered);
        who->granted = granted;
        missed = std::exchange(who->missed, false) && granted;
        leaves = !granted && !std::exchange(who->left, true);
        auto& watched = watched_[key];
        if (leaves) {
            watched.last = who->caller;
            std::erase_if(watched.all, [&](const auto& entry) { return entry.second == who; });
        }
    }
    if (const auto session = leaves ? who->session.lock() : nullptr) {
        std::lock_guard lock(session->mutex);
        session->subscriptions.erase(key.second);
    }
    if (answered) answered(granted);
    if (missed) deliver(*who, key.second);
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
    std::vector<SubscriberPtr> all;
    {
        std::lock_guard lock(mutex_);
        const auto at = watched_.find({org, uri});
        if (at == watched_.end()) return;
        for (const auto& entry : at->second.all) {
            if (entry.second->granted)
                all.push_back(entry.second);
            else
                entry.second->missed = true;
        }
    }
    for (const auto& each : all)
        deliver(*each, uri);
}

// What the caller sees may have become less since.
void Subscriptions::deliver(const Subscriber& to, const std::string& uri) const {
    const auto sees = [&](const runtime::Caller& caller) {
        return static_cast<bool>(admission_.find(caller, "resources/read", uri));
    };
    if (!sees(*to.caller)) return;
    if (const auto listener = to.listener.lock()) return listener->updated(uri);
    const auto session = to.session.lock();
    if (!session || !session->initialized) return;
    std::shared_ptr<Outlet> stream;
    runtime::CallerPtr reader;
    {
        std::lock_guard lock(session->mutex);
        stream = session->standalone;
        reader = session->listener;
    }
    // Another credential of the same person may have opened it.
    if (stream && (!reader || reader == to.caller || sees(*reader)))
        stream->send(notification_message("notifications/resources/updated",
                                          "{\"uri\":" + json::quote(uri) + "}"));
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
