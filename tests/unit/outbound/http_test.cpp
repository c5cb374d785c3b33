// SPDX-License-Identifier: Apache-2.0
// Requests and answers.
#include "support.h"

namespace pb::outbound::testing {
namespace {

TEST(Http, AnAnswerIsFetched) {
    const auto server = serve([](auto request, auto exchange) {
        exchange->respond({200,
                           "text/plain",
                           std::string(request->method) + " " + std::string(request->path) + " " +
                               std::string(request->header("x-one")) + " " + request->body,
                           {{"X-Two", "2"}}});
    });
    Http http(local());
    Request request = post(url(server->port(), "/a"), "hello");
    request.headers = {{"X-One", "1"}};
    const auto out = fetch(http, request);
    ASSERT_FALSE(out.failure) << out.failure->message;
    EXPECT_EQ(out.answer.head.status, 200);
    EXPECT_EQ(out.answer.head.header("x-two"), "2");
    EXPECT_EQ(out.answer.body, "POST /a 1 hello");
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(fetch(http, post(url(server->port()), "x")).status(), 200);
    EXPECT_EQ(server->counters().connections, 1U);
}

TEST(Http, LoopbackIsRefusedByDefault) {
    const auto server = serve(echo);
    Http http({});
    const auto out = fetch(http, get(url(server->port())));
    ASSERT_TRUE(out.failure);
    EXPECT_EQ(out.failure->fault, Fault::refused);
    EXPECT_FALSE(out.failure->sent);
    EXPECT_NE(out.failure->message.find("127.0.0.1 is a loopback address"), std::string::npos)
        << out.failure->message;
}

}  // namespace
}  // namespace pb::outbound::testing
