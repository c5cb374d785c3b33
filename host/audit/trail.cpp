// SPDX-License-Identifier: Apache-2.0
#include "audit/trail.h"

#include <algorithm>

#include "base/log.h"

namespace pb::audit {
namespace {

using namespace std::chrono_literals;
using Clock = Queue::Clock;

// A transaction's worth: a few thousand records.
constexpr std::size_t chunks_at_once = 32;
constexpr std::int64_t remove_at_once = 2'000;
constexpr auto tidy_on = 100ms, tidy_every = 60'000ms;
constexpr auto first_pause = 50ms, longest_pause = 2'000ms;
// What cannot be written when the host ends is tried for so long.
constexpr auto last_tries = 2s;
// How long a reader waits for the writer.
constexpr auto flush_to_read = 500ms;

std::int64_t clock_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

void say_losing(const char* why) noexcept {
    try {
        log::warning("audit.dropping", {{"reason", why}});
    } catch (...) {  // there is no memory to say so
    }
}

}  // namespace

Result<std::unique_ptr<Trail>> Trail::open(const std::string& folder, Options options) {
    auto file = File::open(folder + "/audit.db");
    if (!file) return file.error();
    auto reader = Reader::open(folder);
    if (!reader) return reader.error();
    return std::unique_ptr<Trail>(new Trail(std::move(*file), std::move(*reader), options));
}

Trail::Trail(File file, std::unique_ptr<Reader> reader, Options options)
    : every_(options.every),
      keep_(options.keep),
      keep_bytes_(options.keep_bytes),
      queue_(options.most_records, options.most_bytes),
      file_(std::move(file)),
      reader_(std::move(reader)),
      writer_([this] { run(); }) {}

Trail::~Trail() { stop(); }

void Trail::add(Record&& record) noexcept {
    bool first = false;
    std::int64_t now = 0;
    try {
        now = clock_ms();
        record.at_ms = record.at_ms <= 0 ? now : std::min(record.at_ms, latest_ms);
        thread_local std::string packed;
        packed.clear();
        pack(record, packed);
        if (queue_.add(packed, record.org, now, first) || !first) return;
    } catch (...) {
        queue_.lose(record.org, now, first);
        if (!first) return;
    }
    say_losing("no room: the audit trail is not written fast enough, or not at all");
}

Result<Page> Trail::page(const Filter& filter, std::string_view cursor, std::size_t limit) {
    if (cursor.empty()) (void)flush(flush_to_read);
    return reader_->page(filter, cursor, limit);
}

bool Trail::flush(std::chrono::milliseconds patience) { return queue_.flush(patience); }

void Trail::keep(std::chrono::hours age, std::int64_t bytes) {
    keep_ = age;
    keep_bytes_ = bytes;
}

void Trail::stop() {
    queue_.close();
    if (writer_.joinable()) writer_.join();
}

Trail::Counts Trail::counts() const { return {queue_.counts(), failing_}; }

// Says when writing begins to fail, and when it works again.
bool Trail::note(const Result<void>& done) {
    const bool failed = !done;
    if (failing_.exchange(failed) == failed) return !failed;
    if (failed)
        log::error("audit.write_failed", {{"reason", done.error().message}});
    else
        log::write(log::Level::notice, "audit.writes_again", {});
    return !failed;
}

// Until all is written, however long that takes, or, at the end, until it must be given up.
void Trail::write(const std::vector<Chunk>& chunks) {
    std::chrono::milliseconds pause = first_pause;
    for (std::size_t at = 0; at < chunks.size();) {
        if (const auto bound = page_bound_.load(); bound != page_bound_set_)
            if (file_.bound_pages(bound)) page_bound_set_ = bound;
        const auto count = std::min(chunks_at_once, chunks.size() - at);
        if (note(file_.append(chunks, at, count))) {
            for (const auto end = at + count; at < end; ++at)
                queue_.written(chunks[at]);
            pause = first_pause;
            continue;
        }
        if (queue_.closed()) {
            give_up_at_ = std::min(give_up_at_, Clock::now() + last_tries);
            if (Clock::now() >= give_up_at_) return;
            std::this_thread::sleep_for(first_pause);
        } else {
            queue_.pause(pause);
            pause = std::min<std::chrono::milliseconds>(2 * pause, longest_pause);
        }
    }
}

void Trail::write_loss() {
    const auto loss = queue_.loss();
    if (loss.records == 0) return;
    if (!note(file_.append(loss))) return;
    queue_.forgive(loss);
    log::warning("audit.dropped",
                 {{"records", static_cast<long long>(loss.records)},
                  {"seconds", static_cast<double>(loss.to_ms - loss.from_ms) / 1000.0}});
}

// A few of the oldest go; more of them when more are written, so that they never fall behind.
void Trail::tidy(std::int64_t written) {
    const auto now = Clock::now();
    if (now < tidy_at_ && written < remove_at_once) return;
    const auto most = std::max(remove_at_once, 2 * written);
    auto removed = file_.remove_oldest(keep_.load(), keep_bytes_, clock_ms(), most);
    if (!removed) (void)note(removed.error());
    tidy_at_ = now + (removed && *removed >= most ? Clock::duration(tidy_on) : tidy_every);
}

void Trail::run() {
    try {
        for (bool last = false; !last;) {
            last = queue_.closed();
            const auto chunks = queue_.take(every_, tidy_at_);
            std::int64_t records = 0;
            for (const auto& chunk : chunks)
                records += static_cast<std::int64_t>(chunk.records);
            write(chunks);
            write_loss();
            if (!last) {
                tidy(records);
            } else if (const auto left = queue_.counts().records + queue_.loss().records;
                       left > 0) {
                log::error("audit.lost_at_end", {{"records", static_cast<long long>(left)}});
            }
        }
    } catch (const std::exception& wrong) {
        // Out of memory: better a trail with an end than a host with none.
        failing_ = true;
        log::error("audit.writer_ended", {{"reason", wrong.what()}});
    }
}

}  // namespace pb::audit
