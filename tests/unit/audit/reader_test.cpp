// SPDX-License-Identifier: Apache-2.0
// Pages of the trail: complete, the newest first, of one organisation alone.
#include "audit/reader.h"

#include "support.h"

namespace pb::audit::testing {
namespace {

constexpr std::int64_t begin_ms = 1'700'000'000'000;

class ReaderTest : public WithTrail {
  protected:
    void fill(int count, const std::function<void(int, Record&)>& change = {}) {
        for (int i = 0; i < count; ++i) {
            auto record = call("tool" + std::to_string(i), "acme", begin_ms + i);
            if (change) change(i, record);
            trail_->add(std::move(record));
        }
        ASSERT_TRUE(trail_->flush());
    }
    Page page(const Filter& filter, std::string_view cursor = {}, std::size_t limit = 100) {
        return must(reader_->page(filter, cursor, limit));
    }
    std::string refusal(const Filter& filter, std::string_view cursor = {},
                        std::size_t limit = 100) {
        auto got = reader_->page(filter, cursor, limit);
        return got ? "" : got.error().message;
    }

    const std::unique_ptr<Trail> trail_ = open();
    const std::unique_ptr<Reader> reader_ = must(Reader::open(folder_.path()));
};

TEST_F(ReaderTest, PagesAreCompleteAndTheNewestComeFirst) {
    fill(25);
    std::vector<std::string> got;
    std::string cursor;
    int pages = 0;
    do {
        const auto next = page(of("acme"), cursor, 10);
        for (auto& name : names(next))
            got.push_back(std::move(name));
        cursor = next.next;
        ++pages;
    } while (!cursor.empty());
    EXPECT_EQ(pages, 3);
    ASSERT_EQ(got.size(), 25U);
    for (int i = 0; i < 25; ++i)
        EXPECT_EQ(got[i], "tool" + std::to_string(24 - i));
}

// What comes meanwhile moves nothing.
TEST_F(ReaderTest, ACursorStaysWhereItIs) {
    fill(10);
    const auto first = page(of("acme"), {}, 5);
    trail_->add(call("new"));
    ASSERT_TRUE(trail_->flush());
    EXPECT_EQ(names(page(of("acme"), first.next, 5)),
              (std::vector<std::string>{"tool4", "tool3", "tool2", "tool1", "tool0"}));
}

TEST_F(ReaderTest, OrganisationsSeeTheirOwnAlone) {
    fill(10, [](int i, Record& record) { record.org = i % 2 == 0 ? "acme" : "globex"; });
    EXPECT_EQ(page(of("acme")).records.size(), 5U);
    EXPECT_EQ(page(of("")).records.size(), 0U);
    EXPECT_EQ(page(of("acm")).records.size(), 0U);
    EXPECT_EQ(page({}).records.size(), 10U);
    const auto cursor = page(of("acme"), {}, 2).next;
    ASSERT_FALSE(cursor.empty());
    EXPECT_NE(refusal(of("globex"), cursor), "");
    EXPECT_NE(refusal({}, cursor), "");
    EXPECT_EQ(refusal(of("acme"), cursor), "");
    EXPECT_NE(refusal(of("acme"), page({}, {}, 2).next), "");
}

TEST_F(ReaderTest, FindsWhatIsAskedFor) {
    fill(6, [](int i, Record& record) {
        record.kind = i == 0 ? "sign_in" : "call";
        record.method = i < 3 ? "tools/call" : "resources/read";
        record.name = i < 2 ? "github__[x]?" : i == 2 ? "github__list" : "file:///a%5Fb";
        record.outcome = i == 4 ? "denied" : i == 5 ? "tool_error" : "ok";
        record.principal = "usr_" + std::to_string(i);
        record.client = "cli_" + std::to_string(i % 2);
        record.credential = "key_" + std::to_string(i % 3);
        record.capability = i == 3 ? "mcp:github" : "files";
        record.trace_id = std::string(32, static_cast<char>('a' + i));
    });
    const auto found = [&](const std::function<void(Filter&)>& change) {
        auto filter = of("acme");
        change(filter);
        std::string out;
        for (const auto& record : parsed(page(filter)))
            out += record["principal"].get<std::string>().substr(4);
        return out;
    };
    EXPECT_EQ(found([](Filter&) {}), "543210");
    EXPECT_EQ(found([](Filter& f) { f.kind = "sign_in"; }), "0");
    EXPECT_EQ(found([](Filter& f) { f.method = "tools/call"; }), "210");
    EXPECT_EQ(found([](Filter& f) { f.name = "github__list"; }), "2");
    EXPECT_EQ(found([](Filter& f) { f.name = "github__*"; }), "210");
    EXPECT_EQ(found([](Filter& f) { f.name = "*[x]?"; }), "10");
    EXPECT_EQ(found([](Filter& f) { f.name = "github__?????"; }), "");
    EXPECT_EQ(found([](Filter& f) { f.name = "**li**st"; }), "2");
    EXPECT_EQ(found([](Filter& f) { f.name = "GITHUB__*"; }), "");
    EXPECT_EQ(found([](Filter& f) { f.outcome = "denied"; }), "4");
    EXPECT_EQ(found([](Filter& f) { f.outcome = "failed"; }), "54");
    EXPECT_EQ(found([](Filter& f) { f.outcome = "input_required"; }), "");
    EXPECT_EQ(found([](Filter& f) { f.principal = "usr_3"; }), "3");
    EXPECT_EQ(found([](Filter& f) { f.client = "cli_1"; }), "531");
    EXPECT_EQ(found([](Filter& f) { f.credential = "key_2"; }), "52");
    EXPECT_EQ(found([](Filter& f) { f.capability = "mcp:github"; }), "3");
    EXPECT_EQ(found([](Filter& f) { f.trace_id = std::string(32, 'c'); }), "2");
    EXPECT_EQ(found([](Filter& f) { f.from_ms = begin_ms + 4; }), "54");
    EXPECT_EQ(found([](Filter& f) { f.to_ms = begin_ms + 2; }), "10");
    EXPECT_EQ(found([](Filter& f) {
                  f.from_ms = begin_ms + 2;
                  f.to_ms = begin_ms + 3;
              }),
              "2");
    EXPECT_EQ(found([](Filter& f) { f.from_ms = INT64_MAX; }), "");
    EXPECT_EQ(found([](Filter& f) { f.to_ms = INT64_MIN; }), "");
    EXPECT_EQ(found([](Filter& f) {
                  f.method = "resources/read";
                  f.outcome = "ok";
              }),
              "3");
}

TEST_F(ReaderTest, WrongQuestionsAreRefused) {
    fill(3);
    EXPECT_NE(refusal({}, {}, 0), "");
    EXPECT_NE(refusal({}, {}, 1001), "");
    for (const char* cursor : {"x", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA", "' OR 1=1 --"})
        EXPECT_NE(refusal({}, cursor).find("cursor"), std::string::npos) << cursor;
    Filter filter;
    filter.outcome = "bad";
    EXPECT_NE(refusal(filter).find("tool_error"), std::string::npos);
    filter.outcome.clear();
    filter.name = std::string(300, '*');
    EXPECT_NE(refusal(filter), "");
    filter.name.clear();
    filter.principal = std::string(5000, 'x');
    EXPECT_NE(refusal(filter), "");
}

// Rare records are looked for in portions; no page is left out.
TEST_F(ReaderTest, RareRecordsAreFoundBehindManyOthers) {
    fill(50'000, [](int i, Record& record) {
        if (i == 17 || i == 45'000) record.principal = "usr_rare";
    });
    const auto hurried = must(Reader::open(folder_.path(), std::chrono::milliseconds(0)));
    for (const bool hurry : {true, false}) {
        Filter filter;
        if (hurry) filter.org = "acme";
        filter.principal = "usr_rare";
        std::vector<std::string> got;
        std::string cursor;
        std::size_t empty = 0;
        do {
            const auto next = must((hurry ? hurried : reader_)->page(filter, cursor, 1));
            for (auto& name : names(next))
                got.push_back(std::move(name));
            empty += next.records.empty() ? 1 : 0;
            cursor = next.next;
        } while (!cursor.empty());
        EXPECT_EQ(got, (std::vector<std::string>{"tool45000", "tool17"}));
        EXPECT_GE(empty, hurry ? 2U : 0U);
    }
}

TEST_F(ReaderTest, LargeRecordsMakeShortPages) {
    fill(200,
         [](int, Record& record) { record.arguments = "[\"" + std::string(60'000, 'a') + "\"]"; });
    std::size_t got = 0;
    int pages = 0;
    std::string cursor;
    do {
        const auto next = page(of("acme"), cursor, 1000);
        EXPECT_LT(next.json().size(), 5U << 20);
        got += next.records.size();
        cursor = next.next;
        ++pages;
    } while (!cursor.empty());
    EXPECT_EQ(got, 200U);
    EXPECT_EQ(pages, 3);
}

TEST_F(ReaderTest, APageIsJson) {
    fill(3);
    const auto first = page(of("acme"), {}, 2);
    const auto json = Json::parse(first.json());
    EXPECT_EQ(json["records"].size(), 2U);
    EXPECT_EQ(json["next"], first.next);
    EXPECT_EQ(json["dropped"], 0);
    EXPECT_EQ(Json::parse(page(of("none")).json()),
              Json({{"records", Json::array()}, {"dropped", 0}}));
}

// As the command line does it while the host runs, and after it has ended.
TEST_F(ReaderTest, NeitherDisturbsNorNeedsTheWriter) {
    fill(5);
    trail_->stop();
    EXPECT_EQ(must(Reader::open(folder_.path()))->page(of("acme"))->records.size(), 5U);
    const test::TempFolder empty;
    const auto none = Reader::open(empty.path());
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().kind, ErrorKind::not_found);
    EXPECT_FALSE(std::filesystem::exists(empty / "audit.db"));
    test::write(empty / "audit.db", "this is no database, however long it is to be read");
    EXPECT_FALSE(Reader::open(empty.path()));
}

}  // namespace
}  // namespace pb::audit::testing
