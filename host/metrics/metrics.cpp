// SPDX-License-Identifier: Apache-2.0
#include "metrics/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/log.h"

namespace pb::metrics {
namespace {

using prometheus::Counter;
using prometheus::Histogram;
using prometheus::MetricFamily;

constexpr std::string_view other = "other";
constexpr std::string_view none = "none";  // no capability has to do with it
constexpr std::array<std::string_view, 9> outcomes{"ok",        "input_required", "tool_error",
                                                   "error",     "denied",         "limited",
                                                   "cancelled", "deadline",       "busy"};
constexpr std::array<std::string_view, 30> mcp_methods{"initialize",
                                                       "ping",
                                                       "server/discover",
                                                       "tools/list",
                                                       "tools/call",
                                                       "resources/list",
                                                       "resources/templates/list",
                                                       "resources/read",
                                                       "resources/subscribe",
                                                       "resources/unsubscribe",
                                                       "prompts/list",
                                                       "prompts/get",
                                                       "completion/complete",
                                                       "logging/setLevel",
                                                       "subscriptions/listen",
                                                       "tasks/get",
                                                       "tasks/result",
                                                       "tasks/list",
                                                       "tasks/cancel",
                                                       "tasks/update",
                                                       "sampling/createMessage",
                                                       "elicitation/create",
                                                       "roots/list",
                                                       "notifications/initialized",
                                                       "notifications/cancelled",
                                                       "notifications/progress",
                                                       "notifications/roots/list_changed",
                                                       "notifications/tasks/status",
                                                       "notifications/elicitation/complete",
                                                       "notifications/message"};
constexpr std::size_t longest_capability = 100, most_codes = 64;
// From what a plugin answers at once to what a remote tool or an agent takes.
const Histogram::BucketBoundaries seconds_below{
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

bool is_plain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// A list that only grows: it is read without a lock.
class Capabilities {
  public:
    // Its place; that of "other" if there is no room for it.
    std::size_t place(std::string_view name) {
        if (name.empty()) name = none;
        if (const auto at = find(name, 0); at != absent) return at;
        if (full_.load(std::memory_order_relaxed) || name.size() > longest_capability ||
            !is_plain(name))
            return 0;
        const std::lock_guard lock(mutex_);
        const auto size = size_.load();
        if (const auto at = find(name, 0); at != absent) return at;
        if (size == names_.size()) return 0;
        names_[size] = name;
        size_.store(size + 1, std::memory_order_release);
        full_ = size + 1 == names_.size();
        return size;
    }
    const std::string& name(std::size_t place) const { return names_[place]; }

    static constexpr std::size_t most = Metrics::most_capabilities + 2;

  private:
    static constexpr std::size_t absent = ~std::size_t{0};
    std::size_t find(std::string_view name, std::size_t from) const {
        const auto size = size_.load(std::memory_order_acquire);
        for (std::size_t i = from; i < size; ++i)
            if (names_[i] == name) return i;
        return absent;
    }

    std::array<std::string, most> names_{std::string(other)};
    std::atomic<std::size_t> size_{1};
    std::atomic<bool> full_{false};
    std::mutex mutex_;
};

struct Value {
    Metrics::Labels labels;
    Metrics::Read read;
};

// Values of one name.
struct Values {
    std::string help;
    prometheus::MetricType type;
    std::vector<Value> values;
};

prometheus::ClientMetric sample(const Metrics::Labels& labels, prometheus::MetricType type,
                                double value) {
    prometheus::ClientMetric out;
    for (const auto& [name, text] : labels)
        out.label.push_back({name, text});
    if (type == prometheus::MetricType::Counter)
        out.counter.value = value;
    else
        out.gauge.value = value;
    return out;
}

// What one name's values are now; those that cannot be read are left out.
MetricFamily read_now(const std::string& name, const Values& values) {
    MetricFamily out{name, values.help, values.type, {}};
    for (const auto& [labels, read] : values.values) {
        try {
            out.metric.push_back(sample(labels, values.type, read()));
        } catch (const std::exception& wrong) {
            log::warning("metrics.unreadable", {{"name", name}, {"reason", wrong.what()}});
        }
    }
    return out;
}

// A histogram counts already what this counts.
MetricFamily requests_of(const MetricFamily& latency) {
    MetricFamily out{"patchbay_requests_total",
                     "Requests that have ended, by method, capability and outcome.",
                     prometheus::MetricType::Counter,
                     {}};
    for (const auto& metric : latency.metric) {
        prometheus::ClientMetric count;
        count.label = metric.label;
        count.counter.value = static_cast<double>(metric.histogram.sample_count);
        out.metric.push_back(std::move(count));
    }
    return out;
}

}  // namespace

struct Metrics::State {
    explicit State(const std::vector<std::string>& more) : methods{std::string(other)} {
        methods.insert(methods.end(), mcp_methods.begin(), mcp_methods.end());
        methods.insert(methods.end(), more.begin(), more.end());
        for (std::size_t i = 1; i < methods.size(); ++i)
            places.emplace(methods[i], i);
        series = std::vector<std::atomic<Histogram*>>(methods.size() * Capabilities::most *
                                                      (outcomes.size() + 1));
    }

    std::size_t method_place(std::string_view method) const {
        const auto found = places.find(method);
        return found == places.end() ? 0 : found->second;
    }

    Histogram& find(std::string_view method, std::string_view capability,
                    std::string_view outcome) {
        const auto m = method_place(method);
        const auto c = capabilities.place(capability);
        const auto o = static_cast<std::size_t>(
            std::find(outcomes.begin(), outcomes.end(), outcome) - outcomes.begin());
        auto& place = series[(m * Capabilities::most + c) * (outcomes.size() + 1) + o];
        if (auto* known = place.load(std::memory_order_acquire)) return *known;
        // Two that come here at once get the same one.
        auto& made =
            latency.Add({{"method", methods[m]},
                         {"capability", capabilities.name(c)},
                         {"outcome", std::string(o < outcomes.size() ? outcomes[o] : other)}},
                        seconds_below);
        place.store(&made, std::memory_order_release);
        return made;
    }

    void add(std::string name, std::string help, prometheus::MetricType type, Value value) {
        const std::lock_guard lock(mutex);
        auto& all = values[std::move(name)];
        all.help = std::move(help);
        all.type = type;
        all.values.push_back(std::move(value));
    }

    prometheus::Registry registry;
    prometheus::Family<Histogram>& latency =
        prometheus::BuildHistogram()
            .Name("patchbay_request_duration_seconds")
            .Help("How long requests took, by method, capability and outcome.")
            .Register(registry);
    prometheus::Family<Counter>& errors =
        prometheus::BuildCounter()
            .Name("patchbay_errors_total")
            .Help("Errors that were answered, by method and code.")
            .Register(registry);

    std::vector<std::string> methods;  // "other" first
    std::unordered_map<std::string_view, std::size_t> places;
    Capabilities capabilities;
    std::vector<std::atomic<Histogram*>> series;  // made when they are first needed

    mutable std::mutex mutex;
    std::set<std::int64_t> codes;
    std::map<std::string, Values> values;
};

Metrics::Metrics(const std::vector<std::string>& more_methods)
    : state_(std::make_unique<State>(more_methods)) {}

Metrics::~Metrics() = default;

void Metrics::observe(std::string_view method, std::string_view capability,
                      std::string_view outcome, double seconds) noexcept {
    try {
        state_->find(method, capability, outcome)
            .Observe(std::isfinite(seconds) && seconds > 0 ? seconds : 0);
    } catch (...) {  // out of memory: what is not measured harms nobody
    }
}

void Metrics::error(std::string_view method, std::int64_t code) noexcept {
    try {
        auto& state = *state_;
        std::string name(other);
        {
            const std::lock_guard lock(state.mutex);
            if (state.codes.size() < most_codes) state.codes.insert(code);
            if (state.codes.count(code) != 0) name = std::to_string(code);
        }
        state.errors.Add({{"method", state.methods[state.method_place(method)]}, {"code", name}})
            .Increment();
    } catch (...) {
    }
}

void Metrics::gauge(std::string name, std::string help, Labels labels, Read read) {
    state_->add(std::move(name), std::move(help), prometheus::MetricType::Gauge,
                {std::move(labels), std::move(read)});
}

void Metrics::counter(std::string name, std::string help, Labels labels, Read read) {
    state_->add(std::move(name), std::move(help), prometheus::MetricType::Counter,
                {std::move(labels), std::move(read)});
}

std::string Metrics::text() const {
    auto families = state_->registry.Collect();
    const auto latency = std::find_if(families.begin(), families.end(), [](const auto& family) {
        return family.type == prometheus::MetricType::Histogram;
    });
    if (latency != families.end()) families.insert(families.begin(), requests_of(*latency));
    // Not under the lock: what is read may want to add a value.
    std::map<std::string, Values> values;
    {
        const std::lock_guard lock(state_->mutex);
        values = state_->values;
    }
    for (const auto& [name, all] : values)
        families.push_back(read_now(name, all));
    return prometheus::TextSerializer().Serialize(families);
}

}  // namespace pb::metrics
