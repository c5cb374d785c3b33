// SPDX-License-Identifier: Apache-2.0
// A folder of its own for each test, removed with it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "support/files.h"

namespace pb::config {

class FilesTest : public ::testing::Test {
  protected:
    std::string path(const std::string& name) const { return (folder_ / name).string(); }

    // Whole or not at all, as an editor does it.
    std::string write(const std::string& name, std::string_view text) const {
        const std::filesystem::path file = folder_ / name;
        std::filesystem::create_directories(file.parent_path());
        const std::filesystem::path draft = file.string() + ".draft";
        std::ofstream(draft, std::ios::binary) << text;
        std::filesystem::rename(draft, file);
        return file.string();
    }

    const test::TempFolder temporary_;
    const std::filesystem::path folder_ = temporary_.path();
};

}  // namespace pb::config
