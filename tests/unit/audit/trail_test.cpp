// SPDX-License-Identifier: Apache-2.0
// What is added is in the file, exactly once; what could not be kept is counted and said.
#include "audit/trail.h"

#include <set>

#include "support.h"

namespace pb::audit::testing {
namespace {

using namespace std::chrono_literals;

class TrailTest : public WithTrail {
  protected:
    // All there is, read by itself.
    std::vector<Json> all(const Filter& filter = {}) const {
        const auto reader = must(Reader::open(folder_.path()));
        std::vector<Json> out;
        std::string cursor;
        do {
            const auto page = must(reader->page(filter, cursor, most_per_page));
            for (auto& record : parsed(page))
                out.push_back(std::move(record));
            cursor = page.next;
        } while (!cursor.empty());
        return out;
    }
};

TEST_F(TrailTest, KeepsEveryField) {
    Record record = call("github__search", "acme", 1'700'000'000'123);
    record.principal = "usr_1";
    record.principal_kind = "user";
    record.credential = "key_1";
    record.client = "cli_1";
    record.address = "127.0.0.1";
    record.original = "search";
    record.capability = "mcp:github";
    record.upstream = "github";
    record.outcome = "tool_error";
    record.code = -32602;
    record.reason = "it \"failed\"\n\xff";
    record.duration_us = 1500;
    record.request_bytes = 10;
    record.response_bytes = 20;
    record.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    record.arguments = "{\"q\" :\n\"x\"}";
    record.result = "no json";
    auto trail = open();
    trail->add(std::move(record));
    const auto page = must(trail->page(of("acme")));
    ASSERT_EQ(page.records.size(), 1U);
    EXPECT_EQ(page.records[0].find('\n'), std::string::npos);
    auto got = Json::parse(page.records[0]);
    EXPECT_TRUE(got["id"].is_string());
    got.erase("id");
    EXPECT_EQ(got, Json({{"at", "2023-11-14T22:13:20.123Z"},
                         {"org", "acme"},
                         {"kind", "call"},
                         {"method", "tools/call"},
                         {"principal", "usr_1"},
                         {"principal_kind", "user"},
                         {"credential", "key_1"},
                         {"client", "cli_1"},
                         {"address", "127.0.0.1"},
                         {"name", "github__search"},
                         {"original", "search"},
                         {"capability", "mcp:github"},
                         {"upstream", "github"},
                         {"outcome", "tool_error"},
                         {"code", -32602},
                         {"reason", "it \"failed\"\n\xEF\xBF\xBD"},
                         {"duration_us", 1500},
                         {"request_bytes", 10},
                         {"response_bytes", 20},
                         {"trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"},
                         {"arguments", {{"q", "x"}}},
                         {"result", "no json"}}));
}

TEST_F(TrailTest, WhatIsTooLongIsCut) {
    auto trail = open();
    Record record = call(std::string(5000, 'n'));
    record.reason = std::string(longest_text - 4, 'r') + "\xC3\xA4\xC3\xA4\xC3\xA4";
    record.arguments = "[\"" + std::string(longest_json, 'a') + "\"]";
    trail->add(std::move(record));
    const auto got = parsed(must(trail->page({}))).at(0);
    EXPECT_EQ(got["name"], std::string(longest_text - 3, 'n') + "...");
    EXPECT_EQ(got["reason"], std::string(longest_text - 4, 'r') + "...");
    EXPECT_EQ(got["arguments"], Json({{"[cut]", {{"bytes", longest_json + 4}}}}));
}

TEST_F(TrailTest, LosesNothingWhenManyThreadsAddAndItIsStopped) {
    constexpr int threads = 4, each = 5000;
    {
        auto trail = open();
        std::vector<std::thread> adding;
        adding.reserve(threads);
        for (int t = 0; t < threads; ++t)
            adding.emplace_back([&, t] {
                for (int i = 0; i < each; ++i)
                    trail->add(call(std::to_string(t) + "/" + std::to_string(i)));
            });
        for (auto& thread : adding)
            thread.join();
        trail->stop();
        EXPECT_EQ(trail->counts().lost, 0U);
        EXPECT_EQ(trail->counts().written, threads * each);
        EXPECT_EQ(trail->counts().records, 0U);
    }
    std::set<std::string> seen;
    for (const auto& record : all())
        seen.insert(record["name"]);
    EXPECT_EQ(seen.size(), threads * each);
    EXPECT_EQ(all().size(), threads * each);
}

TEST_F(TrailTest, IsWrittenSoonWithoutBeingAsked) {
    auto trail = open();
    trail->add(call("a"));
    EXPECT_TRUE(until([&] { return trail->counts().written == 1; }));
}

TEST_F(TrailTest, IsContinuedAfterTheNextStart) {
    open()->add(call("a"));
    open()->add(call("b"));
    EXPECT_EQ(all().size(), 2U);
}

// Another host in the same folder, or this one before, may have taken the ids that come next.
TEST_F(TrailTest, OfOneMillisecondAllAreKept) {
    open();
    auto file = must(File::open(folder_ / "audit.db"));
    Chunk chunk;
    pack(call("a", "acme", 1000), chunk.bytes);
    ASSERT_TRUE(file.append({chunk}, 0, 1));
    ASSERT_TRUE(
        must(store::Database::open(folder_ / "audit.db"))
            .execute("CREATE TEMP TABLE next AS SELECT * FROM record;"
                     "UPDATE next SET id = id + 1; INSERT INTO record SELECT * FROM next;"
                     "UPDATE next SET id = id + 1; INSERT INTO record SELECT * FROM next;"));
    ASSERT_TRUE(file.append({chunk}, 0, 1));
    EXPECT_EQ(all().size(), 4U);
}

// They are written many at once, and the ids in the middle of them are taken.
TEST_F(TrailTest, OfManyAtOnceAllAreKept) {
    open();
    auto file = must(File::open(folder_ / "audit.db"));
    Chunk one, many;
    pack(call("a", "acme", 1000), one.bytes);
    constexpr int count = 40;
    for (int i = 0; i < count; ++i)
        pack(call("b" + std::to_string(i), "acme", 1000), many.bytes);
    ASSERT_TRUE(file.append({one}, 0, 1));
    ASSERT_TRUE(
        must(store::Database::open(folder_ / "audit.db"))
            .execute("CREATE TEMP TABLE next AS SELECT * FROM record;"
                     "UPDATE next SET id = id + 6; INSERT INTO record SELECT * FROM next;"
                     "UPDATE next SET id = id + 1; INSERT INTO record SELECT * FROM next;"));
    ASSERT_TRUE(file.append({many}, 0, 1));
    std::set<std::string> seen;
    for (const auto& record : all())
        seen.insert(record["name"]);
    EXPECT_EQ(seen.size(), count + 1U);
    EXPECT_EQ(all().size(), count + 3U);
}

// The file cannot grow: what waits stays, what finds no room is counted; and when there is room
// again, what waited is written and the trail says how many are missing, whose and since when.
TEST_F(TrailTest, AFullDiskCostsWhatTheTrailSaysAfterwards) {
    Options options;
    options.most_records = 1000;
    options.every = 1ms;
    auto trail = open(options);
    trail->add(call("before"));
    ASSERT_TRUE(trail->flush());
    trail->bound_pages(10);
    std::uint64_t added = 1, acme = 1;
    ASSERT_TRUE(until([&] {
        trail->add(call("full", ++added % 3 == 0 ? "acme" : "globex"));
        acme += added % 3 == 0 ? 1 : 0;
        return trail->counts().failing;
    }));
    EXPECT_FALSE(trail->flush(1ms));
    while (trail->counts().lost < 100) {
        trail->add(call("lost", ++added % 3 == 0 ? "acme" : "globex"));
        acme += added % 3 == 0 ? 1 : 0;
    }
    EXPECT_LE(trail->counts().records, 1000U);
    trail->bound_pages(0);
    ASSERT_TRUE(until([&] { return !trail->counts().failing && trail->counts().records == 0; }));
    trail->add(call("after"));
    ++acme;
    trail->stop();

    const auto lost = trail->counts().lost;
    EXPECT_EQ(lost, 100U);
    EXPECT_EQ(trail->counts().written + lost, added + 1);
    Filter dropped;
    dropped.kind = "audit";
    std::uint64_t said = 0, of_acme = 0;
    for (const auto& record : all(dropped)) {
        EXPECT_EQ(record["method"], "audit.dropped");
        const auto records = record["arguments"]["records"].get<std::uint64_t>();
        said += records;
        of_acme += record["org"] == "acme" ? records : 0;
    }
    EXPECT_EQ(said, lost);
    EXPECT_EQ(all().size() - all(dropped).size() + lost, added + 1);
    // Each organisation learns of its own.
    const auto reader = must(Reader::open(folder_.path()));
    EXPECT_EQ(must(reader->page(of("acme"))).dropped, static_cast<std::int64_t>(of_acme));
    EXPECT_EQ(must(reader->page({})).dropped, 100);
    EXPECT_EQ(must(reader->page(of("other"))).dropped, 0);
    dropped.org = "acme";
    EXPECT_EQ(all(of("acme")).size() - all(dropped).size() + of_acme, acme);
}

// Whatever the disk does, the host ends.
TEST_F(TrailTest, StopsWithAFullDisk) {
    Options options;
    options.every = 1ms;
    auto trail = open(options);
    trail->bound_pages(1);
    for (int i = 0; i < 5000; ++i)
        trail->add(call("x"));
    ASSERT_TRUE(until([&] { return trail->counts().failing; }));
    trail->stop();
    EXPECT_GT(trail->counts().records, 0U);  // what the log calls lost
    trail->add(call("late"));
    EXPECT_EQ(trail->counts().lost, 1U);
}

// Another program holds the file: nothing is lost, it only takes longer.
TEST_F(TrailTest, WaitsForWhoeverHoldsTheFile) {
    Options options;
    options.every = 1ms;
    auto trail = open(options);
    const auto other = must(store::Database::open(folder_ / "audit.db"));
    ASSERT_TRUE(other.execute("BEGIN IMMEDIATE"));
    trail->add(call("a"));
    EXPECT_FALSE(trail->flush(20ms));
    ASSERT_TRUE(other.execute("COMMIT"));
    EXPECT_TRUE(trail->flush(60s));
    EXPECT_EQ(all().size(), 1U);
}

TEST_F(TrailTest, MemoryIsBoundedInBytes) {
    Options options;
    options.most_bytes = 100'000;
    auto trail = open(options);
    const auto other = must(store::Database::open(folder_ / "audit.db"));
    ASSERT_TRUE(other.execute("BEGIN IMMEDIATE"));
    for (int i = 0; i < 200; ++i)
        trail->add(call(std::string(1000, 'x')));
    EXPECT_LE(trail->counts().bytes, options.most_bytes);
    EXPECT_GT(trail->counts().lost, 100U);
    EXPECT_LT(trail->counts().lost, 120U);
    ASSERT_TRUE(other.execute("COMMIT"));
}

TEST_F(TrailTest, OldRecordsGo) {
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    const auto day = 86'400'000LL;
    {
        auto trail = open(Options());
        for (int i = 0; i < 5000; ++i)
            trail->add(call("old", "acme", now - 20 * day));
        for (int i = 0; i < 10; ++i)
            trail->add(call("young", "acme", now - 5 * day));
    }
    EXPECT_EQ(all().size(), 5010U);  // they have 90 days
    Options options;
    options.keep = std::chrono::hours(24 * 10);
    auto trail = open(options);
    EXPECT_TRUE(until([&] { return all().size() == 10; }));
    EXPECT_EQ(names(must(trail->page({}))), std::vector<std::string>(10, "young"));
}

TEST_F(TrailTest, TheOldestGoWhenTheFileIsTooLarge) {
    constexpr std::int64_t bound = 512 << 10;
    {
        auto trail = open();
        for (int i = 0; i < 20'000; ++i)
            trail->add(call("x" + std::to_string(i), "acme", 1'000'000'000'000 + i));
    }
    ASSERT_GT(std::filesystem::file_size(folder_ / "audit.db"), 2 * bound);
    auto options = for_ever();
    options.keep_bytes = bound;
    auto trail = open(options);
    std::size_t before = 20'000;
    EXPECT_TRUE(until([&] {
        const auto now = all().size();
        return std::exchange(before, now) == now && now < 10'000;
    }));
    EXPECT_GT(before, 1000U);
    EXPECT_EQ(names(must(trail->page({}, {}, 1))).at(0), "x19999");
}

TEST_F(TrailTest, WhoDoesMuchPushesNobodyElseOut) {
    {
        auto trail = open();
        for (int i = 0; i < 200; ++i)
            trail->add(call("quiet" + std::to_string(i), "quiet", 1'000'000'000'000 + i));
        for (int i = 0; i < 20'000; ++i)
            trail->add(call("loud" + std::to_string(i), "loud", 1'000'000'001'000 + i));
    }
    auto options = for_ever();
    options.keep_bytes = 512 << 10;
    auto trail = open(options);
    std::size_t before = 0;
    EXPECT_TRUE(until([&] {
        const auto now = all(of("loud")).size();
        return std::exchange(before, now) == now && now < 10'000;
    }));
    EXPECT_GT(before, 1000U);
    EXPECT_EQ(all(of("quiet")).size(), 200U);
    EXPECT_EQ(names(must(trail->page(of("loud"), {}, 1))).at(0), "loud19999");
}

// What each has is known exactly, whatever came and went.
TEST_F(TrailTest, WhatOrganisationsHaveAddsUp) {
    const auto sum = [&](const char* sql) {
        const auto database = must(store::Database::open_to_read(folder_ / "audit.db"));
        const auto found = must(database.prepare(sql));
        return found.step() == SQLITE_ROW ? found.integer(0) : -1;
    };
    {
        auto trail = open();
        for (int i = 0; i < 3000; ++i)
            trail->add(call("x", i % 3 == 0 ? "b" : "a", 1'000'000'000'000 + i));
    }
    constexpr const char* records = "SELECT sum(size) FROM record";
    constexpr const char* held = "SELECT sum(bytes) FROM held";
    const auto all_of_them = sum(records);
    EXPECT_EQ(sum(held), all_of_them);
    auto options = for_ever();
    options.keep_bytes = 128 << 10;
    const auto trail = open(options);
    EXPECT_TRUE(until([&] { return sum(held) < all_of_them; }));
    EXPECT_TRUE(until([&] { return sum(held) == sum(records); }));
}

TEST_F(TrailTest, AFileOfAnotherVersionIsNotTouched) {
    open();
    ASSERT_TRUE(
        must(store::Database::open(folder_ / "audit.db")).execute("UPDATE schema SET version=2"));
    const auto again = Trail::open(folder_.path());
    ASSERT_FALSE(again);
    EXPECT_NE(again.error().message.find("another version"), std::string::npos);
}

}  // namespace
}  // namespace pb::audit::testing
