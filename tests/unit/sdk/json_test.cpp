// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <patchbay/json.hpp>

namespace {

using patchbay::Bytes;
using patchbay::json;

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

TEST(Base64, EncodesTheVectorsOfRfc4648) {
    const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                           {"f", "Zg=="},
                                                           {"fo", "Zm8="},
                                                           {"foo", "Zm9v"},
                                                           {"foob", "Zm9vYg=="},
                                                           {"fooba", "Zm9vYmE="},
                                                           {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, encoded] : vectors) {
        EXPECT_EQ(patchbay::base64_encode(bytes_of(plain)), encoded);
        Bytes back;
        ASSERT_TRUE(patchbay::base64_decode(encoded, back)) << encoded;
        EXPECT_EQ(back, bytes_of(plain));
    }
}

TEST(Base64, RoundTripsEveryByte) {
    Bytes all;
    for (int i = 0; i < 256; ++i)
        all.push_back(static_cast<std::uint8_t>(i));
    Bytes back;
    ASSERT_TRUE(patchbay::base64_decode(patchbay::base64_encode(all), back));
    EXPECT_EQ(back, all);
}

TEST(Base64, RefusesWhatIsNotExactlyBase64) {
    Bytes out;
    for (const char* bad : {"Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm9-",
                            "Zh==", "Zm9=", "=m9v", "Zm=v"}) {
        EXPECT_FALSE(patchbay::base64_decode(bad, out)) << bad;
    }
}

TEST(Quoting, MakesValidJsonOfAnything) {
    for (const std::string text :
         {"plain", "quo\"te", "back\\slash", "new\nline", "\x01", "grün"}) {
        std::string out;
        patchbay::detail::append_quoted(out, text);
        EXPECT_EQ(json::parse(out), json(text));
    }
    std::string out;
    patchbay::detail::append_quoted(out, "broken \xff utf-8");
    EXPECT_EQ(json::parse(out), json("broken \xEF\xBF\xBD utf-8"));
}

}  // namespace
