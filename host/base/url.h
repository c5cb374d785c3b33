// SPDX-License-Identifier: Apache-2.0
// The little of URLs and forms that is needed here: origins, well-known places, parameters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace pb {

struct Url {
    std::string scheme;  // http or https
    std::string host;    // lower case; an IPv6 address keeps its brackets
    std::uint16_t port = 0;
    std::string path;   // as written: empty or from the '/'
    std::string query;  // with its '?', or empty

    std::string origin() const;  // without the scheme's own port
    std::string text() const { return origin() + path + query; }
    bool loopback() const;  // localhost, 127.0.0.0/8, ::1
};

// An absolute http or https URL without user information and fragment; no white space, no control
// characters. `what` begins the error.
Result<Url> parse_url(std::string_view text, std::string_view what);

// https, or http where nobody can listen in: on this machine, or if `allow_http`.
Result<Url> parse_secure_url(std::string_view text, std::string_view what, bool allow_http);

// "https://host/.well-known/<name>/path": the place of RFC 8414 and RFC 9728.
std::string well_known(const Url& url, std::string_view name);

// Whether what is at `server` belongs to the protected resource `resource`: the same origin, and a
// path that it is or begins with.
bool covers(const Url& resource, const Url& server);

using FormParams = std::vector<std::pair<std::string, std::string>>;

std::string percent_encode(std::string_view text);
std::string form_encode(const FormParams& params);
std::optional<FormParams> form_decode(std::string_view text);  // nothing if an escape is broken
std::string with_params(std::string_view url, const FormParams& params);

}  // namespace pb
