// SPDX-License-Identifier: Apache-2.0
// The CLI's MCP client against a server whose answers are written here.
#include "cli/client.h"

#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/StreamCopier.h>
#include <Poco/ThreadPool.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <thread>

namespace pb::cli {
namespace {

namespace net = Poco::Net;
using std::chrono::milliseconds;

struct Canned {
    int status = 200;
    std::string type = "application/json";
    std::string body;
    int comments = 0;  // of an event stream, one now and then before the body
    std::map<std::string, std::string> seen;  // the last request's headers, and "body"
};

class Handler : public net::HTTPRequestHandler {
  public:
    explicit Handler(Canned& canned) : canned_(canned) {}
    void handleRequest(net::HTTPServerRequest& request,
                       net::HTTPServerResponse& response) override {
        canned_.seen.clear();
        for (const auto& [name, value] : request) {
            canned_.seen[name] = value;
        }
        Poco::StreamCopier::copyToString(request.stream(), canned_.seen["body"]);
        canned_.seen["path"] = request.getURI();
        response.setStatus(static_cast<net::HTTPResponse::HTTPStatus>(canned_.status));
        response.setContentType(canned_.type);
        if (canned_.comments > 0) return trickle(response);
        response.sendBuffer(canned_.body.data(), canned_.body.size());
    }

  private:
    void trickle(net::HTTPServerResponse& response) const {
        response.setChunkedTransferEncoding(true);
        std::ostream& stream = response.send();
        for (int i = 0; i < canned_.comments && stream << ": still here\n\n" << std::flush; ++i) {
            std::this_thread::sleep_for(milliseconds(20));
        }
        stream << canned_.body << std::flush;
    }

    Canned& canned_;
};

class Factory : public net::HTTPRequestHandlerFactory {
  public:
    explicit Factory(Canned& canned) : canned_(canned) {}
    net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override {
        return new Handler(canned_);
    }

  private:
    Canned& canned_;
};

class ClientTest : public ::testing::Test {
  protected:
    ClientTest()
        : socket_(net::SocketAddress("127.0.0.1", 0)),
          server_(new Factory(canned_), pool_, socket_, new net::HTTPServerParams) {
        server_.start();
    }
    ~ClientTest() override {
        server_.stopAll(true);
        pool_.joinAll();  // a handler may still be writing
    }

    std::string url() const {
        return "http://127.0.0.1:" + std::to_string(socket_.address().port()) + "/mcp";
    }

    Result<Json> ask(std::string_view method, const Json& params, const Headers& headers = {}) {
        return http_requester(url(), milliseconds(60'000)).value()(method, params, headers);
    }

    Canned canned_;
    Poco::ThreadPool pool_;
    net::ServerSocket socket_;
    net::HTTPServer server_;
};

TEST_F(ClientTest, SendsWhatTheSpecificationAsksFor) {
    canned_.body = R"({"jsonrpc":"2.0","id":1,"result":{"ok":true}})";
    auto result = ask("tools/call", {{"name", "wétter"}, {"arguments", {{"a", 1}}}},
                      {{"Mcp-Param-Region", "us"}});
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(*result, (Json{{"ok", true}}));
    EXPECT_EQ(canned_.seen["path"], "/mcp");
    EXPECT_EQ(canned_.seen["MCP-Protocol-Version"], "2026-07-28");
    EXPECT_EQ(canned_.seen["Mcp-Method"], "tools/call");
    EXPECT_EQ(canned_.seen["Mcp-Param-Region"], "us");
    EXPECT_EQ(canned_.seen["Accept"], "application/json, text/event-stream");
    EXPECT_EQ(canned_.seen["Content-Type"], "application/json");
    const Json body = Json::parse(canned_.seen["body"]);
    EXPECT_EQ(body["method"], "tools/call");
    EXPECT_EQ(body["params"]["name"], "wétter");
    const Json& meta = body["params"]["_meta"];
    EXPECT_EQ(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
    EXPECT_EQ(meta["io.modelcontextprotocol/clientCapabilities"], Json::object());
    EXPECT_EQ(meta["io.modelcontextprotocol/clientInfo"]["name"], "patchbay-cli");
}

TEST_F(ClientTest, ShowsItsKeyToThisMachineAlone) {
    canned_.body = R"({"jsonrpc":"2.0","id":1,"result":{"ok":true}})";
    ASSERT_TRUE(ask("tools/list", Json::object()));
    EXPECT_FALSE(canned_.seen.contains("Authorization"));
    const auto with_key = http_requester(url(), milliseconds(60'000), "pb_key").value();
    ASSERT_TRUE(with_key("tools/list", Json::object(), {}));
    EXPECT_EQ(canned_.seen["Authorization"], "Bearer pb_key");
    for (const char* url : {"http://192.0.2.1/mcp", "http://localhost.example.com/mcp",
                            "http://127.0.0.1@example.com/mcp"}) {
        const auto refused = http_requester(url, milliseconds(1), "pb_key");
        ASSERT_FALSE(refused) << url;
        EXPECT_NE(refused.error().message.find("unencrypted"), std::string::npos);
        EXPECT_TRUE(http_requester(url, milliseconds(1))) << url;
    }
}

TEST_F(ClientTest, AHostThatWantsAKeyIsUnderstood) {
    canned_.status = 401;
    canned_.body = R"({"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"no"}})";
    auto refused = ask("tools/list", Json::object());
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("wants an API key"), std::string::npos);
    refused = http_requester(url(), milliseconds(60'000), "pb_old").value()("tools/list", {}, {});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("refuses the API key"), std::string::npos);
    EXPECT_EQ(refused.error().message.find("pb_old"), std::string::npos);
}

TEST_F(ClientTest, ReadsTheAnswerFromAnEventStream) {
    canned_.type = "text/event-stream; charset=utf-8";
    canned_.body =
        ": comment\r\n\r\nid: 1\r\ndata:\r\n\r\n"
        "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}\n\n"
        "event: message\ndata: {\"jsonrpc\":\"2.0\",\ndata:  \"id\":1,\"result\":{\"n\":7}}\n\n";
    auto result = ask("tools/list", Json::object());
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(*result, (Json{{"n", 7}}));
}

TEST_F(ClientTest, AStreamWithoutAnAnswerIsNoAnswer) {
    canned_.type = "text/event-stream";
    canned_.body = "data: {\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n\n";
    auto result = ask("tools/list", Json::object());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::gone);
}

TEST_F(ClientTest, APeerThatKeepsSendingDoesNotStretchTheTime) {
    canned_.type = "text/event-stream";
    canned_.comments = 500;
    canned_.body = "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n";
    auto requester = http_requester(url(), milliseconds(1'000)).value();
    auto result = requester("tools/list", Json::object(), {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::deadline);
    EXPECT_NE(result.error().message.find("within 1 second"), std::string::npos)
        << result.error().message;
}

TEST_F(ClientTest, AProtocolErrorIsToldWithItsCode) {
    canned_.status = 400;
    canned_.body = R"({"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no such tool"}})";
    auto result = ask("tools/call", {{"name", "x"}});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, "no such tool (-32602)");
}

TEST_F(ClientTest, SomethingElseThanAHostIsRecognised) {
    canned_.status = 404;
    canned_.type = "text/html";
    canned_.body = "<h1>Not found</h1>";
    auto result = ask("tools/list", Json::object());
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().message.find("HTTP 404"), std::string::npos);
    EXPECT_NE(result.error().message.find("is this the MCP endpoint?"), std::string::npos);
    canned_.body = R"({"jsonrpc":"2.0","error":{"message":7}})";
    EXPECT_FALSE(ask("tools/list", Json::object()));
    canned_.body = R"({"jsonrpc":"2.0","result":[]})";
    EXPECT_FALSE(ask("tools/list", Json::object()));
}

TEST(ClientAlone, NobodyThereIsUnreachable) {
    net::ServerSocket deaf;  // bound, so that nobody else takes the port, and not listening
    deaf.bind(net::SocketAddress("127.0.0.1", 0));
    const std::string url = "http://127.0.0.1:" + std::to_string(deaf.address().port()) + "/mcp";
    auto result =
        http_requester(url, milliseconds(60'000)).value()("tools/list", Json::object(), {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::gone);
    EXPECT_NE(result.error().message.find(url), std::string::npos);
}

TEST(ClientAlone, ASilentServerIsOverItsTime) {
    net::ServerSocket silent(net::SocketAddress("127.0.0.1", 0));  // listens, never answers
    const std::string url = "http://127.0.0.1:" + std::to_string(silent.address().port()) + "/mcp";
    auto result = http_requester(url, milliseconds(200)).value()("tools/list", Json::object(), {});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, ErrorKind::deadline);
}

TEST(ClientAlone, UrlsThatCannotBeUsed) {
    for (const char* url :
         {"", "x", "https://127.0.0.1/mcp", "ftp://a/mcp", "http://", "http://:x/"}) {
        EXPECT_FALSE(http_requester(url, milliseconds(1))) << url;
    }
}

// The specification's own examples.
TEST(HeaderValue, FollowsTheSpecification) {
    EXPECT_EQ(header_value("us-west1"), "us-west1");
    EXPECT_EQ(header_value("Hello, 世界"), "=?base64?SGVsbG8sIOS4lueVjA==?=");
    EXPECT_EQ(header_value(" padded "), "=?base64?IHBhZGRlZCA=?=");
    EXPECT_EQ(header_value("line1\nline2"), "=?base64?bGluZTEKbGluZTI=?=");
    EXPECT_EQ(header_value("=?base64?literal?="), "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=");
    EXPECT_EQ(header_value(std::string(300, 0x01)).find('\n'), std::string::npos);
}

TEST(ParameterHeaders, ComeFromAnnotatedProperties) {
    const Json schema = Json::parse(R"({"properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "count": {"type": "integer", "x-mcp-header": "Count"},
        "flag": {"type": "boolean", "x-mcp-header": "Flag"},
        "absent": {"type": "string", "x-mcp-header": "Absent"},
        "plain": {"type": "string"},
        "inner": {"properties": {"deep": {"type": "string", "x-mcp-header": "Deep"}}},
        "list": {"items": {"properties": {"x": {"x-mcp-header": "Never"}}}}}})");
    const Json arguments = Json::parse(
        R"({"region": "us", "count": -7, "flag": true, "plain": "p", "inner": {"deep": "é"},
            "list": [{"x": "1"}]})");
    Headers headers = parameter_headers(schema, arguments);
    std::sort(headers.begin(), headers.end());
    EXPECT_EQ(headers, (Headers{{"Mcp-Param-Count", "-7"},
                                {"Mcp-Param-Deep", "=?base64?w6k=?="},
                                {"Mcp-Param-Flag", "true"},
                                {"Mcp-Param-Region", "us"}}));
    EXPECT_TRUE(parameter_headers(Json(true), arguments).empty());
    EXPECT_TRUE(parameter_headers(schema, Json::object()).empty());
}

}  // namespace
}  // namespace pb::cli
