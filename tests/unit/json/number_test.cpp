// SPDX-License-Identifier: Apache-2.0
// Numbers of every form compare exactly, where conversion to double would not.
#include "json/number.h"

#include <gtest/gtest.h>

namespace pb::json {
namespace {

Number number(std::string_view text) { return Number(nlohmann::json::parse(text)); }
int compare(std::string_view a, std::string_view b) { return number(a).compare(number(b)); }
bool multiple(std::string_view a, std::string_view b) {
    return number(a).is_multiple_of(number(b));
}

TEST(Number, CompareIsExact) {
    // Ascending; each must be less than all that follow.
    const std::vector<std::string> ascending = {"-1e300",
                                                "-18446744073709551616.0",
                                                "-9223372036854775808",
                                                "-9223372036854775807",
                                                "-2.5",
                                                "-2",
                                                "-1",
                                                "-0.5",
                                                "0",
                                                "1e-300",
                                                "0.5",
                                                "1",
                                                "1.5",
                                                "9007199254740992",
                                                "9007199254740993",
                                                "9223372036854775807",
                                                "9223372036854775808",
                                                "18446744073709551615",
                                                "18446744073709551616.0",
                                                "1e300"};
    for (std::size_t i = 0; i < ascending.size(); ++i) {
        EXPECT_EQ(compare(ascending[i], ascending[i]), 0);
        for (std::size_t j = i + 1; j < ascending.size(); ++j) {
            EXPECT_LT(compare(ascending[i], ascending[j]), 0)
                << ascending[i] << " " << ascending[j];
            EXPECT_GT(compare(ascending[j], ascending[i]), 0)
                << ascending[i] << " " << ascending[j];
        }
    }
    EXPECT_EQ(compare("1", "1.0"), 0);
    EXPECT_EQ(compare("0", "-0.0"), 0);
    EXPECT_EQ(compare("9223372036854775808", "9223372036854775808.0"), 0);
}

TEST(Number, Integers) {
    EXPECT_TRUE(number("1").is_integer());
    EXPECT_TRUE(number("1.0").is_integer());
    EXPECT_TRUE(number("1e300").is_integer());
    EXPECT_FALSE(number("1.5").is_integer());
    EXPECT_FALSE(number("1e-9").is_integer());
}

TEST(Number, MultipleOfIsDecimal) {
    EXPECT_TRUE(multiple("10", "2"));
    EXPECT_FALSE(multiple("7", "2"));
    EXPECT_TRUE(multiple("-9", "3"));
    EXPECT_TRUE(multiple("0", "1.5"));
    EXPECT_TRUE(multiple("4.5", "1.5"));
    EXPECT_TRUE(multiple("0.0075", "0.0001"));
    EXPECT_FALSE(multiple("0.00751", "0.0001"));
    EXPECT_TRUE(multiple("0.3", "0.1"));
    EXPECT_TRUE(multiple("19.99", "0.01"));
    EXPECT_TRUE(multiple("1e308", "1e-300"));
    EXPECT_TRUE(multiple("12391239123", "1e-8"));
    EXPECT_FALSE(multiple("1e308", "0.123456789"));
    EXPECT_TRUE(multiple("18446744073709551615", "5"));
    EXPECT_FALSE(multiple("9007199254740993", "2"));
    EXPECT_FALSE(multiple("0.5", "18446744073709551615"));
}

TEST(Number, Sizes) {
    std::size_t out = 0;
    EXPECT_TRUE(number("7.0").as_size(out));
    EXPECT_EQ(out, 7u);
    EXPECT_TRUE(number("1e30").as_size(out));
    EXPECT_EQ(out, SIZE_MAX);
    EXPECT_TRUE(number("-0.0").as_size(out));
    EXPECT_FALSE(number("-1").as_size(out));
    EXPECT_FALSE(number("-1e30").as_size(out));
    EXPECT_FALSE(number("0.5").as_size(out));
}

TEST(Number, Text) {
    EXPECT_EQ(number("-5").text(), "-5");
    EXPECT_EQ(number("1.5").text(), "1.5");
    EXPECT_EQ(number("18446744073709551615").text(), "18446744073709551615");
}

}  // namespace
}  // namespace pb::json
