// SPDX-License-Identifier: Apache-2.0
// What a capability says that callers can be narrowed to: what is taken, and what is refused.
#include "catalog/choices.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace pb::catalog::test {
namespace {

using json::Json;

std::string choices_refusal(const Json& object, bool may_ask = false) {
    const auto read = read_choices(object, may_ask);
    return read ? "accepted" : read.error().message;
}

TEST(Choices, AreRead) {
    const auto read = read_choices(
        Json::parse(R"({"sources":[{"id":"crm","title":"Customers","description":"All of them"},
                                   {"id":"a/b:c"}],"other":1})"),
        false);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->sources.named,
              (std::vector<Choice>{{"crm", "Customers", "All of them"}, {"a/b:c", "", ""}}));
    EXPECT_TRUE(read->objects.named.empty());
    EXPECT_FALSE(read->asked());
}

TEST(Choices, TrueMeansAskedForWhereThatMayBe) {
    const auto object = Json::parse(R"({"sources":true,"objects":[{"id":"note"}]})");
    const auto read = read_choices(object, true);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_TRUE(read->asked());
    EXPECT_TRUE(read->sources.asked);
    EXPECT_FALSE(read->objects.asked);
    EXPECT_EQ(choices_refusal(object), "\"sources\" must be an array");
    EXPECT_EQ(choices_refusal({{"objects", false}}, true), "\"objects\" must be true or an array");
}

TEST(Choices, WhatCouldNotBeAScopeOrFillsThePageIsRefused) {
    const auto with = [](const Json& id) { return Json{{"sources", {{{"id", id}}}}}; };
    for (const Json& id : {Json(""), Json("a b"), Json("a\"b"), Json("a\\b"), Json("é"),
                           Json("a\nb"), Json(1), Json(std::string(201, 'a'))})
        EXPECT_NE(choices_refusal(with(id)).find("\"sources\": a choice's \"id\""),
                  std::string::npos)
            << id << ": " << choices_refusal(with(id));
    EXPECT_EQ(choices_refusal(with(std::string(200, 'a'))), "accepted");
    const auto more = [](const Json& choice) {
        return choices_refusal({{"objects", Json::array({choice})}});
    };
    EXPECT_NE(more("crm").find("must be an object"), std::string::npos);
    EXPECT_NE(more(Json::object()).find("\"id\""), std::string::npos);
    EXPECT_NE(more({{"id", "a"}, {"title", 1}}).find("\"title\" must be a string"),
              std::string::npos);
    EXPECT_NE(more({{"id", "a"}, {"title", std::string(201, 'a')}}).find("longer than 200"),
              std::string::npos);
    EXPECT_NE(more({{"id", "a"}, {"description", std::string(1001, 'a')}}).find("longer than 1000"),
              std::string::npos);
}

TEST(Choices, AreSoManyAndEachOnce) {
    auto many = Json::array();
    for (std::size_t i = 0; i < most_choices; ++i)
        many.push_back({{"id", std::to_string(i)}});
    EXPECT_EQ(choices_refusal({{"sources", many}}), "accepted");
    many[0]["id"] = "1";
    EXPECT_NE(choices_refusal({{"sources", many}}).find("\"1\" is there twice"), std::string::npos);
    many[0]["id"] = "0";
    many.push_back({{"id", "more"}});
    EXPECT_NE(choices_refusal({{"sources", many}}).find("more than 250"), std::string::npos);
}

}  // namespace
}  // namespace pb::catalog::test
