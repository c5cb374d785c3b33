// SPDX-License-Identifier: Apache-2.0
// Metrics: what the host counts and measures, as Prometheus reads it. How many series there are is
// bounded, whatever clients call: methods that nobody here knows and capabilities beyond so many
// count as "other"; organisations, people and tools have no series.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace pb::metrics {

class Metrics {
  public:
    // Besides MCP's methods, these have series of their own.
    explicit Metrics(const std::vector<std::string>& more_methods = {});
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    // [any thread] A request that has ended; `outcome` as in the audit trail. Takes no lock of its
    // own but for the first of its kind.
    void observe(std::string_view method, std::string_view capability, std::string_view outcome,
                 double seconds) noexcept;
    // [any thread] An error that was answered: a code of JSON-RPC or HTTP.
    void error(std::string_view method, std::int64_t code) noexcept;

    using Labels = std::map<std::string, std::string>;
    using Read = std::function<double()>;
    // [any thread] Values that are read whenever somebody asks: they must not wait for long, and
    // live as long as this. Of one name all have the same help; names and labels are literals. A
    // counter only grows; its name ends with "_total".
    void gauge(std::string name, std::string help, Labels labels, Read read);
    void counter(std::string name, std::string help, Labels labels, Read read);

    // [any thread] The text exposition format, version 0.0.4.
    std::string text() const;
    static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

    static constexpr std::size_t most_capabilities = 48;

  private:
    struct State;
    const std::unique_ptr<State> state_;
};

}  // namespace pb::metrics
