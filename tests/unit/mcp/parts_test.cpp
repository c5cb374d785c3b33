// SPDX-License-Identifier: Apache-2.0
// The small parts: base64, the seal, the event log.
#include <gtest/gtest.h>

#include "base/base64.h"
#include "mcp/event_log.h"
#include "mcp/seal.h"

namespace pb::mcp {
namespace {

using namespace std::string_literals;

TEST(Base64, RoundTripsAndIsStrict) {
    for (const std::string& text :
         {""s, "f"s, "fo"s, "foo"s, "foob"s, "fooba"s, "foobar"s, "\xff\xfe\x00x"s}) {
        for (auto alphabet : {Alphabet::standard, Alphabet::url})
            EXPECT_EQ(base64_decode(base64_encode(text, alphabet), alphabet), text);
    }
    EXPECT_EQ(base64_encode("fo", Alphabet::standard), "Zm8=");
    for (const char* bad : {"Zg", "Zg=", "Zh==", "Z===", "Zm8=Zm8=", "Zm-8", " Zm8="})
        EXPECT_FALSE(base64_decode(bad, Alphabet::standard)) << bad;
}

TEST(Seal, OpensOnlyWhatItClosed) {
    const Seal seal(aes_gcm::random_key(), std::chrono::minutes(1));
    const Seal other(aes_gcm::random_key(), std::chrono::minutes(1));
    const Seal::Binding mine{"org", "me", "tools/call", "t", "{}"};
    const auto closed = seal.close(mine, 2, "st\xc3\xa4te");
    auto opened = seal.open(mine, closed);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->state, "st\xc3\xa4te");
    EXPECT_EQ(opened->round, 2);
    EXPECT_FALSE(other.open(mine, closed));
    EXPECT_FALSE(seal.open({"org", "you", "tools/call", "t", "{}"}, closed));
    EXPECT_FALSE(seal.open({"org2", "me", "tools/call", "t", "{}"}, closed));
    EXPECT_FALSE(seal.open({"org", "me", "prompts/get", "t", "{}"}, closed));
    EXPECT_FALSE(seal.open({"org", "me", "tools/call", "u", "{}"}, closed));
    EXPECT_FALSE(seal.open({"org", "me", "tools/call", "t", "{\"a\":1}"}, closed));
    for (std::size_t i = 0; i < closed.size(); ++i) {
        auto changed = closed;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(seal.open(mine, changed)) << i;
    }
    EXPECT_FALSE(seal.open(mine, ""));
    EXPECT_FALSE(seal.open(mine, closed.substr(0, 20)));
}

// The same text in all, cut in other places.
TEST(Seal, KnowsWhereItsPartsEnd) {
    const Seal seal(aes_gcm::random_key(), std::chrono::minutes(1));
    const auto closed = seal.close({"a\nb", "c", "m", "n", "{}"}, 1, "state");
    EXPECT_TRUE(seal.open({"a\nb", "c", "m", "n", "{}"}, closed));
    EXPECT_FALSE(seal.open({"a", "b\nc", "m", "n", "{}"}, closed));
    EXPECT_FALSE(seal.open({"a\n", "bc", "m", "n", "{}"}, closed));
}

TEST(Seal, Expires) {
    const Seal seal(aes_gcm::random_key(), std::chrono::milliseconds(-1));
    EXPECT_FALSE(seal.open({}, seal.close({}, 0, "x")));
}

TEST(EventLog, ReplaysOneStreamFromAnEvent) {
    EventLog log;
    const auto a = log.open_stream(), b = log.open_stream();
    const auto first = log.append(a, "1");
    log.append(b, "other");
    log.append(a, "2");
    log.append(a, "3");
    auto replay = log.replay(first);
    ASSERT_TRUE(replay);
    EXPECT_EQ(replay->stream, a);
    ASSERT_EQ(replay->events.size(), 2u);
    EXPECT_EQ(replay->events[0].second, "2");
    EXPECT_FALSE(replay->finished);
    log.finish(a);
    EXPECT_TRUE(log.replay(replay->events[1].first)->events.empty());
    EXPECT_TRUE(log.replay(first)->finished);
    for (const char* bad : {"", "x", "1", "1-", "-1", "1-99", "99-1", "1-1x"})
        EXPECT_FALSE(log.replay(bad)) << bad;
}

TEST(EventLog, ForgetsTheOldest) {
    EventLog log(3, 1000);
    const auto stream = log.open_stream();
    const auto first = log.append(stream, "1");
    for (const char* text : {"2", "3", "4", "5"})
        log.append(stream, text);
    auto replay = log.replay(first);
    ASSERT_TRUE(replay);
    EXPECT_EQ(replay->events.size(), 3u);
    EXPECT_EQ(replay->events[0].second, "3");
}

}  // namespace
}  // namespace pb::mcp
