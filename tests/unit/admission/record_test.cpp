// SPDX-License-Identifier: Apache-2.0
// Every request that is answered is told once: who, what, how it went.
#include <limits>

#include "policy_world.h"

namespace pb::test {
namespace {

class RecordTest : public PolicyWorld {};

TEST_F(RecordTest, ACallSaysWhoWhatAndHowItWent) {
    world.modern(
        "tools/call",
        {{"name", "ns__look"},
         {"arguments", json::object()},
         {"_meta", {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}}});
    ASSERT_EQ(notes.all().size(), 1u);
    const auto record = notes.last();
    EXPECT_EQ(record.kind, "call");
    EXPECT_EQ(record.org, "default");
    EXPECT_EQ(record.principal, "anonymous");
    EXPECT_EQ(record.client, "test");
    EXPECT_EQ(record.method, "tools/call");
    EXPECT_EQ(record.name, "ns__look");
    EXPECT_EQ(record.original, "look");
    EXPECT_EQ(record.capability, "fake");
    EXPECT_EQ(record.outcome, "ok");
    EXPECT_EQ(record.trace_id, "0af7651916cd43dd8448eb211c80319c");
    EXPECT_GT(record.at_ms, 0);
    EXPECT_GT(record.request_bytes, 0);
    EXPECT_GT(record.response_bytes, 0);
    EXPECT_EQ(record.arguments, "");
    EXPECT_EQ(record.result, "");
}

TEST_F(RecordTest, WhatReachesNobodyIsToldToo) {
    world.modern("tools/list");
    EXPECT_EQ(notes.last().method, "tools/list");
    EXPECT_EQ(notes.last().outcome, "ok");
    world.modern("tools/call", {{"name", "ns__nothing"}, {"arguments", json::object()}});
    EXPECT_EQ(notes.last().name, "ns__nothing");
    EXPECT_EQ(notes.last().outcome, "error");
    EXPECT_EQ(notes.last().code, -32602);
    world.modern("nothing/known");
    EXPECT_EQ(notes.last().method, "nothing/known");
    EXPECT_EQ(notes.last().code, -32601);
    EXPECT_EQ(notes.all().size(), 3u);
}

TEST_F(RecordTest, FailuresOfAToolAndOfTheWay) {
    ends("tools/call", Status::internal, R"({"message":"oh"})");
    tool("ns__look");
    EXPECT_EQ(notes.last().outcome, "tool_error");
    EXPECT_EQ(notes.last().reason, "internal");
    tool("ns__look", {{"unknown", std::string(100, 'x')}});
    EXPECT_EQ(notes.last().outcome, "tool_error");
    ends("resources/read", Status::not_found);
    call("resources/read", uri, {{"uri", uri}});
    EXPECT_EQ(notes.last().outcome, "error");
    ends("resources/read", Status::deadline);
    call("resources/read", uri, {{"uri", uri}});
    EXPECT_EQ(notes.last().outcome, "deadline");
}

TEST_F(RecordTest, WhatBecameOfAToolsCallThoughItsCallerGetsAResult) {
    const std::pair<Status, const char*> rows[] = {{Status::denied, "denied"},
                                                   {Status::cancelled, "cancelled"},
                                                   {Status::deadline, "deadline"},
                                                   {Status::busy, "busy"},
                                                   {Status::internal, "tool_error"},
                                                   {Status::not_found, "error"},
                                                   {Status::ok, "ok"},
                                                   {Status::input_required, "input_required"}};
    for (const auto& [status, outcome] : rows) {
        ends("tools/call", status, "{}");
        tool("ns__look");
        EXPECT_EQ(notes.last().outcome, outcome);
    }
    ends("tools/call", Status::ok, R"({"isError":true,"content":[]})");
    tool("ns__look");
    EXPECT_EQ(notes.last().outcome, "tool_error");
}

TEST_F(RecordTest, ArgumentsAndResultsOnlyAsTheOrganisationWantsThem) {
    std::vector<std::pair<bool, std::string>> seen;
    world.admission.recorder().use(&notes, {}, [&](std::string_view org, bool result) {
        EXPECT_EQ(org, "default");
        return [&seen, result](std::string_view text) {
            seen.emplace_back(result, text);
            return result ? std::string("{\"r\":1}") : std::string("{\"a\":1}");
        };
    });
    tool("ns__look", {{"text", "secret"}});
    ASSERT_EQ(seen.size(), 2u);
    EXPECT_EQ(seen[0].second, R"({"text":"secret"})");
    EXPECT_TRUE(seen[1].first);
    EXPECT_EQ(notes.last().arguments, "{\"a\":1}");
    EXPECT_EQ(notes.last().result, "{\"r\":1}");
}

TEST_F(RecordTest, NoSecretComesInByANameOrAReason) {
    const std::string key = "pb_0123456789abcdefghij0123456789";
    world.modern("resources/read", {{"uri", "note://x?token=open-sesame"}});
    EXPECT_EQ(notes.last().name.find("sesame"), std::string::npos) << notes.last().name;
    EXPECT_EQ(notes.last().reason.find("sesame"), std::string::npos) << notes.last().reason;
    world.modern("tools/call", {{"name", key}, {"arguments", json::object()}});
    EXPECT_EQ(notes.last().name.find(key), std::string::npos);
    EXPECT_EQ(notes.last().reason.find(key), std::string::npos);
    EXPECT_NE(notes.last().reason.find("Unknown tool"), std::string::npos);
    world.modern("secret=" + key);
    EXPECT_EQ(notes.last().method.find(key), std::string::npos);
}

// It may repeat what it was asked.
TEST_F(RecordTest, WhatAProviderSaysIsKeptWhereResultsAre) {
    const auto fail = [&](Status status, const char* body) {
        ends("resources/read", status, body);
        call("resources/read", uri, {{"uri", uri}});
        return notes.last();
    };
    EXPECT_EQ(fail(Status::invalid, R"({"message":"no such IBAN: DE02"})").reason, "");
    const auto claimed = fail(Status::busy, R"({"message":"m","code":-32005})");
    EXPECT_EQ(claimed.outcome, "busy") << "its limit is none of the host's";
    ends("tools/call", Status::ok,
         R"({"isError":true,"content":[],"_meta":{"patchbay/error":{"code":"IBAN DE02"}}})");
    tool("ns__look");
    EXPECT_EQ(notes.last().reason, "");
    world.admission.recorder().use(
        &notes, {}, [](std::string_view, bool result) -> admission::Recorder::Redactor {
            if (!result) return nullptr;
            return [](std::string_view text) { return std::string(text); };
        });
    EXPECT_EQ(fail(Status::invalid, R"({"message":"no such IBAN: DE02"})").reason,
              "no such IBAN: DE02");
}

TEST_F(RecordTest, TheHostsOwnReasonsAreThereAlways) {
    world.provider->health.closed_until_ns = std::numeric_limits<std::int64_t>::max();
    tool("ns__look");
    EXPECT_EQ(notes.last().outcome, "busy");
    EXPECT_NE(notes.last().reason.find("paused"), std::string::npos) << notes.last().reason;
}

TEST_F(RecordTest, OfWhatIsOverTheLimitASampleIsKept) {
    configure([](auto& access) { access.limits.org = {1, 1}; });
    for (int i = 0; i < 300; ++i)
        world.modern("tools/list");
    EXPECT_GT(notes.all().size(), 10u);
    EXPECT_LT(notes.all().size(), 100u);
    EXPECT_EQ(notes.last().outcome, "limited");
}

TEST_F(RecordTest, WhatIsNoRequestIsChargedAndSampled) {
    configure([](auto& access) { access.limits.org = {1, 100}; });
    FakeHeaders headers;
    RecorderPtr answered;
    for (int i = 0; i < 101; ++i)
        answered = world.send(json::object(), &headers);
    EXPECT_EQ(answered->http_status, 429);
    EXPECT_LT(notes.all().size(), 80u);
    EXPECT_EQ(notes.all().front().outcome, "error");
}

TEST_F(RecordTest, WithoutATrailItIsStillMeasured) {
    std::vector<std::string> seen;
    world.admission.recorder().use(
        nullptr,
        [&](const admission::Ending& ending, std::string_view capability, double seconds) {
            EXPECT_GE(seconds, 0);
            seen.push_back(std::string(ending.method) + " " + std::string(capability) + " " +
                           std::string(ending.outcome));
        },
        {});
    tool("ns__look");
    world.modern("tools/list");
    EXPECT_EQ(seen, (Names{"tools/call fake ok", "tools/list  ok"}));
    EXPECT_TRUE(notes.all().empty());
}

// Or an organisation's servers would take the places of another one's.
TEST_F(RecordTest, WhatAPluginAddsAtRunTimeIsMeasuredAsThePlugin) {
    struct Gateway : FakeProvider {
        using FakeProvider::FakeProvider;
        std::string_view capability() const override { return "gateway"; }
    };
    auto gateway = std::make_shared<Gateway>(world.calls);
    gateway->handlers = world.provider->handlers;
    world.publish("ns", gateway);
    std::string seen;
    world.admission.recorder().use(
        &notes, [&](const auto&, std::string_view capability, double) { seen = capability; }, {});
    tool("ns__look");
    EXPECT_EQ(seen, "gateway");
    EXPECT_EQ(notes.last().capability, "fake") << "which the trail says";
}

}  // namespace
}  // namespace pb::test
