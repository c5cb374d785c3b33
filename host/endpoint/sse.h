// SPDX-License-Identifier: Apache-2.0
// Server-Sent Events: messages as events.
#pragma once

#include <string>
#include <string_view>

namespace pb::endpoint {

// One event; id empty: none. A message with line breaks (another's pretty-printed JSON) is made one
// line first.
std::string sse_event(std::string_view message, std::string_view id = {});
// The event that gives a client its first id and tells it how soon to come back.
std::string sse_priming(std::string_view id, int retry_ms);

// The message on one line, as stdio and events need it; a copy only if it was not.
std::string_view one_line(std::string_view message, std::string& storage);

}  // namespace pb::endpoint
