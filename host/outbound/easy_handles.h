// SPDX-License-Identifier: Apache-2.0
// curl's easy handles with what is the same for every request, kept for the next one.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <vector>

namespace pb::outbound {

struct EasyFreed {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using Easy = std::unique_ptr<CURL, EasyFreed>;

// [one thread]
class EasyHandles {
  public:
    EasyHandles(std::string ca_file, std::string user_agent);

    Easy take();
    void give_back(Easy easy);

  private:
    struct ShareFreed {
        void operator()(CURLSH* share) const { curl_share_cleanup(share); }
    };
    std::string ca_file_, user_agent_;
    std::unique_ptr<CURLSH, ShareFreed> share_;  // TLS sessions, to resume them
    std::vector<Easy> spare_;
};

}  // namespace pb::outbound
