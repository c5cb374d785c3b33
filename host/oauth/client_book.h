// SPDX-License-Identifier: Apache-2.0
// Clients by their client_id: those that are registered, and those that are described by a document
// at the URL that their client_id is.
// https://datatracker.ietf.org/doc/html/draft-ietf-oauth-client-id-metadata-document-00
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "access/clients.h"
#include "oauth/options.h"

namespace pb::oauth {

class ClientBook {
  public:
    ClientBook(access::Clients& registered, FetchDocument fetch)
        : registered_(registered), fetch_(std::move(fetch)) {}

    static bool is_described(std::string_view id) { return id.starts_with("https://"); }
    // One that is described needs no secret: what it is known by is where it lets people be sent.
    static access::OAuthClient described(std::string_view id);

    // [any thread, waits] Nothing: nobody knows it. invalid: it is described, but not as it has to
    // be; busy: try again later. `may_fetch` is asked before a document is looked at anew.
    Result<std::optional<access::OAuthClient>> find(std::string_view id,
                                                    const std::function<bool()>& may_fetch);

  private:
    struct Known {
        access::OAuthClient client;
        access::Millis until = 0;
    };
    Result<access::OAuthClient> look_at(const std::string& url,
                                        const std::function<bool()>& may_fetch);
    Result<Document> fetched(const std::string& url);

    access::Clients& registered_;
    const FetchDocument fetch_;
    std::atomic<int> fetching_{0};
    std::mutex mutex_;
    std::unordered_map<std::string, Known> known_;  // by URL
};

}  // namespace pb::oauth
