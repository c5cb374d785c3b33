// SPDX-License-Identifier: Apache-2.0
#include "support.h"

#include <algorithm>
#include <thread>

namespace pb::client::testing {

bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

// --- the server ----------------------------------------------------------------------------------

void Out::error(int status, int code, const std::string& text, const Json& data) const {
    Json error{{"code", code}, {"message", text}};
    if (!data.is_null()) error["data"] = data;
    json(status, R"({"jsonrpc":"2.0","id":)" + id_ + R"(,"error":)" + error.dump() + "}");
}

void Out::event(const std::string& data, const std::string& id, int retry) const {
    std::string text;
    if (!id.empty()) text += "id: " + id + "\n";
    if (retry >= 0) text += "retry: " + std::to_string(retry) + "\n";
    text += "data: " + data + "\n\n";
    raw(text);
}

TestServer::TestServer(Serve serve, std::uint16_t port) : serve_(std::move(serve)) {
    http::ServerOptions options;
    options.port = port;
    options.max_body = 64U << 20U;
    auto started = http::Server::start(
        options,
        [this](const std::shared_ptr<const http::Request>& request,
               const std::shared_ptr<http::Exchange>& exchange) { take(*request, exchange); });
    if (!started) {
        ADD_FAILURE() << started.error().message;
        std::abort();
    }
    server_ = std::move(*started);
    port_ = server_->port();
}

void TestServer::take(const http::Request& request,
                      const std::shared_ptr<http::Exchange>& exchange) {
    Got got;
    got.http = request.method;
    got.path = request.path;
    for (const auto& [name, value] : request.headers) {
        std::string lower(name);
        std::transform(lower.begin(), lower.end(), lower.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        got.headers[lower] = value;
    }
    got.body = request.body;
    got.json = Json::parse(got.body, nullptr, false);
    Serve serve;
    {
        std::lock_guard lock(mutex_);
        all_.push_back(got);
        serve = serve_;
    }
    serve(got, Out(exchange, got.id()));
}

void TestServer::serve(Serve serve) {
    std::lock_guard lock(mutex_);
    serve_ = std::move(serve);
}

void TestServer::stop() {
    if (server_) server_->stop(std::chrono::milliseconds(0));
    server_.reset();
}

std::vector<Got> TestServer::all() const {
    std::lock_guard lock(mutex_);
    return all_;
}

std::vector<Got> TestServer::got(const std::string& what) const {
    std::vector<Got> out;
    for (auto& each : all())
        if (each.http == what || each.method() == what) out.push_back(std::move(each));
    return out;
}

bool modern(const Got& got, const Out& out, const std::string& capabilities) {
    if (got.method() != "server/discover") return false;
    out.result(R"({"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":)" +
               capabilities +
               R"(,"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"modern"}}})");
    return true;
}

bool legacy(const Got& got, const Out& out, const Legacy& how) {
    http::HeaderList headers;
    if (!how.session.empty()) headers.emplace_back("Mcp-Session-Id", how.session);
    const auto method = got.method();
    if (method == "initialize") {
        const auto version =
            how.version.empty() ? got.params().value("protocolVersion", "") : how.version;
        out.result(R"({"protocolVersion":")" + version + R"(","capabilities":)" + how.capabilities +
                       R"(,"serverInfo":{"name":"legacy","version":"1"}})",
                   headers);
    } else if (method == "server/discover") {
        out.error(400, -32000, "Bad Request: Server not initialized");
    } else if (got.http == "GET") {
        out.empty(405);
    } else if (got.http == "DELETE") {
        out.empty(200);
    } else if (!got.json.contains("id") || !got.json.contains("method")) {
        out.empty(202);
    } else {
        return false;
    }
    return true;
}

// --- who hears -----------------------------------------------------------------------------------

void Recorder::add(const char* what, std::string_view params) {
    std::lock_guard lock(mutex_);
    notes_.push_back(std::string(what) + " " + std::string(params));
    changed_.notify_all();
}

void Recorder::question(Question question) noexcept {
    {
        std::lock_guard lock(mutex_);
        questions_.push_back(question);
        changed_.notify_all();
    }
    if (on_question) on_question(question);
}

void Recorder::done(Reply reply) noexcept {
    std::lock_guard lock(mutex_);
    ++ends_;
    reply_ = std::move(reply);
    changed_.notify_all();
}

Reply Recorder::wait() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [this] { return reply_.has_value(); })) {
        ADD_FAILURE() << "the call has not ended";
        return {};
    }
    return *reply_;
}

bool Recorder::wait_for_question(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return questions_.size() >= count; });
}

std::vector<std::string> Recorder::notes() const {
    std::lock_guard lock(mutex_);
    return notes_;
}

std::vector<Question> Recorder::questions() const {
    std::lock_guard lock(mutex_);
    return questions_;
}

int Recorder::ends() const {
    std::lock_guard lock(mutex_);
    return ends_;
}

void Owner::opened(const ServerInfo&) noexcept {
    std::lock_guard lock(mutex_);
    ++opens_;
}

void Owner::notified(std::string_view method, std::string_view params) noexcept {
    std::lock_guard lock(mutex_);
    notices_.push_back(std::string(method) + " " + std::string(params));
}

void Owner::ended(const std::string&) noexcept {
    std::lock_guard lock(mutex_);
    ++ends_;
}

std::vector<std::string> Owner::notices() const {
    std::lock_guard lock(mutex_);
    return notices_;
}

int Owner::opens() const {
    std::lock_guard lock(mutex_);
    return opens_;
}

int Owner::ends() const {
    std::lock_guard lock(mutex_);
    return ends_;
}

// --- the client ----------------------------------------------------------------------------------

std::unique_ptr<Engine> local_engine() {
    outbound::Http::Options options;
    options.policy = *outbound::AddressPolicy::make({"127.0.0.0/8"});
    return std::make_unique<Engine>(std::move(options));
}

ServerSpec World::plain_spec() {
    ServerSpec out;
    out.name = "test";
    return out;
}

Client& World::client() {
    if (!client_) client_ = Client::make(*engine_, spec, credentials, owner, remembered);
    return *client_;
}

std::shared_ptr<Running> World::call(const std::shared_ptr<Recorder>& recorder,
                                     CallRequest request) {
    return client().call(std::move(request), recorder);
}

Reply World::ask(CallRequest request) {
    const auto recorder = std::make_shared<Recorder>();
    call(recorder, std::move(request));
    return recorder->wait();
}

void World::end() {
    if (client_) client_->close();
    client_.reset();
    engine_.reset();
}

CallRequest tool(const std::string& name, const std::string& arguments) {
    CallRequest out;
    out.method = "tools/call";
    out.name = name;
    out.params = R"({"name":")" + name + R"(","arguments":)" + arguments + "}";
    return out;
}

}  // namespace pb::client::testing
