// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include <charconv>

namespace pb::cli {

Result<ListenAddress> parse_listen(const std::string& text) {
    const Error wrong = invalid("\"" + text +
                                "\" is not ADDRESS:PORT; it looks like 127.0.0.1:8080 or "
                                "[::1]:8080 (port 0 takes any free one)");
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) return wrong;
    ListenAddress out{text.substr(0, colon), 0};
    const bool brackets = out.address.front() == '[' && out.address.back() == ']';
    if (brackets) out.address = out.address.substr(1, out.address.size() - 2);
    if (!brackets && out.address.find(':') != std::string::npos) return wrong;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + colon + 1, end, out.port);
    if (read.ec != std::errc{} || read.ptr != end || out.address.empty()) return wrong;
    return out;
}

}  // namespace pb::cli
