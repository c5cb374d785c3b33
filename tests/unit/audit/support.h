// SPDX-License-Identifier: Apache-2.0
// Records to be kept, and a trail in a folder of its own.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "audit/trail.h"
#include "support/files.h"
#include "support/must.h"

namespace pb::audit::testing {

using Json = nlohmann::json;
using test::must;

inline Record call(const std::string& name, const std::string& org = "acme",
                   std::int64_t at_ms = 0) {
    Record out;
    out.at_ms = at_ms;
    out.org = org;
    out.method = "tools/call";
    out.name = name;
    return out;
}

inline std::vector<Json> parsed(const Page& page) {
    std::vector<Json> out;
    for (const auto& record : page.records)
        out.push_back(Json::parse(record));
    return out;
}

inline std::vector<std::string> names(const Page& page) {
    std::vector<std::string> out;
    for (const auto& record : parsed(page))
        out.push_back(record.value("name", record["method"].get<std::string>()));
    return out;
}

inline Filter of(const std::string& org) {
    Filter out;
    out.org = org;
    return out;
}

// True as soon as `condition` is; false if it never becomes so.
inline bool until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

class WithTrail : public ::testing::Test {
  protected:
    // Records of long ago stay.
    static Options for_ever() {
        Options out;
        out.keep = out.keep.zero();
        return out;
    }
    std::unique_ptr<Trail> open(Options options = for_ever()) const {
        return must(Trail::open(folder_.path(), options));
    }

    test::TempFolder folder_;
};

}  // namespace pb::audit::testing
