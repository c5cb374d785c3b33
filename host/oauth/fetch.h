// SPDX-License-Identifier: Apache-2.0
// Documents that describe clients, from the network: through the guard of outbound requests, small,
// soon, and from where they were asked for.
#pragma once

#include "oauth/options.h"
#include "outbound/http.h"

namespace pb::oauth {

// `http` outlives what is returned.
FetchDocument documents_over(outbound::Http& http);

// For how long a document with this Cache-Control may be used again; without one: minutes.
std::chrono::seconds fresh_for(std::string_view cache_control);

}  // namespace pb::oauth
