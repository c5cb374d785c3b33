// SPDX-License-Identifier: Apache-2.0
#include "upstream.h"

#include <algorithm>
#include <random>

#include "json/parse.h"
#include "json/scan.h"
#include "shown.h"

namespace pb::remote {
namespace {

using client::milliseconds;

constexpr milliseconds coalesce{100};  // of several notices of one change
constexpr milliseconds first_pause{1'000}, longest_pause{300'000};
constexpr milliseconds shortest_ttl{5'000};  // however short the server says its lists last
constexpr milliseconds look_time{60'000};
constexpr milliseconds first_look_time{8'000};  // is waited for: less than the host's patience
constexpr milliseconds margin{1'000};     // our words about a late server come before the host's
constexpr std::size_t most_people = 256;  // clients for single persons at a time

std::int64_t wall_ms() {
    return std::chrono::duration_cast<milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// So that many servers that failed together do not come back together.
milliseconds jittered(milliseconds time) {
    thread_local std::minstd_rand random{std::random_device{}()};
    return time / 2 + milliseconds(random() % (static_cast<unsigned>(time.count()) / 2 + 1));
}

const char* type_of(client::Kind kind) {
    return kind == client::Kind::http ? "http" : kind == client::Kind::sse ? "sse" : "stdio";
}

std::vector<std::string> strings(const Json& array) {
    std::vector<std::string> out;
    for (const auto& each : array)
        if (each.is_string()) out.push_back(each.get<std::string>());
    return out;
}

template <class Names>
Json names(const Names& changes, std::string_view kind) {
    Json out = Json::array();
    for (const auto& change : changes)
        if (change.kind == kind) out.push_back(change.tool);
    return out;
}

}  // namespace

std::string_view name_of(Origin origin) {
    static constexpr std::string_view names[] = {"config", "registered", "scoped"};
    return names[static_cast<int>(origin)];
}

Upstream::Upstream(Surroundings around, Settings settings, Origin origin)
    : around_(std::move(around)),
      settings_(std::move(settings)),
      origin_(origin),
      capability_(capability_of(settings_.name)) {}

Upstream::~Upstream() { stop(); }

void Upstream::restore(bool well) {
    if (origin_ == Origin::scoped) return;
    if (const auto kept = around_.port.get("trust/" + settings_.name))
        trust_ = Trust::load(Json::parse(*kept, nullptr, false));
    const auto kept = around_.port.get("lists/" + settings_.name);
    if (!kept) return;
    const auto all = Json::parse(*kept, nullptr, false);
    if (!all.is_object() || all.value("identity", "") != settings_.identity()) return;
    const auto version = mcp::version_from(all.value("version", ""));
    const auto synced = around_.port.get("synced/" + settings_.name).value_or("0");
    const auto synced_ms = json::integer_value(synced).value_or(0);
    const auto age = milliseconds(wall_ms() - synced_ms);
    remembered_ = version;
    if (!version || (!well && age > settings_.serve_stale)) return;
    info_.version = *version;
    info_.version_name = all.value("version", "");
    info_.capabilities = all.value("capabilities", "{}");
    info_.server_info = all.value("server", "{}");
    info_.instructions = all.value("instructions", "");
    lists_.tools = strings(all.value("tools", Json::array()));
    lists_.resources = strings(all.value("resources", Json::array()));
    lists_.templates = strings(all.value("templates", Json::array()));
    lists_.prompts = strings(all.value("prompts", Json::array()));
    synced_ms_ = synced_ms;
    known_ = true;
    exposed_ = expose(info_, lists_, settings_, trust_.withheld());
}

void Upstream::start() { look_after(milliseconds(0)); }

void Upstream::retire() {
    std::uint64_t timer = 0;
    {
        std::lock_guard lock(mutex_);
        stopped_ = true;
        timer = std::exchange(timer_, 0);
    }
    around_.engine.timer.cancel(timer);
}

void Upstream::stop() {
    retire();
    std::map<std::string, Person> clients;
    {
        std::lock_guard lock(mutex_);
        clients.swap(clients_);
    }
    for (auto& [principal, person] : clients)
        person.client.client->close();
}

ExposedPtr Upstream::exposed() const {
    std::lock_guard lock(mutex_);
    return exposed_;
}

Result<ExposedPtr> Upstream::shown() const {
    std::lock_guard lock(mutex_);
    if (exposed_->known) return exposed_;
    return Error{ErrorKind::busy, problem_.empty() ? "it has not answered yet" : problem_};
}

void Upstream::when_looked(Then then) {
    {
        std::lock_guard lock(mutex_);
        if (!looked_) {
            waiting_.push_back(std::move(then));
            if (waiting_.size() > 1) return;
            around_.engine.timer.after(first_look_time, [weak = weak_from_this()] {
                if (auto self = weak.lock())
                    self->around_.engine.workers.post([self] { self->looked(); });
            });
            return;
        }
    }
    then(shown());
}

void Upstream::looked() {
    std::vector<Then> waiting;
    {
        std::lock_guard lock(mutex_);
        looked_ = true;
        waiting.swap(waiting_);
    }
    for (const auto& then : waiting)
        then(shown());
}

bool Upstream::is_well() const {
    std::lock_guard lock(mutex_);
    return known_ && problem_.empty();
}

Json Upstream::spec() const {
    Json out{{"name", capability_}, {"namespace", settings_.name_space}};
    if (!settings_.title.empty()) out["title"] = settings_.title;
    if (!settings_.description.empty()) out["description"] = settings_.description;
    if (settings_.timeout.count() > 0) out["call_time_ms"] = (settings_.timeout + margin).count();
    std::lock_guard lock(mutex_);
    const bool shared = settings_.acts_as != ActsAs::user && !lists_.is_private;
    out["lists"] = {{"scope", shared ? "public" : "private"}};
    if (lists_.ttl_ms) out["lists"]["ttl_ms"] = std::min<std::int64_t>(*lists_.ttl_ms, 86'400'000);
    return out;
}

Result<void> Upstream::offer() { return around_.port.offer(spec()); }

Result<Upstream::Client> Upstream::make_client(const std::string& principal) {
    auto identity = make_identity(around_.port, around_.engine, around_.host, around_.org,
                                  settings_, principal);
    if (!identity) return identity.error();
    auto client = client::Client::make(around_.engine, settings_.spec, (*identity)->credentials(),
                                       weak_from_this(), remembered_, load_);
    return Client{std::move(client), std::move(*identity)};
}

Result<Upstream::Client> Upstream::client_for(const std::string& principal) {
    const auto key = settings_.acts_as == ActsAs::user ? principal : std::string();
    std::shared_ptr<client::Client> unused;
    std::lock_guard lock(mutex_);
    if (stopped_) return Error{ErrorKind::gone, "the server is no longer registered"};
    auto found = clients_.find(key);
    if (found == clients_.end()) {
        auto made = make_client(key);
        if (!made) return made.error();
        if (clients_.size() >= most_people) {
            auto oldest = std::min_element(
                clients_.begin(), clients_.end(),
                [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
            unused = oldest->second.client.client;  // it ends with the calls that it still has
            clients_.erase(oldest);
        }
        if (key.empty()) made->client->subscribe(subscriptions_);
        found = clients_.emplace(key, Person{std::move(*made), {}}).first;
    }
    found->second.used = Clock::now();
    return found->second.client;
}

// Where each person has an own identity, whoever is signed in shows what there is.
Result<Upstream::Client> Upstream::looking_client() {
    if (settings_.acts_as != ActsAs::user) return client_for({});
    {
        std::lock_guard lock(mutex_);
        for (const auto& [principal, person] : clients_)
            if (!person.client.identity->state().lost) return person.client;
    }
    // Whoever signed in before a restart.
    for (const auto& principal : principals_of(around_.port, settings_.name)) {
        auto who = client_for(principal);
        if (!who || !who->identity->state().lost) return who;
    }
    return Error{ErrorKind::denied, "somebody has to sign in first"};
}

// With the lock. A call may have found out since the last look.
SignInState Upstream::sign_in_state() const {
    if (sign_in_needed_) return {true, true, problem_};
    const auto own = clients_.find({});
    return own == clients_.end() ? SignInState() : own->second.client.identity->state();
}

void Upstream::subscribe(const std::string& uri, bool on) {
    std::shared_ptr<client::Client> client;
    std::set<std::string> wanted;
    {
        std::lock_guard lock(mutex_);
        if (on)
            subscriptions_.insert(uri);
        else
            subscriptions_.erase(uri);
        wanted = subscriptions_;
        if (!clients_.empty()) client = clients_.begin()->second.client.client;
    }
    if (client) client->subscribe(std::move(wanted));
}

void Upstream::look_after(milliseconds delay) {
    const auto at = Clock::now() + delay;
    std::lock_guard lock(mutex_);
    if (stopped_ || (timer_ != 0 && next_ <= at)) return;
    around_.engine.timer.cancel(timer_);
    next_ = at;
    timer_ = around_.engine.timer.after(delay, [weak = weak_from_this()] {
        auto self = weak.lock();
        if (!self) return;
        {
            std::lock_guard lock(self->mutex_);
            self->timer_ = 0;
        }
        self->around_.engine.workers.post([self] { self->look(); });
    });
}

void Upstream::look() {
    try {
        (void)look_once(client::Deadline::clock::now() + look_time, false);
    } catch (const std::exception& fault) {
        failed(internal_error(fault.what()));
    }
}

Result<Json> Upstream::look_once(client::Deadline deadline, bool regardless) {
    struct Looking {
        explicit Looking(std::atomic<bool>& flag) : flag_(flag) { flag_ = true; }
        ~Looking() { flag_ = false; }
        std::atomic<bool>& flag_;
    };
    std::lock_guard one(looking_);
    const Looking looking(in_look_);
    return look_at_it(deadline, regardless);
}

Result<Json> Upstream::look_at_it(client::Deadline deadline, bool regardless) {
    auto who = looking_client();
    if (!who) {
        failed(who.error());
        return who.error();
    }
    auto lists = client::list_all(*who->client, deadline, regardless);
    const auto link = who->client->link();
    if (!lists || !link) {
        const auto error = lists ? internal_error("the connection ended") : lists.error();
        failed(error);
        return error;
    }
    auto report = accept(link->info, *lists);
    schedule(true);
    return report;
}

Json Upstream::accept(const client::ServerInfo& info, client::ServerLists& lists) {
    std::vector<ToolChange> changes;
    std::set<std::string> withheld;
    ExposedPtr next;
    const auto offered = spec();
    {
        std::lock_guard lock(mutex_);
        for (const auto list : lists.failed)
            if (known_) lists.*list = lists_.*list;
        changes = trust_.look(tools_by_name(lists), settings_.on_tool_change, wall_ms(),
                              tools_by_name(lists_));
        if (!known_)
            for (const auto& tool : lists.tools)
                changes.push_back(
                    {json::string_value(json::member(tool, "name")).value_or(""), "added"});
        withheld = trust_.withheld();
        next = expose(info, lists, settings_, withheld);
        info_ = info;
        lists_ = lists;
        known_ = true;
        remembered_ = info.version;
        problem_.clear();
        sign_in_needed_ = false;
        failures_ = 0;
        synced_ms_ = wall_ms();
    }
    if (origin_ != Origin::scoped && spec() != offered) (void)offer();  // how long lists last
    keep(info, lists);
    if (!changes.empty()) remember_trust();
    Json report{{"added", names(changes, "added")},
                {"updated", names(changes, "changed")},
                {"removed", names(changes, "removed")},
                {"withheld", withheld},
                {"tools", next->tool_count},
                {"resources", next->resource_count},
                {"prompts", next->prompt_count},
                {"warnings", next->warnings}};
    if (!changes.empty())
        around_.port.log(withheld.empty() ? log::Level::info : log::Level::warning,
                         "remote.tools_changed",
                         {{"server", settings_.name},
                          {"added", report["added"].size()},
                          {"updated", report["updated"].size()},
                          {"removed", report["removed"].size()},
                          {"withheld", withheld.size()}});
    replace(next);
    looked();
    return report;
}

void Upstream::failed(const Error& error) {
    bool stale = false;
    {
        std::lock_guard lock(mutex_);
        const bool denied = error.kind == ErrorKind::denied;
        const auto problem = error.message + (denied ? settings_.without_credentials() : "");
        if (problem_ != problem)
            around_.port.log(denied ? log::Level::notice : log::Level::warning,
                             "remote.unavailable",
                             {{"server", settings_.name}, {"reason", problem}});
        problem_ = problem;
        sign_in_needed_ = denied && settings_.has_sign_in();
        ++failures_;
        // Credentials that are needed take nothing away: what there is would be there again with
        // them.
        stale = known_ && !denied && wall_ms() - synced_ms_ > settings_.serve_stale.count();
        if (stale) known_ = false;
    }
    if (stale) replace(std::make_shared<const Exposed>());
    looked();
    schedule(false);
}

void Upstream::replace(const ExposedPtr& next) {
    ExposedPtr before;
    {
        std::lock_guard lock(mutex_);
        if (stopped_) return;
        before = std::exchange(exposed_, next);
    }
    announce(*before, *next);
}

void Upstream::announce(const Exposed& before, const Exposed& now) const {
    const auto& port = around_.port;
    const bool capabilities = before.discover != now.discover;
    if (capabilities || before.tools != now.tools)
        port.changed(capability_, "notifications/tools/list_changed");
    if (before.resources != now.resources || before.templates != now.templates)
        port.changed(capability_, "notifications/resources/list_changed");
    if (before.prompts != now.prompts)
        port.changed(capability_, "notifications/prompts/list_changed");
}

void Upstream::schedule(bool well) {
    milliseconds wait = settings_.refresh;
    {
        std::lock_guard lock(mutex_);
        if (well && lists_.ttl_ms)
            wait = std::min(wait, std::max(milliseconds(*lists_.ttl_ms), shortest_ttl));
        if (well && !lists_.failed.empty()) wait = std::min(wait, longest_pause);
        if (!well) {
            const auto grown = first_pause * (1LL << std::clamp(failures_ - 1, 0, 10));
            wait = jittered(std::min<milliseconds>(grown, longest_pause));
        }
    }
    look_after(wait);
}

// The lists are large and seldom change; when they were true last changes at every look.
void Upstream::keep(const client::ServerInfo& info, const client::ServerLists& lists) {
    if (origin_ == Origin::scoped) return;
    const Json all{
        {"identity", settings_.identity()},  {"version", std::string(mcp::name_of(info.version))},
        {"capabilities", info.capabilities}, {"server", info.server_info},
        {"instructions", info.instructions}, {"tools", lists.tools},
        {"resources", lists.resources},      {"templates", lists.templates},
        {"prompts", lists.prompts}};
    const auto text = json::dump(all);
    if (text.size() >= (15U << 20U)) return;
    const auto key = "lists/" + settings_.name;
    if (around_.port.get(key) != text && !around_.port.put(key, text)) return;
    (void)around_.port.put("synced/" + settings_.name, std::to_string(wall_ms()));
}

void Upstream::remember_trust() {
    if (origin_ == Origin::scoped) return;
    std::string text;
    {
        std::lock_guard lock(mutex_);
        text = json::dump(trust_.store());
    }
    (void)around_.port.put("trust/" + settings_.name, text);
}

Result<Json> Upstream::sync(client::Deadline deadline) { return look_once(deadline, true); }

Result<Json> Upstream::test(client::Deadline deadline) {
    auto who = looking_client();
    if (!who) return who.error();
    const auto begun = Clock::now();
    auto link = who->client->open(deadline, true);
    if (!link) return link.error();
    client::CallRequest ping;
    // The newest era has no ping: what it must have is its discovery.
    ping.method = (*link)->info.modern() ? "server/discover" : "ping";
    ping.params = "{}";
    ping.regardless = true;
    const auto reply = who->client->ask(std::move(ping));
    if (reply.kind == client::Reply::Kind::lost) return internal_error(reply.loss.message);
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - begun);
    return Json{{"reachable", true},
                {"protocol", (*link)->info.version_name},
                {"transport", type_of((*link)->info.kind)},
                {"server", Json::parse((*link)->info.server_info, nullptr, false)},
                {"milliseconds", took.count()}};
}

Result<Json> Upstream::approve(const Approval& approval) {
    std::vector<std::string> approved;
    ExposedPtr next;
    {
        std::lock_guard lock(mutex_);
        auto done = trust_.approve(approval);
        if (!done) return done.error();
        approved = std::move(*done);
        next = known_ ? expose(info_, lists_, settings_, trust_.withheld()) : exposed_;
    }
    remember_trust();
    replace(next);
    return Json{{"approved", approved}};
}

Json Upstream::trust_report() const {
    std::lock_guard lock(mutex_);
    return trust_.report(tools_by_name(lists_));
}

Json Upstream::status() const {
    std::lock_guard lock(mutex_);
    const auto& spec = settings_.spec;
    const auto sign_in = sign_in_state();
    Json out{{"name", settings_.name},
             {"namespace", settings_.name_space},
             {"origin", name_of(origin_)},
             {"type", type_of(spec.kind)},
             {"acts_as", name_of(settings_.acts_as)},
             {"tools", exposed_->tool_count},
             {"resources", exposed_->resource_count},
             {"prompts", exposed_->prompt_count},
             {"status", sign_in.lost        ? "needs_sign_in"
                        : !problem_.empty() ? "failing"
                        : known_            ? "ready"
                                            : "connecting"}};
    if (spec.kind == client::Kind::stdio)
        out["command"] = spec.command;
    else
        out["url"] = shown_url(spec.url);
    if (!problem_.empty() || sign_in.needed)
        out["reason"] = problem_.empty() ? sign_in.text : problem_;
    if (known_) {
        out["protocol"] = info_.version_name;
        out["server"] = Json::parse(info_.server_info, nullptr, false);
    }
    if (synced_ms_ > 0) out["synced_ms"] = synced_ms_;
    auto warnings = exposed_->warnings;
    warnings.insert(warnings.end(), settings_.remarks.begin(), settings_.remarks.end());
    if (!warnings.empty()) out["warnings"] = warnings;
    if (const auto withheld = trust_.withheld(); !withheld.empty()) out["withheld"] = withheld;
    return out;
}

void Upstream::opened(const client::ServerInfo&) noexcept {
    // Whatever changed while there was no connection was told to nobody.
    if (!in_look_) look_after(coalesce);
}

void Upstream::notified(std::string_view method, std::string_view params) noexcept {
    if (method == "notifications/resources/updated") {
        const auto uri = json::member(params, "uri");
        if (json::type_of(uri) == json::Type::string)
            around_.port.changed(capability_, method, "{\"uri\":" + std::string(uri) + "}");
        return;
    }
    if (method.ends_with("/list_changed")) look_after(coalesce);
}

void Upstream::ended(const std::string& why) noexcept {
    bool stopped = false;
    {
        std::lock_guard lock(mutex_);
        stopped = stopped_;
    }
    if (stopped) return;
    around_.port.log(log::Level::notice, "remote.ended",
                     {{"server", settings_.name}, {"reason", why}});
    schedule(false);
}

}  // namespace pb::remote
