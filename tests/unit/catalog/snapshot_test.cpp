// SPDX-License-Identifier: Apache-2.0
// Lookups: names, and which provider a resource URI belongs to.
#include "catalog/snapshot.h"

#include "fakes.h"

namespace pb::catalog::test {
namespace {

// A provider with one listed resource and one template.
FakePtr resources_provider(const std::string& uri, const std::string& uri_template) {
    auto provider = fake("r:" + uri);
    provider->on("server/discover", R"({"capabilities":{"resources":{}}})")
        .on("resources/list", list_text("resources", {R"({"name":"n","uri":")" + uri + "\"}"}))
        .on("resources/templates/list",
            list_text("resourceTemplates",
                      {R"({"name":"n","uriTemplate":")" + uri_template + "\"}"}));
    return provider;
}

// "<capability> <local URI>", or "nobody".
std::string route(const Snapshot& snapshot, std::string_view uri) {
    const auto target = snapshot.resource(uri);
    return target ? target->binding->capability + " " + target->local_uri : "nobody";
}

TEST(Snapshot, FindsByExposedNameOnly) {
    const auto built = snapshot({binding_of("n", tools_provider("p", {"a", "b"}))});
    ASSERT_TRUE(built->tool("n__b"));
    EXPECT_EQ(built->tool("n__b")->local, "b");
    EXPECT_FALSE(built->tool("b"));
    EXPECT_FALSE(built->tool(""));
    EXPECT_FALSE(built->prompt("n__b"));
    EXPECT_FALSE(Snapshot().tool("x"));
}

TEST(ResourceRouting, GoesByPrefix) {
    const auto built = snapshot({binding_of("one", resources_provider("file:///a", "file:///{x}")),
                                 binding_of("my_two", resources_provider("file:///a", "db://{+x}")),
                                 binding_of("tools", tools_provider("p", {"a"}))});
    EXPECT_EQ(route(*built, "one+file:///a"), "one file:///a");
    EXPECT_EQ(route(*built, "my.two+file:///a"), "my_two file:///a");
    EXPECT_EQ(route(*built, "my.two+db://x/y"), "my_two db://x/y");
    // Servers may have resources that they do not list.
    EXPECT_EQ(route(*built, "one+other:thing"), "one other:thing");
    EXPECT_EQ(route(*built, "ui://one~panel"), "one ui://panel");
    // No prefix, another's prefix, and a namespace without resources.
    for (const auto* uri : {"file:///a", "three+file:///a", "tools+file:///a", "ui://panel", ""}) {
        EXPECT_EQ(route(*built, uri), "nobody") << uri;
    }
}

TEST(ResourceRouting, InTheEmptyNamespaceGoesByListAndTemplate) {
    const auto built =
        snapshot({binding_of("", resources_provider("file:///a", "file:///{+x}"), "files"),
                  binding_of("", resources_provider("db://t", "db://{table}/{row}"), "db"),
                  binding_of("git", resources_provider("ssh://x", "ssh://{+x}"))});
    EXPECT_EQ(route(*built, "file:///a"), "files file:///a");
    EXPECT_EQ(route(*built, "file:///b/c"), "files file:///b/c");
    EXPECT_EQ(route(*built, "db://t"), "db db://t");
    EXPECT_EQ(route(*built, "db://t/7"), "db db://t/7");
    EXPECT_EQ(route(*built, "git+ssh://x"), "git ssh://x");
    EXPECT_EQ(route(*built, "db://t/7/8"), "nobody");  // one of two, but which?
}

TEST(ResourceRouting, TheOnlyUnprefixedBindingGetsTheRest) {
    const auto built =
        snapshot({binding_of("", resources_provider("file:///a", "file:///{x}"), "files"),
                  binding_of("", tools_provider("p", {"a"}), "tools")});
    EXPECT_EQ(route(*built, "git+ssh://host/x"), "files git+ssh://host/x");
    EXPECT_EQ(route(*built, "ui://a~b"), "files ui://a~b");
}

TEST(ResourceRouting, AListedUriWinsOverAPrefix) {
    const auto built =
        snapshot({binding_of("", resources_provider("git+ssh://x", "no://{x}"), "files"),
                  binding_of("git", resources_provider("a:b", "a:{x}"))});
    EXPECT_EQ(route(*built, "git+ssh://x"), "files git+ssh://x");
    EXPECT_EQ(route(*built, "git+ssh://y"), "git ssh://y");
}

TEST(ResourceRouting, IsTheInverseOfExposing) {
    const auto built =
        snapshot({binding_of("9_a", resources_provider("file:///a", "file:///{x}"))});
    const auto& binding = *built->bindings.at(0);
    for (const auto* uri : {"file:///a", "ui://x/y", "a+b:c", "odd"}) {
        EXPECT_EQ(route(*built, built->exposed_uri(binding, uri)), "9_a " + std::string(uri));
    }
}

}  // namespace
}  // namespace pb::catalog::test
