// SPDX-License-Identifier: Apache-2.0
// The manifest: what is accepted, and that every refusal names the member.
#include "plugin/manifest.h"

#include <gtest/gtest.h>

#include "patchbay/plugin.h"

namespace pb::plugin {
namespace {

std::string manifest(const std::string& more) {
    return R"({"id":"weather","version":"1.2.3","abi":"1.0")" + more + "}";
}

std::string refusal(const std::string& text) {
    auto parsed = parse_manifest(text);
    return parsed ? "accepted" : parsed.error().message;
}

TEST(Manifest, DefaultsAreThoseOfTheHeader) {
    auto parsed = parse_manifest(manifest(""));
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_EQ(parsed->id, "weather");
    EXPECT_EQ(parsed->version, "1.2.3");
    EXPECT_EQ(parsed->abi_major, 1);
    EXPECT_EQ(parsed->abi_minor, 0);
    EXPECT_EQ(parsed->threading, Threading::concurrent);
    EXPECT_EQ(parsed->isolation, Isolation::any);
    ASSERT_EQ(parsed->capabilities.size(), 1u);
    EXPECT_EQ(parsed->capabilities[0].name, "weather");
    EXPECT_FALSE(parsed->capabilities[0].lists.is_private);
    EXPECT_EQ(parsed->capabilities[0].lists.ttl_ms, 300'000);
}

TEST(Manifest, EverythingIsRead) {
    auto parsed = parse_manifest(manifest(
        R"(,"threading":"serial","isolation":"process","title":"T","license":"MIT","unknown":[1],
           "capabilities":[{"name":"a"},{"name":"b","title":"B","config_schema":{"type":"object"},
           "lists":{"scope":"private","ttl_ms":0},"takes":["mcpServers","later"],
           "access":{"sources":true,"objects":[{"id":"note","title":"Notes"}]}}])"));
    ASSERT_TRUE(parsed.ok()) << parsed.error().message;
    EXPECT_EQ(parsed->threading, Threading::serial);
    EXPECT_EQ(parsed->isolation, Isolation::process);
    const Capability* second = parsed->capability("b");
    ASSERT_NE(second, nullptr);
    EXPECT_TRUE(second->lists.is_private);
    EXPECT_EQ(second->lists.ttl_ms, 0);
    EXPECT_EQ(second->takes, std::vector<std::string>{"mcpServers"});
    EXPECT_TRUE(second->choices.sources.asked);
    ASSERT_EQ(second->choices.objects.named.size(), 1u);
    EXPECT_EQ(second->choices.objects.named[0].title, "Notes");
    EXPECT_FALSE(parsed->capability("a")->choices.asked());
    EXPECT_EQ(second->config_schema, R"({"type":"object"})");
    EXPECT_EQ(parsed->capability("weather"), nullptr);
}

TEST(Manifest, RefusalsNameTheMember) {
    const std::pair<const char*, const char*> cases[] = {
        {R"({"version":"1.0.0","abi":"1.0"})", "\"id\" is missing"},
        {R"({"id":"Weather","version":"1.0.0","abi":"1.0"})", "\"id\""},
        {R"({"id":"a-","version":"1.0.0","abi":"1.0"})", "\"id\""},
        {R"({"id":"a","version":"1.0","abi":"1.0"})", "\"version\""},
        {R"({"id":"a","version":"01.0.0","abi":"1.0"})", "\"version\""},
        {R"({"id":"a","version":"1.0.0-","abi":"1.0"})", "\"version\""},
        {R"({"id":"a","version":"1.0.0","abi":"1"})", "\"abi\""},
        {R"({"id":"a","version":"1.0.0","abi":1.0})", "\"abi\""},
        {R"({"id":"a.b","version":"1.0.0","abi":"1.0"})", "\"capabilities\""},
        {R"([1])", "object"},
        {R"({"id":)", "JSON"},
    };
    for (const auto& [text, expected] : cases)
        EXPECT_NE(refusal(text).find(expected), std::string::npos) << text << ": " << refusal(text);
    const std::pair<const char*, const char*> more[] = {
        {R"(,"threading":"none")", "\"threading\""},
        {R"(,"isolation":1)", "\"isolation\""},
        {R"(,"capabilities":[])", "\"capabilities\""},
        {R"(,"capabilities":[{"name":"a__b"}])", "\"name\""},
        {R"(,"capabilities":[{"name":"a"},{"name":"a"}])", "twice"},
        {R"(,"capabilities":[{"name":"a","config_schema":{"type":"nothing"}}])",
         "\"config_schema\""},
        {R"(,"capabilities":[{"name":"a","lists":{"ttl_ms":-1}}])", "\"ttl_ms\""},
        {R"(,"capabilities":[{"name":"a","takes":"mcpServers"}])", "\"takes\""},
        {R"(,"capabilities":[{"name":"a","takes":[1]}])", "\"takes\""},
        {R"(,"capabilities":[{"name":"a","access":[]}])", "capability 1: \"access\" must be"},
        {R"(,"capabilities":[{"name":"a","access":{"sources":[{"id":"a b"}]}}])",
         "\"access\" member \"sources\": a choice's \"id\""},
    };
    for (const auto& [text, expected] : more)
        EXPECT_NE(refusal(manifest(text)).find(expected), std::string::npos)
            << text << ": " << refusal(manifest(text));
    EXPECT_EQ(refusal(R"({"id":"a","version":"1.0.0-rc.1+build.5","abi":"1.12"})"), "accepted");
}

TEST(Manifest, RoutesAreBelowWhatCapabilitiesCanHave) {
    const auto with = [](const std::string& path, const std::string& access = "admin") {
        return manifest(R"(,"capabilities":[{"name":"a","routes":[{"path":")" + path +
                        R"(","access":")" + access + R"("}]}])");
    };
    auto parsed = parse_manifest(with("/oauth/callback", "public"));
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->capabilities[0].routes.at(0).path, "/oauth/callback");
    EXPECT_EQ(parsed->capabilities[0].routes.at(0).access, catalog::Route::Access::open);
    for (const char* good :
         {"/api/mcp-servers", "/api/a/b_c", "/oauth/client", "/oauth/client/x", "/hooks/mail"})
        EXPECT_EQ(refusal(with(good)), "accepted") << good;
    for (const char* bad : {"", "/", "/api", "/api/", "/mcp", "/apix/a", "/api/a/", "/api//a",
                            "/api/..", "/api/A", "/oauth/authorize", "/oauth/callbacks", "/hooks"})
        EXPECT_NE(refusal(with(bad)).find("path"), std::string::npos) << bad;
    EXPECT_NE(refusal(with("/api/a", "all")).find("\"access\""), std::string::npos);
    EXPECT_NE(refusal(manifest(R"(,"capabilities":[{"name":"a","routes":[{"path":"/api/a"}]}])"))
                  .find("\"access\""),
              std::string::npos);
    EXPECT_NE(refusal(manifest(R"(,"capabilities":[{"name":"a","routes":{}}])")).find("\"routes\""),
              std::string::npos);
}

TEST(Manifest, DepthIsBounded) {
    std::string deep(10'000, '[');
    EXPECT_NE(refusal(manifest(",\"x\":" + deep)).find("JSON"), std::string::npos);
}

TEST(Capsule, IsFoundOnceAndWithinTheFile) {
    std::string magic(PATCHBAY_MANIFEST_MAGIC, PATCHBAY_MANIFEST_MAGIC_SIZE);
    auto found = [&](const std::string& bytes) {
        auto capsule = find_capsule(bytes);
        return capsule ? std::string(*capsule) : "refused: " + capsule.error().message;
    };
    EXPECT_EQ(found("xx" + magic + "00000002{}yy"), "{}");
    EXPECT_EQ(found(magic + "0000000a0123456789"), "0123456789");
    EXPECT_NE(found("nothing").find("no Patchbay manifest"), std::string::npos);
    EXPECT_NE(found(magic + "00000002{}" + magic + "00000002{}").find("more than one"),
              std::string::npos);
    EXPECT_NE(found(magic + "0000zz02{}").find("hexadecimal"), std::string::npos);
    EXPECT_NE(found(magic + "-0000002{}").find("hexadecimal"), std::string::npos);
    EXPECT_NE(found(magic + "0000").find("hexadecimal"), std::string::npos);
    EXPECT_NE(found(magic + "00000003{}").find("within the file"), std::string::npos);
    EXPECT_NE(found(magic + "ffffffff{}").find("larger than"), std::string::npos);
    EXPECT_NE(found(magic.substr(0, 15) + "x00000002{}").find("no Patchbay"), std::string::npos);
}

}  // namespace
}  // namespace pb::plugin
