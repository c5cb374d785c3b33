// SPDX-License-Identifier: Apache-2.0
// The browser in front of our pages: its cookie, who is signed in, and whether a form that it sends
// is one that we gave it.
//
// The cookie is a secret: of somebody who is signed in, or one that only tells browsers apart. A
// form carries a token that is made of this secret and of what the form is about, so nobody else
// can have made it, and it is good for nothing else. Nothing of a request that is under way is kept
// here: it travels in the form.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "access/people.h"
#include "http/server.h"
#include "oauth/place.h"

namespace pb::oauth {

inline constexpr access::Millis form_lasts = 600'000;

class Browser {
  public:
    // The one that sent the request.
    static Result<Browser> of(const http::Request& request, const Place& place,
                              access::People& people);

    const std::optional<access::Person>& person() const { return person_; }
    const std::string& secret() const { return secret_; }

    // For a form about this; good for form_lasts.
    std::string form_token(std::string_view about, access::Millis now = access::now_ms()) const;
    bool is_form_token(std::string_view token, std::string_view about,
                       access::Millis now = access::now_ms()) const;
    // Adds the cookie to an answer with a form, if the browser does not have it yet.
    http::Response with_cookie(http::Response answer, const Place& place) const;

  private:
    std::string secret_;
    bool known_ = false;  // it has sent the secret
    std::optional<access::Person> person_;
};

// Set-Cookie; seconds 0: away with it, negative: until the browser is closed.
http::HeaderList::value_type cookie_header(const Place& place, std::string_view secret,
                                           std::int64_t seconds);

// Whether a form was sent from one of our own pages, as far as the browser says.
bool is_own_form(const http::Request& request, const Place& place);

}  // namespace pb::oauth
