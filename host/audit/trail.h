// SPDX-License-Identifier: Apache-2.0
// Trail: keeps what is worth recording in audit.db. Records wait in memory, bounded, and one thread
// writes them in batches; what finds no room while the disk is slow or full is counted, said in the
// log and, when writing works again, in the trail itself.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "audit/file.h"
#include "audit/queue.h"
#include "audit/reader.h"
#include "audit/record.h"
#include "base/result.h"

namespace pb::audit {

struct Options {
    std::size_t most_records = 200'000, most_bytes = 64u << 20;  // waiting in memory
    std::chrono::milliseconds every{25};                         // at most so long
    std::chrono::hours keep{90 * 24};                            // 0: for ever
    std::int64_t keep_bytes = std::int64_t{4} << 30;             // 0: no bound
};

class Trail final : public Sink {
  public:
    // Opens or makes audit.db in the folder, which must exist.
    static Result<std::unique_ptr<Trail>> open(const std::string& folder, Options options = {});
    ~Trail() override;  // stop()

    void add(Record&& record) noexcept override;
    // [any thread but the writer] As Reader::page(), after what was added before.
    Result<Page> page(const Filter& filter, std::string_view cursor = {}, std::size_t limit = 100);
    // [any thread] Waits until what was added before is in the file; false if it was not to be.
    bool flush(std::chrono::milliseconds patience = std::chrono::seconds(5));
    // [any thread] From now on: what the configuration says later.
    void keep(std::chrono::hours age, std::int64_t bytes);
    // [owner] Writes all that waits; what is added later is lost, and counted.
    void stop();

    struct Counts : Queue::Counts {
        bool failing = false;  // the file cannot be written just now
    };
    // [any thread]
    Counts counts() const;

    // For tests: the file has room for so many pages (4 KiB); 0: no bound.
    void bound_pages(std::int64_t pages) { page_bound_ = pages; }

  private:
    Trail(File file, std::unique_ptr<Reader> reader, Options options);
    void run();
    void write(const std::vector<Chunk>& chunks);
    void write_loss();
    void tidy(std::int64_t written);
    bool note(const Result<void>& done);

    const std::chrono::milliseconds every_;
    std::atomic<std::chrono::hours> keep_;
    std::atomic<std::int64_t> keep_bytes_;
    Queue queue_;
    File file_;  // the writer's
    const std::unique_ptr<Reader> reader_;
    std::atomic<bool> failing_{false};
    std::atomic<std::int64_t> page_bound_{0};
    std::int64_t page_bound_set_ = 0;
    Queue::Clock::time_point tidy_at_{};
    Queue::Clock::time_point give_up_at_ = Queue::Clock::time_point::max();
    std::thread writer_;
};

}  // namespace pb::audit
