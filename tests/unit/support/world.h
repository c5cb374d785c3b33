// SPDX-License-Identifier: Apache-2.0
// A small world for tests above the runtime: one organisation, one provider made of functions, and
// outlets that remember what left through them.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "admission/admission.h"
#include "admission/authenticate.h"
#include "catalog/catalog.h"
#include "json/scan.h"
#include "mcp/server.h"
#include "support/fake_provider.h"

namespace pb::test {

// Remembers everything; can be told to be a client without streams, or a slow one.
class Recorder : public mcp::Outlet {
  public:
    bool streams = true;
    bool full = false;  // the reader takes nothing more

    bool can_send() const override { return streams; }
    mcp::Sent send(std::string_view message) override {
        if (full) return mcp::Sent::again;
        std::function<void(const json&)> hear;
        {
            std::lock_guard lock(mutex_);
            sent.push_back(json::parse(message));
            hear = on_send;
        }
        changed_.notify_all();
        if (hear) hear(json::parse(message));
        return mcp::Sent::ok;
    }
    void answer(int status, std::string_view message) override {
        std::lock_guard lock(mutex_);
        if (over) return;
        over = true;
        http_status = status;
        raw = message;
        if (!message.empty()) reply = json::parse(message);
        changed_.notify_all();
    }
    void refuse(int status, std::string_view message, const mcp::RefusalHints& given) override {
        hints.retry_after = given.retry_after;
        answer(status, message);
    }
    void end() override {
        std::lock_guard lock(mutex_);
        if (over) return;
        over = ended = true;
        changed_.notify_all();
    }
    void lasting() override {}
    void release(int retry_ms) override { released = retry_ms; }
    void on_gone(std::function<void()> callback) override { gone = std::move(callback); }
    void opened(const std::shared_ptr<mcp::Session>& open) override { session = open; }

    bool wait() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return over; });
    }
    bool wait_sent(std::size_t count) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(60),
                                 [&] { return sent.size() >= count; });
    }

    std::vector<json> sent;
    std::function<void(const json&)> on_send;
    bool over = false, ended = false;
    int http_status = 0;
    int released = -1;
    std::string raw;
    json reply;
    std::function<void()> gone;
    mcp::SessionPtr session;
    mcp::RefusalHints hints;

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
};
using RecorderPtr = std::shared_ptr<Recorder>;

class FakeHeaders : public mcp::HeaderView {
  public:
    std::vector<std::pair<std::string, std::string>> all;
    int find(std::string_view name, std::string_view& value) const override {
        int count = 0;
        for (const auto& [key, text] : all)
            if (key == name && count++ == 0) value = text;
        return count;
    }
};

class World {
  public:
    explicit World(const runtime::CallOptions& call_options = quick(),
                   mcp::ServerOptions server_options = options())
        : calls(call_options),
          provider(std::make_shared<FakeProvider>(calls)),
          admission(catalog, calls),
          authenticator({.anonymous_org = "default"}),
          server(admission, catalog, std::move(server_options), aes_gcm::random_key()) {
        provider->handlers["server/discover"] = [this](auto call, const json&, const json&) {
            provider->ok(call, {{"capabilities",
                                 {{"tools", json::object()},
                                  {"prompts", json::object()},
                                  {"resources", {{"subscribe", true}}},
                                  {"completions", json::object()}}},
                                {"instructions", "Be kind."}});
        };
        provider->handlers["resources/read"] = [this](auto call, const json&, const json&) {
            calls.complete(call, Status::not_found, {});
        };
        list("tools/list", "tools", json::array());
        list("prompts/list", "prompts", json::array());
        list("resources/list", "resources", json::array());
        list("resources/templates/list", "resourceTemplates", json::array());
    }
    ~World() {
        server.close_all();
        calls.drain(std::chrono::seconds(5));
    }

    static runtime::CallOptions quick() {
        runtime::CallOptions out;
        out.grace = std::chrono::milliseconds(50);
        return out;
    }

    static mcp::ServerOptions options() {
        mcp::ServerOptions out;
        out.version = "1.2.3";
        out.page_size = 3;
        return out;
    }

    void list(const std::string& method, const std::string& member, const json& entries) {
        provider->handlers[method] = [this, member, entries](auto call, const json&, const json&) {
            provider->ok(call, {{member, entries}});
        };
    }

    // A tool of the provider; its handler answers every tools/call.
    void tool(const json& definition, FakeProvider::Handler handler) {
        tools_.push_back(definition);
        list("tools/list", "tools", tools_);
        const std::string name = definition["name"];
        tool_handlers_[name] = std::move(handler);
        provider->handlers["tools/call"] = [this](auto call, const json& params,
                                                  const json& context) {
            tool_handlers_.at(params["name"].template get<std::string>())(call, params, context);
        };
    }

    // Makes the catalog from what the provider (or another one) lists now.
    void publish(const std::string& name_space = "",
                 std::shared_ptr<catalog::Provider> other = nullptr) {
        catalog::Binding binding;
        binding.capability = "fake";
        binding.name_space = name_space;
        binding.provider = other ? std::move(other) : provider;
        catalog::CatalogBuilder builder([this](const std::shared_ptr<catalog::Provider>& asked,
                                               const std::string&, std::string_view method,
                                               std::string_view params) -> Result<std::string> {
            struct Keep : runtime::CallObserver {
                Status status = Status::internal;
                std::string body;
                void completed(Status end, std::string_view text) noexcept override {
                    status = end;
                    body = text;
                }
                Status notified(std::string_view, std::string_view) noexcept override {
                    return Status::ok;
                }
            };
            auto keep = std::make_shared<Keep>();
            runtime::CallSpec spec;
            spec.provider = asked;
            spec.method = method;
            spec.params = params;
            spec.caller = admission::Authenticator::service("default", "host");
            spec.observer = keep;
            calls.start(spec);
            if (keep->status != Status::ok) return internal_error("refused");
            return keep->body;
        });
        auto outcome = builder.build("default", {binding}, catalog.of("default"));
        warnings = outcome.warnings;
        catalog.replace("default", outcome.snapshot);
    }

    // Sends one message. Modern requests get their _meta and headers unless the test gives its own.
    RecorderPtr send(const json& message, const FakeHeaders* headers = nullptr,
                     mcp::SessionPtr session = nullptr, RecorderPtr recorder = nullptr) {
        if (!recorder) recorder = std::make_shared<Recorder>();
        auto text = std::make_shared<const std::string>(message.dump());
        server.receive({text, *text, as ? as : authenticator.local(), headers, session}, recorder);
        return recorder;
    }

    static json modern_meta(const json& capabilities = json::object()) {
        return {{"io.modelcontextprotocol/protocolVersion", "2026-07-28"},
                {"io.modelcontextprotocol/clientInfo", {{"name", "test"}, {"version", "1"}}},
                {"io.modelcontextprotocol/clientCapabilities", capabilities}};
    }

    RecorderPtr modern(const std::string& method, json params = json::object(),
                       const json& capabilities = json::object(), RecorderPtr recorder = nullptr) {
        auto meta = modern_meta(capabilities);
        if (params.contains("_meta")) meta.update(params["_meta"]);
        params["_meta"] = meta;
        FakeHeaders headers;
        headers.all = {{"MCP-Protocol-Version", "2026-07-28"}, {"Mcp-Method", method}};
        if (params.contains("name")) headers.all.emplace_back("Mcp-Name", params["name"]);
        if (method == "resources/read") headers.all.emplace_back("Mcp-Name", params["uri"]);
        return send({{"jsonrpc", "2.0"}, {"id", 7}, {"method", method}, {"params", params}},
                    &headers, nullptr, std::move(recorder));
    }

    mcp::SessionPtr open(const std::string& version = "2025-11-25",
                         const json& capabilities = json::object()) {
        FakeHeaders headers;
        auto recorder = send({{"jsonrpc", "2.0"},
                              {"id", 1},
                              {"method", "initialize"},
                              {"params",
                               {{"protocolVersion", version},
                                {"capabilities", capabilities},
                                {"clientInfo", {{"name", "old"}, {"version", "1"}}}}}},
                             &headers);
        opened = recorder->reply;
        send({{"jsonrpc", "2.0"}, {"method", "notifications/initialized"}}, &headers,
             recorder->session);
        return recorder->session;
    }

    RecorderPtr legacy(const mcp::SessionPtr& session, const std::string& method,
                       const json& params = json::object(), RecorderPtr recorder = nullptr,
                       const json& id = 7) {
        FakeHeaders headers;
        return send({{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}},
                    &headers, session, std::move(recorder));
    }

    catalog::Catalog catalog;
    runtime::Calls calls;
    std::shared_ptr<FakeProvider> provider;
    admission::Admission admission;
    admission::Authenticator authenticator;
    mcp::Server server;
    runtime::CallerPtr as;  // who sends what follows; null: whoever started the program
    std::vector<std::string> warnings;
    json opened;

  private:
    json tools_ = json::array();
    std::map<std::string, FakeProvider::Handler> tool_handlers_;
};

}  // namespace pb::test
