// SPDX-License-Identifier: Apache-2.0
// What comes back: results held against outputSchema, URIs as the organisation knows them, failures
// of tools as results that say what to do about them.
#include "gate.h"

namespace pb::test {
namespace {

class Results : public Gate {
  protected:
    explicit Results(const runtime::CallOptions& options = World::quick()) : Gate(options) {
        auto typed = simple_tool("typed");
        typed["outputSchema"] = json::parse(
            R"({"type":"object","properties":{"sum":{"type":"integer"}},"required":["sum"]})");
        for (const auto& definition : {typed, simple_tool("free")})
            world.tool(definition, [this](auto id, const json&, const json&) {
                if (answer.is_null()) return;
                world.provider->ok(id, answer);
            });
        world.publish();
    }
    json answer = text_result("hi");  // null: none
};

TEST_F(Results, ThatKeepTheirPromiseGoThroughUntouched) {
    answer["structuredContent"] = {{"sum", 3}};
    EXPECT_EQ(tool("typed")->result(), answer);
    answer["structuredContent"] = "anything";
    EXPECT_EQ(tool("free")->result(), answer);
}

TEST_F(Results, ThatBreakTheirPromiseAreFailures) {
    for (const json& wrong : {json(nullptr), json({{"sum", "three"}}), json::object()}) {
        if (!wrong.is_null()) answer["structuredContent"] = wrong;
        const auto witness = tool("typed");
        EXPECT_EQ(witness->result()["isError"], true) << wrong;
        EXPECT_EQ(failure_of(witness)["code"], "invalid_result");
        EXPECT_EQ(failure_of(witness)["category"], "permanent");
        EXPECT_FALSE(witness->result().contains("structuredContent"));
    }
    const std::string message = failure_of(tool("typed"))["message"];
    EXPECT_NE(message.find("sum"), std::string::npos) << message;
}

TEST_F(Results, AToolsOwnErrorNeedsNoStructuredContent) {
    answer["isError"] = true;
    EXPECT_EQ(tool("typed")->result(), answer);
}

TEST_F(Results, StatusesOfAToolBecomeFailures) {
    struct Row {
        Status status;
        const char *code, *category;
        bool retryable;
    };
    for (const auto& row : {Row{Status::denied, "permission_denied", "auth", false},
                            Row{Status::cancelled, "cancelled", "transient", true},
                            Row{Status::deadline, "tool_timeout", "transient", true},
                            Row{Status::again, "busy", "transient", true},
                            Row{Status::busy, "busy", "transient", true},
                            Row{Status::gone, "internal", "permanent", false},
                            Row{Status::internal, "internal", "permanent", false}}) {
        ends("tools/call", row.status);
        auto witness = tool("free");
        EXPECT_EQ(witness->status(), Status::ok) << row.code;
        auto failure = failure_of(witness);
        EXPECT_EQ(failure["code"], row.code);
        EXPECT_EQ(failure["category"], row.category);
        EXPECT_EQ(failure["retryable"], row.retryable);
        EXPECT_FALSE(failure["message"].get<std::string>().empty());
        EXPECT_EQ(witness->result()["structuredContent"], failure);
        ends("tools/call", row.status, R"({"message":"in its own words"})");
        witness = tool("typed");
        EXPECT_EQ(failure_of(witness)["message"], "in its own words");
        EXPECT_FALSE(witness->result().contains("structuredContent"));
    }
}

TEST_F(Results, WhatOnlyAProgramCanActOnStaysAnError) {
    for (auto status : {Status::invalid, Status::not_found, Status::unsupported}) {
        ends("tools/call", status, R"({"message":"no"})");
        auto witness = tool("free");
        EXPECT_EQ(witness->status(), status);
        EXPECT_EQ(witness->body(), R"({"message":"no"})");
    }
    const auto* const coded = R"({"message":"no","code":-31999,"data":[1]})";
    ends("tools/call", Status::internal, coded);
    EXPECT_EQ(tool("free")->status(), Status::internal);
    EXPECT_EQ(tool("free")->body(), coded);
    world.list("prompts/list", "prompts", {{{"name", "greet"}}});
    world.publish();
    ends("prompts/get", Status::internal, R"({"message":"no"})");
    EXPECT_EQ(call("prompts/get", "greet", {{"name", "greet"}})->status(), Status::internal);
}

TEST_F(Results, UrisAreThoseOfTheOrganisation) {
    world.list("prompts/list", "prompts", {{{"name", "greet"}}});
    world.list("resources/list", "resources", {{{"uri", "note://a"}, {"name", "a"}}});
    world.publish("ns");
    const auto snapshot = world.catalog.of("default");
    const auto exposed = snapshot->resources.at(0).exposed;
    ASSERT_NE(exposed, "note://a");

    const json link{{"type", "resource_link"}, {"uri", "note://a"}, {"name", "a"}};
    const json embedded{{"type", "resource"}, {"resource", {{"uri", "note://a"}, {"text", "t"}}}};
    answer["content"] = {{{"type", "text"}, {"text", R"("uri" is a word)"}}, link, embedded};
    const auto content = tool("ns__free")->result()["content"];
    EXPECT_EQ(content[0], answer["content"][0]);
    EXPECT_EQ(content[1]["uri"], exposed);
    EXPECT_EQ(content[1]["name"], "a");
    EXPECT_EQ(content[2]["resource"]["uri"], exposed);
    EXPECT_EQ(content[2]["resource"]["text"], "t");

    answers("resources/read", {{"contents", {{{"uri", "note://a"}, {"text", "t"}}}}});
    EXPECT_EQ(call("resources/read", exposed, {{"uri", exposed}})->result()["contents"][0]["uri"],
              exposed);

    answers("prompts/get", {{"messages",
                             {{{"role", "user"}, {"content", link}},
                              {{"role", "user"}, {"content", json::array({embedded})}}}}});
    const auto messages =
        call("prompts/get", "ns__greet", {{"name", "ns__greet"}})->result()["messages"];
    EXPECT_EQ(messages[0]["content"]["uri"], exposed);
    EXPECT_EQ(messages[1]["content"][0]["resource"]["uri"], exposed);
}

// What is malformed is the provider's to answer for; it is passed on, never dropped with a crash.
TEST_F(Results, OddShapesPassThrough) {
    world.publish("ns");
    for (const char* odd : {R"({"content":{"uri":1}})", R"({"content":[1,null,{"uri":2}]})",
                            R"({"content":[{"type":"resource","uri":"x"}]})",
                            R"({"content":"uri","x":{"uri":"y"}})"}) {
        answer = json::parse(odd);
        const auto witness = tool("ns__free");
        EXPECT_EQ(witness->times(), 1);
        EXPECT_EQ(witness->status(), Status::ok) << odd;
        EXPECT_TRUE(witness->result().contains("content")) << odd;
    }
}

class Late : public Results {
  protected:
    Late() : Results(hasty()) { answer = nullptr; }
    static runtime::CallOptions hasty() {
        runtime::CallOptions out;
        out.default_timeout = out.grace = std::chrono::milliseconds(1);
        out.breaker_failures = 1;
        out.breaker_cool_off = std::chrono::hours(1);
        return out;
    }
};

TEST_F(Late, ATimeoutAndAPausedProviderAreResults) {
    auto witness = tool("free");
    EXPECT_EQ(witness->status(), Status::ok);
    EXPECT_EQ(failure_of(witness)["code"], "tool_timeout");
    witness = tool("free");  // the breaker is open now
    EXPECT_EQ(failure_of(witness)["code"], "busy");
    EXPECT_EQ(failure_of(witness)["retryable"], true);
}

class Lasting : public Results {
  protected:
    Lasting() : Results(lively()) {}
    static runtime::CallOptions lively() {
        auto out = World::quick();
        out.lasting = std::chrono::milliseconds(1);
        return out;
    }
};

TEST_F(Lasting, NoticesAndSignsOfLifePassThrough) {
    world.provider->handlers["tools/call"] = [this](auto id, const json&, const json&) {
        EXPECT_EQ(world.calls.notify(id, "notifications/progress", R"({"progress":1})"),
                  Status::again);
    };
    auto witness = std::make_shared<Witness>();
    witness->answer_to_notices = Status::again;
    auto target = world.admission.find(*caller, "tools/call", "free");
    ASSERT_TRUE(target);
    admission::Admitted admitted;
    admitted.method = "tools/call";
    admitted.params = R"({"name":"free"})";
    admitted.caller = caller;
    const auto id = world.admission.call(*target, admitted, witness);
    EXPECT_EQ(witness->id(), id);
    EXPECT_EQ(witness->notices().size(), 1u);
    EXPECT_TRUE(witness->wait_lasting());
    world.provider->ok(id, text_result("hi"));
    EXPECT_EQ(witness->times(), 1);
}

}  // namespace
}  // namespace pb::test
