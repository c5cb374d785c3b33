// SPDX-License-Identifier: Apache-2.0
#include "app/app.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "app/ask.h"
#include "app/data_dir.h"
#include "app/descriptors.h"
#include "app/plugins.h"
#include "app/seal_key.h"
#include "base/log.h"
#include "base/version.h"
#include "config/read.h"
#include "endpoint/stdio.h"
#include "json/scan.h"

namespace pb::app {
namespace {

constexpr std::chrono::seconds list_timeout{10};
constexpr std::chrono::seconds sweep_every{10};
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

// Whoever may come by the public URL as well.
endpoint::Guards guards(const config::Listen& listen) {
    auto hosts = listen.allowed_hosts;
    auto origins = listen.allowed_origins;
    const auto& url = listen.public_url;
    if (!url.empty()) {
        const auto start = url.find("://") + 3;
        const auto end = std::min(url.find('/', start), url.size());
        const auto authority = url.substr(start, end - start);
        const bool literal = authority.starts_with('[');
        hosts.push_back(
            authority.substr(0, literal ? authority.find(']') + 1 : authority.find(':')));
        origins.push_back(url.substr(0, end));
    }
    return {std::move(hosts), std::move(origins)};
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
    open_gate();
    scopes_ = std::make_unique<Scopes>(catalog_, calls_, workers_, make_ask(calls_, list_timeout));
    invoker_.use(*scopes_);
    orgs_.use({calls_, orgs_, invoker_, *store_, *secrets_, events_, timers_, workers_, lifecycle_,
               host_facts(host)});

    server_ = std::make_unique<mcp::Server>(admission_, catalog_, server_options(host),
                                            seal_key(host.data_dir));
    endpoint_ = std::make_unique<endpoint::StreamableHttp>(*server_, *gate_);
    routes_ = std::make_unique<endpoint::Routes>(catalog_, admission_, *gate_);

    auto loader = plugin::Loader::make(loader_options(host, true));
    if (!loader) return loader.error();
    loader_ = std::move(*loader);
    folder_ = std::make_unique<plugin::PluginFolder>(
        host.plugins.folder, *loader_,
        [this](const plugin::FolderState& state) { orgs_.set(state); });
    if (auto started = folder_->start(config_ != nullptr); !started) return started;
    // With the plugins there: organisations are not put together without them first.
    admission_.policies().set(first_);
    orgs_.set(first_);
    orgs_.settle();
    return config_ ? follow() : Result<void>();
}

void App::open_gate() {
    const auto& host = first_->host;
    const endpoint::Place place{host.listen.public_url, host.listen.endpoint};
    admission::Authenticator::Options options;
    options.anonymous_org = host.anonymous_org;
    // Whatever stands in front of the host makes everybody look like this machine.
    options.anonymous = host.access.anonymous && host.listen.public_url.empty();
    options.is_ours = [place](std::string_view resource) { return place.is_ours(resource); };
    options.takes_url_keys = [&policies = admission_.policies()](std::string_view org) {
        const auto found = policies.of(org);
        return found && found->access.keys_in_urls;
    };
    authenticator_ = std::make_unique<admission::Authenticator>(std::move(options), access_.get());
    gate_ = std::make_unique<endpoint::Gate>(*authenticator_, guards(host.listen), place);
}

Result<void> App::follow() {
    timer_.after(sweep_every, [this] { sweep(); });
    return config_->watch([this](const auto& before, const auto& now) {
        if (!(before->host == now->host))
            log::warning(
                "config.restart_needed",
                {{"reason", "a change of the host's own file takes effect at the next start"}});
        admission_.policies().set(now);
        orgs_.set(now);
    });
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
    if (!listen.tls && !listen.public_url.starts_with("https://"))
        log::warning("listen.plain_http",
                     {{"address", listen.address},
                      {"reason",
                       "credentials cross the network unencrypted; set listen.tls, or "
                       "listen.public_url if something in front of the host encrypts"}});
    return {};
}

void App::sweep() {
    server_->sweep();
    scopes_->sweep();
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

// The router: one endpoint, the routes of capabilities and the health page.
void App::handle(const std::shared_ptr<const http::Request>& request,
                 const std::shared_ptr<http::Exchange>& exchange) {
    const bool draining = draining_;
    if (request->path == first_->host.listen.endpoint && !draining)
        return endpoint_->handle(request, exchange);
    if (endpoint::Routes::covers(request->path) && !draining)
        return routes_->handle(request, exchange);
    http::Response response;
    response.content_type = "application/json";
    if (draining) {
        response.status = 503;
        response.body = "{\"status\":\"stopping\"}";
        response.headers.emplace_back("Retry-After", "1");
    } else if (request->path == "/healthz") {
        response.body = "{\"status\":\"ok\",\"version\":" + json::quote(build_info().version) + "}";
        response.headers.emplace_back("Cache-Control", "no-store");
    } else {
        response.status = 404;
        response.body =
            "{\"error\":\"not found; the MCP endpoint is " + first_->host.listen.endpoint + "\"}";
    }
    exchange->respond(std::move(response));
}

Result<void> App::serve() {
    if (auto may = check_address(); !may) return may;
    Signals signals;
    auto options = http_options();
    fit_to_descriptors(options);
    auto started = http::Server::start(
        options, [this](auto request, auto exchange) { handle(request, exchange); });
    if (!started) return started.error();
    http_ = std::move(*started);
    const auto& listen = first_->host.listen;
    log::info("listening",
              {{"url", std::string(listen.tls ? "https" : "http") + "://" + listen.address + ":" +
                           std::to_string(http_->port()) + listen.endpoint},
               {"port", static_cast<unsigned>(http_->port())},
               {"version", build_info().version}});
    int number = signals.wait();
    for (; number == SIGHUP; number = signals.wait()) {
        config_->reload();
        folder_->rescan();
        orgs_.again();
    }
    log::info("stopping", {{"signal", number}});
    Signals::let_through();
    draining_ = true;
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
    const auto& caller = authenticator_->local();
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
    const auto& caller = authenticator_->local();
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
