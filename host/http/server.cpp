// SPDX-License-Identifier: Apache-2.0
// Starting and stopping.
#include "http/server.h"

#include <Poco/Exception.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <fcntl.h>

#include <thread>

#include "base/log.h"
#include "http/reactor.h"
#include "http/ticker.h"
#include "http/workers.h"

namespace pb::http {
namespace {

constexpr int backlog = 1024;
constexpr std::chrono::milliseconds drain_look{5};

class EpollServer final : public Server {
  public:
    EpollServer(ServerOptions options, Handler handler, TlsContext tls)
        : reactor_(std::move(options), std::move(handler), std::move(tls)) {}
    ~EpollServer() override { stop(std::chrono::milliseconds(0)); }

    Result<void> open() {
        try {
            const auto& options = reactor_.options();
            const Poco::Net::SocketAddress address(options.address, options.port);
            // Without SO_REUSEPORT, which Poco's short form sets as well: a second server on the
            // port must fail rather than share it.
            listener_.bind(address, true, false);
            ::fcntl(listener_.impl()->sockfd(), F_SETFD, FD_CLOEXEC);
            listener_.listen(backlog);
            listener_.setBlocking(false);
            listener_.setNoDelay(true);  // accepted sockets inherit it
            port_ = listener_.address().port();
        } catch (const Poco::Exception& error) {
            return invalid("Cannot listen on " + reactor_.options().address + " port " +
                           std::to_string(reactor_.options().port) + ": " + error.displayText() +
                           ".");
        }
        auto opened = reactor_.open(listener_.impl()->sockfd());
        if (!opened) return opened;
        workers_.emplace(reactor_);
        ticker_.emplace(reactor_, *workers_);
        return {};
    }

    std::uint16_t port() const override { return port_; }

    void drain(std::chrono::milliseconds grace) override {
        const auto end = std::chrono::steady_clock::now() + grace;
        reactor_.refuse_new();
        for (;;) {
            bool running = false;
            reactor_.each([&](Connection& connection) {
                connection.close_if_idle();
                running = running || connection.in_exchange();
            });
            if (!running || std::chrono::steady_clock::now() >= end) break;
            std::this_thread::sleep_for(drain_look);
        }
    }

    void stop(std::chrono::milliseconds grace) override {
        if (!ticker_) return;
        drain(grace);
        abort_all();
        ticker_.reset();
        workers_->stop();
        abort_all();  // what was being accepted meanwhile
        listener_.close();
    }

    Counters counters() const override {
        Counters counters;
        reactor_.fill(counters);
        if (workers_) {
            counters.workers = workers_->count();
            counters.requests = workers_->requests();
        }
        return counters;
    }

  private:
    void abort_all() {
        reactor_.each([](Connection& connection) { connection.abort(); });
    }

    Reactor reactor_;
    Poco::Net::ServerSocket listener_;
    std::uint16_t port_ = 0;
    std::optional<Workers> workers_;
    std::optional<Ticker> ticker_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler handler) {
    TlsContext tls;
    if (options.certificate.empty() != options.private_key.empty()) {
        return invalid("TLS needs both a certificate and its private key.");
    }
    if (!options.certificate.empty()) {
        auto loaded = load_tls(options.certificate, options.private_key);
        if (!loaded) return loaded.error();
        tls = std::move(*loaded);
    }
    auto server =
        std::make_unique<EpollServer>(std::move(options), std::move(handler), std::move(tls));
    auto opened = server->open();
    if (!opened) return opened.error();
    return std::unique_ptr<Server>(std::move(server));
}

}  // namespace pb::http
