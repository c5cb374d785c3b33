// SPDX-License-Identifier: Apache-2.0
// oauth-under-test: Patchbay's client with OAuth, told on standard input what to do. One JSON
// object a line; the answer is one too.
//
//   oauth-under-test URL REDIRECT_URI
//   {"do":"list"} {"do":"call","tool":N} {"do":"status"} {"do":"restart"} {"do":"sign_out"}
//   {"do":"begin","anew":bool} {"do":"finish","query":"code=..."}
#include <iostream>
#include <nlohmann/json.hpp>

#include "client/client.h"
#include "client/lists.h"
#include "client/oauth/oauth.h"
#include "json/parse.h"

namespace pb::client {
namespace {

using json::Json;

Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(30); }

Json failed(const Error& error) { return {{"ok", false}, {"message", error.message}}; }
Json done(const Result<void>& result) {
    return result ? Json{{"ok", true}} : failed(result.error());
}

const char* name_of(OAuth::State state) {
    switch (state) {
        case OAuth::State::untried:
            return "untried";
        case OAuth::State::ready:
            return "ready";
        case OAuth::State::needs_sign_in:
            return "needs_sign_in";
        case OAuth::State::needs_permission:
            return "needs_permission";
        default:
            return "failing";
    }
}

outbound::Http::Options loopback_only() {
    outbound::Http::Options out;
    out.policy = *outbound::AddressPolicy::make({"127.0.0.0/8", "::1/128"});
    return out;
}

class Driver {
  public:
    Driver(const std::string& url, const std::string& redirect_uri) {
        spec_.name = "upstream";
        spec_.url = settings_.server = url;
        settings_.redirect_uri = redirect_uri;
        restart();
    }
    ~Driver() { client_->close(); }

    Json execute(const Json& command) {
        const auto what = command.value("do", "");
        if (what == "list") return list();
        if (what == "call") return call(command.value("tool", ""));
        if (what == "status") return status();
        if (what == "restart") return restart();
        if (what == "begin") return begin(command.value("anew", false));
        if (what == "finish") return finish(command.value("query", ""));
        if (what == "sign_out") return done(oauth_->sign_out(soon()));
        return failed(invalid("no such command"));
    }

  private:
    // What is kept is kept in the store alone.
    Json restart() {
        if (client_) client_->close();
        OAuthParts parts;
        parts.fetch = [this](outbound::Request request) {
            return engine_.http.fetch(std::move(request));
        };
        parts.tokens = store_;
        auto oauth = OAuth::make(settings_, std::move(parts));
        if (!oauth) throw std::runtime_error(oauth.error().message);
        oauth_ = *oauth;
        client_ = Client::make(engine_, spec_, oauth_, {});
        return {{"ok", true}};
    }
    Json list() {
        const auto opened = client_->open(soon());
        if (!opened) return failed(opened.error());
        const auto lists = list_all(*client_, soon());
        if (!lists) return failed(lists.error());
        Json names = Json::array();
        for (const auto& tool : lists->tools)
            names.push_back(json::string_value(json::member(tool, "name")).value_or(""));
        return {{"ok", true}, {"tools", names}};
    }
    Json call(const std::string& tool) {
        CallRequest request;
        request.method = "tools/call";
        request.name = tool;
        request.params = "{\"name\":" + json::quote(tool) + ",\"arguments\":{}}";
        const auto reply = client_->ask(std::move(request));
        if (reply.ok()) return {{"ok", true}, {"result", Json::parse(reply.text)}};
        return {{"ok", false}, {"message", reply.loss.message + reply.text}};
    }
    Json status() const {
        const auto status = oauth_->status();
        return {{"ok", true},
                {"state", name_of(status.state)},
                {"text", status.text},
                {"scopes", status.scopes}};
    }
    Json begin(bool anew) {
        const auto begun = oauth_->begin_sign_in("person", soon(), anew);
        if (!begun) return failed(begun.error());
        state_ = begun->state;
        return {{"ok", true}, {"url", begun->url}};
    }
    Json finish(const std::string& query) {
        const auto params = form_decode(query);
        if (!params) return failed(invalid("the query is not one"));
        return done(oauth_->finish_sign_in(state_, *params, soon()));
    }

    Engine engine_{loopback_only()};
    ServerSpec spec_;
    OAuthSettings settings_;
    TokenStorePtr store_ = memory_token_store();
    std::shared_ptr<OAuth> oauth_;
    std::shared_ptr<Client> client_;
    std::string state_;
};

}  // namespace
}  // namespace pb::client

int main(int count, char** arguments) {
    if (count != 3) return 2;
    try {
        pb::client::Driver driver(arguments[1], arguments[2]);
        for (std::string line; std::getline(std::cin, line);) {
            const auto command = pb::json::parse(line);
            if (!command) return 2;
            std::cout << driver.execute(*command).dump() << std::endl;
        }
    } catch (const std::exception& fault) {
        std::cerr << fault.what() << "\n";
        return 1;
    }
    return 0;
}
