// SPDX-License-Identifier: Apache-2.0
// Asking the person what the client may do, and doing as they say.
#include <algorithm>

#include "base/log.h"
#include "base/url.h"
#include "oauth/asked_scopes.h"
#include "oauth/metadata.h"
#include "oauth/offer.h"
#include "oauth/params.h"
#include "oauth/steps.h"

namespace pb::oauth {
namespace {

using access::Membership;

std::string about_consent(const std::string& org, const std::string& query) {
    return "consent\n" + org + "\n" + query;
}

// The organisations that there are and that the person is in.
Result<std::vector<Membership>> places_of(Desk& desk, const std::string& person) {
    auto all = desk.parts.access.people.memberships(person);
    if (all)
        std::erase_if(*all, [&](const Membership& each) { return !desk.parts.is_org(each.org); });
    return all;
}

const Membership* place_in(const std::vector<Membership>& all, std::string_view org) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& each) { return each.org == org; });
    return found == all.end() ? nullptr : &*found;
}

// What the client may do already, on the person's behalf.
access::Scopes granted_before(Desk& desk, const Visit& visit, const std::string& client,
                              const Membership& place) {
    access::Scopes out;
    const auto grants = desk.parts.access.grants.of_person(place.person.id);
    if (!grants) return out;
    for (const auto& each : *grants) {
        if (each.client != client || each.org != place.org || each.resource != visit.place.resource)
            continue;
        out = out.empty() ? each.scopes : joined(out, each.scopes);
    }
    return out;
}

Offer offer_to(Desk& desk, const Visit& visit, const Authorization& asked,
               const Membership& place) {
    return make_offer(asked.scopes, granted_before(desk, visit, asked.client.id, place), place.role,
                      desk.parts.choices(place.org));
}

// Where the redirect goes, in the words of the page.
void describe_redirect(const std::string& uri, pages::Consent& page) {
    page.redirect_uri = uri;
    if (const auto url = parse_url(uri, "redirect_uri")) {
        page.redirect_host = url->origin().substr(url->scheme.size() + 3);
        page.loopback = url->loopback();
    } else {
        page.redirect_host = uri.substr(0, uri.find(':'));
    }
}

http::Response no_org() {
    return message_answer(403, "You are in no organisation",
                          "You are signed in, but in none of the organisations of this server. Ask "
                          "an administrator to add you.");
}

void record_decision(Desk& desk, const Visit& visit, const Membership& place,
                     const Authorization& asked, const access::Grant* grant) {
    audit::Record what;
    what.org = place.org;
    what.kind = "grant";
    what.method = "oauth.authorize";
    what.principal = place.person.id;
    what.principal_kind = "user";
    what.client = asked.client.id;
    what.name = asked.client.name;
    if (grant) {
        what.credential = grant->id;
        what.reason = "granted: " + grant->scopes.text();
    } else {
        what.outcome = "denied";
        what.reason = "the person denied it";
    }
    record(desk, visit, std::move(what));
}

http::Response grant(Desk& desk, const Visit& visit, const Authorization& asked,
                     const Membership& place, const access::Scopes& scopes) {
    auto& all = desk.parts.access;
    access::Grant wanted;
    wanted.org = place.org;
    wanted.person = place.person.id;
    wanted.client = asked.client.id;
    wanted.client_name = name_of(asked.client);
    wanted.scopes = scopes;
    wanted.resource = visit.place.resource;
    const auto made = all.grants.add(std::move(wanted));
    if (!made) return not_now(made.error());
    const auto code = all.grants.issue_code(
        *made, {asked.back.redirect_uri, asked.code_challenge, asked.nonce, asked.openid});
    if (!code) return not_now(code.error());
    if (!ClientBook::is_described(asked.client.id)) all.clients.used(asked.client.id);
    record_decision(desk, visit, place, asked, &*made);
    return return_answer(asked.back, visit.place, {{"code", *code}});
}

// The organisation that the form was made for; null if it was not made here.
const Membership* form_org(const Browser& browser, const std::vector<Membership>& places,
                           const Params& form, const std::string& query) {
    const auto found = std::find_if(places.begin(), places.end(), [&](const Membership& each) {
        return browser.is_form_token(form.get("csrf"), about_consent(each.org, query));
    });
    return found == places.end() ? nullptr : &*found;
}

}  // namespace

http::Response show_consent(Desk& desk, const Visit& visit, const Browser& browser,
                            const ConsentFor& what) {
    const auto places = places_of(desk, browser.person()->id);
    if (!places) return not_now(places.error());
    if (places->empty()) return no_org();
    const auto* place = place_in(*places, what.org);
    if (!place) place = &places->front();
    auto offer = offer_to(desk, visit, what.asked, *place);
    if (what.form) offer = ticked_as(std::move(offer), *what.form);
    pages::Consent page;
    page.action = visit.place.local(paths::consent);
    page.request_id = what.query;
    page.csrf = browser.form_token(about_consent(place->org, what.query));
    page.person = place->person.name.empty()
                      ? place->person.login
                      : place->person.name + " (" + place->person.login + ")";
    page.org = place->org;
    page.client_name = what.asked.client.name;
    page.client_uri = what.asked.client.client_uri;
    page.client_id = what.asked.client.id;
    page.self_described = true;
    describe_redirect(what.asked.back.redirect_uri, page);
    for (const auto& each : *places)
        page.orgs.emplace_back(each.org, each.org);
    page.actions_all = offer.all_actions();
    page.sources_all = offer.all_sources();
    page.objects_all = offer.all_objects();
    page.levels = std::move(offer.levels);
    page.actions = std::move(offer.actions);
    page.sources = std::move(offer.sources);
    page.objects = std::move(offer.objects);
    page.error = what.error;
    return page_answer(what.error.empty() ? 200 : 400, pages::consent(page));
}

http::Response consent(Desk& desk, const Visit& visit) {
    const auto foreign = [](const char* why) {
        return message_answer(403, "Nothing was granted", why,
                              "Start again from the application that sent you here.");
    };
    if (!is_own_form(visit.request, visit.place))
        return foreign("This form was sent from another site.");
    const auto form = Params::of_form(visit.request);
    if (!form || form->repeats({"level", "action", "source", "object"}))
        return message_answer(400, "Nothing was granted", "The form is not well-formed.");
    const std::string query(form->get("request"));
    const auto read = read_authorization(desk, visit, query);
    if (const auto* answer = std::get_if<http::Response>(&read)) return *answer;
    const auto& asked = std::get<Authorization>(read);
    auto browser = Browser::of(visit.request, visit.place, desk.parts.access.people);
    if (!browser) return not_now(browser.error());
    if (!browser->person())
        return show_sign_in(visit, *browser,
                            {query, name_of(asked.client), {}, "Please sign in again."}, 403);
    const auto places = places_of(desk, browser->person()->id);
    if (!places) return not_now(places.error());
    if (places->empty()) return no_org();
    const auto* shown = form_org(*browser, *places, *form, query);
    if (!shown) return foreign("The page was too old, or it was not made for you.");
    const auto decision = form->get("decision");
    if (decision == "deny") {
        record_decision(desk, visit, *shown, asked, nullptr);
        return return_error(asked.back, visit.place, "access_denied", "the person denied it");
    }
    // Another organisation has other choices: they are shown before anything is granted.
    const std::string org(form->get("org"));
    if (decision != "allow" || (!org.empty() && org != shown->org))
        return show_consent(desk, visit, *browser, {asked, query, org, nullptr, {}});
    const auto scopes = chosen(offer_to(desk, visit, asked, *shown), *form);
    if (!scopes)
        return show_consent(desk, visit, *browser,
                            {asked, query, shown->org, &*form, scopes.error().message});
    return grant(desk, visit, asked, *shown, *scopes);
}

http::Response not_now(const Error& error) {
    log::error("oauth.failed", {{"reason", error.message}});
    return message_answer(503, "Not now", "Something is out of order here. Please try again.");
}

}  // namespace pb::oauth
