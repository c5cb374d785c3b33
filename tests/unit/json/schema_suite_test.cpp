// SPDX-License-Identifier: Apache-2.0
// The official JSON Schema test suite: every mandatory test of 2020-12 and draft-07 must pass; of
// the optional ones the result is printed, and what is supported must not become less.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "json/schema.h"

namespace pb::json {
namespace {

namespace fs = std::filesystem;

const fs::path suite = PATCHBAY_JSON_SCHEMA_SUITE;

struct Count {
    int passed = 0;
    int all = 0;
};

class Suite : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!fs::exists(suite / "tests" / "draft2020-12")) {
            FAIL() << "The JSON-Schema-Test-Suite was not found when this was configured: install "
                      "the Debian package libtest-json-schema-acceptance-perl and configure again.";
        }
        for (const auto& entry : fs::recursive_directory_iterator(suite / "remotes")) {
            if (entry.path().extension() != ".json") continue;
            std::string name = fs::relative(entry.path(), suite / "remotes").generic_string();
            documents_.emplace("http://localhost:1234/" + name, read(entry.path()));
        }
    }

    static Json read(const fs::path& path) {
        auto text = parse_file(path.string());
        EXPECT_TRUE(text.ok()) << (text ? "" : text.error().message);
        return text ? *text : Json();
    }

    // Whether the evaluator says what the suite says, on one test.
    static std::string mismatch(const Result<std::shared_ptr<const Schema>>& schema,
                                const Json& test) {
        if (!schema) return schema.error().message;
        auto violations = (*schema)->validate(test.at("data"));
        if (violations.empty() == test.at("valid").get<bool>()) return "";
        return violations.empty() ? "was accepted" : describe(violations);
    }

    Count run_file(const fs::path& path, const std::string& dialect, bool report) {
        Count count;
        Json groups = read(path);
        for (const Json& group : groups) {
            Json text = group.at("schema");
            // The suite's schemas for old drafts do not name their dialect.
            if (text.is_object() && !text.contains("$schema")) text["$schema"] = dialect;
            auto schema = compile_schema(text, {}, documents_);
            for (const Json& test : group.at("tests")) {
                ++count.all;
                std::string wrong = mismatch(schema, test);
                if (wrong.empty()) {
                    ++count.passed;
                } else if (report) {
                    ADD_FAILURE() << path.filename() << ": " << group.at("description") << ": "
                                  << test.at("description") << ": " << wrong;
                }
            }
        }
        return count;
    }

    static std::vector<fs::path> files(const fs::path& folder) {
        std::vector<fs::path> out;
        for (const auto& entry : fs::directory_iterator(folder)) {
            if (entry.path().extension() == ".json") out.push_back(entry.path());
        }
        std::sort(out.begin(), out.end());
        return out;
    }

    void expect_mandatory(const std::string& draft, const std::string& dialect, int least) {
        Count sum;
        for (const auto& path : files(suite / "tests" / draft)) {
            Count count = run_file(path, dialect, true);
            sum.passed += count.passed;
            sum.all += count.all;
        }
        std::cout << draft << ": " << sum.passed << " of " << sum.all
                  << " mandatory tests passed\n";
        RecordProperty(draft, std::to_string(sum.passed) + "/" + std::to_string(sum.all));
        EXPECT_EQ(sum.passed, sum.all);
        EXPECT_GE(sum.all, least);  // the suite as it was when this was written
    }

    // `least`: how many tests of a file pass, by the file's name.
    void expect_optional(const std::string& draft, const std::string& dialect,
                         std::map<std::string, int> least) {
        for (const fs::path folder : {"optional", "optional/format"}) {
            for (const auto& path : files(suite / "tests" / draft / folder)) {
                Count count = run_file(path, dialect, false);
                std::cout << draft << "/" << (folder / path.filename()).string() << ": "
                          << count.passed << " of " << count.all << " passed\n";
                const auto known = least.find((folder / path.filename()).string());
                if (known == least.end()) continue;
                EXPECT_GE(count.passed, known->second) << draft << "/" << known->first;
                least.erase(known);
            }
        }
        EXPECT_EQ(least.size(), 0U) << "no " << draft << "/" << least.begin()->first;
    }

    SchemaDocuments documents_;
};

TEST_F(Suite, Mandatory202012) {
    expect_mandatory("draft2020-12", "https://json-schema.org/draft/2020-12/schema", 1176);
}

TEST_F(Suite, MandatoryDraft7) {
    expect_mandatory("draft7", "http://json-schema.org/draft-07/schema#", 861);
}

TEST_F(Suite, Optional) {
    expect_optional("draft2020-12", "https://json-schema.org/draft/2020-12/schema",
                    {{"optional/bignum.json", 9},
                     {"optional/dependencies-compatibility.json", 36},
                     {"optional/ecmascript-regex.json", 74},
                     {"optional/float-overflow.json", 1},
                     {"optional/no-schema.json", 3},
                     {"optional/non-bmp-regex.json", 12}});
    expect_optional("draft7", "http://json-schema.org/draft-07/schema#",
                    {{"optional/bignum.json", 9},
                     {"optional/ecmascript-regex.json", 74},
                     {"optional/float-overflow.json", 1},
                     {"optional/non-bmp-regex.json", 12}});
}

}  // namespace
}  // namespace pb::json
