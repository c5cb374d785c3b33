// SPDX-License-Identifier: Apache-2.0
// Looking up a request's header fields.
#include <strings.h>

#include "http/server.h"

namespace pb::http {
namespace {

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
    for (const auto& field : headers) {
        if (same_name(field.name, name)) return field.value;
    }
    return {};
}

bool Request::has_header(std::string_view name) const { return count_header(name) > 0; }

std::size_t Request::count_header(std::string_view name) const {
    std::size_t count = 0;
    for (const auto& field : headers)
        count += same_name(field.name, name) ? 1 : 0;
    return count;
}

}  // namespace pb::http
