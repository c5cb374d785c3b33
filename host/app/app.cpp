// SPDX-License-Identifier: Apache-2.0
#include "app/app.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <map>

#include "app/ask.h"
#include "app/data_dir.h"
#include "app/descriptors.h"
#include "app/plugins.h"
#include "app/seal_key.h"
#include "base/log.h"
#include "base/url.h"
#include "base/version.h"
#include "config/read.h"
#include "endpoint/stdio.h"
#include "json/scan.h"

namespace pb::app {
namespace {

constexpr std::chrono::seconds list_timeout{10}, choices_timeout{2};
constexpr std::chrono::seconds sweep_every{10}, records_every{1};
constexpr int sweeps_of_records = 360;  // hourly
constexpr std::chrono::seconds flush_time{1};
// Descriptors for everything that is no connection: files, plugins, the host's own.
constexpr std::size_t spare_descriptors = 256;

runtime::CallOptions call_options(const config::HostConfig& host) {
    const auto& config = host.calls;
    runtime::CallOptions out;
    // Those that serve stay free for what is quick.
    out.concurrency = static_cast<int>(host.listen.limits.max_workers);
    out.default_timeout = config.default_timeout;
    out.max_timeout = config.max_timeout;
    out.grace = config.grace;
    out.max_depth = config.max_depth;
    out.concurrency_per_provider = config.concurrency_per_provider;
    out.breaker_failures = config.breaker.failures;
    out.breaker_cool_off = config.breaker.cool_off;
    return out;
}

mcp::ServerOptions server_options(const config::HostConfig& config) {
    mcp::ServerOptions out;
    out.name = config.server.name;
    out.title = config.server.title;
    out.version = build_info().version;
    out.instructions = config.server.instructions;
    out.max_sessions = config.sessions.max;
    out.session_idle = config.sessions.idle;
    out.max_rounds = config.input_required.max_rounds;
    out.state_ttl = config.input_required.ttl;
    out.patience = config.input_required.ttl;
    return out;
}

// Capabilities in all organisations: those of plugins, or the remote servers.
std::size_t count(const catalog::Catalog& catalog, bool remote) {
    std::size_t out = 0;
    for (const auto& org : catalog.orgs())
        if (const auto snapshot = catalog.of(org))
            for (const auto& binding : snapshot->bindings)
                out += binding->capability.starts_with("mcp:") == remote ? 1 : 0;
    return out;
}

// Connections never take the last descriptors, without which no file can be read.
void fit_to_descriptors(http::ServerOptions& options) {
    const auto limit = raise_descriptor_limit();
    if (limit >= options.max_connections + spare_descriptors) return;
    options.max_connections = limit > 2 * spare_descriptors ? limit - spare_descriptors : limit / 2;
    log::info("descriptors.few", {{"limit", limit},
                                  {"max_connections", options.max_connections},
                                  {"reason",
                                   "fewer connections than configured; raise the limit of open "
                                   "files (ulimit -Hn) for more"}});
}

// What has series of its own besides MCP's methods.
std::vector<std::string> measured() {
    auto out = admin::Api::acts();
    for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"})
        out.push_back(std::string("http ") + method);
    return out;
}

// A descriptor that becomes readable at a signal. The signals are blocked for the whole process by
// main, before any thread exists.
class Signals {
  public:
    Signals() {
        const auto set = set_of({SIGTERM, SIGINT, SIGHUP});
        descriptor_ = ::signalfd(-1, &set, SFD_CLOEXEC);
    }
    ~Signals() { ::close(descriptor_); }
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    int descriptor() const { return descriptor_; }
    int wait() const {
        signalfd_siginfo info{};
        while (::read(descriptor_, &info, sizeof info) != sizeof info)
            if (errno != EINTR) return SIGTERM;
        return static_cast<int>(info.ssi_signo);
    }
    // From now on a signal to end does what it does to any program: whoever asks twice will not
    // wait for the drain.
    static void let_through() {
        const auto set = set_of({SIGTERM, SIGINT});
        ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
    }

  private:
    static sigset_t set_of(std::initializer_list<int> numbers) {
        sigset_t set;
        sigemptyset(&set);
        for (int number : numbers)
            sigaddset(&set, number);
        return set;
    }

    int descriptor_ = -1;
};

}  // namespace

App::App(config::ConfigSetPtr config, std::unique_ptr<config::ConfigStore> store)
    : first_(std::move(config)),
      config_(std::move(store)),
      metrics_(measured()),
      calls_(call_options(first_->host)),
      admission_(catalog_, calls_),
      invoker_(admission_),
      orgs_(catalog_, make_ask(calls_, list_timeout)),
      events_(workers_),
      timers_(workers_) {}

App::~App() { stop(); }

Result<std::unique_ptr<App>> App::start(config::ConfigSetPtr config,
                                        std::unique_ptr<config::ConfigStore> store) {
    std::unique_ptr<App> app(new App(std::move(config), std::move(store)));
    if (auto ready = app->prepare(); !ready) return ready.error();
    return app;
}

Result<void> App::prepare() {
    const auto& host = first_->host;
    if (auto made = make_data_dir(host.data_dir); !made) return made;
    auto store = store::open_store(host.data_dir + "/patchbay.db");
    if (!store) return store.error();
    store_ = std::move(*store);
    auto keys = store::MasterKeys::of_environment(host.data_dir);
    if (!keys) return keys.error();
    secrets_ = std::make_unique<store::Secrets>(*store_, std::move(*keys));
    const auto& oauth = host.access.oauth;
    auto access =
        access::Access::open(host.data_dir, {.access = 1000 * oauth.access_token.count(),
                                             .refresh = 1000 * oauth.refresh_token.count()});
    if (!access) return access.error();
    access_ = std::move(*access);
    recorded_ = std::make_unique<RecordedOrgs>(access_->orgs);
    if (auto opened = open_trail(); !opened) return opened;
    scopes_ = std::make_unique<Scopes>(catalog_, calls_, workers_, make_ask(calls_, list_timeout));
    invoker_.use(*scopes_);
    choosing_ = std::make_unique<Choosing>(catalog_, workers_, make_ask(calls_, choices_timeout),
                                           choices_timeout);
    orgs_.use({calls_, orgs_, invoker_, *store_, *secrets_, events_, timers_, workers_, lifecycle_,
               host_facts(host)});

    server_ = std::make_unique<mcp::Server>(admission_, catalog_, server_options(host),
                                            seal_key(host.data_dir));
    auto front =
        Front::make({host, *access_, *secrets_, catalog_, admission_, *server_, trail_.get(),
                     metrics_, [this](std::string_view org) { return files()->orgs.contains(org); },
                     [this](const std::string& org) { return choosing_->in(org); }});
    if (!front) return front.error();
    front_ = std::move(*front);

    auto loader = plugin::Loader::make(loader_options(host, true));
    if (!loader) return loader.error();
    loader_ = std::move(*loader);
    folder_ = std::make_unique<plugin::PluginFolder>(
        host.plugins.folder, *loader_,
        [this](const plugin::FolderState& state) { orgs_.set(state); });
    if (auto started = folder_->start(config_ != nullptr); !started) return started;
    open_gauges();
    // With the plugins there: organisations are not put together without them first.
    take();
    orgs_.settle();
    return config_ ? follow() : Result<void>();
}

Result<void> App::open_trail() {
    const auto& config = first_->host.audit;
    if (config.enabled) {
        auto trail = audit::Trail::open(first_->host.data_dir,
                                        {.keep = config.retention, .keep_bytes = config.max_bytes});
        if (!trail) return trail.error();
        trail_ = std::move(*trail);
    }
    admission_.recorder().use(
        trail_.get(),
        [this](const admission::Ending& ending, std::string_view capability, double seconds) {
            metrics_.observe(ending.method, capability, ending.outcome, seconds);
            if (ending.code != 0) metrics_.error(ending.method, ending.code);
        },
        [this](std::string_view org, bool result) -> admission::Recorder::Redactor {
            const auto redactor = redactors_.of(org, result);
            if (!redactor) return nullptr;
            return [redactor](std::string_view json) {
                return json.empty() ? std::string() : (*redactor)(json);
            };
        });
    return {};
}

void App::open_gauges() {
    const auto gauge = [this](const char* name, const char* help, auto read) {
        metrics_.gauge(name, help, {}, [read] { return static_cast<double>(read()); });
    };
    gauge("patchbay_calls_running", "Calls that providers are working on.",
          [this] { return calls_.running(); });
    gauge("patchbay_sessions", "Sessions of clients of the 2025 revisions.",
          [this] { return server_->sessions().size(); });
    gauge("patchbay_listeners", "Open subscriptions/listen streams.",
          [this] { return server_->subscriptions().listening(); });
    for (const bool remote : {false, true})
        metrics_.gauge("patchbay_capabilities", "Capabilities that organisations have.",
                       {{"kind", remote ? "remote" : "plugin"}},
                       [this, remote] { return static_cast<double>(count(catalog_, remote)); });
    if (trail_) {
        gauge("patchbay_audit_queue", "Audit records that wait to be written.",
              [this] { return trail_->counts().records; });
        metrics_.counter("patchbay_audit_dropped_total", "Audit records that were lost.", {},
                         [this] { return static_cast<double>(trail_->counts().lost); });
    }
}

config::ConfigSetPtr App::files() const { return config_ ? config_->current() : first_; }

// The world as the files and the records have it.
void App::take() {
    std::lock_guard one(taking_);  // or what was read earlier could be put in place later
    const auto all = recorded_->with(files());
    auto& policies = admission_.policies();
    // What callers see changes with the rules too, though what there is does not.
    std::vector<std::string> ruled;
    for (const auto& [name, org] : all->orgs) {
        const auto before = policies.of(name);
        if (before && before->access.forbidden != org->access.forbidden) ruled.push_back(name);
    }
    policies.set(all);
    for (const auto& name : ruled)
        server_->subscriptions().lists_changed(name,
                                               {.tools = true, .prompts = true, .resources = true});
    orgs_.set(all);
}

// Credentials that have expired or were taken away end what is open, and organisations come and go.
void App::follow_records() {
    const auto version = access_->records->version();
    const bool changed = std::exchange(records_seen_, version) != version;
    if (changed) take();
    auto& authenticator = front_->authenticator();
    // One look for each credential, however many streams it holds.
    std::map<std::string, runtime::Standing> looked;
    server_->end_of([&](const runtime::Caller& caller) {
        if (!changed) return admission::Authenticator::in_time(caller);
        auto key = caller.org + '\n' + caller.credential + '\n' + caller.role + '\n' + caller.token;
        const auto found = looked.find(key);
        if (found != looked.end()) return found->second;
        return looked.emplace(std::move(key), authenticator.standing(caller)).first->second;
    });
    timer_.after(records_every, [this] { follow_records(); });
}

// Each organisation's trail has what became of its own file; the host's is the operator's.
void App::tell_changes(const config::ConfigSet& before, const config::ConfigSet& now) {
    if (!trail_) return;
    const auto tell = [&](const std::string& org, const std::string& name, const char* change) {
        audit::Record record;
        record.kind = "config";
        record.method = "config.reload";
        record.org = org;
        record.name = name;
        record.arguments = std::string("{\"change\":\"") + change + "\"}";
        trail_->add(std::move(record));
    };
    for (const auto& [name, org] : now.orgs) {
        const auto old = before.orgs.find(name);
        if (old == before.orgs.end())
            tell(name, name, "added");
        else if (old->second != org)
            tell(name, name, "changed");
    }
    for (const auto& [name, org] : before.orgs)
        if (!now.orgs.contains(name)) tell(name, name, "removed");
    if (!(before.host == now.host)) tell(first_->host.anonymous_org, "patchbay", "changed");
}

Result<void> App::follow() {
    timer_.after(sweep_every, [this] { sweep(); });
    records_seen_ = access_->records->version();
    timer_.after(records_every, [this] { follow_records(); });
    return config_->watch([this](const auto& before, const auto& now) {
        if (!(before->host == now->host))
            log::warning(
                "config.restart_needed",
                {{"reason", "a change of the host's own file takes effect at the next start"}});
        take();
        tell_changes(*before, *now);
    });
}

// Nothing ships with a password: somebody has to be the first.
void App::say_first_steps() const {
    const auto& host = first_->host;
    const auto people = access_->people.any();
    const auto keys = access_->keys.any();
    if (!people || *people || !keys || *keys || !host.access.issuers.empty()) return;
    const bool open = host.access.anonymous && config::is_private(host.listen);
    log::info("access.nobody",
              {{"reason", std::string(open ? "callers on this machine need no credentials"
                                           : "nobody can get in yet") +
                              "; make the first owner with: patchbay users add ada@example.com "
                              "--org " +
                              host.anonymous_org + " --role owner"}});
}

void App::open_http_gauges() {
    const auto read = [this](std::uint64_t http::Server::Counters::*member) {
        return [this, member] { return static_cast<double>(http_->counters().*member); };
    };
    using Counters = http::Server::Counters;
    metrics_.gauge("patchbay_http_connections", "Open connections.", {},
                   read(&Counters::connections));
    metrics_.gauge("patchbay_http_streams", "Open event streams.", {}, read(&Counters::streams));
    metrics_.gauge("patchbay_http_workers", "Threads that serve requests.", {},
                   read(&Counters::workers));
    metrics_.counter("patchbay_http_requests_total", "Requests that were read.", {},
                     read(&Counters::requests));
    metrics_.counter("patchbay_http_refused_total", "Requests that broke HTTP's rules.", {},
                     read(&Counters::refused));
}

// Nobody signs in over plain HTTP, and keys should not cross a network so.
void App::warn_of_plain_http() const {
    const auto& listen = first_->host.listen;
    const auto url = parse_url(listen.public_url, "listen.public_url");
    const bool safe = url ? url->scheme == "https" || url->loopback()
                          : listen.tls || config::is_loopback(listen.address);
    if (safe) return;
    log::warning("listen.plain_http",
                 {{"address", url ? url->text() : listen.address},
                  {"reason",
                   "credentials cross the network unencrypted, and nobody can sign in: set "
                   "listen.tls, or listen.public_url to the https URL of what encrypts in front of "
                   "the host"}});
}

Result<void> App::check_address() const {
    const auto& listen = first_->host.listen;
    if (config::is_loopback(listen.address)) return {};
    const auto people = access_->people.any();
    if (!people) return people.error();
    const auto keys = access_->keys.any();
    if (!keys) return keys.error();
    if (!*people && !*keys && first_->host.access.issuers.empty())
        return Error{ErrorKind::denied,
                     "\"" + listen.address +
                         "\" is no loopback address, and nobody has credentials yet, so that "
                         "whoever reaches the host would be turned away. Make the first owner "
                         "(patchbay users add ada@example.com --role owner) or a key (patchbay "
                         "keys create), or listen on 127.0.0.1"};
    return {};
}

void App::sweep() {
    server_->sweep();
    scopes_->sweep();
    if (++sweeps_ % sweeps_of_records == 1) {
        access_->grants.sweep();
        access_->clients.sweep();
    }
    timer_.after(sweep_every, [this] { sweep(); });
}

http::ServerOptions App::http_options() const {
    const auto& listen = first_->host.listen;
    const auto& limits = listen.limits;
    http::ServerOptions out;
    out.address = listen.address;
    out.port = listen.port;
    if (listen.tls) {
        out.certificate = listen.tls->certificate;
        out.private_key = listen.tls->private_key;
    }
    out.workers = limits.workers;
    out.max_workers = limits.max_workers;
    out.max_connections = limits.max_connections;
    out.max_connections_per_peer = limits.max_connections_per_peer;
    out.max_header = limits.max_header_bytes;
    out.max_body = limits.max_body_bytes;
    out.stream_buffer = limits.stream_buffer_bytes;
    out.header_time = limits.header_time;
    out.body_time = limits.body_time;
    out.idle_time = limits.idle_time;
    out.write_time = limits.write_time;
    out.stream_stall = limits.stream_stall;
    out.keep_alive_comment = limits.keep_alive_comment;
    return out;
}

Result<void> App::serve() {
    if (auto may = check_address(); !may) return may;
    warn_of_plain_http();
    Signals signals;
    auto options = http_options();
    auto proxies = http::Proxies::make(first_->host.listen.trusted_proxies);
    if (!proxies) return proxies.error();
    options.proxies = std::move(*proxies);
    fit_to_descriptors(options);
    auto started = http::Server::start(
        options, [this](auto request, auto exchange) { front_->handle(request, exchange); });
    if (!started) return started.error();
    http_ = std::move(*started);
    open_http_gauges();
    front_->set_ready(true);
    say_first_steps();
    const auto& listen = first_->host.listen;
    log::info("listening",
              {{"url", std::string(listen.tls ? "https" : "http") + "://" + listen.address + ":" +
                           std::to_string(http_->port()) + listen.endpoint},
               {"port", static_cast<unsigned>(http_->port())},
               {"version", build_info().version}});
    int number = signals.wait();
    for (; number == SIGHUP; number = signals.wait()) {
        config_->reload();
        front_->set_port(http_->port());
        folder_->rescan();
        orgs_.again();
    }
    log::info("stopping", {{"signal", number}});
    Signals::let_through();
    front_->set_ready(false);
    server_->goodbye();
    http_->drain(first_->host.drain);
    // What still runs is cancelled and says so before its connection is closed. Only then are the
    // workers waited for: one that is inside a plugin comes back no earlier.
    calls_.drain(cancel_time());
    http_->drain(flush_time);
    stop();
    http_->stop(std::chrono::milliseconds(0));
    log::info("stopped");
    return {};
}

Result<void> App::stdio() {
    Signals signals;
    const auto& caller = front_->authenticator().local();
    endpoint::StdioOptions options;
    options.max_message = first_->host.listen.limits.max_body_bytes;
    options.drain = first_->host.drain;
    options.cancel = cancel_time();
    const bool all_back = endpoint::serve_stdio(*server_, caller, options, signals.descriptor());
    stop();
    if (!all_back) ::_exit(0);  // even if the last one came back just now
    return {};
}

// For cancelled calls to end, by themselves or given up.
std::chrono::milliseconds App::cancel_time() const {
    return first_->host.calls.grace + std::chrono::seconds(1);
}

void App::stop() {
    if (std::exchange(stopped_, true)) return;
    // Nobody brings changes any more: those who do would find Orgs gone.
    config_.reset();
    folder_.reset();
    if (server_) server_->close_all();
    calls_.drain(cancel_time());
    if (scopes_) scopes_->clear();
    orgs_.stop();
    if (trail_) trail_->stop();
    // A call that does not come back holds its instance, for which waiting is of no use.
    const bool stuck = calls_.inside() > 0;
    const std::chrono::seconds patience(10);
    const bool gone = stuck ? lifecycle_.drain(patience) : lifecycle_.finish(patience);
    // Threads that never came back are still in plugin code; running on into destructors would pull
    // the ground from under them.
    if (stuck || !gone || lifecycle_.left_behind() > 0) {
        log::warning("stopped.abandoned",
                     {{"instances", lifecycle_.left_behind()}, {"calls", calls_.inside()}});
        ::_exit(0);
    }
}

namespace {

// Collects the one answer of an in-process request.
class Collect : public mcp::Outlet {
  public:
    bool can_send() const override { return false; }
    mcp::Sent send(std::string_view) override { return mcp::Sent::gone; }
    void answer(int, std::string_view message) override {
        const auto failure = json::member(message, "error");
        const auto why = json::string_value(json::member(failure, "message")).value_or("");
        const auto body = failure.empty() ? std::string(json::member(message, "result"))
                                          : "{\"message\":" + json::quote(why) + "}";
        waiter.completed(failure.empty() ? runtime::Status::ok : runtime::Status::internal, body);
    }
    void end() override { waiter.completed(runtime::Status::cancelled, {}); }
    void lasting() override {}
    void release(int) override {}
    void on_gone(std::function<void()>) override {}
    void opened(const std::shared_ptr<mcp::Session>&) override {}

    Waiter waiter;
};

}  // namespace

Result<std::string> App::request(std::string_view method, std::string_view params) {
    const auto& caller = front_->authenticator().local();
    const std::string meta =
        "{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
        "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"patchbay-cli\",\"version\":" +
        json::quote(build_info().version) + "},\"io.modelcontextprotocol/clientCapabilities\":{}}";
    auto text = std::make_shared<const std::string>(mcp::request_message(
        "1", method, json::with(params.empty() ? "{}" : params, "_meta", meta)));
    if (auto sound = json::scan(*text); !sound) return sound.error();
    auto outlet = std::make_shared<Collect>();
    server_->receive({text, *text, caller, nullptr, nullptr}, outlet);
    const auto& calls = first_->host.calls;
    return outlet->waiter.wait(calls.max_timeout + calls.grace + std::chrono::seconds(1));
}

}  // namespace pb::app
