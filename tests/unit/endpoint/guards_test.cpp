// SPDX-License-Identifier: Apache-2.0
// Host and Origin: what a page in a browser that was led here by its name server cannot forge.
#include "endpoint/guards.h"

#include <gtest/gtest.h>

#include "support/exchange.h"

namespace pb::test {
namespace {

class GuardsTest : public testing::Test {
  protected:
    bool passes(const std::string& host) { return guards.refuse(*with({{"Host", host}})).empty(); }
    bool passes_from(const std::string& origin) {
        return guards.refuse(*with({{"Host", "localhost"}, {"Origin", origin}})).empty();
    }
    static std::shared_ptr<http::Request> with(HeaderList headers) {
        return make_request("POST", std::move(headers));
    }
    endpoint::Guards guards{{"mcp.example.com"}, {"https://app.example.com"}};
};

TEST_F(GuardsTest, HostsOfThisMachineAndThoseThatWereNamed) {
    for (const char* host :
         {"localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8080", "[::1]",
          "[::1]:8080", "mcp.example.com", "MCP.example.com:443"})
        EXPECT_TRUE(passes(host)) << host;
}

TEST_F(GuardsTest, OtherHostsAreRefused) {
    for (const char* host :
         {"evil.example.com", "localhost.evil.example.com", "mcp.example.com.evil.example.com",
          "evil.example.com:127.0.0.1", "127.0.0.1.evil.example.com", "::1", "[::1", "", "[",
          "xlocalhost", "localhost@evil.example.com"})
        EXPECT_FALSE(passes(host)) << host;
    EXPECT_FALSE(guards.refuse(*with({})).empty()) << "no Host at all";
    EXPECT_FALSE(guards.refuse(*with({{"Host", "evil.example.com"}})).empty());
}

TEST_F(GuardsTest, OriginsOfThisMachineAndThoseThatWereNamed) {
    for (const char* origin : {"http://localhost", "http://localhost:5173", "https://127.0.0.1:1",
                               "http://[::1]:9", "https://app.example.com"})
        EXPECT_TRUE(passes_from(origin)) << origin;
    EXPECT_TRUE(passes("localhost")) << "no Origin: not a browser";
}

TEST_F(GuardsTest, OtherOriginsAreRefused) {
    for (const char* origin :
         {"https://evil.example.com", "null", "", "http://app.example.com",
          "https://app.example.com.evil.example.com", "http://localhost.evil.example.com",
          "localhost", "http://evil.example.com/?http://localhost", "file://"})
        EXPECT_FALSE(passes_from(origin)) << origin;
}

TEST_F(GuardsTest, WhoIsForwardedIsNotThisMachine) {
    const auto is_direct = [](HeaderList headers, bool loopback = true) {
        auto request = with(std::move(headers));
        request->loopback = loopback;
        return endpoint::Guards::is_direct(*request);
    };
    EXPECT_TRUE(is_direct({{"Host", "localhost:8080"}, {"X-Forward", "1"}}));
    EXPECT_TRUE(is_direct({{"Host", "[::1]:8080"}}));
    EXPECT_FALSE(is_direct({{"Host", "localhost:8080"}}, false));
    EXPECT_FALSE(is_direct({{"Host", "mcp.example.com"}})) << "as nginx passes it on";
    for (const char* name :
         {"X-Forwarded-For", "x-forwarded-proto", "Forwarded", "X-Real-IP", "X-REAL-IP", "Via"})
        EXPECT_FALSE(is_direct({{"Host", "localhost"}, {name, "x"}})) << name;
}

}  // namespace
}  // namespace pb::test
