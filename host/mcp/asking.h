// SPDX-License-Identifier: Apache-2.0
// Asking the user. A provider says what it needs to know; the modern client gets that as its result
// and comes again, the legacy client is asked on the stream of its call. Providers never know
// which.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/timer.h"
#include "mcp/request.h"

namespace pb::mcp {

// The client capabilities (JSON object) that `input_requests` need and `capabilities`, as that
// version knows them, lack; empty if none. An error if it is not a map of elicitation/create,
// sampling/createMessage and roots/list.
Result<std::string> missing_capabilities(Version version, std::string_view input_requests,
                                         std::string_view capabilities);

// True if `responses` is an object of objects.
bool valid_responses(std::string_view responses);

// One round of questions to a legacy client: all sent at once, over when all are answered.
class LegacyAsk : public std::enable_shared_from_this<LegacyAsk> {
  public:
    // The inputResponses object, or why there is none. Called once, on any thread.
    using Done = std::function<void(Result<std::string>)>;

    LegacyAsk(RequestPtr request, Done done)
        : request_(std::move(request)), done_(std::move(done)) {}

    void start(std::string_view input_requests, Timer& timer, std::chrono::milliseconds patience);
    // Nobody wants the answers any more, as the client is told; Done is not called.
    void cancel();

  private:
    struct Asked {
        std::string id;
        bool sent = false;
    };
    bool send(const std::string& key, const std::string& message);
    std::vector<std::string> give_up();
    void withdraw(const std::vector<std::string>& ask_ids);
    void answered(const std::string& key, std::string_view result, std::string_view error);
    void finish(Result<std::string> outcome);

    RequestPtr request_;
    std::mutex order_;  // while something is sent: a question is not cancelled before it is asked
    std::mutex mutex_;  // guards what follows; taken last
    Done done_;         // null once over
    std::map<std::string, Asked> waiting_;          // by key (a JSON string)
    std::map<std::string, std::string> responses_;  // key -> result
};

}  // namespace pb::mcp
