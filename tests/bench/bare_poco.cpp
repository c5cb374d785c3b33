// SPDX-License-Identifier: Apache-2.0
// The usual small C++ server for comparison: Poco's HTTPServer, nlohmann::json, and a tools/call of
// `echo` answered with nothing checked. Prints its port; ends with standard input.
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/StreamCopier.h>
#include <Poco/ThreadPool.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

namespace {

using nlohmann::json;
using namespace Poco::Net;

json answer(const json& request) {
    const auto& text = request.at("params").at("arguments").at("text");
    return {{"jsonrpc", "2.0"},
            {"id", request.at("id")},
            {"result",
             {{"resultType", "complete"},
              {"content", json::array({{{"type", "text"}, {"text", text}}})}}}};
}

class Echo : public HTTPRequestHandler {
  public:
    void handleRequest(HTTPServerRequest& request, HTTPServerResponse& response) override {
        std::string body;
        Poco::StreamCopier::copyToString(request.stream(), body);
        std::string out;
        try {
            out = answer(json::parse(body)).dump();
        } catch (const json::exception&) {
            response.setStatus(HTTPResponse::HTTP_BAD_REQUEST);
        }
        response.setContentType("application/json");
        response.setContentLength(static_cast<std::streamsize>(out.size()));
        response.sendBuffer(out.data(), out.size());
    }
};

class Factory : public HTTPRequestHandlerFactory {
  public:
    HTTPRequestHandler* createRequestHandler(const HTTPServerRequest&) override { return new Echo; }
};

}  // namespace

int main() {
    ServerSocket socket(SocketAddress("127.0.0.1", 0));
    auto* params = new HTTPServerParams;  // the server shares its ownership
    params->setKeepAlive(true);
    params->setMaxThreads(128);  // one for each connection: Poco's model
    params->setMaxQueued(1024);
    Poco::ThreadPool pool(2, 128);
    HTTPServer server(new Factory, pool, socket, params);
    server.start();
    std::printf("%u\n", static_cast<unsigned>(socket.address().port()));
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
    server.stopAll(true);
    return 0;
}
