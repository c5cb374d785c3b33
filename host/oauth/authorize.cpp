// SPDX-License-Identifier: Apache-2.0
// The authorization endpoint: who has come here is known, or signs in; then they are asked. Each
// time: what a client may get, others on the same machine may have come for (RFC 8252, 8.6).
#include "oauth/desk.h"
#include "oauth/params.h"
#include "oauth/steps.h"

namespace pb::oauth {

http::Response authorize(Desk& desk, const Visit& visit) {
    const std::string query(visit.request.query);
    const auto read = read_authorization(desk, visit, query);
    if (const auto* answer = std::get_if<http::Response>(&read)) return *answer;
    const auto& asked = std::get<Authorization>(read);
    const auto browser = Browser::of(visit.request, visit.place, desk.parts.access.people);
    if (!browser) return not_now(browser.error());
    if (asked.silent)
        return refuse(desk, visit, asked.back,
                      browser->person() ? "consent_required" : "login_required",
                      "the person has to be asked");
    if (!browser->person() || asked.sign_in_anew)
        return show_sign_in(visit, *browser, {query, name_of(asked.client), asked.login_hint, {}});
    return show_consent(desk, visit, *browser, {asked, query, {}, nullptr, {}});
}

}  // namespace pb::oauth
