// SPDX-License-Identifier: Apache-2.0
// A desk of administration: two organisations with people, and requests without sockets.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "admin/api.h"
#include "support/exchange.h"
#include "support/files.h"
#include "support/must.h"
#include "support/notes.h"

namespace pb::admin::testing {

using Json = nlohmann::json;
using access::Role;

using test::must;

constexpr const char* password = "correct horse battery";

struct Got {
    int status = 0;
    Json body;
    std::string allow, challenge, cache, text;
};

class Desk : public ::testing::Test {
  protected:
    Desk() {
        options_.check_org = [](std::string_view name, std::string_view) -> Result<void> {
            if (name.find(' ') != std::string_view::npos) return invalid("this is no name");
            return {};
        };
        options_.has_file = [](std::string_view name) { return name == "acme"; };
        options_.trail = [this](const TrailQuery& query) -> Result<std::string> {
            asked_ = query;
            if (query.cursor == "bad") return invalid("this is no cursor");
            return std::string(R"({"records":[{"method":"tools/call"}]})");
        };
    }

    access::Person person(const std::string& login, const std::string& org, Role role) {
        auto out = must(access_->people.add(login, "", password));
        must(access_->people.join(org, out.id, role));
        return out;
    }
    // Somebody who has signed in, with everything that the role may.
    runtime::CallerPtr as(const access::Person& person, Role role, std::string_view scopes = "",
                          const std::string& org = "acme") const {
        auto permits = access::most_of(role);
        if (!scopes.empty()) permits = must(access::Scopes::parse(scopes)).within(permits);
        auto out = caller(person.id, "user", permits, org);
        out.role = access::name_of(role);
        out.client = "cli_web";
        return std::make_shared<runtime::Caller>(out);
    }
    runtime::CallerPtr as_key(std::string_view scopes, const std::string& org = "acme") const {
        return std::make_shared<runtime::Caller>(
            caller("key_x", "key", must(access::Scopes::parse(scopes)), org));
    }

    Got send(const runtime::CallerPtr& caller, const std::string& method, const std::string& target,
             const std::string& body = "", const std::string& type = "application/json") {
        auto request = test::make_request(
            method, body.empty() ? test::HeaderList() : test::HeaderList{{"Content-Type", type}},
            body);
        const auto mark = std::min(target.find('?'), target.size());
        request->path = std::string_view(target).substr(0, mark);
        request->query = std::string_view(target).substr(std::min(mark + 1, target.size()));
        auto exchange = std::make_shared<test::FakeExchange>();
        api_.handle(request, exchange, caller);
        EXPECT_TRUE(exchange->answered());
        Got out{exchange->status(),
                Json::parse(exchange->body()),
                exchange->header("Allow"),
                exchange->header("WWW-Authenticate"),
                exchange->header("Cache-Control"),
                exchange->body()};
        EXPECT_EQ(out.cache, "no-store");
        if (out.status >= 400) {
            EXPECT_TRUE(out.body.contains("error")) << out.text;
        }
        return out;
    }
    Got ask(const runtime::CallerPtr& caller, const std::string& method, const std::string& target,
            const Json& body) {
        return send(caller, method, target, body.dump());
    }
    Got ask(const runtime::CallerPtr& caller, const std::string& method,
            const std::string& target) {
        return send(caller, method, target);
    }

    // The last record, which has to be there.
    audit::Record noted() const {
        if (notes_.all().empty()) throw std::runtime_error("nothing is in the trail");
        return notes_.last();
    }
    // Whether a text is anywhere in the trail.
    bool noted_anywhere(const std::string& text) const {
        for (const auto& each : notes_.all())
            for (const auto* part : {&each.arguments, &each.reason, &each.name, &each.result})
                if (part->find(text) != std::string::npos) return true;
        return false;
    }

    test::TempFolder folder_;
    std::unique_ptr<access::Access> access_ = must(access::Access::open(folder_.path()));
    test::Notes notes_;
    Options options_;
    TrailQuery asked_;
    std::vector<std::string> measured_;
    Api api_{*access_, notes_, shared_options()};

  private:
    static runtime::Caller caller(const std::string& principal, const std::string& kind,
                                  const access::Scopes& permits, const std::string& org) {
        runtime::Caller out;
        out.org = org;
        out.principal = principal;
        out.principal_kind = kind;
        out.permits = permits;
        out.scopes = permits.names();
        out.credential = "cred_x";
        return out;
    }
    // What a test sets later counts too.
    Options shared_options() {
        Options out;
        out.trail = [this](const TrailQuery& query) { return options_.trail(query); };
        out.check_org = [this](std::string_view name, std::string_view config) {
            return options_.check_org(name, config);
        };
        out.has_file = [this](std::string_view name) { return options_.has_file(name); };
        out.most_orgs = 2;
        out.measure = [this](std::string_view act, std::string_view outcome, int, double) {
            measured_.push_back(std::string(act) + " " + std::string(outcome));
        };
        return out;
    }
};

}  // namespace pb::admin::testing
