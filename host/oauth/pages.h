// SPDX-License-Identifier: Apache-2.0
// The pages that a person sees: sign-in, consent, what has been granted, and messages. HTML that
// needs no script. Whatever is in the structures may be hostile: it is escaped here.
//
// Forms go by POST to `action`. Their fields:
//   sign-in  request, csrf, login, password
//   consent  request, csrf, decision=allow|deny, org, level, action, source, object (each repeated,
//            with a Choice's value), actions_all, sources_all, objects_all ("on" if ticked: then
//            the single ones of that group do not count), actions_shown and so on (there was a
//            choice). With several organisations there is also decision=org: no decision yet, show
//            the choices that there are in `org`.
//   grants   csrf, grant (the id of the one to be ended); to sign_out: csrf
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/server.h"

namespace pb::oauth::pages {

struct Page {
    std::string html;
    std::string script_hash;  // "sha256-..." of its script; empty: it has none
};

// The page with everything that keeps it from being framed, cached or changed. `form_action_origin`
// is where the answer to its form may lead, besides this host: a URI whose origin, or whose own
// scheme, is meant; empty: nowhere.
http::Response page_response(int status, const Page& page, std::string_view form_action_origin);

struct SignIn {
    std::string action, request_id, csrf;
    std::string client_name;  // who wants to get in; empty: nobody but the person
    std::string login;        // as it was typed
    std::string error;        // what was wrong the last time; or empty
};
Page sign_in(const SignIn& asked);

struct Choice {
    std::string value;  // the scope
    std::string title;
    std::string text;  // what it means, or why it cannot be chosen
    bool ticked = false;
    bool can = true;  // false: shown, but not to be chosen
};

struct Consent {
    std::string action, request_id, csrf;
    std::string person;  // who is signed in
    std::string org;     // whose choices these are: a value of `orgs`, or the only one's
    std::string client_name, client_uri, client_id;
    std::string redirect_host, redirect_uri;
    bool self_described = false;  // nobody here has vouched for it
    bool loopback = false;        // the person is sent back to this computer
    std::vector<std::pair<std::string, std::string>> orgs;  // value, title
    // A group without choices is left out.
    std::vector<Choice> levels, actions, sources, objects;
    // Whether "all of them, also future ones" is offered; it is ticked if all that can be are.
    bool actions_all = true, sources_all = true, objects_all = true;
    std::string error;  // what was wrong with the last choice; or empty
};
Page consent(const Consent& asked);

// Leads on to the client at once, with a link for browsers that do not. In place of a redirect
// after a form: Chromium holds form-action against whatever the client itself redirects to, and a
// tab that is led to an app's own scheme would still show the form.
struct Onward {
    std::string uri, client_name;
};
Page onward(const Onward& led);

struct Message {
    std::string title, text;
    std::string detail;  // for those who look into it; or empty
};
Page message(const Message& told);

struct GrantLine {
    std::string id, client_name;
    std::string scopes;  // with spaces between them
    std::string org, created, used;
};

struct Grants {
    std::string action, csrf, person;
    std::vector<GrantLine> grants;
    std::string sign_out{};  // where to sign out; empty: not here
};
Page grants(const Grants& shown);

}  // namespace pb::oauth::pages
