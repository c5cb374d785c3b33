// SPDX-License-Identifier: Apache-2.0
#include "client/stdio_transport.h"

#include "base/log.h"
#include "client/child.h"
#include "json/scan.h"

namespace pb::client {
namespace {

class StdioTransport final : public Transport, public std::enable_shared_from_this<StdioTransport> {
  public:
    StdioTransport(Engine& engine, const ServerSpec& spec) : engine_(engine), spec_(spec) {}
    ~StdioTransport() override { close(); }

    Result<void> open(std::shared_ptr<Inbox> inbox, Deadline) override;
    void send(Outgoing message) override;
    void abandon(RequestId) override {}
    void agreed(const ServerInfo&) override {}
    void listen() override {}
    void close() override;
    bool per_request() const override { return false; }

  private:
    void ended(const std::string& how);
    std::shared_ptr<Child> child() {
        std::lock_guard lock(mutex_);
        return child_;
    }

    Engine& engine_;
    const ServerSpec spec_;
    std::weak_ptr<Inbox> inbox_;
    std::mutex mutex_;
    std::shared_ptr<Child> child_;
    std::string last_error_;  // what it said last on its standard error
};

Result<void> StdioTransport::open(std::shared_ptr<Inbox> inbox, Deadline) {
    inbox_ = inbox;
    ChildSpec spec;
    spec.command = spec_.command;
    spec.arguments = spec_.arguments;
    spec.environment = spec_.environment;
    spec.cwd = spec_.cwd;
    spec.max_line = spec_.limits.message;
    spec.max_error_line = spec_.limits.stderr_line;
    Child::Hooks hooks;
    hooks.line = [weak = inbox_](std::string_view line) {
        if (auto inbox = weak.lock()) inbox->received(line, no_request, 0);
    };
    hooks.error = [weak = weak_from_this(), name = spec_.name](std::string_view line) {
        log::debug("remote.stderr", {{"server", name}, {"line", line}});
        if (auto self = weak.lock()) {
            std::lock_guard lock(self->mutex_);
            self->last_error_ = line;
        }
    };
    hooks.ended = [weak = weak_from_this()](const std::string& how) {
        if (auto self = weak.lock()) self->ended(how);
    };
    auto child = Child::start(engine_.children, std::move(spec), std::move(hooks));
    if (!child) return child.error();
    std::lock_guard lock(mutex_);
    child_ = std::move(*child);
    return {};
}

void StdioTransport::ended(const std::string& how) {
    Loss loss;
    loss.executed = true;
    loss.message = "its process " + how;
    {
        // The last words are for whoever runs the host, not for callers.
        std::lock_guard lock(mutex_);
        const bool meant = !child_;
        log::write(meant ? log::Level::debug : log::Level::warning, "remote.process_ended",
                   {{"server", spec_.name}, {"how", how}, {"last_words", last_error_}});
    }
    if (auto inbox = inbox_.lock()) inbox->closed(std::move(loss));
}

void StdioTransport::send(Outgoing message) {
    auto running = child();
    const bool written = running && running->write(json::compact(message.text));
    if (message.arrived) message.arrived();  // what is written later is read later
    if (written) return;
    Loss loss;
    loss.why = Loss::Why::unreachable;
    loss.message = running ? "its process does not read" : "its process has ended";
    auto inbox = inbox_.lock();
    if (inbox && message.id != no_request) inbox->lost(message.id, std::move(loss));
}

void StdioTransport::close() {
    std::shared_ptr<Child> child;
    {
        std::lock_guard lock(mutex_);
        child.swap(child_);
    }
    if (child) child->close();
}

}  // namespace

TransportPtr make_stdio_transport(Engine& engine, const ServerSpec& spec) {
    return std::make_shared<StdioTransport>(engine, spec);
}

}  // namespace pb::client
