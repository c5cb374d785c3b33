// SPDX-License-Identifier: Apache-2.0
// One plugin instance: its start, its calls, its end.
#include "plugin/host_instance.h"

#include <algorithm>
#include <array>
#include <thread>

#include "base/log.h"
#include "json/parse.h"
#include "json/scan.h"
#include "plugin/host_table.h"
#include "plugin/plugin_log.h"
#include "plugin/plugin_table.h"
#include "plugin/text_view.h"

namespace pb::plugin {
namespace {

using catalog::Status;
using Clock = std::chrono::steady_clock;

// How long an event or timer that is running may delay stop(): long enough for any that works,
// short enough not to matter for one that waits for stop() itself.
constexpr std::chrono::milliseconds callback_patience{2'000};
constexpr std::chrono::hours forever{24 * 365};

// After so many waiting calls of others, the thread of a serial plugin's call goes home.
constexpr int turn = 8;

// So many cancellations wait while the plugin hangs in an earlier one; wait() tells of more.
constexpr std::size_t most_to_cancel = 1024;

constexpr std::string_view too_late = "its time was over before its turn came";

constexpr std::array<std::string_view, 4> announcements = {
    "notifications/tools/list_changed", "notifications/prompts/list_changed",
    "notifications/resources/list_changed", "notifications/resources/updated"};

std::string start_message(const InstanceSpec& spec, std::string_view config,
                          std::string_view host_facts) {
    std::string text = "{\"org\":";
    json::append_quoted(text, spec.org);
    text += ",\"capability\":";
    json::append_quoted(text, spec.capability);
    text += ",\"namespace\":";
    json::append_quoted(text, spec.name_space);
    text.append(",\"config\":").append(config);
    if (spec.recorded) text += ",\"recorded\":true";
    text.append(",\"host\":").append(host_facts).append("}");
    return text;
}

// Shared by the thread that waits for a configure() and the one that does it.
class Attempt {
  public:
    void end(Result<void> outcome) {
        std::lock_guard lock(mutex_);
        outcome_ = std::move(outcome);
        ended_.notify_all();
    }
    std::optional<Result<void>> wait_for(std::chrono::milliseconds timeout) {
        std::unique_lock lock(mutex_);
        ended_.wait_for(lock, timeout, [this] { return outcome_.has_value(); });
        return outcome_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable ended_;
    std::optional<Result<void>> outcome_;
};

}  // namespace

HostInstance::HostInstance(LibraryPtr library, InstanceSpec spec, nlohmann::json config,
                           const Wiring& wiring)
    : library_(std::move(library)),
      spec_(std::move(spec)),
      wiring_(wiring),
      label_(library_->label()),
      owner_{spec_.org, spec_.capability},
      host_(host_table(*this)),
      callbacks_(wiring.events, wiring.timers, wiring.workers),
      config_(std::make_shared<const nlohmann::json>(std::move(config))) {
    if (library_->manifest.threading == Threading::serial) serial_.emplace(spec_.serial_queue);
}

HostInstance::~HostInstance() = default;

Result<void> HostInstance::begin() {
    try {
        plugin_ = library_->entry(&host_);
        if (!plugin_)
            return invalid(reason_of("it refused to make an instance and did not say why"));
        auto usable = check_table(*plugin_);
        if (!usable) {
            // Of a table that is wrong in itself not even destroy() can be trusted.
            must_stay_ = true;
            return usable;
        }
        std::string message = start_message(spec_, spec_.config, wiring_.host_facts);
        patchbay_status status = plugin_->start(plugin_, as_str(message));
        if (status != PATCHBAY_OK) {
            std::string otherwise = "its start failed with status " + std::to_string(status) +
                                    " and it did not say why";
            announce_stop();
            close_callbacks(forever);
            plugin_->destroy(plugin_);
            return invalid(reason_of(otherwise.c_str()));
        }
    } catch (...) {
        must_stay_ = true;
        callbacks_.close();
        return internal_error("it threw an exception through the plugin interface while starting");
    }
    std::lock_guard lock(mutex_);
    starting_ = false;
    return {};
}

void HostInstance::end() noexcept {
    try {
        announce_stop();
        close_callbacks(callback_patience);
        plugin_->stop(plugin_);
        // What did not end before stop() must have ended now, or destroy() would pull the ground
        // away.
        close_callbacks(forever);
        plugin_->destroy(plugin_);
    } catch (...) {
        must_stay_ = true;
        threw("stop");
    }
}

std::shared_ptr<const nlohmann::json> HostInstance::config() const {
    std::lock_guard lock(mutex_);
    return config_;
}

void HostInstance::swap_config(std::shared_ptr<const nlohmann::json>& config) {
    std::lock_guard lock(mutex_);
    config_.swap(config);
}

Result<void> HostInstance::configure(const std::string& config, std::chrono::milliseconds timeout) {
    if (!PATCHBAY_HAS(plugin_, patchbay_plugin, configure) || !plugin_->configure)
        return Error{ErrorKind::unsupported, "the plugin has no configure()"};
    auto parsed = json::parse(config);
    if (!parsed || !parsed->is_object()) return invalid("a configuration must be a JSON object");
    auto value = std::make_shared<const nlohmann::json>(std::move(*parsed));
    // On a thread of its own, which keeps the instance: one that hangs must not hold the caller for
    // good, and is not stopped underneath.
    auto attempt = std::make_shared<Attempt>();
    try {
        std::thread([self = shared_from_this(), attempt, config, value] {
            attempt->end(self->take_over(config, value));
        }).detach();
    } catch (const std::exception& error) {
        return internal_error(error.what());
    }
    if (auto outcome = attempt->wait_for(timeout)) return *outcome;
    return Error{ErrorKind::deadline,
                 "its configure() took longer than " + std::to_string(timeout.count()) + " ms"};
}

Result<void> HostInstance::take_over(const std::string& text,
                                     std::shared_ptr<const nlohmann::json> config) {
    {
        std::lock_guard lock(mutex_);
        if (starting_) return Error{ErrorKind::busy, "an earlier configure() has not come back"};
        starting_ = true;
        last_error_.clear();
    }
    swap_config(config);
    patchbay_status status = PATCHBAY_E_INTERNAL;
    contain("configure", [&] {
        const auto message = start_message(spec_, text, wiring_.host_facts);
        status = plugin_->configure(plugin_, as_str(message));
    });
    if (status != PATCHBAY_OK) swap_config(config);
    const auto otherwise =
        "its configure() failed with status " + std::to_string(status) + " and it did not say why";
    auto reason = reason_of(otherwise.c_str());
    std::lock_guard lock(mutex_);
    starting_ = false;
    if (status == PATCHBAY_OK) return {};
    return Error{status == PATCHBAY_E_UNSUPPORTED ? ErrorKind::unsupported : ErrorKind::invalid,
                 std::move(reason)};
}

void HostInstance::threw(const char* where) const noexcept {
    try {
        log::error("plugin.threw", {{"plugin", label_}, {"org", spec_.org}, {"in", where}});
    } catch (...) {
        // No memory to say so.
    }
}

void HostInstance::announce_stop() {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    stopped_.notify_all();
}

void HostInstance::close_callbacks(std::chrono::milliseconds patience) {
    callbacks_.close();
    callbacks_.wait_until(Clock::now() + patience);
}

std::string HostInstance::reason_of(const char* otherwise) {
    std::lock_guard lock(mutex_);
    return last_error_.empty() ? otherwise : last_error_;
}

void HostInstance::fail(catalog::CallId call, Status status, std::string_view message) noexcept {
    try {
        wiring_.calls.complete(call, status, "{\"message\":" + json::quote(message) + "}");
    } catch (...) {
        wiring_.calls.complete(call, status, {});
    }
}

void HostInstance::handle(const catalog::ProviderRequest& request) noexcept {
    // The caller's reference may go as soon as the call is complete; this one keeps the instance
    // until handle() has left the plugin.
    auto self = weak_from_this().lock();
    if (!serial_) return dispatch(request);
    try {
        switch (serial_->enter(request)) {
            case SerialQueue::Admission::queued:
                return;
            case SerialQueue::Admission::full:
                return fail(request.call, Status::busy,
                            "the plugin handles one call at a time and too many are waiting");
            case SerialQueue::Admission::run:
                break;
        }
    } catch (...) {
        return fail(request.call, Status::internal, "the call could not be queued");
    }
    dispatch(request);
    run_waiting();
}

void HostInstance::run_waiting() noexcept {
    for (int count = 0; count < turn; ++count) {
        auto waiting = serial_->next();
        if (!waiting) return;
        std::int64_t left = 0;
        if (waiting->deadline) {
            left = std::chrono::nanoseconds(*waiting->deadline - Clock::now()).count();
            if (left <= 0) {
                fail(waiting->call, Status::deadline, too_late);
                continue;
            }
        }
        dispatch({waiting->call, waiting->method, waiting->params, waiting->context, left});
    }
    try {
        wiring_.workers.post([self = shared_from_this()] { self->run_waiting(); });
    } catch (...) {
        log::error("plugin.no_thread", {{"plugin", label_}});
    }
}

void HostInstance::dispatch(const catalog::ProviderRequest& request) noexcept {
    patchbay_request plain{sizeof(patchbay_request), 0,
                           as_str(request.method),   as_str(request.params),
                           as_str(request.context),  request.deadline_ns};
    try {
        plugin_->handle(plugin_, request.call, &plain);
    } catch (...) {
        threw("handle");
        fail(request.call, Status::internal, "the plugin threw an exception through its interface");
    }
}

void HostInstance::cancel(catalog::CallId call) noexcept {
    auto self = weak_from_this().lock();
    if (unqueue(call)) return;
    if (!PATCHBAY_HAS(plugin_, patchbay_plugin, cancel) || !plugin_->cancel) return;
    // On a thread that may be lost: the plugin may wait in there for whatever it hangs in. One for
    // an instance, which is not destroyed before it has left.
    std::lock_guard lock(mutex_);
    try {
        if (to_cancel_.size() >= most_to_cancel) return;
        to_cancel_.push_back(call);
        if (cancelling_) return;
        wiring_.workers.post([self = std::move(self)] { self->tell_cancelled(); });
        cancelling_ = true;
    } catch (...) {
        log::error("plugin.no_thread", {{"plugin", label_}});
    }
}

// True if the plugin need not hear of it, since the call is not with it yet.
bool HostInstance::unqueue(catalog::CallId call) noexcept {
    if (!serial_) return false;
    const auto why = wiring_.calls.wait(call, 0);
    // Not answered here: if the one before it does not end, it is one more call that the provider
    // left unanswered.
    if (why == Status::deadline && serial_->held_up(call)) return true;
    if (!serial_->remove(call)) return false;
    fail(call, why, why == Status::deadline ? too_late : "it was cancelled before its turn came");
    return true;
}

void HostInstance::tell_cancelled() noexcept {
    std::unique_lock lock(mutex_);
    while (!to_cancel_.empty()) {
        const auto call = to_cancel_.front();
        to_cancel_.pop_front();
        lock.unlock();
        contain("cancel", [&] { plugin_->cancel(plugin_, call); });
        lock.lock();
    }
    cancelling_ = false;
}

void HostInstance::log(int32_t level, std::string_view message, std::string_view fields) {
    if (level >= PATCHBAY_LOG_ERROR) {
        std::lock_guard lock(mutex_);
        if (starting_) last_error_ = printable(message);
    }
    write_plugin_log({label_, spec_.org, spec_.capability}, level, message, fields);
}

bool HostInstance::stopping() {
    std::lock_guard lock(mutex_);
    return stopping_;
}

Status HostInstance::check_announcement(std::string_view method, std::string_view params) {
    if (std::find(announcements.begin(), announcements.end(), method) == announcements.end())
        return Status::unsupported;
    if (!json::scan(params).ok() || json::type_of(params) != json::Type::object)
        return Status::invalid;
    return stopping() ? Status::gone : Status::ok;
}

Status HostInstance::announce(std::string_view method, std::string_view params) {
    const auto checked = check_announcement(method, params);
    return checked == Status::ok ? wiring_.changes.changed(*this, method, params) : checked;
}

Status HostInstance::sleep(std::chrono::nanoseconds time) {
    std::unique_lock lock(mutex_);
    auto until = Clock::now() + std::min<std::chrono::nanoseconds>(time, forever);
    bool stopped = stopped_.wait_until(lock, until, [this] { return stopping_; });
    return stopped ? Status::gone : Status::ok;
}

}  // namespace pb::plugin
