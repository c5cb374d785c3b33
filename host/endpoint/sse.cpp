// SPDX-License-Identifier: Apache-2.0
#include "endpoint/sse.h"

#include "json/scan.h"

namespace pb::endpoint {

std::string_view one_line(std::string_view message, std::string& storage) {
    if (message.find_first_of("\r\n") == std::string_view::npos) return message;
    storage = json::compact(message);
    return storage;
}

std::string sse_event(std::string_view message, std::string_view id) {
    std::string storage, out;
    message = one_line(message, storage);
    out.reserve(message.size() + id.size() + 32);
    out += "event: message\n";
    if (!id.empty()) out.append("id: ").append(id).append("\n");
    out.append("data: ").append(message).append("\n\n");
    return out;
}

std::string sse_priming(std::string_view id, int retry_ms) {
    return "id: " + std::string(id) + "\nretry: " + std::to_string(retry_ms) + "\ndata: \n\n";
}

}  // namespace pb::endpoint
