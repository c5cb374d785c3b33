// SPDX-License-Identifier: Apache-2.0
// URLs, and the many spellings of one address.
#include "outbound/target.h"

#include "outbound/names.h"
#include "support.h"

namespace pb::outbound::testing {
namespace {

TEST(Target, AUrlHasOneSpelling) {
    const struct {
        const char *url, *is, *place;
    } cases[] = {
        {"http://Example.COM", "http://example.com/", "example.com:80"},
        {"HTTPS://example.com:443/a?b=c%20d", "https://example.com:443/a?b=c%20d",
         "example.com:443"},
        {"http://example.com./x", "http://example.com/x", "example.com:80"},
        {"http://example.com:8080/a/../b", "http://example.com:8080/b", "example.com:8080"},
        {"http://ex%61mple.com/", "http://example.com/", "example.com:80"},
        {"http://[::1]:90/", "http://[::1]:90/", "[::1]:90"},
        {"http://[0:0:0:0:0:0:0:1]/", "http://[::1]/", "[::1]:80"},
        {"http://1a.example.com/", "http://1a.example.com/", "1a.example.com:80"},
        {"http://x_y.example.com/", "http://x_y.example.com/", "x_y.example.com:80"},
    };
    for (const auto& [url, is, place] : cases) {
        const auto target = parse_target(url);
        ASSERT_TRUE(target.ok()) << url << ": " << target.error().message;
        EXPECT_EQ(target->url, is);
        EXPECT_EQ(target->place, place);
    }
}

TEST(Target, AnAddressIsSeenInEverySpelling) {
    const struct {
        const char *host, *address;
    } cases[] = {
        {"127.0.0.1", "127.0.0.1"},
        {"127.0.0.1.", "127.0.0.1"},
        {"2130706433", "127.0.0.1"},
        {"2130706433.", "127.0.0.1"},
        {"017700000001", "127.0.0.1"},
        {"0x7f000001", "127.0.0.1"},
        {"0X7F000001", "127.0.0.1"},
        {"0x7f.1", "127.0.0.1"},
        {"0x7f.0x1.", "127.0.0.1"},
        {"127.1", "127.0.0.1"},
        {"127.1.", "127.0.0.1"},
        {"127.0.1", "127.0.0.1"},
        {"0177.0.0.1", "127.0.0.1"},
        {"0177.0.0.0x1", "127.0.0.1"},
        {"00000177.0.0.1", "127.0.0.1"},
        {"127.0.0.%31", "127.0.0.1"},
        {"%31%32%37.1", "127.0.0.1"},
        {"0%78%37f.1", "127.0.0.1"},
        {"0", "0.0.0.0"},
        {"169.254.43518", "169.254.169.254"},
        {"[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]"},
        {"[::ffff:7f00:1]", "[::ffff:127.0.0.1]"},
        {"[FE80::1]", "[fe80::1]"},
    };
    for (const auto& [host, address] : cases) {
        const auto target = parse_target("http://" + std::string(host) + ":81/");
        ASSERT_TRUE(target.ok()) << host << ": " << target.error().message;
        ASSERT_TRUE(target->address) << host;
        EXPECT_EQ(text_of(*target->address), address) << host;
        EXPECT_NE(target->url.find(address), std::string::npos)
            << "curl is told what was checked, not " << target->url;
    }
}

TEST(Target, WhatIsNoUrlIsRefused) {
    using namespace std::string_literals;
    for (const std::string& url : {""s,
                                   "example.com"s,
                                   "//example.com/"s,
                                   "ftp://example.com/"s,
                                   "file:///etc/passwd"s,
                                   "gopher://127.0.0.1/"s,
                                   "http://"s,
                                   "http:///"s,
                                   "http://user@example.com/"s,
                                   "http://user:secret@example.com/"s,
                                   "http://:secret@example.com/"s,
                                   "http://@127.0.0.1/"s,
                                   "http://example.com/#part"s,
                                   "http://example.com/#"s,
                                   "http://example.com:0/"s,
                                   "http://example.com:65536/"s,
                                   "http://example.com:x/"s,
                                   "http://exa mple.com/"s,
                                   "http://example.com\\@127.0.0.1/"s,
                                   "http://a\r\nb/"s,
                                   "http://example.com/a\r\nX: y"s,
                                   "http://example.com/\0a"s,
                                   "http://[fe80::1%25lo]/"s,
                                   "http://[fe80::1%lo]/"s,
                                   "http://[::1/"s,
                                   "http://::1/"s,
                                   "http://[127.0.0.1]/"s,
                                   "http://256.0.0.1/"s,
                                   "http://1.2.3.4.5/"s,
                                   "http://127.0.0.1../"s,
                                   "http://4294967296/"s,
                                   "http://0x/"s,
                                   "http://127.0.0.08/"s,
                                   "http://127.0.0.1%00.example.com/"s,
                                   "http://a..b/"s,
                                   "http://.example.com/"s,
                                   "http://b\xC3\xBC"
                                   "cher.example/"s,
                                   "http://127\xE3\x80\x82"
                                   "0.0.1/"s,
                                   "http://\xEF\xBC\x91"
                                   "27.0.0.1/"s,
                                   "http://%e3%80%82/"s,
                                   "http://a%2fb/"s,
                                   "http://"s + std::string(300, 'a') + ".com/",
                                   "http://example.com/"s + std::string(20'000, 'a')}) {
        const auto target = parse_target(url);
        EXPECT_FALSE(target.ok()) << url << " became " << target->url;
        if (!target.ok()) {
            EXPECT_EQ(target.error().message.find("secret"), std::string::npos);
        }
    }
}

TEST(Target, AReferenceIsReadFromWhereItStands) {
    const auto base = parse_target("https://example.com/a/b?c");
    ASSERT_TRUE(base.ok());
    const struct {
        const char *reference, *is;
        bool same;
    } cases[] = {
        {"/x", "https://example.com/x", true},
        {"x", "https://example.com/a/x", true},
        {"https://EXAMPLE.com:443/x", "https://example.com:443/x", true},
        {"https://example.com./x#part", "https://example.com/x", true},
        {"//example.com/x", "https://example.com/x", true},
        {"http://example.com/x", "http://example.com/x", false},
        {"http://example.com:443/x", "http://example.com:443/x", false},
        {"https://example.com:444/x", "https://example.com:444/x", false},
        {"https://example.org/x", "https://example.org/x", false},
        {"https://www.example.com/x", "https://www.example.com/x", false},
        {"//127.0.0.1/x", "https://127.0.0.1/x", false},
    };
    for (const auto& [reference, is, same] : cases) {
        const auto target = resolve_reference(*base, reference);
        ASSERT_TRUE(target.ok()) << reference << ": " << target.error().message;
        EXPECT_EQ(target->url, is);
        EXPECT_EQ(target->same_origin(*base), same) << reference;
    }
    EXPECT_FALSE(resolve_reference(*base, "file:///etc/passwd").ok());
    EXPECT_FALSE(resolve_reference(*base, "https://user@example.com/").ok());
}

}  // namespace
}  // namespace pb::outbound::testing
