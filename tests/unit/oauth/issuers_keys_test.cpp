// SPDX-License-Identifier: Apache-2.0
// The keys that an issuer publishes: found, kept, renewed, and what happens when they change or
// cannot be had.
#include "oauth/issuers_keys.h"

#include <algorithm>
#include <future>
#include <thread>

#include "issuers_world.h"
#include "outbound/support.h"

namespace pb::oauth::issuer_tests {
namespace {

using outbound::testing::eventually;

class IssuersKeysTest : public IssuersWorld {
  protected:
    // A token of now, signed with another key.
    std::string signed_by(const Signer& by, const std::string& kid) const {
        return by.token(claims(), kid);
    }
    void pass(std::int64_t time) { seconds += time; }
    // A fetch in the background has been made, and what it brought is used.
    void expect_fetches(int count) {
        EXPECT_TRUE(eventually([&] { return fetches() >= count; }));
        EXPECT_EQ(fetches(), count);
    }
};

TEST_F(IssuersKeysTest, ANewKeyIsFetchedAtOnceButOncePerMinute) {
    const auto issuers = make();
    EXPECT_EQ(said(*issuers, token()), "valid");
    const auto second = Signer::ed25519();
    publish({{signer, "k1"}, {second, "k2"}});
    EXPECT_TRUE(contains(said(*issuers, signed_by(second, "k2")), "does not publish"))
        << "the last fetch was just now";
    EXPECT_EQ(fetches(), 1);
    pass(60);
    EXPECT_EQ(said(*issuers, signed_by(second, "k2")), "valid");
    EXPECT_EQ(fetches(), 2);
    publish({{second, "k2"}});
    for (int i = 0; i < 20; ++i)
        EXPECT_TRUE(contains(said(*issuers, signed_by(second, "made-up-" + std::to_string(i))),
                             "does not publish"));
    EXPECT_EQ(fetches(), 2);
    EXPECT_EQ(said(*issuers, token()), "valid") << "the old one still counts";
    pass(60);
    EXPECT_TRUE(contains(said(*issuers, signed_by(second, "made-up")), "does not publish"));
    EXPECT_EQ(fetches(), 3);
    EXPECT_TRUE(contains(said(*issuers, token()), "does not publish")) << "it was withdrawn";
}

TEST_F(IssuersKeysTest, TheyAreRenewedInTheBackgroundBeforeTheyAreOld) {
    publish({{signer, "k1"}}, {{"Cache-Control", "public, max-age=1000"}});
    auto endless = parts();
    endless.patience = std::chrono::hours(1);
    const auto made = Issuers::make({config()}, std::move(endless));
    ASSERT_TRUE(made);
    const auto& issuers = *made;
    EXPECT_EQ(said(*issuers, token()), "valid");
    pass(740);
    EXPECT_EQ(said(*issuers, token()), "valid");
    EXPECT_EQ(fetches(), 1);
    pass(20);
    // The fetch does not end before the token has got its answer.
    std::promise<void> answered;
    on_fetch = [done = answered.get_future().share()] { done.wait(); };
    EXPECT_EQ(said(*issuers, token()), "valid");
    answered.set_value();
    expect_fetches(2);
}

TEST_F(IssuersKeysTest, WhatWasValidOnceIsNotValidForEver) {
    const auto issuers = make();
    const auto lasting = token({{"exp", start + 100'000}}), brief = token();
    EXPECT_EQ(said(*issuers, lasting), "valid");
    EXPECT_EQ(said(*issuers, brief), "valid");
    pass(600 + 59);
    EXPECT_EQ(said(*issuers, brief), "valid");
    pass(1);
    EXPECT_TRUE(contains(said(*issuers, brief), "has expired"));
    EXPECT_EQ(said(*issuers, lasting), "valid");
    const auto second = Signer::p256();
    publish({{second, "k2"}});
    EXPECT_EQ(said(*issuers, signed_by(second, "k2")), "valid") << "which fetches the keys anew";
    EXPECT_TRUE(contains(said(*issuers, lasting), "does not publish"));
    const auto third = token({{"exp", start + 100'000}});
    publish({{signer, "k1"}});
    pass(60);
    EXPECT_EQ(said(*issuers, third), "valid");
    put(jwks_uri, 0);
    pass(2 * 3600 + 1);
    EXPECT_TRUE(said(*issuers, third).starts_with("503 ")) << "nobody knows whether it still is";
}

TEST_F(IssuersKeysTest, OldOnesAreWaitedFor) {
    publish({{signer, "k1"}}, {{"Cache-Control", "max-age=1000"}});
    const auto issuers = make();
    EXPECT_EQ(said(*issuers, token()), "valid");
    const auto second = Signer::p256();
    publish({{second, "k1"}});  // the same name for another key: nobody can tell from the token
    pass(1001);
    EXPECT_TRUE(contains(said(*issuers, token()), "signature is wrong"));
    EXPECT_EQ(fetches(), 2);
}

TEST_F(IssuersKeysTest, TheirLifetimeIsTheIssuersWithinBounds) {
    const struct {
        outbound::Headers headers;
        std::int64_t lives;
    } cases[] = {
        {{}, 3600},
        {{{"Cache-Control", "max-age=7200, must-revalidate"}}, 7200},
        {{{"cache-control", "PUBLIC, MAX-AGE=7200"}}, 7200},
        {{{"Cache-Control", "max-age=7200"}, {"Age", "1200"}}, 6000},
        {{{"Cache-Control", "max-age=7200"}, {"Age", "99999999999999999999"}}, 300},
        {{{"Cache-Control", "max-age=0"}}, 300},
        {{{"Cache-Control", "max-age=-5"}}, 300},
        {{{"Cache-Control", "max-age=soon"}}, 300},
        {{{"Cache-Control", "no-store"}}, 300},
        {{{"Cache-Control", "max-age=7200, no-cache"}}, 300},
        {{{"Cache-Control", "max-age=31536000"}}, 24 * 3600},
        {{{"Cache-Control", "max-age=99999999999999999999"}}, 24 * 3600},
    };
    for (const auto& each : cases) {
        publish({{signer, "k1"}}, each.headers);
        const auto issuers = make();
        const auto before = fetches();
        EXPECT_EQ(said(*issuers, token()), "valid");
        pass(each.lives * 3 / 4 - 1);
        EXPECT_EQ(said(*issuers, token()), "valid");
        EXPECT_EQ(fetches(), before + 1) << each.lives;
        pass(each.lives / 4 + 2);
        EXPECT_EQ(said(*issuers, token()), "valid");
        EXPECT_EQ(fetches(), before + 2) << each.lives;
    }
}

TEST_F(IssuersKeysTest, WhileTheIssuerIsAwayTheLastOnesHoldForAnHour) {
    const auto issuers = make();
    EXPECT_EQ(said(*issuers, token()), "valid");
    put(jwks_uri, 0);
    pass(3601);
    EXPECT_EQ(said(*issuers, token()), "valid");
    EXPECT_EQ(fetches(), 2);
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(said(*issuers, token()), "valid");
    EXPECT_EQ(fetches(), 2) << "it is not asked all the time";
    // Whatever it answers instead of keys.
    for (const char* body : {"<html>", "{}", R"({"keys":"none"})"}) {
        put(jwks_uri, 200, body);
        pass(60);
        EXPECT_EQ(said(*issuers, token()), "valid");
    }
    put(jwks_uri, 500, jose::testing::key_set(Json::array()));
    pass(3600 - 3 * 60 - 2);
    EXPECT_EQ(said(*issuers, token()), "valid");
    pass(3);
    EXPECT_TRUE(said(*issuers, token()).starts_with("503  the keys"));
    publish({{signer, "k1"}});
    pass(60);
    EXPECT_EQ(said(*issuers, token()), "valid");
}

TEST_F(IssuersKeysTest, AnIssuerThatCannotBeReachedAtFirst) {
    put(jwks_uri, 0);
    const auto issuers = make();
    for (int i = 0; i < 5; ++i)
        EXPECT_TRUE(said(*issuers, token()).starts_with("503 "));
    EXPECT_EQ(fetches(), 1);
    publish({{signer, "k1"}});
    pass(10);
    EXPECT_EQ(said(*issuers, token()), "valid") << "without keys it is asked again sooner";
    EXPECT_EQ(fetches(), 2);
}

TEST_F(IssuersKeysTest, ManyCallersMakeOneFetch) {
    const auto issuers = make();
    std::promise<void> go;
    on_fetch = [go = go.get_future().share()] { go.wait(); };
    std::atomic<int> valid{0}, ended{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 24; ++i)
        callers.emplace_back([&] {
            valid += said(*issuers, token()) == "valid" ? 1 : 0;
            ++ended;
        });
    // Beyond sixteen nobody waits.
    EXPECT_TRUE(eventually([&] { return ended == 8; }));
    EXPECT_EQ(valid, 0);
    go.set_value();
    for (auto& each : callers)
        each.join();
    EXPECT_EQ(valid, 16);
    EXPECT_EQ(fetches(), 1);
}

TEST_F(IssuersKeysTest, AnIssuerThatHangsKeepsNobody) {
    auto impatient = parts();
    impatient.patience = std::chrono::milliseconds(1);
    auto issuers = Issuers::make({config()}, std::move(impatient));
    ASSERT_TRUE(issuers);
    std::promise<void> go;
    on_fetch = [go = go.get_future().share()] { go.wait(); };
    EXPECT_TRUE(said(**issuers, token()).starts_with("503 "));
    pass(100);
    EXPECT_TRUE(said(**issuers, token()).starts_with("503 "));
    expect_fetches(1);
    go.set_value();
    EXPECT_TRUE(eventually([&] { return said(**issuers, token()) == "valid"; }))
        << "what came late is good for the next one";
    EXPECT_EQ(fetches(), 1);
}

TEST_F(IssuersKeysTest, ItsMetadataSayWhereTheyAre) {
    auto discovered = config();
    discovered.jwks_uri = "";
    discovered.issuer = issuer + "/tenant";
    const auto mine = token({{"iss", discovered.issuer}});
    const auto metadata = [&](const std::string& name, const std::string& keys) {
        return Json{{"issuer", name}, {"jwks_uri", keys}}.dump();
    };
    const std::string places[] = {
        "https://login.example/tenant/.well-known/openid-configuration",
        "https://login.example/.well-known/oauth-authorization-server/tenant",
        "https://login.example/.well-known/openid-configuration/tenant"};
    for (const auto& place : places) {
        put(place, 200, metadata(discovered.issuer, jwks_uri));
        EXPECT_EQ(said(*make({discovered}), mine), "valid") << place;
        put(place, 404);
    }
    EXPECT_TRUE(said(*make({discovered}), mine).starts_with("503 ")) << "none";
    const auto before = fetches();
    const std::string wrong[] = {
        metadata(issuer, jwks_uri),
        metadata(discovered.issuer + "/", jwks_uri),
        metadata(discovered.issuer, "http://login.example/keys"),
        metadata(discovered.issuer, "file:///etc/keys"),
        Json{{"issuer", discovered.issuer}}.dump(),
        "<html>",
    };
    for (const auto& text : wrong) {
        put(places[0], 200, text);
        EXPECT_TRUE(said(*make({discovered}), mine).starts_with("503 ")) << text;
    }
    const auto urls = asked();
    EXPECT_EQ(std::count(urls.begin() + before, urls.end(), jwks_uri), 0);
}

// Over real connections, through the guard.
TEST_F(IssuersKeysTest, RotationOverHttp) {
    std::mutex mutex;
    std::string keys = jose::testing::key_set(Json::array({signer.jwk("k1")}));
    const auto server =
        outbound::testing::serve([&](const std::shared_ptr<const http::Request>& request,
                                     const std::shared_ptr<http::Exchange>& exchange) {
            std::lock_guard lock(mutex);
            if (request->path == "/moved") {
                exchange->respond({307, "", "", {{"Location", "/keys"}}});
                return;
            }
            exchange->respond({200, "application/json", keys, {{"Cache-Control", "max-age=600"}}});
        });
    outbound::Http http(outbound::testing::local());
    auto local = config();
    local.jwks_uri = outbound::testing::url(server->port(), "/moved");
    auto over_http = parts();
    over_http.fetch = [&](outbound::Request request) { return http.fetch(std::move(request)); };
    const auto issuers = Issuers::make({local}, over_http);
    ASSERT_TRUE(issuers) << issuers.error().message;
    EXPECT_EQ(said(**issuers, token()), "valid");
    const auto second = Signer::p256();
    {
        std::lock_guard lock(mutex);
        keys = jose::testing::key_set(Json::array({second.jwk("k2")}));
    }
    pass(60);
    EXPECT_EQ(said(**issuers, signed_by(second, "k2")), "valid");
    EXPECT_TRUE(contains(said(**issuers, token()), "does not publish"));
    {
        std::lock_guard lock(mutex);
        keys = std::string(300'000, ' ') + keys;  // more than anybody publishes
    }
    pass(60);
    EXPECT_TRUE(contains(said(**issuers, signed_by(second, "k3")), "does not publish"));
    EXPECT_EQ(said(**issuers, signed_by(second, "k2")), "valid");

    outbound::Http guarded{outbound::Http::Options{}};
    over_http.fetch = [&](outbound::Request request) { return guarded.fetch(std::move(request)); };
    const auto refused = Issuers::make({local}, over_http);
    EXPECT_TRUE(said(**refused, token()).starts_with("503 ")) << "this machine is not opened";
}

}  // namespace
}  // namespace pb::oauth::issuer_tests
