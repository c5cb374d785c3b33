// SPDX-License-Identifier: Apache-2.0
// Where OAuth looks, in which order, and what it does not believe.
#include "client/oauth/discovery.h"

#include "oauth_world.h"

namespace pb::client::oauth::oauth_discovery_test {
namespace {

const std::string resource_at_path = "https://mcp.example/.well-known/oauth-protected-resource/mcp";
const std::string resource_at_root = "https://mcp.example/.well-known/oauth-protected-resource";

class Discovery : public ::testing::Test {
  protected:
    Result<Found> find(Search search = {}) {
        if (search.server.host.empty()) search.server = *parse_url(world.server, "");
        const auto fetch = world.fetch();
        return discover(Web(fetch, soon(), false, "2025-11-25"), search);
    }
    void gone(const std::string& url) {
        world.at(url, [](const Request&) { return plain(404, "no"); });
    }
    World world;
};

TEST_F(Discovery, TheChallengesPlaceFirstAndOnly) {
    world.at("https://mcp.example/custom.json",
             [this](const Request&) { return answer(200, world.resource); });
    Search search;
    search.resource_metadata = "https://mcp.example/custom.json";
    const auto found = find(search);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->resource, world.server);
    EXPECT_EQ(found->server.token_endpoint, "https://as.example/token");
    EXPECT_EQ(world.urls(), (std::vector<std::string>{
                                "https://mcp.example/custom.json",
                                "https://as.example/.well-known/oauth-authorization-server"}));
    EXPECT_EQ(
        outbound::find_header(world.requests(world.urls()[0])[0].headers, "MCP-Protocol-Version"),
        "2025-11-25");
    search.resource_metadata = "https://mcp.example/nowhere.json";
    EXPECT_FALSE(find(search));
    search.resource_metadata = "http://mcp.example/custom.json";
    const auto plain = find(search);
    ASSERT_FALSE(plain);
    EXPECT_NE(plain.error().message.find("not https"), std::string::npos);
}

TEST_F(Discovery, ThePathFormBeforeTheRoot) {
    world.at(resource_at_root, [](const Request&) { return plain(500, ""); });
    ASSERT_TRUE(find());
    EXPECT_EQ(world.requests(resource_at_root).size(), 0U);
    gone(resource_at_path);
    world.resource["resource"] = "https://mcp.example";
    world.at(resource_at_root, [this](const Request&) { return answer(200, world.resource); });
    const auto found = find();
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->resource, "https://mcp.example") << "as published";
}

TEST_F(Discovery, AnotherResourceIsRefused) {
    for (const char* other : {"https://evil.example/mcp", "https://mcp.example/other",
                              "http://mcp.example/mcp", "mcp", ""}) {
        world.resource["resource"] = other;
        EXPECT_FALSE(find()) << other;
    }
    EXPECT_TRUE(
        world.requests("https://as.example/.well-known/oauth-authorization-server").empty());
}

TEST_F(Discovery, ServersMetadataInTheOrderOfThePage) {
    const struct {
        const char* issuer;
        std::vector<std::string> places;
    } cases[] = {
        {"https://as.example",
         {"https://as.example/.well-known/oauth-authorization-server",
          "https://as.example/.well-known/openid-configuration"}},
        {"https://as.example/",
         {"https://as.example/.well-known/oauth-authorization-server",
          "https://as.example/.well-known/openid-configuration"}},
        {"https://as.example/tenant/1",
         {"https://as.example/.well-known/oauth-authorization-server/tenant/1",
          "https://as.example/.well-known/openid-configuration/tenant/1",
          "https://as.example/tenant/1/.well-known/openid-configuration"}},
        {"https://as.example/t/",
         {"https://as.example/.well-known/oauth-authorization-server/t/",
          "https://as.example/.well-known/openid-configuration/t/",
          "https://as.example/t/.well-known/openid-configuration"}},
    };
    for (const auto& each : cases) {
        world.resource["authorization_servers"] = {each.issuer};
        for (std::size_t last = 0; last < each.places.size(); ++last) {
            for (std::size_t i = 0; i < each.places.size(); ++i) {
                const bool here = i == last;
                world.at(each.places[i], [here, &each](const Request&) {
                    return here ? answer(200, World::metadata_of(each.issuer)) : plain(404, "no");
                });
            }
            world.forget_requests();
            const auto found = find();
            ASSERT_TRUE(found) << found.error().message;
            EXPECT_EQ(found->server.issuer, each.issuer);
            auto urls = world.urls();
            ASSERT_EQ(urls.size(), last + 2);
            EXPECT_TRUE(std::equal(urls.begin() + 1, urls.end(), each.places.begin()));
        }
        for (const auto& place : each.places)
            gone(place);
        EXPECT_FALSE(find()) << "nothing is assumed of a server that is named";
    }
}

TEST_F(Discovery, TheIssuerIsComparedByItsBytes) {
    for (const char* other : {"https://as.example/", "https://AS.example", "https://as.example:443",
                              "https://attacker.example", "", "http://as.example"}) {
        world.metadata["issuer"] = other;
        const auto found = find();
        ASSERT_FALSE(found) << other;
        EXPECT_NE(found.error().message.find("another issuer"), std::string::npos);
    }
    world.metadata.erase("issuer");
    EXPECT_FALSE(find());
}

TEST_F(Discovery, AListOfServersIsTriedInItsOrderBeginningWithTheWantedOne) {
    world.resource["authorization_servers"] = {"https://dead.example", world.issuer,
                                               "https://third.example"};
    world.at("https://third.example/.well-known/oauth-authorization-server", [](const Request&) {
        return answer(200, World::metadata_of("https://third.example"));
    });
    EXPECT_EQ(find()->server.issuer, world.issuer);
    Search search;
    search.issuer = "https://third.example";
    EXPECT_EQ(find(search)->server.issuer, "https://third.example");
    search.issuer_only = true;
    search.issuer = "https://dead.example";
    EXPECT_FALSE(find(search));
    search.issuer = "https://unlisted.example";
    const auto other = find(search);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().kind, ErrorKind::denied);
}

TEST_F(Discovery, AServerThatIsDownIsNotLeftForAnother) {
    world.resource["authorization_servers"] = {world.issuer, "https://third.example"};
    world.at("https://third.example/.well-known/oauth-authorization-server", [](const Request&) {
        return answer(200, World::metadata_of("https://third.example"));
    });
    world.at(world.issuer + "/.well-known/oauth-authorization-server",
             [](const Request&) { return plain(503, ""); });
    Search search;
    search.issuer = world.issuer;
    const auto found = find(search);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind, ErrorKind::busy);
    EXPECT_EQ(find()->server.issuer, "https://third.example") << "nobody belongs to the first yet";
}

TEST_F(Discovery, WithoutResourceMetadataTheServerItself) {
    gone(resource_at_path);
    const std::string place = "https://mcp.example/.well-known/oauth-authorization-server";
    for (const char* issuer : {"https://mcp.example", "https://mcp.example/"}) {
        world.at(place, [issuer](const Request&) {
            auto metadata = World::metadata_of(issuer);
            metadata["token_endpoint"] = "https://mcp.example/oauth/token";
            return answer(200, metadata);
        });
        const auto found = find();
        ASSERT_TRUE(found) << found.error().message;
        EXPECT_EQ(found->server.token_endpoint, "https://mcp.example/oauth/token");
        EXPECT_EQ(found->resource, world.server);
    }
    world.at(place, [](const Request&) {
        return answer(200, World::metadata_of("https://evil.example"));
    });
    EXPECT_FALSE(find());
    gone(place);
    const auto found = find();
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->server.authorization_endpoint, "https://mcp.example/authorize");
    EXPECT_EQ(found->server.token_endpoint, "https://mcp.example/token");
    EXPECT_EQ(found->server.registration_endpoint, "https://mcp.example/register");
    EXPECT_TRUE(found->server.s256);
}

TEST_F(Discovery, AServerThatIsDownIsNotOneWithoutMetadata) {
    world.at(resource_at_path, [](const Request&) { return plain(502, ""); });
    const auto found = find();
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind, ErrorKind::busy);
    EXPECT_EQ(world.urls().size(), 1U);
}

TEST_F(Discovery, APageForEveryPathIsNoMetadata) {
    const auto page = [](const Request&) { return plain(200, "<!doctype html><title>Hi</title>"); };
    for (const auto& url : {resource_at_path, resource_at_root})
        world.at(url, page);
    world.at("https://mcp.example/.well-known/oauth-authorization-server", page);
    world.at("https://mcp.example/.well-known/openid-configuration", page);
    EXPECT_EQ(find()->server.token_endpoint, "https://mcp.example/token");
}

TEST_F(Discovery, EndpointsAreHttps) {
    for (const char* name : {"authorization_endpoint", "token_endpoint", "registration_endpoint",
                             "revocation_endpoint"}) {
        for (const char* bad : {"http://as.example/x", "javascript:alert(1)", "file:///etc/passwd",
                                "https://a@as.example/x", "/relative"}) {
            world.metadata = World::metadata_of(world.issuer);
            world.metadata[name] = bad;
            EXPECT_FALSE(find()) << name << " " << bad;
        }
        world.metadata[name] = "http://127.0.0.1:9/x";
        EXPECT_TRUE(find()) << name << " on this machine";
    }
    world.metadata = World::metadata_of(world.issuer);
    world.metadata.erase("token_endpoint");
    EXPECT_FALSE(find());
}

TEST_F(Discovery, HostileDocumentsAreBounded) {
    std::string deep(100'000, '[');
    world.at(resource_at_path, [&](const Request& request) {
        EXPECT_EQ(request.max_answer, 1U << 20U);
        EXPECT_GT(request.time.count(), 0);
        return plain(200, "{\"resource\":" + deep);
    });
    EXPECT_TRUE(find()) << "not JSON, so not there";
    world.resource["authorization_servers"] = Json::array();
    for (int i = 0; i < 1000; ++i)
        world.resource["authorization_servers"].push_back("https://as" + std::to_string(i) +
                                                          ".example");
    world.at(resource_at_path, [this](const Request&) { return answer(200, world.resource); });
    world.forget_requests();
    EXPECT_FALSE(find());
    EXPECT_LE(world.urls().size(), 1U + 8 * 2);
}

TEST_F(Discovery, NothingIsSentForWhatIsGivenUp) {
    std::atomic<bool> stopping = false;
    const auto fetch = world.fetch();
    const Web web(fetch, soon(), false, "", &stopping);
    world.at(resource_at_path, [&](const Request&) {
        stopping = true;
        return answer(200, world.resource);
    });
    const auto found = discover(web, {*parse_url(world.server, ""), "", "", false});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind, ErrorKind::cancelled);
    EXPECT_EQ(world.urls().size(), 1U);
}

TEST_F(Discovery, NoTimeNoRequest) {
    const auto fetch = world.fetch();
    const Web web(fetch, std::chrono::steady_clock::now(), false);
    const auto found = discover(web, {*parse_url(world.server, ""), "", "", false});
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().kind, ErrorKind::deadline);
    EXPECT_TRUE(world.urls().empty());
}

}  // namespace
}  // namespace pb::client::oauth::oauth_discovery_test
