// SPDX-License-Identifier: Apache-2.0
// Whose request it is that a proxy hands on, and who is not believed.
#include "http/proxies.h"

#include <gtest/gtest.h>

#include "http/server.h"

namespace pb::http {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string client_of(const std::string& peer, const Fields& fields,
                      const std::vector<std::string>& ranges = {"10.0.0.0/8", "fd00::/9",
                                                                "127.0.0.1/32"}) {
    const auto proxies = Proxies::make(ranges);
    if (!proxies) return proxies.error().message;
    Request request;
    request.peer = peer;
    for (const auto& [name, value] : fields)
        request.headers.push_back({name, value});
    return proxies->client_of(request);
}

TEST(Proxies, TheRightmostAddressThatIsNoProxyOfOurs) {
    const char* name = "X-Forwarded-For";
    EXPECT_EQ(client_of("127.0.0.1", {{name, "192.0.2.7"}}), "192.0.2.7");
    EXPECT_EQ(client_of("10.1.2.3", {{name, "6.6.6.6, 192.0.2.7,10.9.9.9"}}), "192.0.2.7");
    EXPECT_EQ(client_of("10.1.2.3", {{name, "6.6.6.6"}, {"x-forwarded-for", "192.0.2.7"}}),
              "192.0.2.7");
    EXPECT_EQ(client_of("fd12::1", {{name, "2001:DB8:0::1"}}), "2001:db8::1");
    EXPECT_EQ(client_of("10.1.2.3", {{name, "192.0.2.7:4711"}}), "192.0.2.7");
    EXPECT_EQ(client_of("10.1.2.3", {{name, "::ffff:192.0.2.7"}}), "192.0.2.7");
    EXPECT_EQ(client_of("10.1.2.3", {{name, "10.0.0.2, 10.0.0.3"}}), "10.0.0.2") << "all of ours";
    EXPECT_EQ(client_of("10.1.2.3", {{"Forwarded", "for=6.6.6.6, proto=https;For=192.0.2.7;by=x"}}),
              "192.0.2.7");
    EXPECT_EQ(client_of("10.1.2.3", {{"Forwarded", R"(for="[2001:db8::1]:4711")"}}), "2001:db8::1");
}

TEST(Proxies, NobodyElseIsBelieved) {
    const Fields forged{{"X-Forwarded-For", "192.0.2.7"}};
    for (const char* peer : {"192.0.2.1", "11.0.0.1", "fd80::1", "127.0.0.2", "::1", "odd"})
        EXPECT_EQ(client_of(peer, forged), peer);
    EXPECT_EQ(client_of("10.1.2.3", forged, {}), "10.1.2.3") << "none by default";
    EXPECT_EQ(client_of("10.1.2.3", {}), "10.1.2.3");
}

TEST(Proxies, WhatCannotBeToldIsTheProxys) {
    for (const auto& fields :
         {Fields{{"X-Forwarded-For", "unknown"}}, Fields{{"X-Forwarded-For", ""}},
          Fields{{"X-Forwarded-For", "192.0.2.7,"}}, Fields{{"X-Forwarded-For", "[::1"}},
          Fields{{"X-Forwarded-For", std::string(100'000, ',')}},
          Fields{{"Forwarded", "for=_hidden"}}, Fields{{"Forwarded", ";"}},
          Fields{{"Forwarded", "for=192.0.2.7"}, {"X-Forwarded-For", "192.0.2.8"}}})
        EXPECT_EQ(client_of("10.1.2.3", fields), "10.1.2.3") << fields.front().second.substr(0, 40);
    EXPECT_EQ(client_of("10.1.2.3", {{"X-Forwarded-For", "192.0.2.7, x, 10.0.0.9"}}), "10.0.0.9");
}

TEST(Proxies, RangesAreChecked) {
    for (const char* wrong : {"", "10.0.0.0", "10.0.0.0/33", "::/129", "x/8", "10.0.0.0/-1"})
        EXPECT_FALSE(Proxies::make({wrong})) << wrong;
    EXPECT_EQ(client_of("192.0.2.1", {{"X-Forwarded-For", "192.0.2.7"}}, {"0.0.0.0/0"}),
              "192.0.2.7");
    EXPECT_EQ(client_of("192.0.2.65", {{"X-Forwarded-For", "192.0.2.7"}}, {"192.0.2.64/26"}),
              "192.0.2.7");
}

}  // namespace
}  // namespace pb::http
