// SPDX-License-Identifier: Apache-2.0
// Access records in a folder of their own.
#pragma once

#include <gtest/gtest.h>

#include "access/records.h"
#include "support/files.h"
#include "support/must.h"

namespace pb::access::testing {

using test::must;

class WithRecords : public ::testing::Test {
  protected:
    std::shared_ptr<Records> open() { return must(Records::open(folder_ / "access.db")); }

    test::TempFolder folder_;
    std::shared_ptr<Records> records_ = open();
};

}  // namespace pb::access::testing
