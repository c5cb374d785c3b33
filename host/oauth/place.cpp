// SPDX-License-Identifier: Apache-2.0
#include "oauth/place.h"

#include "base/url.h"

namespace pb::oauth {
namespace {

std::string without_slash(std::string text) {
    if (text.ends_with('/')) text.pop_back();
    return text;
}

}  // namespace

bool Place::is_resource(std::string_view uri) const {
    const auto url = parse_url(uri, "resource");
    if (!url || !url->query.empty()) return false;
    const auto text = without_slash(url->text());
    // Clients that know the host alone mean what there is on it.
    return text == resource || text == issuer();
}

Result<Place> place_of(const http::Request& request, const Options& options) {
    const auto text = !options.public_url.empty() ? options.public_url
                                                  : (request.secure ? "https://" : "http://") +
                                                        std::string(request.header("Host"));
    const auto url = parse_url(text, "the address of this host");
    if (!url) return url.error();
    const bool host_alone = !options.public_url.empty() || url->path.empty();
    if (!host_alone || !url->query.empty())
        return invalid("the address of this host is more than a host and a port");
    Place out{url->origin(), without_slash(url->path), {}, url->scheme == "https", url->loopback()};
    out.resource = out.url(options.endpoint);
    return out;
}

}  // namespace pb::oauth
