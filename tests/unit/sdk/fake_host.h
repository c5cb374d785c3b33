// SPDX-License-Identifier: Apache-2.0
// FakeHost: a host table that records what a plugin does with it, and Instance, a plugin instance
// under test. Thread-safe.
#pragma once

#include <patchbay/plugin.hpp>

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace sdk_test {

using patchbay::json;

// How a call ended.
struct Ended {
    patchbay_status status = PATCHBAY_E_GONE;
    std::string text;
    json body;
    int times = 0;  // that complete() was called
};

struct Notice {
    patchbay_call call;
    std::string method;
    json params;
};

struct LogLine {
    int level;
    std::string message;
    std::string fields;
};

class FakeHost {
  public:
    FakeHost();
    const patchbay_host* table() const { return &table_; }

    // Waits for the call's completion.
    Ended ended(patchbay_call call);
    int completions(patchbay_call call);
    std::vector<Notice> notices(std::string_view method);
    std::vector<LogLine> logs();

    // What wait() answers for a call from now on (a sleeping call wakes), and notify() for the next
    // notifications.
    void set_wait(patchbay_call call, patchbay_status status);
    void answer_notify(std::initializer_list<patchbay_status> statuses);
    // Services by id; none by default.
    void offer(const std::string& id, const void* table);

    std::vector<std::int64_t> waits();  // the times that were asked for

  private:
    static FakeHost& of(const patchbay_host* host) { return *static_cast<FakeHost*>(host->impl); }

    patchbay_host table_{};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<patchbay_call, Ended> ended_;
    std::map<patchbay_call, patchbay_status> wait_answers_;
    std::deque<patchbay_status> notify_answers_;
    std::map<std::string, const void*> services_;
    std::vector<Notice> notices_;
    std::vector<LogLine> logs_;
    std::vector<std::int64_t> waits_;
};

// A started instance whose set-up is `set_up`; stopped and destroyed at the end.
class Instance {
  public:
    explicit Instance(void (*set_up)(patchbay::Plugin&), const json& config = json::object());
    Instance(FakeHost& host, void (*set_up)(patchbay::Plugin&),
             const json& config = json::object());
    ~Instance();

    // Sends a request and waits for its end.
    Ended call(std::string_view method, const json& params, const json& context = json::object());
    Ended tool(std::string_view name, const json& arguments = json::object());
    // Sends a request and returns its id at once.
    patchbay_call send(std::string_view method, const json& params,
                       const json& context = json::object(), std::int64_t deadline_ns = 0);
    void cancel(patchbay_call call);
    patchbay_status configure(const json& config);

    FakeHost& host() { return *host_; }
    patchbay_status start_status() const { return start_status_; }

  private:
    std::unique_ptr<FakeHost> own_host_;
    FakeHost* host_;
    patchbay_plugin* plugin_;
    patchbay_status start_status_;
};

// In-memory services: each has a table for FakeHost::offer(). They are process-wide, like the C
// functions behind them; reset() before use.
namespace services {
const patchbay_store_v1* store();
const patchbay_secrets_v1* secrets();  // the same values; the organisation's own: "own:<name>"
const patchbay_events_v1* events();
const patchbay_schedule_v1* schedule();
const patchbay_invoke_v1* invoke();
const patchbay_config_v1* config();
const patchbay_capabilities_v1* capabilities();
void reset();

// The store answers this to the next call, instead of doing it.
void fail_store(patchbay_status status);
void fail_puts(bool fail);  // until told otherwise
std::size_t subscriptions();
std::size_t timers();
void fire_timers();

// What was invoked, and what is answered; in another thread if `later`.
struct Invocation {
    patchbay_call parent;
    std::string method;
    json params;
    std::int64_t timeout_ns;
    std::string scope;
};
std::vector<Invocation> invocations();
void answer_invoke(patchbay_status status, std::string body, bool later = false);
void refuse_invoke(patchbay_status status);
void set_config(std::string pointer, std::string value);
// What is offered, by name; and what was said of it: "mcp:a notifications/... {}".
std::map<std::string, json> offered();
// From now on this namespace is somebody else's.
void take(const std::string& name_space);
std::vector<std::string> said();
}  // namespace services

}  // namespace sdk_test
