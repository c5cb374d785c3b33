// SPDX-License-Identifier: Apache-2.0
// The forms in which endpoints answer programs and browsers.
#pragma once

#include <string>
#include <string_view>

#include "base/url.h"
#include "http/server.h"
#include "oauth/pages.h"
#include "oauth/place.h"

namespace pb::oauth {

// JSON that nobody keeps.
http::Response json_answer(int status, std::string body);
// {"error", "error_description"} (RFC 6749, 5.2; RFC 7591, 3.2.2).
http::Response error_answer(int status, std::string_view code, std::string_view description);

// A page, whose form, if it has one, leads to this host alone.
http::Response page_answer(int status, const pages::Page& page);
// A message page for a person who cannot go on from here.
http::Response message_answer(int status, std::string title, std::string text,
                              std::string detail = {});

// Sends the browser on: 302 after a GET, 303 after a POST, never one that sends a form on
// (RFC 9700, 4.12).
http::Response redirect_answer(int status, std::string url);

// Back to the client, with `params`, state and issuer (RFC 9207): by a redirect, or after a form by
// a page that leads on (see pages::Onward).
struct Return {
    std::string redirect_uri, state;
    std::string client_name;
    bool after_form = false;
};
http::Response return_answer(const Return& to, const Place& place, FormParams params);
http::Response return_error(const Return& to, const Place& place, std::string_view code,
                            std::string_view description);

}  // namespace pb::oauth
