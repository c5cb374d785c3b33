// SPDX-License-Identifier: Apache-2.0
#include "endpoint/json_reply.h"

namespace pb::endpoint {

void json_reply(http::Exchange& exchange, int status, std::string message,
                http::HeaderList headers) {
    http::Response response;
    response.status = status;
    response.headers = std::move(headers);
    if (!message.empty()) {
        response.content_type = "application/json";
        response.body = std::move(message);
    }
    exchange.respond(std::move(response));
}

}  // namespace pb::endpoint
