// SPDX-License-Identifier: Apache-2.0
// Records: the file in which people, keys and grants are kept (access.db in the data directory),
// one connection behind one lock. Other programs (the command line) may write it too: changed()
// says when they have.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "base/tokens.h"
#include "store/queries.h"

namespace pb::access {

using Millis = std::int64_t;  // since 1970

Millis now_ms();
class Records {
  public:
    // Opens or makes the file; its folder must exist.
    static Result<std::shared_ptr<Records>> open(const std::string& path);

    // [any thread] The connection, for as long as this lives.
    class Use {
      public:
        Use(Records& records, bool changes)
            : lock_(records.mutex_), records_(records), changes_(changes) {}
        ~Use() { records_.own_changes_ += changes_ ? 1 : 0; }
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;
        store::Queries* operator->() const { return &records_.queries_; }
        store::Queries& operator*() const { return records_.queries_; }

      private:
        std::unique_lock<std::mutex> lock_;
        Records& records_;
        const bool changes_;
    };
    Use use() { return Use(*this, false); }
    // To take away or change what somebody may have read: version() is another one afterwards.
    Use change() { return Use(*this, true); }

    // [any thread] A number that is another one after something was taken away or changed: at once
    // if it was in this program, within a tenth of a second if it was in another.
    std::int64_t version();

  private:
    explicit Records(store::Queries queries) : queries_(std::move(queries)) {}

    std::mutex mutex_;
    store::Queries queries_;
    std::atomic<std::int64_t> seen_{0}, looked_ms_{0}, own_changes_{0};
};

}  // namespace pb::access
