// SPDX-License-Identifier: Apache-2.0
// A person's own pages: what they have granted, ending it, signing out.
#include <array>
#include <ctime>

#include "oauth/metadata.h"
#include "oauth/params.h"
#include "oauth/steps.h"

namespace pb::oauth {
namespace {

constexpr const char* about_account = "account";

std::string shown_time(access::Millis at) {
    const std::time_t seconds = at / 1000;
    std::tm parts{};
    std::array<char, 32> out{};
    if (gmtime_r(&seconds, &parts) == nullptr) return {};
    const auto size = std::strftime(out.data(), out.size(), "%Y-%m-%d %H:%M UTC", &parts);
    return {out.data(), size};
}

// The browser that sent one of this file's forms, or why there is none.
std::variant<Browser, http::Response> sender(Desk& desk, const Visit& visit,
                                             const std::optional<Params>& form) {
    const auto foreign = [] {
        return message_answer(403, "Nothing was done",
                              "The page was too old, or it was not made for you.");
    };
    if (!is_own_form(visit.request, visit.place)) return foreign();
    if (!form || form->repeats())
        return message_answer(400, "Nothing was done", "The form is not well-formed.");
    auto browser = Browser::of(visit.request, visit.place, desk.parts.access.people);
    if (!browser) return not_now(browser.error());
    if (!browser->is_form_token(form->get("csrf"), about_account)) return foreign();
    return std::move(*browser);
}

}  // namespace

http::Response show_grants(Desk& desk, const Visit& visit) {
    auto& all = desk.parts.access;
    const auto browser = Browser::of(visit.request, visit.place, all.people);
    if (!browser) return not_now(browser.error());
    if (!browser->person()) return show_sign_in(visit, *browser, {});
    const auto grants = all.grants.of_person(browser->person()->id);
    if (!grants) return not_now(grants.error());
    pages::Grants page;
    page.action = visit.place.local(paths::end_grant);
    page.sign_out = visit.place.local(paths::sign_out);
    page.csrf = browser->form_token(about_account);
    page.person = browser->person()->login;
    for (const auto& each : *grants)
        page.grants.push_back({each.id, each.client_name, each.scopes.text(), each.org,
                               shown_time(each.created_ms),
                               each.used_ms ? shown_time(*each.used_ms) : ""});
    return page_answer(200, pages::grants(page));
}

http::Response end_grant(Desk& desk, const Visit& visit) {
    const auto form = Params::of_form(visit.request);
    const auto from = sender(desk, visit, form);
    if (const auto* answer = std::get_if<http::Response>(&from)) return *answer;
    const auto& person = std::get<Browser>(from).person();
    auto& grants = desk.parts.access.grants;
    const auto found = grants.find(form->get("grant"));
    if (!found) return not_now(found.error());
    // Another one's is none.
    if (!person || !*found || (*found)->person != person->id)
        return message_answer(404, "Nothing was done", "There is no such access (any more).");
    if (auto done = grants.revoke((*found)->id); !done && done.error().kind != ErrorKind::not_found)
        return not_now(done.error());
    audit::Record what;
    what.org = (*found)->org;
    what.kind = "grant";
    what.method = "oauth.revoke";
    what.principal = person->id;
    what.principal_kind = "user";
    what.credential = (*found)->id;
    what.client = (*found)->client;
    what.name = (*found)->client_name;
    record(desk, visit, std::move(what));
    return redirect_answer(303, visit.place.local(paths::grants));
}

http::Response sign_out(Desk& desk, const Visit& visit) {
    const auto from = sender(desk, visit, Params::of_form(visit.request));
    if (const auto* answer = std::get_if<http::Response>(&from)) return *answer;
    const auto& browser = std::get<Browser>(from);
    if (auto closed = desk.parts.access.people.close_browser(browser.secret()); !closed)
        return not_now(closed.error());
    if (browser.person()) {
        audit::Record what;
        what.kind = "sign_in";
        what.method = "oauth.sign_out";
        what.principal = browser.person()->id;
        what.principal_kind = "user";
        record(desk, visit, std::move(what));
    }
    auto answer = message_answer(200, "You are signed out", "You can close this window.");
    answer.headers.push_back(cookie_header(visit.place, "", 0));
    return answer;
}

}  // namespace pb::oauth
