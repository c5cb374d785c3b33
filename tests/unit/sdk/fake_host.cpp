// SPDX-License-Identifier: Apache-2.0
#include "fake_host.h"

#include <gtest/gtest.h>

#include <atomic>

namespace sdk_test {

using patchbay::view;

namespace {
std::atomic<patchbay_call> next_call{1};
}

FakeHost::FakeHost() {
    table_.struct_size = sizeof table_;
    table_.abi_major = PATCHBAY_ABI_MAJOR;
    table_.abi_minor = PATCHBAY_ABI_MINOR;
    table_.impl = this;
    table_.service = [](const patchbay_host* host, const char* id) -> const void* {
        auto& self = of(host);
        const std::lock_guard lock(self.mutex_);
        const auto at = self.services_.find(id);
        return at == self.services_.end() ? nullptr : at->second;
    };
    table_.log = [](const patchbay_host* host, std::int32_t level, patchbay_str message,
                    patchbay_str fields) {
        auto& self = of(host);
        const std::lock_guard lock(self.mutex_);
        self.logs_.push_back({level, std::string(view(message)), std::string(view(fields))});
    };
    table_.complete = [](const patchbay_host* host, patchbay_call call, patchbay_status status,
                         patchbay_str body) -> patchbay_status {
        auto& self = of(host);
        const std::lock_guard lock(self.mutex_);
        auto& ended = self.ended_[call];
        if (ended.times++ > 0) return PATCHBAY_E_GONE;
        ended.status = status;
        ended.text = view(body);
        ended.body = json::parse(ended.text, nullptr, false);
        self.changed_.notify_all();
        return PATCHBAY_OK;
    };
    table_.notify = [](const patchbay_host* host, patchbay_call call, patchbay_str method,
                       patchbay_str params) -> patchbay_status {
        auto& self = of(host);
        const std::lock_guard lock(self.mutex_);
        if (!self.notify_answers_.empty()) {
            const auto answer = self.notify_answers_.front();
            self.notify_answers_.pop_front();
            if (answer != PATCHBAY_OK) return answer;
        }
        self.notices_.push_back({call, std::string(view(method)), json::parse(view(params))});
        return PATCHBAY_OK;
    };
    table_.wait = [](const patchbay_host* host, patchbay_call call,
                     std::int64_t timeout) -> patchbay_status {
        auto& self = of(host);
        std::unique_lock lock(self.mutex_);
        self.waits_.push_back(timeout);
        self.changed_.wait_for(lock, std::chrono::nanoseconds(timeout),
                               [&] { return self.wait_answers_.count(call) != 0; });
        const auto at = self.wait_answers_.find(call);
        return at == self.wait_answers_.end() ? PATCHBAY_OK : at->second;
    };
}

Ended FakeHost::ended(patchbay_call call) {
    std::unique_lock lock(mutex_);
    // Far longer than any test takes: only a call that is never completed reaches it.
    const bool done =
        changed_.wait_for(lock, std::chrono::seconds(60), [&] { return ended_.count(call) != 0; });
    EXPECT_TRUE(done) << "call " << call << " was never completed";
    return ended_[call];
}

int FakeHost::completions(patchbay_call call) {
    const std::lock_guard lock(mutex_);
    return ended_[call].times;
}

std::vector<Notice> FakeHost::notices(std::string_view method) {
    const std::lock_guard lock(mutex_);
    std::vector<Notice> out;
    for (const auto& notice : notices_) {
        if (notice.method == method) out.push_back(notice);
    }
    return out;
}

std::vector<LogLine> FakeHost::logs() {
    const std::lock_guard lock(mutex_);
    return logs_;
}

std::vector<std::int64_t> FakeHost::waits() {
    const std::lock_guard lock(mutex_);
    return waits_;
}

void FakeHost::set_wait(patchbay_call call, patchbay_status status) {
    const std::lock_guard lock(mutex_);
    wait_answers_[call] = status;
    changed_.notify_all();
}

void FakeHost::answer_notify(std::initializer_list<patchbay_status> statuses) {
    const std::lock_guard lock(mutex_);
    notify_answers_.assign(statuses);
}

void FakeHost::offer(const std::string& id, const void* table) {
    const std::lock_guard lock(mutex_);
    services_[id] = table;
}

Instance::Instance(void (*set_up)(patchbay::Plugin&), const json& config)
    : own_host_(std::make_unique<FakeHost>()),
      host_(own_host_.get()),
      plugin_(patchbay::detail::make_instance(host_->table(), set_up)) {
    const std::string start = json{
        {"org", "acme"},
        {"capability", "cap"},
        {"namespace", "ns"},
        {"config", config}}.dump();
    start_status_ = plugin_->start(plugin_, view(start));
}

Instance::Instance(FakeHost& host, void (*set_up)(patchbay::Plugin&), const json& config)
    : host_(&host), plugin_(patchbay::detail::make_instance(host.table(), set_up)) {
    const std::string start = json{{"org", "acme"}, {"config", config}}.dump();
    start_status_ = plugin_->start(plugin_, view(start));
}

Instance::~Instance() {
    if (start_status_ == PATCHBAY_OK) plugin_->stop(plugin_);
    plugin_->destroy(plugin_);
}

patchbay_call Instance::send(std::string_view method, const json& params, const json& context,
                             std::int64_t deadline_ns) {
    const patchbay_call id = next_call++;
    const std::string params_text = params.is_string() ? params.get<std::string>() : params.dump();
    const std::string context_text = context.dump();
    patchbay_request request{};
    request.struct_size = sizeof request;
    request.method = view(method);
    request.params = view(params_text);
    request.context = view(context_text);
    request.deadline_ns = deadline_ns;
    plugin_->handle(plugin_, id, &request);
    return id;
}

Ended Instance::call(std::string_view method, const json& params, const json& context) {
    return host_->ended(send(method, params, context));
}

Ended Instance::tool(std::string_view name, const json& arguments) {
    return call("tools/call", {{"name", name}, {"arguments", arguments}});
}

void Instance::cancel(patchbay_call call) { plugin_->cancel(plugin_, call); }

patchbay_status Instance::configure(const json& config) {
    const std::string start = json{{"org", "acme"}, {"config", config}}.dump();
    return plugin_->configure(plugin_, view(start));
}

}  // namespace sdk_test
