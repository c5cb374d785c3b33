// SPDX-License-Identifier: Apache-2.0
// `patchbay remote`: what it asks the host for, and what it shows of the answers.
#include "cli/remote.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

namespace pb::cli {
namespace {

using Json = nlohmann::json;

class RemoteTest : public ::testing::Test {
  protected:
    // What the tools of the capability answer, by name.
    std::map<std::string, Json> answers_;
    std::vector<Json> asked_;
    Options options_;
    std::istringstream in_;
    std::ostringstream out_, err_;
    Streams streams_{in_, out_, err_};
    Requester requester_ = [this](std::string_view, const Json& params,
                                  const Headers&) -> Result<Json> {
        asked_.push_back(params);
        const auto name = params.at("name").get<std::string>();
        return Json{{"structuredContent", answers_[name.substr(name.find("__") + 2)]}};
    };
};

TEST_F(RemoteTest, WhatIsWithheldIsShownBeforeItIsApproved) {
    options_.remote.name = "docs";
    answers_["get_server"] = Json::parse(R"({"trust":{"withheld":[
        {"tool":"mail","change":"changed","definition":{"description":"Sends \u001b[2J"},
         "before":{"description":"Adds"}}]}})");
    answers_["approve_tools"] = {{"approved", {"mail"}}};
    EXPECT_EQ(approve_remote(requester_, options_, streams_), exit_ok);
    ASSERT_EQ(asked_.size(), 1U);
    EXPECT_EQ(asked_[0]["name"], "remote_mcp__get_server");
    for (const char* part : {"mail: changed", "Sends", "before", "Adds"})
        EXPECT_NE(out_.str().find(part), std::string::npos) << part << " in " << out_.str();
    EXPECT_EQ(out_.str().find('\x1b'), std::string::npos);
    EXPECT_NE(err_.str().find("--all"), std::string::npos);

    options_.remote.all = true;
    EXPECT_EQ(approve_remote(requester_, options_, streams_), exit_ok);
    EXPECT_EQ(asked_.at(1)["arguments"], (Json{{"name", "docs"}}));
    options_.remote.tools = {"mail"};
    EXPECT_EQ(approve_remote(requester_, options_, streams_), exit_usage);
    options_.remote.all = false;
    EXPECT_EQ(approve_remote(requester_, options_, streams_), exit_ok);
    EXPECT_EQ(asked_.at(2)["arguments"], (Json{{"name", "docs"}, {"tools", {"mail"}}}));
}

// Whatever answers there: it is another program.
TEST_F(RemoteTest, OddAnswersHarmNobody) {
    options_.remote.name = "docs";
    for (const char* odd : {R"({})", R"({"trust":[]})", R"({"trust":{"withheld":{"a":1}}})",
                            R"({"trust":{"withheld":[1,{}]}})"}) {
        answers_["get_server"] = Json::parse(odd);
        EXPECT_EQ(approve_remote(requester_, options_, streams_), exit_ok) << odd;
    }
}

}  // namespace
}  // namespace pb::cli
