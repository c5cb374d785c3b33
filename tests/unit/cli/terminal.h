// SPDX-License-Identifier: Apache-2.0
// The command line with records of its own: what goes in, what comes out.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/commands.h"
#include "files.h"
#include "support/must.h"

namespace pb::cli::testing {

using Json = nlohmann::json;
using test::must;

class Terminal : public config::FilesTest {
  protected:
    Terminal() {
        config_ = write("patchbay.json", R"({"data_dir": "state"})");
        write("orgs/acme.json", "{}");
        std::filesystem::create_directories(path("state"));
        actions_.access.open = [](const config::HostConfig& host) {
            return access::Access::open(host.data_dir);
        };
        actions_.access.note = [this](const config::HostConfig&,
                                      std::vector<audit::Record> records) -> Result<void> {
            for (auto& each : records)
                notes_.push_back(std::move(each));
            return note_result_;
        };
    }
    ~Terminal() override { log::configure(log::Level::info, log::Format::text); }

    // The words of a command, without --config.
    int run(std::vector<std::string> words, const std::string& input = "") {
        words.insert(words.begin(), "patchbay");
        words.insert(words.end(), {"--config", config_});
        std::vector<const char*> arguments;
        for (const auto& word : words)
            arguments.push_back(word.c_str());
        std::istringstream in(input);
        std::ostringstream out, err;
        const int code = cli::run(static_cast<int>(arguments.size()), arguments.data(), actions_,
                                  Streams{in, out, err});
        out_ = out.str();
        err_ = err.str();
        return code;
    }
    Json json() const { return Json::parse(out_); }
    std::unique_ptr<access::Access> open() const {
        return must(access::Access::open(path("state")));
    }
    void expect_error(std::string_view part) const {
        EXPECT_NE(err_.find(part), std::string::npos) << "no \"" << part << "\" in: " << err_;
        EXPECT_EQ(out_, "");
    }

    Actions actions_;
    std::vector<audit::Record> notes_;
    Result<void> note_result_;
    std::string config_, out_, err_;
};

}  // namespace pb::cli::testing
