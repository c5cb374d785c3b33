// SPDX-License-Identifier: Apache-2.0
// Event streams, in pieces of every size.
#include "outbound/event_stream.h"

#include <gtest/gtest.h>

#include <ostream>
#include <vector>

namespace pb::outbound {

static bool operator==(const Event& a, const Event& b) {
    return a.type == b.type && a.data == b.data && a.id == b.id;
}
static std::ostream& operator<<(std::ostream& to, const Event& event) {
    return to << "{" << event.type << "|" << event.data << "|" << event.id << "}";
}

namespace {

using Events = std::vector<Event>;

struct Parsed {
    Events events;
    bool fine = true;
};

Parsed parse(EventStream& stream, std::string_view bytes, std::size_t piece) {
    Parsed out;
    while (!bytes.empty() && out.fine) {
        out.fine = stream.feed(bytes.substr(0, piece),
                               [&](const Event& event) { out.events.push_back(event); });
        bytes.remove_prefix(std::min(piece, bytes.size()));
    }
    return out;
}

void expect(std::string_view bytes, const Events& events) {
    for (std::size_t piece = 1; piece <= bytes.size() + 1; ++piece) {
        EventStream stream;
        const Parsed parsed = parse(stream, bytes, piece);
        EXPECT_TRUE(parsed.fine);
        EXPECT_EQ(parsed.events, events) << "in pieces of " << piece << ": " << bytes;
    }
}

TEST(EventStream, EveryLineEndEndsALine) {
    for (const std::string end : {"\n", "\r", "\r\n"}) {
        expect("data: a" + end + "data: b" + end + end + "event: e" + end + "data: c" + end + end,
               {{"message", "a\nb", ""}, {"e", "c", ""}});
    }
    expect("data: a\r\r\ndata: b\n\rdata: c\r\n\n",
           {{"message", "a", ""}, {"message", "b", ""}, {"message", "c", ""}});
}

TEST(EventStream, FieldsAreReadAsTheStandardSays) {
    expect("data:a\n\n", {{"message", "a", ""}});
    expect("data:  a \n\n", {{"message", " a ", ""}});
    expect("data\n\n", {{"message", "", ""}});
    expect("data\ndata\n\n", {{"message", "\n", ""}});
    expect("data: {\"a\": \"x:y\"}\n\n", {{"message", "{\"a\": \"x:y\"}", ""}});
    expect(": a comment\n:\ndata: a\n: another\n\n", {{"message", "a", ""}});
    expect("event: e\nevent:\ndata: a\n\n", {{"message", "a", ""}});
    expect("unknown: x\nDATA: x\n data: x\ndata : x\n\n", {});
    expect("event: lost\n\ndata: a\n\n", {{"message", "a", ""}});
    expect("data: never ended", {});
    expect("data: never ended\n", {});
    expect("", {});
}

TEST(EventStream, AByteOrderMarkIsPassedOverOnceAtTheBeginning) {
    expect(
        "\xEF\xBB\xBF"
        "data: a\n\n",
        {{"message", "a", ""}});
    expect("\xEF\xBB\xBF\ndata: a\n\n", {{"message", "a", ""}});
    expect(
        "\xEF\xBB\xBF\xEF\xBB\xBF"
        "data: a\n\n",
        {});
    expect(
        "\n\xEF\xBB\xBF"
        "data: a\n\n",
        {});
    expect(
        "\xEF\xBB"
        "data: a\n\n",
        {});
}

TEST(EventStream, AnIdStaysUntilTheNext) {
    expect("id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
           {{"message", "a", "1"}, {"message", "b", "1"}, {"message", "c", ""}});
    using namespace std::string_view_literals;
    expect("id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n"sv,
           {{"message", "a", "1"}, {"message", "b", "1"}});
}

TEST(EventStream, AnIdCountsWhenItsEventIsComplete) {
    EventStream stream;
    parse(stream, "id: 1\n\n", 3);
    EXPECT_EQ(stream.last_id(), "1") << "without data as well";
    parse(stream, "id: 2\ndata: cut off\n", 3);
    EXPECT_EQ(stream.last_id(), "1");
    EXPECT_EQ(parse(stream, "\n", 1).events, (Events{{"message", "cut off", "2"}}));
    EXPECT_EQ(stream.last_id(), "2");
}

TEST(EventStream, RetryIsANumberOfDigitsAlone) {
    using std::chrono::milliseconds;
    EventStream stream;
    parse(stream, "retry: x\nretry: 1 \nretry: -1\nretry: 1.5\nretry:\nretry\n", 4);
    EXPECT_FALSE(stream.retry());
    parse(stream, "retry: 1500\n", 4);
    EXPECT_EQ(stream.retry(), milliseconds(1500));
    parse(stream, "retry: 0\n", 4);
    EXPECT_EQ(stream.retry(), milliseconds(0));
    parse(stream, "retry: 99999999999999999999999999\n", 4);
    EXPECT_EQ(stream.retry(), milliseconds(86'400'000)) << "no number is too large to add";
}

TEST(EventStream, WhatPassesABoundEndsIt) {
    const auto fine = [](std::string_view bytes, std::size_t piece) {
        EventStream stream(16);
        return parse(stream, bytes, piece).fine;
    };
    for (const std::size_t piece : {1, 5, 100}) {
        EXPECT_TRUE(fine("data: 0123456789\n\ndata: 0123456789\n\n", piece));
        EXPECT_FALSE(fine("data: 01234567890123456789\n\n", piece)) << "a line";
        EXPECT_FALSE(fine(":01234567890123456789", piece)) << "a line that has no end";
        EXPECT_FALSE(fine("data: 01234567\ndata: 01234567\n\n", piece)) << "an event";
        EXPECT_FALSE(
            fine("data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n"
                 "data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n",
                 piece))
            << "empty lines are bytes too";
    }
    EventStream stream(16);
    EXPECT_FALSE(parse(stream, "data: 01234567890123456789", 100).fine);
    const Parsed after = parse(stream, "\n\ndata: a\n\n", 100);
    EXPECT_FALSE(after.fine);
    EXPECT_TRUE(after.events.empty());
}

}  // namespace
}  // namespace pb::outbound
