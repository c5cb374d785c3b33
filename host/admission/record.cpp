// SPDX-License-Identifier: Apache-2.0
#include "admission/record.h"

#include <algorithm>

#include "admission/admission.h"
#include "audit/redact.h"
#include "base/log.h"
#include "json/scan.h"

namespace pb::admission {
namespace {

using Clock = std::chrono::steady_clock;
using runtime::Status;

constexpr std::size_t longest_name = 1024, longest_reason = 512;
constexpr std::string_view virtual_prefix = "mcp:";

std::string trace_id_in(std::string_view trace) {
    if (trace.empty()) return {};
    return audit::trace_id_of(json::string_value(json::member(trace, "traceparent")).value_or(""));
}

std::string_view outcome_of(Status status) {
    switch (status) {
        case Status::ok:
            return "ok";
        case Status::input_required:
            return "input_required";
        case Status::denied:
            return "denied";
        case Status::cancelled:
            return "cancelled";
        case Status::deadline:
            return "deadline";
        case Status::busy:
        case Status::again:
            return "busy";
        default:
            return "error";
    }
}

// What became of a tool's call whose result says that it failed.
std::string_view failed_as(Status ended) {
    const auto outcome = outcome_of(ended);
    return outcome == "ok" || outcome == "error" ? "tool_error" : outcome;
}

// A failure's code is a word, not a sentence.
bool is_code(std::string_view text) {
    constexpr std::size_t longest = 64;
    return text.size() <= longest && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || c == '.';
           });
}

// What a text may have in it that is a secret is not kept; nor is what is too long.
std::string clean(std::string_view text, std::size_t longest) {
    auto out = audit::without_credentials(text.substr(0, 2 * longest));
    if (out.size() > longest) out.resize(longest);
    return out;
}

// One value for each capability of a plugin: what organisations add to them at run time, remote
// servers above all, counts as that. So there are as many values as the host's plugins make, and
// no organisation takes another one's.
std::string_view measured_as(const catalog::Binding* binding) {
    if (!binding) return {};
    const auto plugin =
        binding->provider ? binding->provider->speaker().capability() : std::string_view();
    return plugin.empty() ? std::string_view(binding->capability) : plugin;
}

// Whose share of the sample it is.
std::string who_of(const Ending& ending) {
    const auto& caller = ending.caller;
    if (!caller.credential.empty()) return caller.org + "\n" + caller.credential;
    return (caller.org + "\n" + caller.principal + "\n").append(ending.address);
}

std::int64_t wall_ms(Clock::time_point began) {
    using std::chrono::duration_cast;
    using std::chrono::milliseconds;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return duration_cast<milliseconds>(now).count() -
           duration_cast<milliseconds>(Clock::now() - began).count();
}

}  // namespace

// Keeps what the record needs of a call until its end.
class Recorder::Watcher : public runtime::CallObserver {
  public:
    Watcher(const Recorder& recorder, const Target& target, const Admitted& admitted,
            std::shared_ptr<runtime::CallObserver> next)
        : recorder_(recorder),
          target_(target),
          method_(admitted.method),
          caller_(admitted.caller),
          client_(admitted.client),
          request_bytes_(admitted.params.size()),
          next_(std::move(next)) {
        if (!target_.tool) return;
        if (const auto redact = redactor(false))
            arguments_ = redact(json::member(admitted.params, "arguments"));
    }

    void said() noexcept override { said_ = true; }
    void ended(Status status) noexcept override { ended_ = status; }
    void completed(Status status, std::string_view body) noexcept override {
        tell(status, body);
        next_->completed(status, body);
    }
    Status notified(std::string_view method, std::string_view params) noexcept override {
        return next_->notified(method, params);
    }
    void begun(runtime::CallId id) noexcept override { next_->begun(id); }
    void still_running() noexcept override { next_->still_running(); }

  private:
    void tell(Status status, std::string_view body) noexcept {
        try {
            Ending ending{*caller_, client_.get(), method_, target_.exposed};
            ending.outcome = outcome_of(status);
            ending.began = began_;
            ending.request_bytes = request_bytes_;
            ending.response_bytes = body.size();
            ending.binding = target_.binding.get();
            ending.original = target_.local_name;
            const bool failed = target_.tool && json::member(body, "isError") == "true";
            if (status != Status::ok) {
                ending.code = json::integer_value(json::member(body, "code")).value_or(0);
                if (ending.code == rate_limited && !said_) ending.outcome = "limited";
            } else if (failed) {
                ending.outcome = failed_as(ended_);
            }
            const auto reason = status != Status::ok ? reason_of(body)
                                : failed             ? reason_of_tool(body)
                                                     : std::string();
            ending.reason = reason;
            audit::Record record;
            record.arguments = std::move(arguments_);
            if (target_.tool)
                if (const auto redact = redactor(true)) record.result = redact(body);
            recorder_.write(ending, std::move(record));
        } catch (const std::exception& fault) {
            log::error("audit.fault", {{"reason", fault.what()}});
        }
    }

    Redactor redactor(bool result) const {
        return recorder_.redact_ ? recorder_.redact_(caller_->org, result) : nullptr;
    }
    // The host's own words always; the provider's, which may repeat what it was asked, as results
    // are kept.
    std::string reason_of(std::string_view body) const {
        const auto message = json::member(body, "message");
        if (!said_) return json::string_value(message).value_or("");
        const auto redact = redactor(true);
        return redact ? json::string_value(redact(message)).value_or("") : std::string();
    }
    std::string reason_of_tool(std::string_view body) const {
        const auto failure = json::member(json::member(body, "_meta"), "patchbay/error");
        if (ended_ != Status::ok && !said_) return reason_of(failure);
        auto code = json::string_value(json::member(failure, "code")).value_or("");
        return is_code(code) ? code : std::string();
    }

    const Recorder& recorder_;
    const Target target_;
    const std::string method_;
    const runtime::CallerPtr caller_;
    const runtime::ClientViewPtr client_;
    const Clock::time_point began_ = Clock::now();
    const std::size_t request_bytes_;
    std::string arguments_;
    // Of a tool's call: its caller gets a result, whatever became of it.
    Status ended_ = Status::ok;
    bool said_ = false;
    const std::shared_ptr<runtime::CallObserver> next_;
};

void Recorder::use(audit::Sink* trail, Measure measure, Redact redact) {
    trail_ = trail;
    measure_ = std::move(measure);
    redact_ = std::move(redact);
}

std::shared_ptr<runtime::CallObserver> Recorder::watch(
    const Target& target, const Admitted& admitted,
    std::shared_ptr<runtime::CallObserver> next) const {
    if (!trail_ && !measure_) return next;
    return std::make_shared<Watcher>(*this, target, admitted, std::move(next));
}

void Recorder::tell(const Ending& ending) const noexcept { write(ending, {}); }

void Recorder::write(const Ending& ending, audit::Record&& record) const noexcept {
    try {
        const auto took = Clock::now() - ending.began;
        if (ending.binding) record.capability = ending.binding->capability;
        if (measure_)
            measure_(ending, measured_as(ending.binding),
                     std::chrono::duration<double>(took).count());
        if (!trail_) return;
        const auto& caller = ending.caller;
        std::uint64_t left_out = 0;
        if (ending.sampled || ending.outcome == "limited") {
            const auto sampled = sampler_.take(who_of(ending));
            if (!sampled) return;
            left_out = *sampled;
        }
        record.at_ms = wall_ms(ending.began);
        record.org = caller.org;
        record.method = clean(ending.method, longest_name);
        record.principal = caller.principal;
        record.principal_kind = caller.principal_kind;
        record.credential = caller.credential;
        record.client = caller.client;
        if (record.client.empty() && ending.client)
            record.client =
                json::string_value(json::member(ending.client->info, "name")).value_or("");
        record.address = ending.address;
        record.name = clean(ending.name, longest_name);
        record.original = clean(ending.original, longest_name);
        if (record.capability.starts_with(virtual_prefix))
            record.upstream = record.capability.substr(virtual_prefix.size());
        record.outcome = ending.outcome;
        record.code = ending.code;
        record.reason = audit::with_left_out(clean(ending.reason, longest_reason), left_out);
        record.duration_us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
        record.request_bytes = static_cast<std::int64_t>(ending.request_bytes);
        record.response_bytes = static_cast<std::int64_t>(ending.response_bytes);
        if (ending.client) record.trace_id = trace_id_in(ending.client->trace);
        trail_->add(std::move(record));
    } catch (const std::exception& fault) {
        log::error("audit.fault", {{"reason", fault.what()}});
    }
}

}  // namespace pb::admission
