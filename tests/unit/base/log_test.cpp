// SPDX-License-Identifier: Apache-2.0
// The log: shape of a line, escaping, levels, one write for a line.
#include "base/log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

namespace pb {
namespace {

class LogTest : public ::testing::Test {
  protected:
    void TearDown() override { log::configure(log::Level::info, log::Format::text); }

    template <class Do>
    static std::string written(Do action) {
        ::testing::internal::CaptureStderr();
        action();
        return ::testing::internal::GetCapturedStderr();
    }

    static nlohmann::json written_json(const log::Fields& fields) {
        log::configure(log::Level::info, log::Format::json);
        return nlohmann::json::parse(written([&] { log::info("test.event", fields); }));
    }
};

TEST_F(LogTest, TextLineHasTimeLevelEventAndFields) {
    const std::string line = written([] {
        log::info("plugin.loaded",
                  {{"plugin", "weather"}, {"tools", 3}, {"ms", 1.5}, {"signed", false}});
    });
    EXPECT_TRUE(std::regex_match(
        line, std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info event=plugin\.loaded )"
                         R"(plugin=weather tools=3 ms=1\.5 signed=false\n)")))
        << line;
}

TEST_F(LogTest, TextIsQuotedOnlyWhereNeeded) {
    const std::string line = written([] {
        log::warning("x", {{"a", "two words"}, {"b", ""}, {"c", "k=v"}, {"d", "say \"hi\\\""}});
    });
    EXPECT_NE(line.find(R"( warning event=x a="two words" b="" c="k=v" d="say \"hi\\\"")"),
              std::string::npos)
        << line;
}

TEST_F(LogTest, NoValueStartsANewLineOrMovesTheTerminal) {
    const std::string line = written([] {
        log::error("x",
                   {{"evil", "a\n2026-01-01 info event=forged\r\x1b[2J\x7f\xc2\x9b\xe2\x80\xa8"}});
    });
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_NE(line.find(R"(\n2026-01-01 info event=forged\u000d\u001b[2J\u007f\u009b\u2028")"),
              std::string::npos)
        << line;
}

TEST_F(LogTest, NamesCannotForgeWhatTheLogItselfWrites) {
    const nlohmann::json line = written_json({{"event", "forged"}, {"level", "x"}, {"a b\n", 1}});
    EXPECT_EQ(line["event"], "test.event");
    EXPECT_EQ(line["level"], "info");
    EXPECT_EQ(line["event_"], "forged");
    EXPECT_EQ(line["a_b_"], 1);
}

TEST_F(LogTest, JsonLineIsOneObjectWithTypedValues) {
    const nlohmann::json line = written_json(
        {{"text", "a\"b\\c\n"}, {"number", -7}, {"flag", true}, {"nan", std::nan("")}});
    EXPECT_EQ(line["text"], "a\"b\\c\n");
    EXPECT_EQ(line["number"], -7);
    EXPECT_EQ(line["flag"], true);
    EXPECT_TRUE(line["nan"].is_null());
    EXPECT_EQ(line["time"].get<std::string>().size(),
              std::string("2026-11-21T12:00:00.123Z").size());
}

TEST_F(LogTest, InvalidUtf8IsReplaced) {
    const nlohmann::json line =
        written_json({{"bytes", std::string("a\xff\xc0\xaf\xed\xa0\x80z\xe2\x82")}, {"ok", "é€😀"}});
    const std::string text = line["bytes"];
    EXPECT_EQ(text.front(), 'a');
    EXPECT_NE(text.find("\xEF\xBF\xBDz"), std::string::npos);
    EXPECT_EQ(line["ok"], "é€😀");
}

TEST_F(LogTest, LongValuesAreCut) {
    const nlohmann::json line = written_json({{"long", std::string(1 << 20, 'x')}});
    EXPECT_EQ(line["long"].get<std::string>().size(), 4096 + 3);
}

TEST_F(LogTest, LevelsFilter) {
    log::configure(log::Level::warning, log::Format::text);
    EXPECT_EQ(written([] { log::info("hidden"); }), "");
    EXPECT_NE(written([] { log::warning("shown"); }), "");
    log::configure(log::Level::off, log::Format::text);
    EXPECT_EQ(written([] { log::write(log::Level::critical, "hidden", {}); }), "");
    EXPECT_FALSE(log::enabled(log::Level::off));
}

TEST_F(LogTest, LevelNames) {
    EXPECT_EQ(log::level_from("debug"), log::Level::debug);
    EXPECT_EQ(log::level_from("critical"), log::Level::critical);
    EXPECT_EQ(log::level_from("off"), log::Level::off);
    EXPECT_EQ(log::level_from("loud"), log::Level::info);
}

TEST_F(LogTest, ThreadsDoNotMixLines) {
    const std::string all = written([] {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([t] {
                for (int i = 0; i < 200; ++i) {
                    log::info("line", {{"thread", t}, {"text", std::string(300, 'a' + t)}});
                }
            });
        }
    });
    const std::regex shape(R"([-0-9T:.]+Z info event=line thread=\d text=(a+|b+|c+|d+))");
    std::istringstream lines(all);
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
        ASSERT_TRUE(std::regex_match(line, shape)) << line;
    }
    EXPECT_EQ(count, 800);
}

}  // namespace
}  // namespace pb
