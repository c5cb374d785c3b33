// SPDX-License-Identifier: Apache-2.0
// References resolve as the examples of RFC 3986, section 5.4, say.
#include "json/uri.h"

#include <gtest/gtest.h>

namespace pb::json {
namespace {

TEST(Uri, ResolvesAsInTheRfc) {
    const std::vector<std::pair<std::string, std::string>> examples = {
        {"g:h", "g:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {"./g/.", "http://a/b/c/g/"},
        {"g/../h", "http://a/b/c/h"},
    };
    for (const auto& [reference, expected] : examples) {
        EXPECT_EQ(resolve("http://a/b/c/d;p?q", reference).uri, expected) << reference;
    }
}

TEST(Uri, Fragments) {
    UriReference at = resolve("http://a/b", "c#/x%25y/%7e0");
    EXPECT_EQ(at.uri, "http://a/c");
    EXPECT_EQ(at.fragment, "/x%y/~0");
    EXPECT_EQ(resolve("http://a/b", "#%zz%4").fragment, "%zz%4");
    EXPECT_EQ(resolve("http://a/b", "#x").uri, "http://a/b");
    EXPECT_EQ(resolve("", "#x").uri, "");
    EXPECT_EQ(resolve("", "x.json").uri, "x.json");
    EXPECT_EQ(resolve("http://a", "x").uri, "http://a/x");
    EXPECT_EQ(resolve("http://a/", "urn:example:x#y").uri, "urn:example:x");
}

TEST(Uri, Pointers) {
    EXPECT_EQ(pointer_tokens(""), std::vector<std::string>{});
    EXPECT_EQ(pointer_tokens("/"), std::vector<std::string>{""});
    EXPECT_EQ(pointer_tokens("/a~1b/~0/0"), (std::vector<std::string>{"a/b", "~", "0"}));
    EXPECT_EQ(pointer_tokens("a"), std::nullopt);
    EXPECT_EQ(pointer_tokens("/~"), std::nullopt);
    EXPECT_EQ(pointer_tokens("/~2"), std::nullopt);
    std::string out;
    append_token(out, "a/b~");
    EXPECT_EQ(out, "/a~1b~0");
}

}  // namespace
}  // namespace pb::json
