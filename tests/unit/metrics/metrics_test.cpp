// SPDX-License-Identifier: Apache-2.0
// What the host counts comes out as Prometheus reads it, and in bounded number.
#include "metrics/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace pb::metrics {
namespace {

// The value of the line that begins so; -1 if there is none.
double value(const std::string& text, const std::string& series) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(series + " ")) return std::stod(line.substr(series.size() + 1));
    return -1;
}

std::size_t count(const std::string& text, const std::string& start) {
    std::istringstream lines(text);
    std::size_t out = 0;
    for (std::string line; std::getline(lines, line);)
        out += line.starts_with(start) ? 1 : 0;
    return out;
}

TEST(Metrics, RequestsAreCountedAndMeasured) {
    Metrics metrics;
    metrics.observe("tools/call", "weather", "ok", 0.003);
    metrics.observe("tools/call", "weather", "ok", 0.2);
    metrics.observe("tools/call", "weather", "denied", 0.0001);
    metrics.observe("ping", "", "ok", 0.0001);
    metrics.observe("prompts/get", "", "input_required", 0.0001);
    const auto text = metrics.text();
    EXPECT_EQ(count(text,
                    "patchbay_requests_total{capability=\"none\",method=\"prompts/get\","
                    "outcome=\"input_required\"}"),
              1U);
    const std::string labels = "capability=\"weather\",method=\"tools/call\",outcome=\"ok\"";
    const std::string name = "patchbay_request_duration_seconds";
    EXPECT_EQ(value(text, "patchbay_requests_total{" + labels + "}"), 2);
    EXPECT_EQ(value(text, name + "_count{" + labels + "}"), 2);
    EXPECT_NEAR(value(text, name + "_sum{" + labels + "}"), 0.203, 1e-9);
    EXPECT_EQ(value(text, name + "_bucket{" + labels + ",le=\"0.0025\"}"), 0);
    EXPECT_EQ(value(text, name + "_bucket{" + labels + ",le=\"0.005\"}"), 1);
    EXPECT_EQ(value(text, name + "_bucket{" + labels + ",le=\"+Inf\"}"), 2);
    EXPECT_EQ(
        value(text, "patchbay_requests_total{capability=\"none\",method=\"ping\",outcome=\"ok\"}"),
        1);
    EXPECT_EQ(count(text, "# TYPE patchbay_requests_total counter"), 1U);
    EXPECT_EQ(count(text, "# TYPE " + name + " histogram"), 1U);
    EXPECT_EQ(text.back(), '\n');
}

TEST(Metrics, ErrorsAreCountedByCode) {
    Metrics metrics({"POST /oauth/token"});
    metrics.error("tools/call", -32602);
    metrics.error("tools/call", -32602);
    metrics.error("POST /oauth/token", 401);
    const auto text = metrics.text();
    EXPECT_EQ(value(text, "patchbay_errors_total{code=\"-32602\",method=\"tools/call\"}"), 2);
    EXPECT_EQ(value(text, "patchbay_errors_total{code=\"401\",method=\"POST /oauth/token\"}"), 1);
}

// However much clients make up.
TEST(Metrics, TheNumberOfSeriesIsBounded) {
    Metrics metrics;
    for (int i = 0; i < 1000; ++i) {
        const auto n = std::to_string(i);
        metrics.observe("made/up" + n, "", "ok", 0);
        metrics.observe("tools/call", "capability" + n, "ok", 0);
        metrics.observe("tools/call", "capability0", "outcome" + n, 0);
        metrics.error("made/up" + n, 1);
        metrics.error("tools/call", i);
    }
    metrics.observe("tools/list", "bad\nname", "ok", 0);
    metrics.observe("tools/list", std::string(1000, 'x'), "ok", 0);
    const auto text = metrics.text();
    EXPECT_EQ(
        value(text, "patchbay_requests_total{capability=\"none\",method=\"other\",outcome=\"ok\"}"),
        1000);
    EXPECT_EQ(
        value(text,
              "patchbay_requests_total{capability=\"other\",method=\"tools/call\",outcome=\"ok\"}"),
        1000 - static_cast<double>(Metrics::most_capabilities));
    EXPECT_EQ(value(text,
                    "patchbay_requests_total{capability=\"capability0\",method=\"tools/"
                    "call\",outcome=\"other\"}"),
              1000);
    EXPECT_EQ(
        value(text,
              "patchbay_requests_total{capability=\"other\",method=\"tools/list\",outcome=\"ok\"}"),
        2);
    EXPECT_EQ(count(text, "patchbay_requests_total"), Metrics::most_capabilities + 4);
    EXPECT_LE(count(text, "patchbay_errors_total"), 67U);
    EXPECT_EQ(value(text, "patchbay_errors_total{code=\"other\",method=\"tools/call\"}"),
              1000 - 64);
}

TEST(Metrics, GaugesAreReadWhenTheyAreAskedFor) {
    Metrics metrics;
    double running = 1;
    metrics.gauge("patchbay_calls", "Running calls.", {}, [&] { return running; });
    metrics.gauge("patchbay_upstreams", "Upstreams by state.", {{"state", "ready"}},
                  [] { return 2.0; });
    metrics.gauge("patchbay_upstreams", "Upstreams by state.", {{"state", "a\"b\\c\nd"}},
                  [] { return 3.0; });
    metrics.gauge("patchbay_broken", "Broken.", {},
                  []() -> double { throw std::runtime_error("no"); });
    metrics.counter("patchbay_audit_dropped_total", "Lost.", {}, [] { return 7.0; });
    EXPECT_EQ(value(metrics.text(), "patchbay_calls"), 1);
    running = 5;
    const auto text = metrics.text();
    EXPECT_EQ(value(text, "patchbay_calls"), 5);
    EXPECT_EQ(value(text, "patchbay_upstreams{state=\"ready\"}"), 2);
    EXPECT_EQ(value(text, "patchbay_upstreams{state=\"a\\\"b\\\\c\\nd\"}"), 3);
    EXPECT_EQ(count(text, "# HELP patchbay_upstreams"), 1U);
    EXPECT_EQ(count(text, "# TYPE patchbay_calls gauge"), 1U);
    EXPECT_EQ(value(text, "patchbay_audit_dropped_total"), 7);
    EXPECT_EQ(count(text, "# TYPE patchbay_audit_dropped_total counter"), 1U);
    EXPECT_EQ(count(text, "patchbay_broken"), 0U);
}

TEST(Metrics, ManyThreadsAreCountedExactly) {
    Metrics metrics;
    constexpr int threads = 4, each = 5000;
    std::vector<std::thread> working;
    working.reserve(threads);
    for (int t = 0; t < threads; ++t)
        working.emplace_back([&] {
            for (int i = 0; i < each; ++i) {
                metrics.observe("tools/call", "c" + std::to_string(i % 60), "ok", 0.001);
                if (i % 1000 == 0) (void)metrics.text();
            }
        });
    for (auto& thread : working)
        thread.join();
    const auto text = metrics.text();
    std::istringstream lines(text);
    double sum = 0;
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("patchbay_requests_total{"))
            sum += std::stod(line.substr(line.rfind(' ')));
    EXPECT_EQ(sum, threads * each);
}

TEST(Metrics, OddTimesSpoilNothing) {
    Metrics metrics;
    for (const double seconds : {std::nan(""), std::numeric_limits<double>::infinity(), -1.0})
        metrics.observe("ping", "", "ok", seconds);
    const auto text = metrics.text();
    EXPECT_EQ(
        value(text, "patchbay_requests_total{capability=\"none\",method=\"ping\",outcome=\"ok\"}"),
        3);
    EXPECT_EQ(text.find("NaN"), std::string::npos);
    EXPECT_EQ(text.find("Nan"), std::string::npos);
    EXPECT_EQ(text.find("-1"), std::string::npos);
}

}  // namespace
}  // namespace pb::metrics
