// SPDX-License-Identifier: Apache-2.0
// What the tests of the MCP client share: an MCP server that is scripted in the test, on the host's
// own HTTP server; a handler that remembers what it heard; a client with an engine of its own.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "client/client.h"
#include "client/lists.h"
#include "http/server.h"

namespace pb::client::testing {

using Json = nlohmann::json;

// Long enough for a loaded machine; no test waits for it unless it fails.
inline constexpr std::chrono::seconds patience{60};

inline Deadline soon() { return Deadline::clock::now() + patience; }

// Looks again and again until it is so.
bool eventually(const std::function<bool()>& condition);

// A request as the server got it.
struct Got {
    std::string http;  // GET, POST, DELETE
    std::string path;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
    Json json;

    std::string method() const { return json.is_object() ? json.value("method", "") : ""; }
    std::string id() const { return json.contains("id") ? json["id"].dump() : "null"; }
    Json params() const { return json.is_object() ? json.value("params", Json()) : Json(); }
    bool has(const std::string& header) const { return headers.contains(header); }
    std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? "" : found->second;
    }
};

// The answer to one request; a handle, to be copied.
class Out {
  public:
    Out(std::shared_ptr<http::Exchange> exchange, std::string id)
        : exchange_(std::move(exchange)), id_(std::move(id)) {}

    void json(int status, const std::string& text, const http::HeaderList& headers = {}) const {
        exchange_->respond({status, "application/json", text, headers});
    }
    void result(const std::string& text, const http::HeaderList& headers = {}) const {
        json(200, message(text), headers);
    }
    void error(int status, int code, const std::string& text = "no", const Json& data = {}) const;
    void html(int status) const {
        exchange_->respond({status, "text/html", "<!DOCTYPE html><p>Hello</p>", {}});
    }
    void empty(int status, const http::HeaderList& headers = {}) const {
        exchange_->respond({status, "", "", headers});
    }
    void stream(const http::HeaderList& headers = {}) const { exchange_->start_stream(headers); }
    void raw(const std::string& bytes) const { exchange_->send(bytes); }
    void event(const std::string& data, const std::string& id = {}, int retry = -1) const;
    void end() const { exchange_->finish(); }
    void on_gone(std::function<void()> callback) const {
        exchange_->on_disconnect(std::move(callback));
    }
    // The JSON-RPC answer with this result.
    std::string message(const std::string& result) const {
        return R"({"jsonrpc":"2.0","id":)" + id_ + R"(,"result":)" + result + "}";
    }
    const std::string& id() const { return id_; }

  private:
    std::shared_ptr<http::Exchange> exchange_;
    std::string id_;
};

class TestServer {
  public:
    using Serve = std::function<void(const Got&, const Out&)>;

    explicit TestServer(Serve serve, std::uint16_t port = 0);
    ~TestServer() { stop(); }

    std::string url(const std::string& path = "/mcp") const {
        return "http://127.0.0.1:" + std::to_string(port_) + path;
    }
    std::uint16_t port() const { return port_; }
    // From now on it answers like this.
    void serve(Serve serve);
    // Nobody listens there any more.
    void stop();

    std::vector<Got> all() const;
    // JSON-RPC requests and notifications of a method; or "GET", "DELETE".
    std::vector<Got> got(const std::string& what) const;
    std::size_t count(const std::string& what) const { return got(what).size(); }
    bool wait_for(const std::string& what, std::size_t times = 1) const {
        return eventually([&] { return count(what) >= times; });
    }

  private:
    void take(const http::Request& request, const std::shared_ptr<http::Exchange>& exchange);

    mutable std::mutex mutex_;
    Serve serve_;
    std::vector<Got> all_;
    std::uint16_t port_ = 0;
    std::unique_ptr<http::Server> server_;
};

// Answers server/discover; true if that was it.
bool modern(const Got& got, const Out& out, const std::string& capabilities = R"({"tools":{}})");
// Answers what a legacy server is asked besides calls: initialize, what follows it, GET, DELETE. A
// modern probe is refused as servers of that time do it. True if it was one of these.
struct Legacy {
    std::string session;
    std::string capabilities = R"({"tools":{}})";
    std::string version;  // empty: what was asked for
};
bool legacy(const Got& got, const Out& out, const Legacy& how = {});

// Hears of a call.
class Recorder : public Handler {
  public:
    void progress(std::string_view params) noexcept override { add("progress", params); }
    void message(std::string_view params) noexcept override { add("message", params); }
    void question(Question question) noexcept override;
    void done(Reply reply) noexcept override;

    // Fails the test if nothing comes.
    Reply wait();
    bool wait_for_question(std::size_t count = 1);
    std::vector<std::string> notes() const;  // "progress {...}", in order
    std::vector<Question> questions() const;
    int ends() const;

    std::function<void(const Question&)> on_question;

  private:
    void add(const char* what, std::string_view params);

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> notes_;
    std::vector<Question> questions_;
    std::optional<Reply> reply_;
    int ends_ = 0;
};

// What a client's owner hears.
class Owner : public Events {
  public:
    void opened(const ServerInfo& info) noexcept override;
    void notified(std::string_view method, std::string_view params) noexcept override;
    void ended(const std::string& why) noexcept override;

    std::vector<std::string> notices() const;
    int opens() const;
    int ends() const;

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> notices_;
    int opens_ = 0, ends_ = 0;
};

// An engine that may reach this machine.
std::unique_ptr<Engine> local_engine();

CallRequest tool(const std::string& name, const std::string& arguments = "{}");

// A client of one server, with all that it needs.
class World {
  public:
    World() = default;
    explicit World(const std::string& url) { spec.url = url; }
    ~World() {
        if (client_) client_->close();
    }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    ServerSpec spec = plain_spec();
    CredentialsPtr credentials = fixed_credentials({});
    std::optional<mcp::Version> remembered;
    std::shared_ptr<Owner> owner = std::make_shared<Owner>();

    Client& client();
    Engine& engine() { return *engine_; }
    Result<LinkPtr> open() { return client().open(soon()); }
    std::shared_ptr<Running> call(const std::shared_ptr<Recorder>& recorder,
                                  CallRequest request = tool("echo"));
    Reply ask(CallRequest request = tool("echo"));
    // The end of the client and its engine.
    void end();

  private:
    static ServerSpec plain_spec();

    std::unique_ptr<Engine> engine_ = local_engine();
    std::shared_ptr<Client> client_;
};

}  // namespace pb::client::testing
