// SPDX-License-Identifier: Apache-2.0
// Which tokens are for this host, by the resource that they are for.
#include <gtest/gtest.h>

#include "endpoint/gate.h"

namespace pb::endpoint {
namespace {

const Guards guards{{"mcp.lan"}, {}};

TEST(Place, AtItsPublicUrlItIsNothingElse) {
    const Place place{"https://mcp.example.com/base", "/mcp"};
    for (const char* resource :
         {"https://mcp.example.com/base/mcp", "https://mcp.example.com/base",
          "https://mcp.example.com/base/", "https://MCP.example.com:443/base/mcp"})
        EXPECT_TRUE(place.is_ours(resource, guards, 8080)) << resource;
    for (const char* resource :
         {"https://mcp.example.com", "https://mcp.example.com/mcp", "https://mcp.lan/base/mcp",
          "http://mcp.example.com/base/mcp", "https://mcp.example.com:8443/base/mcp",
          "https://mcp.example.com/base/mcp?x", "http://127.0.0.1:8080/mcp", "mcp", ""})
        EXPECT_FALSE(place.is_ours(resource, guards, 8080)) << resource;
}

TEST(Place, WithoutOneItIsWhereverTheGuardsLetPass) {
    const Place place{"", "/mcp"};
    for (const char* resource :
         {"https://mcp.lan:8080/mcp", "http://MCP.lan:8080", "http://127.0.0.1:8080/mcp",
          "http://localhost:8080/", "http://[::1]:8080/mcp"}) {
        EXPECT_TRUE(place.is_ours(resource, guards)) << resource;
        EXPECT_TRUE(place.is_ours(resource, guards, 8080)) << resource;
    }
    for (const char* resource : {"https://mcp.example.com:8080/mcp", "http://127.0.0.2:8080/mcp",
                                 "https://mcp.lan:8080/mcp/x", "https://mcp.lan:8080/other"})
        EXPECT_FALSE(place.is_ours(resource, guards)) << resource;
}

// What others have made for another program on this machine is for that one.
TEST(Place, ANeighboursTokenIsForItsOwnPort) {
    const Place place{"", "/mcp"};
    for (const char* resource :
         {"http://127.0.0.1:9090/mcp", "http://localhost/mcp", "https://mcp.lan/mcp"}) {
        EXPECT_TRUE(place.is_ours(resource, guards)) << "ports may be mapped: " << resource;
        EXPECT_FALSE(place.is_ours(resource, guards, 8080)) << resource;
    }
    EXPECT_TRUE(place.is_ours("https://mcp.lan/mcp", guards, 443));
}

}  // namespace
}  // namespace pb::endpoint
