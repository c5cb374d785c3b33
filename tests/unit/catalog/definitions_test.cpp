// SPDX-License-Identifier: Apache-2.0
// What clients see of a definition: the provider's own bytes, with names and links rewritten.
#include <nlohmann/json.hpp>

#include "catalog/shapes.h"
#include "fakes.h"

namespace pb::catalog::test {
namespace {

// One tool's definition as the namespace exposes it.
std::string exposed_tool(const std::string& name_space, const std::string& definition) {
    auto provider = fake("p@1");
    provider->on("tools/list", list_text("tools", {definition}));
    const auto built = snapshot({binding_of(name_space, provider, "cap")});
    return built->tools.size() == 1 ? built->tools[0].definition : "";
}

TEST(Definition, KeepsEveryByteButTheName) {
    const std::string before = R"({ "title":"T\u00e9st",  "name":)";
    const std::string after =
        R"(, "n":1.50e+3, "inputSchema": {"type":"object","properties":{"b":{},"a":{}}},)"
        R"( "unknown":[1, 2 ,{}], "description":"x" })";
    EXPECT_EQ(exposed_tool("ns", before + R"("go")" + after), before + R"("ns__go")" + after);
    EXPECT_EQ(exposed_tool("", before + R"("go")" + after), before + R"("go")" + after);
}

TEST(Definition, KeepsTheOriginalOfAShortenedName) {
    const auto text = exposed_tool("db", R"({"name":"db.query","inputSchema":{"type":"object"}})");
    const auto tool = json::Json::parse(text);
    EXPECT_EQ(tool["name"], "db__db_query_ca4a5d40");
    EXPECT_EQ(tool["_meta"]["patchbay/originalName"], "db.query");
    const auto other = json::Json::parse(
        exposed_tool("db", R"({"name":"a b","_meta":{"x":1},"inputSchema":{"type":"object"}})"));
    EXPECT_EQ(other["_meta"]["patchbay/originalName"], "a b");
    EXPECT_EQ(other["_meta"]["x"], 1);
    // Also where there is no prefix, and never for a name that is only prefixed.
    const auto bare =
        json::Json::parse(exposed_tool("", R"({"name":"a b","inputSchema":{"type":"object"}})"));
    EXPECT_EQ(bare["_meta"]["patchbay/originalName"], "a b");
    EXPECT_EQ(exposed_tool("db", tool_text("plain")).find("_meta"), std::string::npos);
}

TEST(Definition, CannotSmuggleASecondName) {
    const auto text = exposed_tool(
        "ns", R"({"name":"a","inputSchema":{"type":"object"},"n\u0061me":"other__tool"})");
    EXPECT_EQ(text.find("other__tool"), text.find("ns__other__tool") + 4);
    EXPECT_EQ(json::Json::parse(text)["name"], "ns__other__tool");
}

// A strict client refuses the whole list for any of these.
TEST(Definition, LosesOptionalMembersOfAnotherType) {
    const struct {
        const char *list, *sound, *wrong;
    } cases[] = {
        {"tools", R"("name":"a","inputSchema":{"type":"object"})", R"("annotations":"x")"},
        {"tools", R"("name":"a","inputSchema":{"type":"object"})",
         R"("annotations":{"readOnlyHint":"yes"})"},
        {"tools", R"("name":"a","inputSchema":{"type":"object"})", R"("_meta":5)"},
        {"tools", R"("name":"a","inputSchema":{"type":"object"})", R"("title":null)"},
        {"tools", R"("name":"a","inputSchema":{"type":"object"})", R"("ti\u0074le":7)"},
        {"tools", R"("name":"a","inputSchema":{"type":"object"})", R"("icons":[{"sizes":["1"]}])"},
        {"tools", R"("name":"a","inputSchema":{"type":"object"})", R"("outputSchema":true)"},
        {"prompts", R"("name":"a")", R"("arguments":"x")"},
        {"prompts", R"("name":"a")", R"("arguments":[{"name":"b","required":"no"}])"},
        {"resources", R"("name":"a","uri":"a:b")", R"("mimeType":5)"},
        {"resources", R"("name":"a","uri":"a:b")", R"("annotations":{"priority":2})"},
        {"resources", R"("name":"a","uri":"a:b")", R"("size":"1")"},
        {"resourceTemplates", R"("name":"a","uriTemplate":"a:{b}")", R"("description":{})"},
    };
    for (const auto& [list, sound, wrong] : cases) {
        std::vector<std::string> dropped;
        const auto whole = "{" + std::string(sound) + "}";
        const auto both = "{" + std::string(wrong) + "," + sound + "}";
        EXPECT_EQ(sound_definition(list, both, dropped), whole) << both;
        EXPECT_EQ(dropped.size(), 1U) << both;
        EXPECT_EQ(sound_definition(list, whole, dropped), whole);
        EXPECT_EQ(dropped.size(), 1U) << whole;
    }
}

TEST(Definition, KeepsWhatIsRightOrNotTheSpecifications) {
    const std::string whole =
        R"({"name":"a","inputSchema":{"type":"object"},"title":"A","description":"","vendor":null,)"
        R"("icons":[{"src":"data:x","theme":"dark","new":1}],"execution":{"taskSupport":"optional"},)"
        R"("annotations":{"readOnlyHint":true,"more":5},"_meta":{"x":1}, "outputSchema":{"type":"array"}})";
    std::vector<std::string> dropped;
    EXPECT_EQ(sound_definition("tools", whole, dropped), whole);
    EXPECT_TRUE(dropped.empty()) << dropped[0];
    const std::string resource =
        R"({"uri":"a:b","name":"a","size":1e3,"annotations":{"audience":["user"],"priority":0.5,)"
        R"("lastModified":"2025-01-12T15:00:58Z"}})";
    EXPECT_EQ(sound_definition("resources", resource, dropped), resource);
    EXPECT_TRUE(dropped.empty()) << dropped[0];
}

TEST(Definition, AWrongMemberIsWarnedOf) {
    auto provider = fake("p@1");
    provider->on(
        "tools/list",
        list_text("tools", {R"({"name":"go","title":5,"inputSchema":{"type":"object"}})"}));
    const auto built = build({binding_of("ns", provider, "cap")});
    ASSERT_EQ(built.snapshot->tools.size(), 1U);
    EXPECT_EQ(built.snapshot->tools[0].definition.find("title"), std::string::npos);
    ASSERT_EQ(built.warnings.size(), 1U);
    EXPECT_NE(built.warnings[0].find("'title' is left out"), std::string::npos);
}

TEST(Definition, RewritesUiLinksInBothForms) {
    const auto tool = json::Json::parse(
        exposed_tool("charts", R"({"name":"t","inputSchema":{"type":"object"},"_meta":{"keep":[1],
            "ui":{"visibility":["model"],"resourceUri":"ui://bar/v.html"},
            "ui/resourceUri":"ui://bar/v.html"}})"));
    EXPECT_EQ(tool["_meta"]["ui"]["resourceUri"], "ui://charts~bar/v.html");
    EXPECT_EQ(tool["_meta"]["ui"]["visibility"][0], "model");
    EXPECT_EQ(tool["_meta"]["ui/resourceUri"], "ui://charts~bar/v.html");
    EXPECT_EQ(tool["_meta"]["keep"][0], 1);
}

TEST(Definition, LeavesOtherMetaAlone) {
    for (const std::string meta : {R"({"ui":{"resourceUri":"https://x"}})", R"({"ui":7})",
                                   R"({"ui/resourceUri":null})", R"({"ui":{"other":"ui://a"}})"}) {
        const auto text = exposed_tool(
            "ns", R"({"name":"t","_meta":)" + meta + R"(,"inputSchema":{"type":"object"}})");
        EXPECT_NE(text.find(R"("_meta":)" + meta + ","), std::string::npos) << text;
    }
}

TEST(Definition, UiLinkLeadsToTheExposedResource) {
    auto provider = fake("p@1");
    provider->on("server/discover", R"({"capabilities":{"tools":{},"resources":{}}})")
        .on("tools/list",
            list_text("tools", {R"({"name":"t","inputSchema":{"type":"object"},)"
                                R"("_meta":{"ui":{"resourceUri":"ui://bar/v.html"}}})"}))
        .on("resources/list",
            list_text("resources", {R"({"uri":"ui://bar/v.html","name":"view"})"}));
    const auto built = snapshot({binding_of("charts", provider)});
    ASSERT_EQ(built->tools.size(), 1u);
    const auto tool = json::Json::parse(built->tools[0].definition);
    const auto target = built->resource(tool["_meta"]["ui"]["resourceUri"].get<std::string>());
    ASSERT_TRUE(target);
    EXPECT_EQ(target->local_uri, "ui://bar/v.html");
    EXPECT_EQ(target->binding->provider, provider);
}

TEST(Definition, OfResourcesAndTemplatesHasTheUriReplaced) {
    auto provider = fake("p@1");
    provider->on("server/discover", R"({"capabilities":{"resources":{}}})")
        .on("resources/list",
            list_text("resources", {R"({"name":"n", "uri":"file:///a","size":1.0})"}))
        .on("resources/templates/list",
            list_text("resourceTemplates", {R"({"uriTemplate":"file:///{+p}", "name":"all"})"}));
    const auto built = snapshot({binding_of("files", provider)});
    ASSERT_EQ(built->resources.size(), 1u);
    ASSERT_EQ(built->templates.size(), 1u);
    EXPECT_EQ(built->resources[0].definition,
              R"({"name":"n", "uri":"files+file:///a","size":1.0})");
    EXPECT_EQ(built->templates[0].definition,
              R"({"uriTemplate":"files+file:///{+p}", "name":"all"})");
    EXPECT_TRUE(built->tools.empty());
}

TEST(Definition, HintsAndSchemasAreRead) {
    auto provider = fake("p@1");
    provider->on(
        "tools/list",
        list_text("tools",
                  {R"({"name":"r","inputSchema":{"type":"object"},
                       "annotations":{"readOnlyHint":true,"destructiveHint":false}})",
                   R"({"name":"d","inputSchema":{"type":"object","required":["x"],
                       "properties":{"x":{"type":"string","x-mcp-header":"X"}}},
                       "annotations":{"destructiveHint":true},
                       "outputSchema":{"type":"object","required":["y"]}})",
                   R"({"name":"o","inputSchema":{"type":"object"},"annotations":{"odd":1}})"}));
    const auto built = snapshot({binding_of("ns", provider)});
    const auto* read = built->tool("ns__r");
    const auto* destroy = built->tool("ns__d");
    const auto* odd = built->tool("ns__o");
    ASSERT_TRUE(read && destroy && odd);
    EXPECT_TRUE(read->read_only);
    EXPECT_FALSE(read->destructive);
    EXPECT_FALSE(read->output);
    EXPECT_TRUE(destroy->destructive);
    EXPECT_FALSE(destroy->read_only);
    EXPECT_FALSE(odd->read_only || odd->destructive);
    ASSERT_TRUE(destroy->output);
    EXPECT_FALSE(destroy->output->validate(json::Json::object()).empty());
    EXPECT_FALSE(destroy->input->validate(json::Json::object()).empty());
    EXPECT_TRUE(destroy->input->validate(json::Json{{"x", "1"}}).empty());
    ASSERT_EQ(destroy->header_params.size(), 1u);
    EXPECT_EQ(destroy->header_params[0].header, "X");
}

struct Wrong {
    const char* definition;
    const char* reason;
};
class WrongTool : public testing::TestWithParam<Wrong> {};

TEST_P(WrongTool, IsLeftOutWithAWarningAndItsNeighboursStay) {
    auto provider = fake("p@1");
    provider->on("tools/list",
                 list_text("tools", {tool_text("a"), GetParam().definition, tool_text("z")}));
    const auto outcome = build({binding_of("ns", provider)});
    EXPECT_EQ(names(outcome.snapshot->tools), (Names{"ns__a", "ns__z"}));
    ASSERT_EQ(outcome.warnings.size(), 1u);
    EXPECT_NE(outcome.warnings[0].find(GetParam().reason), std::string::npos)
        << outcome.warnings[0];
    EXPECT_NE(outcome.warnings[0].find("p@1"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongTool,
    testing::Values(
        Wrong{R"({"inputSchema":{"type":"object"}})", "no string 'name'"},
        Wrong{R"({"name":"","inputSchema":{"type":"object"}})", "no string 'name'"},
        Wrong{R"({"name":7,"inputSchema":{"type":"object"}})", "no string 'name'"},
        Wrong{R"("text")", "not a JSON object"}, Wrong{"null", "not a JSON object"},
        Wrong{R"({"name":"b"})", "no object 'inputSchema'"},
        Wrong{R"({"name":"b","inputSchema":true})", "no object 'inputSchema'"},
        Wrong{R"({"name":"b","inputSchema":{"type":"array"}})", "\"type\": \"object\""},
        Wrong{R"({"name":"b","inputSchema":{}})", "\"type\": \"object\""},
        Wrong{R"({"name":"b","inputSchema":{"type":"object","properties":7}})", "inputSchema"},
        Wrong{R"({"name":"b","inputSchema":{"type":"object"},"outputSchema":{"type":"nope"}})",
              "outputSchema"},
        Wrong{R"({"name":"b","inputSchema":{"type":"object","properties":
                 {"x":{"type":"number","x-mcp-header":"X"}}}})",
              "x-mcp-header"},
        Wrong{R"({"name":"a","inputSchema":{"type":"object"}})", "listed twice"}));

TEST(WrongResource, IsLeftOutWithAWarning) {
    auto provider = fake("p@1");
    provider->on("server/discover", R"({"capabilities":{"resources":{}}})")
        .on("resources/list", list_text("resources", {R"({"uri":"a:b"})", R"({"name":"n"})",
                                                      R"({"name":"n","uri":"a:c"})"}))
        .on("resources/templates/list",
            list_text("resourceTemplates", {R"({"name":"n","uriTemplate":"a:{"})",
                                            R"({"name":"n","uriTemplate":"a:{x}"})"}));
    const auto outcome = build({binding_of("ns", provider)});
    EXPECT_EQ(names(outcome.snapshot->resources), (Names{"ns+a:c"}));
    EXPECT_EQ(names(outcome.snapshot->templates), (Names{"ns+a:{x}"}));
    EXPECT_EQ(outcome.warnings.size(), 3u);
}

}  // namespace
}  // namespace pb::catalog::test
