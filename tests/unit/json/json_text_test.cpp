// SPDX-License-Identifier: Apache-2.0
// The reader of the plugin in C takes the members that the host has looked at: both readers of one
// text must agree.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "json/scan.h"

extern "C" {
#include "json_text.h"
}

namespace pb::json {
namespace {

std::string in_c(std::string_view object, const char* name) {
    patchbay_str value{nullptr, 0};
    if (!json_member({object.data(), object.size()}, name, &value)) return "";
    return {value.data, static_cast<std::size_t>(value.size)};
}

TEST(JsonText, FindsWhatTheHostFinds) {
    for (std::string_view object :
         {R"({"text":"a"})", R"({ "x" : {"text":1} , "text" : [1,{}] , "y":"\"text\"" })",
          R"({"text":1,"text":2})", R"({"tex\u0074":"a"})",
          R"({"text":1,"\u0074ext":2,"te\u0078":3})", R"({"tex\u0074\"":1})", R"({"text\u0000":1})",
          R"({})", R"({"":1})", R"([1])"}) {
        ASSERT_TRUE(scan(object)) << object;
        EXPECT_EQ(in_c(object, "text"), member(object, "text")) << object;
    }
    EXPECT_EQ(in_c(R"({"text":1,"tex\u0074":2})", "text"), "2");
}

TEST(JsonText, EndsWithinWhateverItIsGiven) {
    constexpr std::string_view whole = R"({"tex\u0074":{"a":["\ud83d\ude00",-1e5]},"text":"b"})";
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const std::string cut(whole.substr(0, size));
        const std::string found = in_c(cut, "text");
        EXPECT_LE(found.size(), size);
        size_t length = 0;
        std::free(json_string({cut.data(), cut.size()}, &length));
    }
}

}  // namespace
}  // namespace pb::json
