// SPDX-License-Identifier: Apache-2.0
#include "base/times.h"

#include <gtest/gtest.h>

namespace pb {
namespace {

TEST(Times, AreWrittenAndRead) {
    EXPECT_EQ(iso_time(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(iso_time(1'795'323'062'007), "2026-11-22T04:51:02.007Z");
    for (const std::int64_t ms :
         {std::int64_t{0}, std::int64_t{951'782'400'000}, std::int64_t{1'795'323'062'007},
          std::int64_t{253'402'300'799'999}})
        EXPECT_EQ(parse_time(iso_time(ms)), ms);
}

TEST(Times, AreReadInAllForms) {
    const std::int64_t midnight = 1'795'305'600'000;  // 2026-11-22
    EXPECT_EQ(parse_time("2026-11-22"), midnight);
    EXPECT_EQ(parse_time("2026-11-22T01:00:00Z"), midnight + 3'600'000);
    EXPECT_EQ(parse_time("2026-11-22t01:00:00.5z"), midnight + 3'600'500);
    EXPECT_EQ(parse_time("2026-11-22T01:00:00.1239999Z"), midnight + 3'600'123);
    EXPECT_EQ(parse_time("2026-11-22T01:00:00+02:00"), midnight - 3'600'000);
    EXPECT_EQ(parse_time("2026-11-21T22:30:00-01:30"), midnight);
    EXPECT_EQ(parse_time("2024-02-29"), 1'709'164'800'000);
}

TEST(Times, WhatIsNoneIsRefused) {
    for (const char* text : {"",
                             "2026",
                             "2026-11",
                             "2026-13-01",
                             "2026-02-29",
                             "2026-1-1",
                             "2026-11-22T",
                             "2026-11-22T01:00Z",
                             "2026-11-22T01:00:00",
                             "2026-11-22T24:00:00Z",
                             "2026-11-22 01:00:00Z",
                             "2026-11-22T01:00:00.Z",
                             "2026-11-22T01:00:00+2:00",
                             "2026-11-22T01:00:00+24:00",
                             "2026-11-22T01:00:00Z ",
                             "1969-12-31",
                             "1970-01-01T00:00:00+01:00",
                             "-026-11-22",
                             "yesterday",
                             "1795323062007"})
        EXPECT_EQ(parse_time(text), std::nullopt) << text;
}

TEST(Times, Durations) {
    EXPECT_EQ(parse_duration("90s"), 90'000);
    EXPECT_EQ(parse_duration("15m"), 900'000);
    EXPECT_EQ(parse_duration("24h"), 86'400'000);
    EXPECT_EQ(parse_duration("30d"), 30 * 86'400'000LL);
    EXPECT_EQ(parse_duration("2w"), 14 * 86'400'000LL);
    for (const char* text :
         {"", "s", "15", "15x", "-1d", "+1d", "1.5h", " 1d", "1d ", "99999999999d", "40000d"})
        EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

}  // namespace
}  // namespace pb
