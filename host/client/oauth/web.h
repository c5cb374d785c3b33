// SPDX-License-Identifier: Apache-2.0
// The requests of one OAuth flow: JSON documents and forms, bounded in size and time.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "client/credentials.h"

namespace pb::client {

// How OAuth reaches the network: outbound::Http::fetch, with its guard.
using Fetch =
    std::function<std::variant<outbound::Answer, outbound::Failure>(outbound::Request request)>;

namespace oauth {

class Web {
  public:
    // Nothing is sent any more once `stopping` is true.
    Web(const Fetch& fetch, Deadline deadline, bool allow_http, std::string protocol_version = "",
        const std::atomic<bool>* stopping = nullptr)
        : fetch_(fetch),
          deadline_(deadline),
          allow_http_(allow_http),
          protocol_version_(std::move(protocol_version)),
          stopping_(stopping) {}

    bool allow_http() const { return allow_http_; }
    Deadline deadline() const { return deadline_; }

    // A metadata document: a checked JSON object. Nothing if there is none at this place (4xx, or
    // something that is not a JSON object, as of a site that answers every path with its page).
    Result<std::optional<std::string>> document(const std::string& url) const;

    // The answer's body is empty unless it is a checked JSON object.
    Result<outbound::Answer> post(const std::string& url, std::string content_type,
                                  std::string body, outbound::Headers headers) const;

  private:
    Result<outbound::Answer> send(outbound::Request request) const;

    const Fetch& fetch_;
    Deadline deadline_;
    bool allow_http_;
    std::string protocol_version_;
    const std::atomic<bool>* stopping_;
};

// Members of a checked object; empty if absent or of another type.
std::string text_member(std::string_view object, std::string_view name);
std::vector<std::string> texts_member(std::string_view object, std::string_view name);
bool true_member(std::string_view object, std::string_view name);

// The members' and lists' other direction.
std::string quote_all(const std::vector<std::string>& texts);

}  // namespace oauth
}  // namespace pb::client
