// SPDX-License-Identifier: Apache-2.0
// Tools: how they are listed, called, and how what a handler returns or throws ends a call.
#include <gtest/gtest.h>

#include <thread>

#include "fake_host.h"

namespace tool_test {
namespace {

using namespace sdk_test;

struct Add {
    int a = 0;
    int b = 0;
};
PATCHBAY_STRUCT(Add, PATCHBAY_FIELD(a, "First"), PATCHBAY_FIELD(b, "Second").default_value(1))

struct Sum {
    int sum = 0;
};
PATCHBAY_STRUCT(Sum, PATCHBAY_FIELD(sum))

void offer_tools(patchbay::Plugin& plugin) {
    plugin.tool("add")
        .title("Adder")
        .describe("Adds")
        .input<Add>()
        .output<Sum>()
        .read_only()
        .idempotent()
        .open_world(false)
        .icon("https://example.com/i.png", "image/png", {"48x48"})
        .meta("example.com/k", 1)
        .handle([](const Add& in, patchbay::Call&) { return Sum{in.a + in.b}; });
    plugin.tool("raw")
        .input_schema(R"({"type":"object","properties":{"x":{"type":"integer"}}})")
        .output_schema(R"({"type":"object"})")
        .destructive()
        .handle([](const json& in) { return patchbay::structured(in); });
    plugin.tool("none").handle([] {});
}

TEST(Tools, AreListedInFullByName) {
    Instance plugin(offer_tools);
    const auto list = plugin.call("tools/list", json::object());
    EXPECT_EQ(list.status, PATCHBAY_OK);
    EXPECT_EQ(list.body, json::parse(R"({"tools":[
      {"name":"add","title":"Adder","description":"Adds",
       "inputSchema":{"type":"object","properties":{
           "a":{"type":"integer","description":"First"},
           "b":{"type":"integer","description":"Second","default":1}},
         "required":["a"],"additionalProperties":false},
       "outputSchema":{"type":"object","properties":{"sum":{"type":"integer"}},
         "required":["sum"],"additionalProperties":false},
       "annotations":{"readOnlyHint":true,"idempotentHint":true,"openWorldHint":false},
       "icons":[{"src":"https://example.com/i.png","mimeType":"image/png","sizes":["48x48"]}],
       "_meta":{"example.com/k":1}},
      {"name":"none","inputSchema":{"type":"object","additionalProperties":false}},
      {"name":"raw","inputSchema":{"type":"object","properties":{"x":{"type":"integer"}}},
       "outputSchema":{"type":"object"},"annotations":{"destructiveHint":true}}]})"));
}

TEST(Tools, TypedCallsReturnStructuredContentAndText) {
    Instance plugin(offer_tools);
    const auto result = plugin.tool("add", {{"a", 2}, {"b", 3}});
    EXPECT_EQ(result.status, PATCHBAY_OK);
    EXPECT_EQ(result.times, 1);
    EXPECT_EQ(result.body, json::parse(R"({"content":[{"type":"text","text":"{\"sum\":5}"}],
                                          "structuredContent":{"sum":5}})"));
    EXPECT_EQ(plugin.tool("add", {{"a", 2}}).body["structuredContent"]["sum"], 3);
    EXPECT_EQ(plugin.tool("raw", {{"x", 1}}).body["structuredContent"], json({{"x", 1}}));
    EXPECT_EQ(plugin.tool("none").body, json::parse(R"({"content":[]})"));
}

TEST(Tools, WrongArgumentsAreAResultThatSaysWhatIsWrong) {
    Instance plugin(offer_tools);
    const auto result = plugin.tool("add", {{"b", "x"}});
    EXPECT_EQ(result.status, PATCHBAY_OK);
    const json body = {
        {"code", "invalid_arguments"},
        {"category", "validation"},
        {"retryable", false},
        {"message", "Invalid arguments: a is missing; b must be an integer, not a string"}};
    EXPECT_EQ(result.body["isError"], true);
    EXPECT_EQ(result.body["_meta"]["patchbay/error"], body);
    EXPECT_EQ(result.body["content"][0]["text"], body["message"]);
    // Its outputSchema says what structuredContent holds, and that is not this.
    EXPECT_FALSE(result.body.contains("structuredContent"));
    EXPECT_EQ(plugin.tool("none", {{"x", 1}}).body["isError"], true);
    EXPECT_EQ(plugin.call("tools/call", {{"name", "none"}}).body["content"], json::array());
}

TEST(Tools, UnknownOnesAreAProtocolError) {
    Instance plugin(offer_tools);
    const auto unknown = plugin.tool("nope");
    EXPECT_EQ(unknown.status, PATCHBAY_E_NOT_FOUND);
    EXPECT_EQ(unknown.body, json({{"message", "Unknown tool: nope"}}));
    EXPECT_EQ(plugin.call("tools/call", json::object()).status, PATCHBAY_E_NOT_FOUND);
    EXPECT_EQ(plugin.call("tools/call", {{"name", 5}}).status, PATCHBAY_E_NOT_FOUND);
}

TEST(Tools, ParamsThatAreNoObjectAreRefused) {
    Instance plugin(offer_tools);
    for (const char* bad : {"", "[]", "{", "null", "{\"name\":}"}) {
        EXPECT_EQ(plugin.call("tools/call", bad).status, PATCHBAY_E_INVALID) << bad;
    }
}

TEST(Tools, NamesAreChecked) {
    for (const auto& name :
         {std::string(), std::string("a b"), std::string("ü"), std::string(129, 'a')}) {
        EXPECT_THROW(patchbay::detail::check_tool_name(name), std::invalid_argument) << name;
    }
    EXPECT_NO_THROW(patchbay::detail::check_tool_name(std::string(128, 'a')));
    EXPECT_NO_THROW(patchbay::detail::check_tool_name("a-B_9.c"));
}

TEST(Tools, HandlersReturnWhatIsHandy) {
    Instance plugin([](patchbay::Plugin& it) {
        it.tool("string").handle([] { return std::string("s\n"); });
        it.tool("literal").handle([] { return "l"; });
        it.tool("view").handle([] { return std::string_view("v"); });
        it.tool("content").handle([] { return patchbay::text("c"); });
        it.tool("blocks").handle([] {
            return std::vector<patchbay::Content>{patchbay::text("1"), patchbay::text("2")};
        });
        it.tool("json").handle([] { return json{{"k", "v"}}; });
        it.tool("number").handle([] { return 7; });
        it.tool("list").handle([] { return std::vector<int>{1, 2}; });
    });
    const auto text = [&](const char* tool) {
        return plugin.tool(tool).body["content"][0]["text"].get<std::string>();
    };
    EXPECT_EQ(text("string"), "s\n");
    EXPECT_EQ(text("literal"), "l");
    EXPECT_EQ(text("view"), "v");
    EXPECT_EQ(text("content"), "c");
    EXPECT_EQ(plugin.tool("blocks").body["content"].size(), 2u);
    EXPECT_EQ(plugin.tool("json").body["structuredContent"], json({{"k", "v"}}));
    EXPECT_EQ(plugin.tool("number").body["structuredContent"], 7);
    EXPECT_EQ(plugin.tool("list").body["structuredContent"], json({1, 2}));
}

TEST(Tools, HandlersMayOwnWhatCannotBeCopied) {
    Instance plugin([](patchbay::Plugin& it) {
        it.tool("t").handle([own = std::make_unique<int>(5)] { return *own; });
    });
    EXPECT_EQ(plugin.tool("t").body["structuredContent"], 5);
}

void offer_failures(patchbay::Plugin& plugin) {
    plugin.tool("error").handle([] {
        throw patchbay::Error("overloaded", "Too much").transient(2.5).hint("Wait a little.");
    });
    plugin.tool("auth").handle(
        []() -> std::string { throw patchbay::ToolError("no", "Not you").auth(); });
    plugin.tool("standard").handle([] { throw std::runtime_error("broke"); });
    plugin.tool("anything").handle([] { throw 5; });
    plugin.tool("unsure").handle(
        [] { throw patchbay::Error("lost", "No answer came").transient().may_have_run(); });
    plugin.tool("pointer").handle(
        [] { std::rethrow_exception(std::make_exception_ptr(std::logic_error("carried"))); });
    plugin.tool("protocol").handle([] {
        throw patchbay::ProtocolError(PATCHBAY_E_DENIED, "not here", {{"why", "rule"}});
    });
    plugin.tool("cancelled").handle([] { throw patchbay::Cancelled(PATCHBAY_E_DEADLINE); });
}

TEST(Failures, AnErrorIsAStructuredResult) {
    Instance plugin(offer_failures);
    const auto result = plugin.tool("error");
    const json body = {{"code", "overloaded"},       {"category", "transient"},
                       {"retryable", true},          {"message", "Too much"},
                       {"retry_after_seconds", 2.5}, {"hint", "Wait a little."}};
    EXPECT_EQ(result.status, PATCHBAY_OK);
    EXPECT_EQ(result.body["isError"], true);
    EXPECT_EQ(result.body["structuredContent"], body);
    EXPECT_EQ(result.body["_meta"]["patchbay/error"], body);
    EXPECT_EQ(result.body["content"][0]["text"], "Too much\nWait a little.");
    EXPECT_EQ(plugin.tool("auth").body["structuredContent"]["category"], "auth");
    const auto unsure = plugin.tool("unsure").body["structuredContent"];
    EXPECT_EQ(unsure["category"], "transient");
    EXPECT_EQ(unsure["retryable"], false);
}

TEST(Failures, OtherExceptionsAreInternal) {
    Instance plugin(offer_failures);
    const std::pair<const char*, const char*> cases[] = {
        {"standard", "broke"}, {"anything", "The plugin failed"}, {"pointer", "carried"}};
    for (const auto& [tool, message] : cases) {
        const auto result = plugin.tool(tool);
        EXPECT_EQ(result.status, PATCHBAY_OK);
        EXPECT_EQ(result.times, 1);
        EXPECT_EQ(result.body["isError"], true);
        EXPECT_EQ(result.body["structuredContent"]["code"], "internal");
        EXPECT_EQ(result.body["structuredContent"]["message"], message);
    }
}

TEST(Failures, ProtocolErrorsAndCancellationAreStatuses) {
    Instance plugin(offer_failures);
    const auto protocol = plugin.tool("protocol");
    EXPECT_EQ(protocol.status, PATCHBAY_E_DENIED);
    EXPECT_EQ(protocol.body, json::parse(R"({"message":"not here","data":{"why":"rule"}})"));
    EXPECT_EQ(plugin.tool("cancelled").status, PATCHBAY_E_DEADLINE);
}

void offer_reporters(patchbay::Plugin& plugin) {
    plugin.tool("report").handle([](patchbay::Call& call) {
        call.progress(0.5, "half \"way\"");
        call.progress(2, 4);
        call.progress(3, 4, "more");
        call.log(patchbay::Level::warning, {{"k", 1}}, "mine");
        call.release_stream(std::chrono::milliseconds(250));
        call.release_stream();
    });
    plugin.tool("sleep").handle([](patchbay::Call& call) {
        call.progress(1);
        call.sleep(std::chrono::hours(1));
    });
    plugin.tool("cancelled").handle([](patchbay::Call& call) { return call.cancelled(); });
    plugin.tool("check").handle([](patchbay::Call& call) { call.check(); });
    plugin.tool("deadline").handle([](patchbay::Call& call) -> json {
        if (!call.deadline()) return "none";
        return *call.deadline() > std::chrono::steady_clock::now();
    });
}

TEST(Calls, ProgressAndLogGoToTheHost) {
    Instance plugin(offer_reporters);
    const auto id = plugin.send("tools/call", {{"name", "report"}});
    plugin.host().ended(id);
    const auto progress = plugin.host().notices("notifications/progress");
    ASSERT_EQ(progress.size(), 3u);
    EXPECT_EQ(progress[0].call, id);
    EXPECT_EQ(progress[0].params, json({{"progress", 0.5}, {"message", "half \"way\""}}));
    EXPECT_EQ(progress[1].params, json({{"progress", 2}, {"total", 4}}));
    EXPECT_EQ(progress[2].params, json({{"progress", 3}, {"total", 4}, {"message", "more"}}));
    const auto log = plugin.host().notices("notifications/message");
    ASSERT_EQ(log.size(), 1u);
    EXPECT_EQ(log[0].params, json::parse(R"({"level":"warning","data":{"k":1},"logger":"mine"})"));
    const auto release = plugin.host().notices("patchbay/stream/release");
    ASSERT_EQ(release.size(), 2u);
    EXPECT_EQ(release[0].params, json({{"retry_ms", 250}}));
    EXPECT_EQ(release[1].params, json::object());
}

TEST(Calls, LogMessagesAreNotDroppedWhenTheReaderIsBehind) {
    Instance plugin([](patchbay::Plugin& it) {
        it.tool("log").handle([](patchbay::Call& call) { call.log(patchbay::Level::info, "x"); });
    });
    plugin.host().answer_notify({PATCHBAY_E_AGAIN, PATCHBAY_E_AGAIN});
    EXPECT_EQ(plugin.tool("log").status, PATCHBAY_OK);
    EXPECT_EQ(plugin.host().notices("notifications/message").size(), 1u);
    EXPECT_EQ(plugin.host().waits().size(), 2u);
}

TEST(Calls, SleepEndsWithTheCall) {
    Instance plugin(offer_reporters);
    std::thread caller;
    std::atomic<patchbay_call> id{0};
    std::thread canceller([&] {
        for (;;) {
            const auto seen = plugin.host().notices("notifications/progress");
            if (!seen.empty()) return plugin.host().set_wait(seen[0].call, PATCHBAY_E_CANCELLED);
            std::this_thread::yield();
        }
    });
    id = plugin.send("tools/call", {{"name", "sleep"}});
    canceller.join();
    const auto ended = plugin.host().ended(id);
    EXPECT_EQ(ended.status, PATCHBAY_E_CANCELLED);
    EXPECT_EQ(ended.times, 1);
}

TEST(Calls, CancelledAndDeadline) {
    Instance plugin(offer_reporters);
    EXPECT_EQ(plugin.tool("cancelled").body["structuredContent"], false);
    EXPECT_EQ(plugin.tool("check").status, PATCHBAY_OK);
    EXPECT_EQ(plugin.tool("deadline").body["structuredContent"], "none");
    const auto id =
        plugin.send("tools/call", {{"name", "deadline"}}, json::object(), 3'600'000'000'000);
    EXPECT_EQ(plugin.host().ended(id).body["structuredContent"], true);
}

TEST(Calls, KnowTheirCaller) {
    Instance plugin([](patchbay::Plugin& it) {
        it.tool("who").handle([](patchbay::Call& call) -> json {
            const auto& caller = call.caller();
            return {{"org", caller.org},
                    {"principal", caller.principal},
                    {"kind", caller.kind},
                    {"read", caller.has_scope("mcp:read")},
                    {"admin", caller.has_scope("mcp:admin")},
                    {"sources", caller.sources ? json(*caller.sources) : json()},
                    {"objects", caller.objects ? json(*caller.objects) : json()},
                    {"client", caller.client_name + "/" + caller.client_version},
                    {"meta", call.meta()},
                    {"form", call.client_can("elicitation.form")},
                    {"url", call.client_can("elicitation.url")},
                    {"sampling", call.client_can("sampling")}};
        });
    });
    const json context = json::parse(R"({"org":"acme","principal":{"id":"ann","kind":"user"},
        "scopes":["mcp:read"],"sources":["a","b"],"client":{"name":"c","version":"1"},
        "clientCapabilities":{"elicitation":{}}})");
    const auto who = plugin.call("tools/call", {{"name", "who"}, {"_meta", {{"k", 1}}}}, context);
    EXPECT_EQ(who.body["structuredContent"],
              json::parse(R"({"org":"acme","principal":"ann","kind":"user","read":true,
        "admin":false,"sources":["a","b"],"objects":null,"client":"c/1","meta":{"k":1},
        "form":true,"url":false,"sampling":false})"));
    // A context that says nothing is nobody.
    const auto nobody = plugin.tool("who").body["structuredContent"];
    EXPECT_EQ(nobody["principal"], "");
    EXPECT_EQ(nobody["form"], false);
}

TEST(Changes, AddingAndRemovingAtRunTimeTellsTheHost) {
    static patchbay::Plugin* inside;
    Instance plugin([](patchbay::Plugin& it) {
        inside = &it;
        it.tool("a").handle([] {});
    });
    const auto told = [&](const char* what) { return plugin.host().notices(what).size(); };
    EXPECT_EQ(told("notifications/tools/list_changed"), 0u);
    inside->tool("b").handle([] { return "b"; });
    EXPECT_EQ(told("notifications/tools/list_changed"), 1u);
    EXPECT_EQ(plugin.tool("b").body["content"][0]["text"], "b");
    EXPECT_TRUE(inside->remove_tool("a"));
    EXPECT_FALSE(inside->remove_tool("a"));
    EXPECT_EQ(told("notifications/tools/list_changed"), 2u);
    EXPECT_EQ(plugin.tool("a").status, PATCHBAY_E_NOT_FOUND);
    inside->resource("a://b").text("x");
    inside->prompt("p").get([](const patchbay::Variables&) { return "x"; });
    EXPECT_EQ(told("notifications/resources/list_changed"), 1u);
    EXPECT_EQ(told("notifications/prompts/list_changed"), 1u);
}

TEST(Changes, ABusyHostHearsOfThemLater) {
    static patchbay::Plugin* inside;
    Instance plugin([](patchbay::Plugin& it) { inside = &it; });
    plugin.host().answer_notify({PATCHBAY_E_AGAIN});
    inside->tool("a").handle([] {});
    EXPECT_EQ(plugin.host().notices("notifications/tools/list_changed").size(), 0u);
    plugin.call("tools/list", json::object());
    EXPECT_EQ(plugin.host().notices("notifications/tools/list_changed").size(), 1u);
    plugin.call("tools/list", json::object());
    EXPECT_EQ(plugin.host().notices("notifications/tools/list_changed").size(), 1u);
}

TEST(Changes, ToolsComeAndGoWhileOthersAreCalled) {
    static patchbay::Plugin* inside;
    Instance plugin([](patchbay::Plugin& it) {
        inside = &it;
        it.tool("stays").handle([] { return "here"; });
    });
    std::atomic<bool> done{false};
    std::thread changer([&] {
        for (int i = 0; i < 200; ++i) {
            inside->tool("comes").handle([] { return "x"; });
            inside->remove_tool("comes");
        }
        done = true;
    });
    int failures = 0;
    do {
        failures += plugin.tool("stays").body["content"][0]["text"] != "here";
        const auto status = plugin.tool("comes").status;
        failures += status != PATCHBAY_OK && status != PATCHBAY_E_NOT_FOUND;
    } while (!done);
    changer.join();
    EXPECT_EQ(failures, 0);
}

}  // namespace
}  // namespace tool_test
