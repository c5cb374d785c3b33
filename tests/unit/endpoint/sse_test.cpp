// SPDX-License-Identifier: Apache-2.0
// Framing of events.
#include "endpoint/sse.h"

#include <gtest/gtest.h>

namespace pb::endpoint {
namespace {

TEST(Sse, OneEvent) {
    EXPECT_EQ(sse_event(R"({"a":1})"), "event: message\ndata: {\"a\":1}\n\n");
    EXPECT_EQ(sse_event(R"({"a":1})", "4-2"), "event: message\nid: 4-2\ndata: {\"a\":1}\n\n");
}

// A line break inside would end the data, or forge another field.
TEST(Sse, APrettyMessageBecomesOneLine) {
    EXPECT_EQ(sse_event("{\r\n  \"a\": \"x\\ny\",\n\n  \"b\": [1,\r 2]\n}"),
              "event: message\ndata: {\"a\":\"x\\ny\",\"b\":[1,2]}\n\n");
}

TEST(Sse, PrimingHasAnIdATimeAndNoMessage) {
    EXPECT_EQ(sse_priming("3-1", 500), "id: 3-1\nretry: 500\ndata: \n\n");
}

TEST(Sse, OneLineCopiesOnlyWhatItChanges) {
    std::string storage;
    const std::string flat = R"({"a": 1})";
    EXPECT_EQ(one_line(flat, storage).data(), flat.data());
    EXPECT_EQ(one_line("{\n}", storage), "{}");
}

}  // namespace
}  // namespace pb::endpoint
