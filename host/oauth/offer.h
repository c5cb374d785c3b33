// SPDX-License-Identifier: Apache-2.0
// What a person is offered to allow, and what they have chosen of it.
#pragma once

#include <vector>

#include "access/people.h"
#include "access/scopes.h"
#include "oauth/options.h"
#include "oauth/pages.h"
#include "oauth/params.h"

namespace pb::oauth {

struct Offer {
    access::Scopes most;  // that can come of it
    std::vector<pages::Choice> levels, actions, sources, objects;
    // All, also those to come, can be chosen: the client did not ask for certain ones.
    bool all_actions() const { return !most.actions(); }
    bool all_sources() const { return !most.sources(); }
    bool all_objects() const { return !most.objects(); }
};

// What the client asks for and nothing else: who steps up names what it has besides (see challenges
// of insufficient_scope). `before`: what it has already been allowed, for the ticks; empty if
// nothing.
Offer make_offer(const access::Scopes& asked, const access::Scopes& before, access::Role role,
                 const Choices& choices);

// What is ticked in the form; what is not on offer does not count. invalid, for the person: nothing
// is left.
Result<access::Scopes> chosen(const Offer& offer, const Params& form);

// The offer with the form's ticks, to be shown again.
Offer ticked_as(Offer offer, const Params& form);

}  // namespace pb::oauth
