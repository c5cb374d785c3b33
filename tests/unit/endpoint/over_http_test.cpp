// SPDX-License-Identifier: Apache-2.0
// The endpoint behind the real server: what reaches a socket of a call that lasts.
#include "../http/support.h"
#include "door.h"

namespace pb::test {
namespace {

class OverHttp : public Door {
  protected:
    OverHttp() : Door(lasting()) {
        http::ServerOptions options;
        options.keep_alive_comment = std::chrono::milliseconds(5);
        server = http::testing::serve(
            [this](auto request, auto exchange) { endpoint.handle(request, exchange); }, options);
    }
    ~OverHttp() override { server->stop(std::chrono::milliseconds(1)); }
    std::string request(const std::string& tool) {
        return http::testing::post(call(tool, 7, World::modern_meta()).dump(),
                                   "Content-Type: application/json\r\n"
                                   "MCP-Protocol-Version: 2026-07-28\r\n"
                                   "Mcp-Method: tools/call\r\n"
                                   "Mcp-Name: =?base64?" +
                                       std::string(tool == "keep" ? "a2VlcA==" : "ZWNobw==") +
                                       "?=\r\n");
    }
    std::unique_ptr<http::Server> server;
};

TEST_F(OverHttp, AQuickAnswerHasALength) {
    http::testing::Client client(server->port());
    const auto answer = client.ask(request("echo"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.has("Content-Type: application/json"));
    EXPECT_EQ(json::parse(answer.body)["id"], 7);
}

TEST_F(OverHttp, ACallThatLastsIsKeptAliveByCommentsUntilItsAnswer) {
    http::testing::Client client(server->port());
    ASSERT_TRUE(client.write(request("keep")));
    const auto head = client.until("\r\n\r\n");
    EXPECT_NE(head.find("Content-Type: text/event-stream"), std::string::npos) << head;
    EXPECT_TRUE(client.chunk().starts_with(":"));
    EXPECT_TRUE(client.chunk().starts_with(":"));
    answer_kept();
    std::string last;
    for (auto chunk = client.chunk(); !chunk.empty(); chunk = client.chunk())
        last = chunk;
    ASSERT_TRUE(last.starts_with("event: message\ndata: {")) << last;
    EXPECT_EQ(json::parse(last.substr(last.find('{')))["id"], 7);
}

TEST_F(OverHttp, ADisconnectCancelsTheCall) {
    http::testing::Client client(server->port());
    ASSERT_TRUE(client.write(request("keep")));
    client.until("\r\n\r\n");
    client.close();
    EXPECT_TRUE(world.provider->wait_cancelled(kept));
}

}  // namespace
}  // namespace pb::test
