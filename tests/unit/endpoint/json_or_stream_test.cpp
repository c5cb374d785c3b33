// SPDX-License-Identifier: Apache-2.0
// The outlet of a modern request: a quick answer is one JSON text, anything before it makes it a
// stream that ends with the answer.
#include "endpoint/json_or_stream.h"

#include "door.h"

namespace pb::test {
namespace {

class JsonOrStream : public testing::Test {
  protected:
    std::shared_ptr<endpoint::JsonOrStream> make(bool streams = true) {
        return std::make_shared<endpoint::JsonOrStream>(exchange, streams,
                                                        HeaderList{{"Vary", "Origin"}});
    }
    FakeExchangePtr exchange = std::make_shared<FakeExchange>();
};

TEST_F(JsonOrStream, AQuickAnswerIsOneText) {
    make()->answer(400, R"({"a":1})");
    EXPECT_EQ(exchange->status(), 400);
    EXPECT_EQ(exchange->type(), "application/json");
    EXPECT_EQ(exchange->body(), R"({"a":1})");
    EXPECT_EQ(exchange->header("Vary"), "Origin");
    EXPECT_FALSE(exchange->streaming());
}

TEST_F(JsonOrStream, ANoticeMakesAStream) {
    auto outlet = make();
    EXPECT_EQ(outlet->send(R"({"n":1})"), mcp::Sent::ok);
    outlet->answer(200, R"({"a":1})");
    EXPECT_EQ(exchange->stream(),
              "event: message\ndata: {\"n\":1}\n\nevent: message\ndata: {\"a\":1}\n\n");
    EXPECT_EQ(exchange->header("Vary"), "Origin");
    EXPECT_TRUE(exchange->ended());
}

TEST_F(JsonOrStream, ACallThatLastsShowsLife) {
    auto outlet = make();
    outlet->lasting();
    EXPECT_TRUE(exchange->streaming());
    EXPECT_EQ(exchange->stream(), "");
    outlet->lasting();
    outlet->answer(200, R"({"a":1})");
    EXPECT_EQ(exchange->events().size(), 1u);
}

TEST_F(JsonOrStream, AClientWithoutStreamsGetsTheAnswerAlone) {
    auto outlet = make(false);
    EXPECT_FALSE(outlet->can_send());
    EXPECT_EQ(outlet->send("{}"), mcp::Sent::gone);
    outlet->lasting();
    EXPECT_FALSE(exchange->answered());
    outlet->answer(200, R"({"a":1})");
    EXPECT_EQ(exchange->body(), R"({"a":1})");
}

TEST_F(JsonOrStream, OnlyTheFirstEndCounts) {
    auto outlet = make();
    outlet->send("{}");
    outlet->answer(200, R"({"a":1})");
    outlet->answer(200, R"({"a":2})");
    outlet->end();
    outlet->lasting();
    EXPECT_EQ(outlet->send("{}"), mcp::Sent::gone);
    EXPECT_EQ(exchange->events().size(), 2u);
}

TEST_F(JsonOrStream, AnEndWithoutAnAnswer) {
    make()->end();
    EXPECT_EQ(exchange->status(), 202);
    EXPECT_EQ(exchange->body(), "");
    exchange = std::make_shared<FakeExchange>();
    auto outlet = make();
    outlet->send("{}");
    outlet->end();
    EXPECT_TRUE(exchange->ended());
    EXPECT_EQ(exchange->events().size(), 1u);
}

TEST_F(JsonOrStream, ASlowReaderIsToldApartFromAGoneOne) {
    auto outlet = make();
    outlet->send("{}");
    exchange->fill();
    EXPECT_EQ(outlet->send(R"({"n":2})"), mcp::Sent::again);
    exchange->fill(false);
    EXPECT_EQ(outlet->send(R"({"n":3})"), mcp::Sent::ok);
    exchange->fill();
    outlet->answer(200, R"({"a":1})");  // never lost to a full buffer
    const auto events = exchange->events();
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events[1].data, R"({"n":3})");
    exchange = std::make_shared<FakeExchange>();
    exchange->leave();
    EXPECT_EQ(make()->send("{}"), mcp::Sent::gone);
}

TEST_F(JsonOrStream, LeavingIsHeard) {
    auto outlet = make();
    int gone = 0;
    outlet->on_gone([&] { ++gone; });
    exchange->leave();
    EXPECT_EQ(gone, 1);
    outlet->on_gone([&] { ++gone; });
    outlet->answer(200, "{}");
    EXPECT_EQ(gone, 1);
}

}  // namespace
}  // namespace pb::test
