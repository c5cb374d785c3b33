// SPDX-License-Identifier: Apache-2.0
// What the audit trail and the metrics cost: records written a second of one core, what add(),
// observe() and the redaction take of a request, and how long pages are looked for.
// bench_trail FOLDER [RECORDS]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "audit/redact.h"
#include "audit/trail.h"
#include "metrics/metrics.h"

namespace {

using namespace pb;

double wall() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

double cpu() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Nanoseconds of the clock and of the processor that one of `times` takes in each of the threads.
void measure(const char* what, int threads, int times, const std::function<void(int)>& work) {
    const double from = wall(), from_cpu = cpu();
    std::vector<std::thread> working;
    working.reserve(static_cast<std::size_t>(threads));
    for (int t = 0; t < threads; ++t)
        working.emplace_back([&] {
            for (int i = 0; i < times; ++i)
                work(i);
        });
    for (auto& thread : working)
        thread.join();
    std::printf("%-44s %d threads %8.0f ns %8.0f ns cpu\n", what, threads,
                (wall() - from) / times * 1e9, (cpu() - from_cpu) / times / threads * 1e9);
}

audit::Record record(int i) {
    audit::Record out;
    out.org = "org" + std::to_string(i % 20);
    out.method = "tools/call";
    out.principal = "usr_0123456789abcdef";
    out.principal_kind = "user";
    out.credential = "key_0123456789abcdef";
    out.client = "cli_0123456789abcdef";
    out.address = "127.0.0.1";
    out.name = "github__search_" + std::to_string(i % 50);
    out.original = "search_issues";
    out.capability = "mcp:github";
    out.upstream = "github";
    out.duration_us = 1234;
    out.request_bytes = 333;
    out.response_bytes = 4444;
    out.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    return out;
}

void clear(const std::string& folder) {
    for (const char* name : {"/audit.db", "/audit.db-wal", "/audit.db-shm"})
        std::filesystem::remove(folder + name);
}

// The writer by itself.
void write_all(const std::string& folder, int records) {
    clear(folder);
    auto file = audit::File::open(folder + "/audit.db");
    if (!file) throw std::runtime_error(file.error().message);
    std::vector<audit::Chunk> chunks;
    for (int i = 0; i < records; ++i) {
        if (chunks.empty() || chunks.back().bytes.size() > (64u << 10)) chunks.emplace_back();
        auto each = record(i);
        each.at_ms = 1'700'000'000'000 + i / 100;
        audit::pack(each, chunks.back().bytes);
        ++chunks.back().records;
    }
    const double from = wall(), from_cpu = cpu();
    for (std::size_t i = 0; i < chunks.size(); i += 32) {
        auto done = file->append(chunks, i, std::min<std::size_t>(32, chunks.size() - i));
        if (!done) throw std::runtime_error(done.error().message);
    }
    std::printf(
        "written: %.0f records/s, %.0f records in a second of the processor; %.0f bytes each\n",
        records / (wall() - from), records / (cpu() - from_cpu),
        static_cast<double>(std::filesystem::file_size(folder + "/audit.db")) / records);
}

void read_pages(const std::string& folder) {
    auto reader = audit::Reader::open(folder);
    if (!reader) throw std::runtime_error(reader.error().message);
    audit::Filter filter;
    filter.org = "org3";
    const auto once = [&](const char* what, std::size_t limit) {
        const double from = wall();
        auto page = (*reader)->page(filter, {}, limit);
        std::printf("page, %-38s %8.2f ms, %zu records\n", what, (wall() - from) * 1e3,
                    page ? page->records.size() : 0);
    };
    once("100 of an organisation", 100);
    once("1000 of an organisation", 1000);
    filter.principal = "nobody";
    once("none of an organisation's", 100);
}

void add_all(const std::string& folder, int records) {
    clear(folder);
    auto opened = audit::Trail::open(folder);
    if (!opened) throw std::runtime_error(opened.error().message);
    auto& trail = **opened;
    const auto one = record(1);
    constexpr int threads = 4;
    const int each = records / threads / 4;
    const double from = wall();
    measure("add, as fast as it goes", threads, each, [&](int) { trail.add(audit::Record(one)); });
    trail.flush(std::chrono::minutes(5));
    std::printf("until all was written: %.0f records/s, %llu lost\n",
                threads * each / (wall() - from),
                static_cast<unsigned long long>(trail.counts().lost));
}

}  // namespace

int main(int count, char** arguments) {
    if (count < 2) {
        std::fprintf(stderr, "usage: bench_trail FOLDER [RECORDS]\n");
        return 2;
    }
    try {
        const std::string folder = arguments[1];
        const int records = count > 2 ? std::atoi(arguments[2]) : 400'000;
        write_all(folder, records);
        read_pages(folder);
        add_all(folder, records);
        metrics::Metrics metrics;
        for (const int threads : {1, 4})
            measure("observe", threads, 500'000,
                    [&](int i) { metrics.observe("tools/call", "weather", "ok", i % 50 * 1e-3); });
        const audit::Redactor redact;
        const std::string small =
            R"({"query":"is:open label:bug","limit":30,"api_key":"x","filters":{"state":"open"}})";
        std::string large = "{\"text\":\"";
        while (large.size() < 15'000)
            large += "the quick brown fox jumps over the lazy dog, ";
        large += "\"}";
        measure("redact 82 bytes", 1, 100'000, [&](int) { (void)redact(small); });
        measure("redact 15 kB of text", 1, 2'000, [&](int) { (void)redact(large); });
    } catch (const std::exception& wrong) {
        std::fprintf(stderr, "bench_trail: %s\n", wrong.what());
        return 1;
    }
}
