// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <patchbay/content.hpp>

namespace {

using patchbay::Bytes;
using patchbay::json;

json parsed(const std::string& text) { return json::parse(text); }

const Bytes foo = {'f', 'o', 'o'};

TEST(Content, EveryKindLooksAsSpecified) {
    EXPECT_EQ(parsed(patchbay::text("hi \"there\"").text()),
              parsed(R"({"type":"text","text":"hi \"there\""})"));
    EXPECT_EQ(parsed(patchbay::image(foo, "image/png").text()),
              parsed(R"({"type":"image","data":"Zm9v","mimeType":"image/png"})"));
    EXPECT_EQ(parsed(patchbay::audio(foo, "audio/wav").text()),
              parsed(R"({"type":"audio","data":"Zm9v","mimeType":"audio/wav"})"));
    EXPECT_EQ(
        parsed(patchbay::resource_link("a://b", "b", "text/plain").text()),
        parsed(R"({"type":"resource_link","uri":"a://b","name":"b","mimeType":"text/plain"})"));
    EXPECT_EQ(parsed(patchbay::embedded_text("a://b", "x").text()),
              parsed(R"({"type":"resource","resource":{"uri":"a://b","mimeType":"text/plain",
                         "text":"x"}})"));
    EXPECT_EQ(parsed(patchbay::embedded_blob("a://b", foo, "image/png").text()),
              parsed(R"({"type":"resource","resource":{"uri":"a://b","mimeType":"image/png",
                         "blob":"Zm9v"}})"));
}

TEST(Content, AnnotationsAndFurtherMembers) {
    const auto block = patchbay::text("x")
                           .audience({"user", "assistant"})
                           .priority(0.5)
                           .last_modified("2026-01-31T12:00:00Z")
                           .member("_meta", {{"k", 1}});
    EXPECT_EQ(parsed(block.text()),
              parsed(R"({"type":"text","text":"x","_meta":{"k":1},"annotations":{
                  "audience":["user","assistant"],"priority":0.5,
                  "lastModified":"2026-01-31T12:00:00Z"}})"));
}

TEST(Result, CombinesBlocks) {
    EXPECT_EQ(parsed((patchbay::text("a") + patchbay::text("b") + patchbay::text("c")).text()),
              parsed(R"({"content":[{"type":"text","text":"a"},{"type":"text","text":"b"},
                         {"type":"text","text":"c"}]})"));
    EXPECT_EQ(parsed(patchbay::Result().text()), parsed(R"({"content":[]})"));
}

TEST(Result, StructuredContentIsAlsoText) {
    EXPECT_EQ(parsed(patchbay::structured({{"a", 1}}).text()),
              parsed(R"({"content":[{"type":"text","text":"{\"a\":1}"}],
                         "structuredContent":{"a":1}})"));
    EXPECT_EQ(parsed(patchbay::Result(patchbay::text("one")).structured(1).text()),
              parsed(R"({"content":[{"type":"text","text":"one"}],"structuredContent":1})"));
}

TEST(Result, ErrorAndMeta) {
    EXPECT_EQ(parsed(patchbay::Result(patchbay::text("no")).error().meta({{"k", "v"}}).text()),
              parsed(R"({"content":[{"type":"text","text":"no"}],"isError":true,
                         "_meta":{"k":"v"}})"));
}

TEST(Messages, RolesDescriptionAndAnyContent) {
    patchbay::Messages messages{patchbay::user("q"), patchbay::assistant("a")};
    messages.add(patchbay::user(patchbay::image(foo, "image/png")));
    EXPECT_EQ(parsed(messages.text("d")), parsed(R"({"description":"d","messages":[
        {"role":"user","content":{"type":"text","text":"q"}},
        {"role":"assistant","content":{"type":"text","text":"a"}},
        {"role":"user","content":{"type":"image","data":"Zm9v","mimeType":"image/png"}}]})"));
    EXPECT_EQ(parsed(messages.description("own").text("d"))["description"], "own");
    EXPECT_FALSE(parsed(patchbay::Messages("x").text("")).contains("description"));
}

TEST(Contents, TextBytesAndSeveral) {
    EXPECT_EQ(parsed(patchbay::Contents("x").text("a://b", "text/plain")),
              parsed(R"({"contents":[{"uri":"a://b","mimeType":"text/plain","text":"x"}]})"));
    EXPECT_EQ(parsed(patchbay::Contents(foo).text("a://b", "")),
              parsed(R"({"contents":[{"uri":"a://b","blob":"Zm9v"}]})"));
    patchbay::Contents folder;
    folder.add("a://1", std::string("one"), "text/x").add("a://2", foo).mime_type("image/png");
    EXPECT_EQ(parsed(folder.text("a://", "text/plain")), parsed(R"({"contents":[
        {"uri":"a://1","mimeType":"text/x","text":"one"},
        {"uri":"a://2","mimeType":"image/png","blob":"Zm9v"}]})"));
}

}  // namespace
