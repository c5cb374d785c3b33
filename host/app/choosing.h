// SPDX-License-Identifier: Apache-2.0
// Choosing: what a person can choose among who gives a client access in an organisation. Part of it
// is written in manifests; for the rest capabilities are asked, all at the same time.
#pragma once

#include <chrono>
#include <future>
#include <map>
#include <mutex>
#include <string>

#include "base/workers.h"
#include "catalog/catalog.h"
#include "oauth/options.h"

namespace pb::app {

class Choosing {
  public:
    // All outlive it. `limit`: how long a page waits for all answers together.
    Choosing(const catalog::Catalog& catalog, Workers& workers, catalog::Ask ask,
             std::chrono::milliseconds limit);

    // [any thread] What does not answer in time, or not soundly, is left out; the log says why.
    oauth::Choices in(const std::string& org);

  private:
    using Answer = std::shared_future<Result<catalog::Choices>>;
    Answer ask(const std::string& org, const catalog::Binding& binding);

    const catalog::Catalog& catalog_;
    Workers& workers_;
    const catalog::Ask ask_;
    const std::chrono::milliseconds limit_;
    std::mutex mutex_;
    // Who has not answered yet is not asked again: however often a page is looked at, a capability
    // that hangs costs one thread. (The question holds the provider, so that its address is its
    // own.)
    std::map<const catalog::Provider*, Answer> asking_;
};

}  // namespace pb::app
