// SPDX-License-Identifier: Apache-2.0
// The bytes of an answer's header.
#pragma once

#include <string>
#include <string_view>

#include "http/server.h"

namespace pb::http {

// How the connection goes on after the answer.
struct Framing {
    bool http11 = true;
    bool keep_alive = true;
};

bool has_body(int status);  // 1xx, 204 and 304 have none
bool asks_to_close(const HeaderList& headers);

// Appends status line and header. A value's control characters become spaces, so that no value can
// add a field; framing fields among the further ones are dropped, since they are decided here.
void append_head(std::string& out, const Response& response, Framing framing);
void append_stream_head(std::string& out, const HeaderList& headers, Framing framing);

Response error_response(int status, std::string_view reason);

}  // namespace pb::http
