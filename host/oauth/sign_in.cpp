// SPDX-License-Identifier: Apache-2.0
// Signing in with login and password.
#include <algorithm>

#include "oauth/metadata.h"
#include "oauth/params.h"
#include "oauth/steps.h"

namespace pb::oauth {
namespace {

std::string about_sign_in(std::string_view query) { return "sign-in\n" + std::string(query); }

// A login is one in any case.
std::string login_key(std::string_view login) {
    std::string out = "login ";
    for (const char c : login.substr(0, 254))
        out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
}

// The organisation whose affair it is, if it is that of one alone.
std::string only_org(Desk& desk, const std::string& person) {
    const auto all = desk.parts.access.people.memberships(person);
    return all && all->size() == 1 ? all->front().org : "";
}

void record_sign_in(Desk& desk, const Visit& visit, const std::string& person, const char* outcome,
                    std::string reason) {
    audit::Record what;
    what.kind = "sign_in";
    what.method = "oauth.sign_in";
    what.principal = person;
    what.principal_kind = "user";
    if (!person.empty()) what.org = only_org(desk, person);
    what.outcome = outcome;
    what.reason = std::move(reason);
    record(desk, visit, std::move(what));
}

// Of somebody who is not known nothing is written down: people type passwords into the wrong field.
std::string known_person(Desk& desk, std::string_view login) {
    const auto found = desk.parts.access.people.find(login);
    return found && *found ? (*found)->id : "";
}

http::Response signed_in(Desk& desk, const Visit& visit, const Browser& browser,
                         const access::Person& person, const std::string& query) {
    auto& people = desk.parts.access.people;
    auto secret = people.open_browser(person.id, desk.options.signed_in);
    if (!secret) return not_now(secret.error());
    if (browser.person()) (void)people.close_browser(browser.secret());
    record_sign_in(desk, visit, person.id, "ok", {});
    auto next = visit.place.local(paths::grants);
    // Who has just signed in is not to be asked to.
    if (const auto params = query.empty() ? std::nullopt : Params::read(query))
        next = visit.place.local(paths::authorize) + "?" + params->without("prompt");
    auto answer = redirect_answer(303, std::move(next));
    answer.headers.push_back(cookie_header(visit.place, *secret, desk.options.signed_in / 1000));
    return answer;
}

}  // namespace

http::Response show_sign_in(const Visit& visit, const Browser& browser, const SignInFor& what,
                            int status) {
    const auto page = pages::sign_in({visit.place.local(paths::sign_in), what.query,
                                      browser.form_token(about_sign_in(what.query)),
                                      what.client_name, what.login, what.error});
    return browser.with_cookie(page_answer(status, page), visit.place);
}

http::Response sign_in(Desk& desk, const Visit& visit) {
    if (!is_own_form(visit.request, visit.place))
        return message_answer(403, "Not from here",
                              "This form was sent from another site. Nothing was done.");
    const auto form = Params::of_form(visit.request);
    if (!form || form->repeats())
        return message_answer(400, "Sign in", "The form is not well-formed.");
    SignInFor what{std::string(form->get("request")), {}, std::string(form->get("login")), {}};
    if (!what.query.empty()) {
        const auto read = read_authorization(desk, visit, what.query);
        if (const auto* answer = std::get_if<http::Response>(&read)) return *answer;
        what.client_name = name_of(std::get<Authorization>(read).client);
    }
    auto browser = Browser::of(visit.request, visit.place, desk.parts.access.people);
    if (!browser) return not_now(browser.error());
    if (!browser->is_form_token(form->get("csrf"), about_sign_in(what.query))) {
        what.error = "This page was too old, or your browser keeps no cookies. Please try again.";
        return show_sign_in(visit, *browser, what, 403);
    }
    if (const auto wait = desk.buckets.take(login_key(what.login), desk.options.sign_in)) {
        record_sign_in(desk, visit, known_person(desk, what.login), "limited",
                       "too many attempts for one login");
        what.error = "Too many attempts. Please wait a minute and try again.";
        auto answer = show_sign_in(visit, *browser, what, 429);
        answer.headers.emplace_back("Retry-After", std::to_string(wait->count() / 1000 + 1));
        return answer;
    }
    auto person = desk.parts.access.people.sign_in(what.login, form->get("password"));
    if (person) {
        desk.buckets.give_back(login_key(what.login), desk.options.sign_in);
        return signed_in(desk, visit, *browser, *person, what.query);
    }
    if (person.error().kind != ErrorKind::denied) return not_now(person.error());
    record_sign_in(desk, visit, known_person(desk, what.login), "denied",
                   "the login or the password is wrong");
    what.error = "The login or the password is wrong.";
    return show_sign_in(visit, *browser, what, 403);
}

}  // namespace pb::oauth
