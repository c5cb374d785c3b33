// SPDX-License-Identifier: Apache-2.0
#include "app/ask.h"

#include "json/scan.h"

namespace pb::app {
namespace {

ErrorKind kind_of(runtime::Status status) {
    using runtime::Status;
    switch (status) {
        case Status::invalid:
            return ErrorKind::invalid;
        case Status::not_found:
            return ErrorKind::not_found;
        case Status::unsupported:
            return ErrorKind::unsupported;
        case Status::denied:
            return ErrorKind::denied;
        case Status::cancelled:
            return ErrorKind::cancelled;
        case Status::deadline:
            return ErrorKind::deadline;
        case Status::again:
        case Status::busy:
            return ErrorKind::busy;
        case Status::gone:
            return ErrorKind::gone;
        default:
            return ErrorKind::internal;
    }
}

}  // namespace

void Waiter::completed(runtime::Status status, std::string_view body) noexcept {
    std::lock_guard lock(mutex_);
    over_ = true;
    status_ = status;
    body_ = body;
    done_.notify_all();
}

Result<std::string> Waiter::wait(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    if (!done_.wait_for(lock, limit, [this] { return over_; }))
        return Error{ErrorKind::deadline, "no answer in time"};
    if (status_ == runtime::Status::ok) return std::move(body_);
    auto why = json::string_value(json::member(body_, "message")).value_or("");
    if (why.empty()) why = "the request failed";
    return Error{kind_of(status_), std::move(why)};
}

runtime::CallerPtr host_caller(const std::string& org) {
    return std::make_shared<runtime::Caller>(runtime::Caller{org, "host", "service", {"mcp:read"}});
}

catalog::Ask make_ask(runtime::Calls& calls, std::chrono::milliseconds limit) {
    return
        [&calls, limit](const std::shared_ptr<catalog::Provider>& provider, const std::string& org,
                        std::string_view method, std::string_view params) -> Result<std::string> {
            auto waiter = std::make_shared<Waiter>();
            runtime::CallSpec spec;
            spec.provider = provider;
            spec.method = method;
            spec.params = params;
            spec.caller = host_caller(org);
            spec.timeout = limit;
            spec.observer = waiter;
            calls.start(spec);
            // A provider that ignores its deadline is answered for after the grace.
            return waiter->wait(limit + calls.options().grace + std::chrono::seconds(1));
        };
}

}  // namespace pb::app
