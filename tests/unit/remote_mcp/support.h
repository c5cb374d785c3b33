// SPDX-License-Identifier: Apache-2.0
// One upstream with what stands around it, without a hub.
#pragma once

#include <memory>
#include <string>

#include "client/support.h"
#include "sdk/fake_host.h"
#include "upstream.h"

namespace pb::remote {

// The server "docs", as one of a caller's own: nothing of it is kept.
class Docs {
  public:
    explicit Docs(const std::string& url, const Json& more = Json::object()) {
        sdk_test::services::reset();
        host.offer(PATCHBAY_SERVICE_CAPABILITIES, sdk_test::services::capabilities());
        Json entry{{"url", url}};
        entry.update(more);
        upstream = std::make_shared<Upstream>(Surroundings{port_, *engine_, facts_, "acme"},
                                              std::move(*read_settings("docs", entry, facts_)),
                                              Origin::scoped);
    }
    ~Docs() {
        upstream->stop();
        port_.close();
    }

    sdk_test::FakeHost host;

  protected:
    const HostFacts facts_;
    const Port port_{host.table()};
    const std::unique_ptr<client::Engine> engine_ = client::testing::local_engine();

  public:
    UpstreamPtr upstream;
};

}  // namespace pb::remote
