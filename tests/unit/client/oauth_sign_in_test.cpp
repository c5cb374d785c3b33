// SPDX-License-Identifier: Apache-2.0
// A person signs in: what is asked for, what is believed of the answer, what lasts.
#include <thread>

#include "oauth_world.h"

namespace pb::client::oauth::oauth_sign_in_test {
namespace {

class SignIns : public ::testing::Test {
  protected:
    // A first challenge, then the link.
    OAuth::Begun begin(OAuth& oauth, const std::string& www_authenticate = "Bearer") {
        EXPECT_FALSE(world.challenge(oauth, 401, www_authenticate));
        return begin_again(oauth);
    }
    OAuth::Begun begin_again(OAuth& oauth) {
        auto begun = oauth.begin_sign_in("ada", soon());
        EXPECT_TRUE(begun) << (begun ? "" : begun.error().message);
        return begun ? *begun : OAuth::Begun();
    }
    World world;
};

TEST_F(SignIns, FromTheFirstRequestToTheToken) {
    const auto oauth = world.make();
    EXPECT_EQ(oauth->status().state, OAuth::State::untried);
    EXPECT_EQ(oauth->ready("POST", world.server), outbound::Headers()) << "it did not ask yet";

    const auto refused = world.challenge(*oauth, 401, "Bearer");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::denied);
    EXPECT_FALSE(oauth->ready("POST", world.server));
    EXPECT_EQ(oauth->acquire(soon()).error().kind, ErrorKind::denied);
    EXPECT_EQ(oauth->status().state, OAuth::State::needs_sign_in);

    const auto begun = begin_again(*oauth);
    EXPECT_TRUE(begun.url.starts_with("https://as.example/authorize?")) << begun.url;
    EXPECT_EQ(query_field(begun.url, "response_type"), "code");
    EXPECT_EQ(query_field(begun.url, "client_id"), "client-1");
    EXPECT_EQ(query_field(begun.url, "redirect_uri"), world.callback);
    EXPECT_EQ(query_field(begun.url, "resource"), world.server);
    EXPECT_EQ(query_field(begun.url, "code_challenge_method"), "S256");
    EXPECT_EQ(query_field(begun.url, "state"), begun.state);
    EXPECT_EQ(query_field(begun.url, "scope"), "") << "none is known";
    EXPECT_EQ(oauth->sign_in_owner(begun.state), "ada");
    EXPECT_EQ(oauth->sign_in_owner("other"), std::nullopt);

    ASSERT_TRUE(oauth->finish_sign_in(begun.state, world.callback_of(begun), soon()));
    EXPECT_EQ(shown(*oauth, world), "Bearer access-1");
    EXPECT_EQ(oauth->status().state, OAuth::State::ready);
    const auto sent = world.requests("https://as.example/token").at(0).body;
    EXPECT_EQ(field(sent, "grant_type"), "authorization_code");
    EXPECT_EQ(field(sent, "code"), "code-1");
    EXPECT_EQ(field(sent, "redirect_uri"), world.callback);
    EXPECT_EQ(field(sent, "resource"), world.server);
    EXPECT_EQ(field(sent, "client_id"), "client-1");
    EXPECT_EQ(sha256_url(field(sent, "code_verifier")), query_field(begun.url, "code_challenge"));
    EXPECT_GE(field(sent, "code_verifier").size(), 43U);
}

TEST_F(SignIns, ATokenIsShownToItsOriginAlone) {
    const auto oauth = world.make();
    world.sign_in(*oauth);
    EXPECT_EQ(oauth->ready("POST", "https://mcp.example/messages")->size(), 1U);
    for (const char* url : {"https://evil.example/mcp", "http://mcp.example/mcp",
                            "https://mcp.example:444/mcp", "https://mcp.example@evil.example/mcp"})
        EXPECT_EQ(oauth->ready("POST", url), outbound::Headers()) << url;
    Challenge elsewhere;
    elsewhere.url = "https://evil.example/mcp";
    world.forget_requests();
    EXPECT_FALSE(oauth->challenged(elsewhere, soon()));
    EXPECT_TRUE(world.urls().empty());
}

// Whether the server says that it sends `iss`, what it sends, and what becomes of it.
TEST_F(SignIns, TheIssuerOfTheAnswer) {
    const struct {
        std::optional<bool> advertised;
        const char* iss;
        bool accepted;
    } cases[] = {
        {true, "https://as.example", true},
        {true, nullptr, false},
        {true, "https://evil.example", false},
        {true, "https://as.example/", false},
        {true, "https://AS.example", false},
        {true, "https://as.example:443", false},
        {false, nullptr, true},
        {false, "https://as.example", true},
        {false, "https://evil.example", false},
        {std::nullopt, nullptr, true},
        {std::nullopt, "https://as.example", true},
        {std::nullopt, "https://evil.example", false},
        {std::nullopt, "https://as.example/", false},
        {std::nullopt, "", false},
    };
    for (const auto& each : cases) {
        world.store = memory_token_store();
        world.metadata.erase("authorization_response_iss_parameter_supported");
        if (each.advertised)
            world.metadata["authorization_response_iss_parameter_supported"] = *each.advertised;
        const auto oauth = world.make();
        const auto begun = begin(*oauth);
        world.forget_requests();
        auto params = world.callback_of(begun);
        if (each.iss != nullptr) params.emplace_back("iss", each.iss);
        const auto done = oauth->finish_sign_in(begun.state, params, soon());
        EXPECT_EQ(done.ok(), each.accepted) << (each.iss != nullptr ? each.iss : "(none)");
        EXPECT_EQ(world.requests("https://as.example/token").size(), each.accepted ? 1U : 0U)
            << "a code goes nowhere before its issuer is known";
    }
}

TEST_F(SignIns, AnErrorOfAnotherIssuerIsNotShown) {
    const auto oauth = world.make();
    const auto begun = begin(*oauth);
    const auto done = oauth->finish_sign_in(
        begun.state,
        {{"state", begun.state}, {"error", "call-this-number"}, {"iss", "https://evil.example"}},
        soon());
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message.find("call"), std::string::npos);
}

TEST_F(SignIns, AnswersThatAreNotSound) {
    const auto with = [](const OAuth::Begun& begun, FormParams more) {
        more.emplace_back("state", begun.state);
        return more;
    };
    const std::function<FormParams(const OAuth::Begun&)> cases[] = {
        [](const auto&) {
            return FormParams{{"code", "c"}};
        },
        [](const auto&) {
            return FormParams{{"code", "c"}, {"state", "other"}};
        },
        [&](const auto& begun) { return with(begun, {}); },
        [&](const auto& begun) {
            return with(begun, {{"code", "a"}, {"code", "b"}});
        },
        [&](const auto& begun) {
            return with(begun, {{"code", "a"}, {"state", begun.state}});
        },
        [&](const auto& begun) {
            return with(begun, {{"error", "access_denied"}, {"code", "a"}});
        },
        [&](const auto& begun) {
            return with(begun, {{"code", "a"}, {"iss", ""}, {"iss", ""}});
        },
    };
    const auto oauth = world.make();
    for (const auto& params : cases) {
        const auto begun = begin_again(*oauth);
        EXPECT_FALSE(oauth->finish_sign_in(begun.state, params(begun), soon()));
        EXPECT_EQ(oauth->sign_in_owner(begun.state), std::nullopt) << "it ends once";
        EXPECT_FALSE(oauth->finish_sign_in(begun.state, world.callback_of(begun), soon()));
    }
    EXPECT_TRUE(world.requests("https://as.example/token").empty());
}

TEST_F(SignIns, ASignInExpires) {
    const auto oauth = world.make();
    const auto begun = begin(*oauth);
    world.time += 601;
    EXPECT_EQ(oauth->sign_in_owner(begun.state), std::nullopt);
    const auto late = oauth->finish_sign_in(begun.state, world.callback_of(begun), soon());
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, ErrorKind::not_found);
}

TEST_F(SignIns, TheSameLinkForTheSameOwnerWhileItIsYoung) {
    const auto oauth = world.make();
    const auto first = begin(*oauth);
    EXPECT_EQ(begin_again(*oauth).state, first.state);
    EXPECT_NE(oauth->begin_sign_in("bob", soon())->state, first.state);
    EXPECT_NE(oauth->begin_sign_in("ada", soon(), true)->state, first.state) << "anew";
    world.time += 301;
    EXPECT_NE(begin_again(*oauth).state, first.state);
    EXPECT_EQ(world.clients, 2) << "one registration for all, and the one that was wanted anew";
}

TEST_F(SignIns, TheirNumberIsBounded) {
    const auto oauth = world.make();
    const auto first = begin(*oauth);
    for (int i = 0; i < 16; ++i)
        ASSERT_TRUE(oauth->begin_sign_in("owner-" + std::to_string(i), soon()));
    EXPECT_EQ(oauth->sign_in_owner(first.state), std::nullopt) << "the oldest goes";
}

TEST_F(SignIns, ARestartInBetweenChangesNothing) {
    auto settings = world.settings();
    settings.state_prefix = "org1.server2.";
    OAuth::Begun begun;
    {
        const auto oauth = world.make(settings);
        begun = begin(*oauth);
    }
    EXPECT_TRUE(begun.state.starts_with("org1.server2."));
    {
        const auto oauth = world.make(settings);
        EXPECT_FALSE(oauth->ready("POST", world.server)) << "that it asks is known";
        EXPECT_EQ(oauth->sign_in_owner(begun.state), "ada");
        ASSERT_TRUE(oauth->finish_sign_in(begun.state, world.callback_of(begun), soon()));
    }
    EXPECT_EQ(shown(*world.make(settings), world), "Bearer access-1");
}

TEST_F(SignIns, WithoutPkceNobodySignsIn) {
    for (const Json& methods : {Json(nullptr), Json{"plain"}, Json::array(), Json("S256")}) {
        world.store = memory_token_store();
        world.metadata["code_challenge_methods_supported"] = methods;
        const auto begun = world.make()->begin_sign_in("ada", soon());
        ASSERT_FALSE(begun);
        EXPECT_EQ(begun.error().kind, ErrorKind::unsupported);
        EXPECT_NE(begun.error().message.find("S256"), std::string::npos);
    }
}

TEST_F(SignIns, ScopesOfTheChallengeElseOfTheResourceElseNone) {
    const struct {
        const char* challenge;
        Json supported;
        std::vector<std::string> configured;
        const char* asked;
    } cases[] = {
        {R"(Bearer scope="a b")", {"c"}, {}, "a b"},
        {"Bearer", {"c", "d"}, {}, "c d"},
        {"Bearer", nullptr, {}, ""},
        {R"(Bearer scope="a")", {"c"}, {"x"}, "x a"},
        {"Bearer", {"c"}, {"x"}, "x"},
    };
    for (const auto& each : cases) {
        world.store = memory_token_store();
        world.resource["scopes_supported"] = each.supported;
        auto settings = world.settings();
        settings.scopes = each.configured;
        const auto oauth = world.make(settings);
        EXPECT_EQ(query_field(begin(*oauth, each.challenge).url, "scope"), each.asked);
    }
}

TEST_F(SignIns, OfflineAccessOnlyWhereItIsOffered) {
    world.resource["scopes_supported"] = {"a"};
    EXPECT_EQ(query_field(begin(*world.make()).url, "scope"), "a");
    world.store = memory_token_store();
    world.metadata["scopes_supported"] = {"a", "offline_access"};
    const auto url = begin(*world.make()).url;
    EXPECT_EQ(query_field(url, "scope"), "a offline_access");
    EXPECT_EQ(query_field(url, "prompt"), "consent");
    world.store = memory_token_store();
    auto settings = world.settings();
    settings.offline_access = false;
    EXPECT_EQ(query_field(begin(*world.make(settings)).url, "scope"), "a");
}

TEST_F(SignIns, TheCodesRefusalIsToldWithoutSecrets) {
    const auto oauth = world.make();
    const auto begun = begin(*oauth);
    world.token = [](const Request& request) {
        return answer(400, Json{{"error", "invalid_grant"},
                                {"error_description", "I got " + field(request.body, "code")}});
    };
    const auto done = oauth->finish_sign_in(begun.state, world.callback_of(begun), soon());
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().message.find("invalid_grant"), std::string::npos);
    EXPECT_EQ(done.error().message.find("code-1"), std::string::npos);
    EXPECT_EQ(oauth->status().state, OAuth::State::needs_sign_in);
}

TEST_F(SignIns, AnAnswerThatIsNoTokenIsRefused) {
    const Json cases[] = {
        Json::object(),
        {{"access_token", ""}, {"token_type", "Bearer"}},
        {{"access_token", "a\r\nX: y"}, {"token_type", "Bearer"}},
        {{"access_token", "a b"}, {"token_type", "Bearer"}},
        {{"access_token", std::string(100'000, 'a')}, {"token_type", "Bearer"}},
        {{"access_token", "a"}, {"token_type", "mac"}},
        {{"access_token", "a"}},
        {{"access_token", 5}, {"token_type", "Bearer"}},
        {{"access_token", "a"}, {"token_type", "DPoP"}},
        {{"access_token", "a"}, {"token_type", "Bearer"}, {"refresh_token", "\x01"}},
    };
    const auto oauth = world.make();
    for (const auto& body : cases) {
        const auto begun = begin_again(*oauth);
        world.token = [&](const Request&) { return answer(200, body); };
        EXPECT_FALSE(oauth->finish_sign_in(begun.state, world.callback_of(begun), soon()))
            << body.dump().substr(0, 200);
    }
}

TEST_F(SignIns, WhoCannotWaitIsToldAndTheAnswerStillCounts) {
    const auto oauth = world.make();
    const auto begun = begin(*oauth);
    std::atomic<bool> go = false;
    const auto token = world.token;
    world.token = [&](const Request& request) {
        while (!go)
            std::this_thread::yield();
        return token(request);
    };
    const auto now = std::chrono::steady_clock::now();
    const auto done = oauth->finish_sign_in(begun.state, world.callback_of(begun), now);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, ErrorKind::deadline);
    go = true;
    EXPECT_TRUE(oauth->acquire(soon()));
    EXPECT_EQ(shown(*oauth, world), "Bearer access-1");
}

TEST_F(SignIns, SigningOutForgetsAndRevokes) {
    world.metadata["revocation_endpoint"] = "https://as.example/revoke";
    world.token_members["refresh_token"] = "refresh-1";
    world.at("https://as.example/revoke", [](const Request&) { return plain(200); });
    const auto oauth = world.make();
    world.sign_in(*oauth);
    ASSERT_TRUE(oauth->sign_out(soon()));
    const auto sent = world.requests("https://as.example/revoke").at(0).body;
    EXPECT_EQ(field(sent, "token"), "refresh-1");
    EXPECT_EQ(field(sent, "client_id"), "client-1");
    EXPECT_EQ(oauth->status().state, OAuth::State::needs_sign_in);
    EXPECT_FALSE(oauth->ready("POST", world.server));
    EXPECT_FALSE(world.make()->ready("POST", world.server)) << "nor after a restart";

    world.sign_in(*oauth);
    world.at("https://as.example/revoke", [](const Request&) { return plain(503); });
    const auto failed = oauth->sign_out(soon());
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().message.find("refresh-1"), std::string::npos);
    EXPECT_FALSE(oauth->ready("POST", world.server));
}

}  // namespace
}  // namespace pb::client::oauth::oauth_sign_in_test
