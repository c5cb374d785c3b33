// SPDX-License-Identifier: Apache-2.0
// Identities: as whom a server is spoken to: as nobody, as the organisation, or as each person. One
// Credentials object for each, so that nobody's are ever used for another.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "client/credentials.h"
#include "client/engine.h"
#include "port.h"
#include "settings.h"

namespace pb::remote {

// How credentials stand, for people; no secrets.
struct SignInState {
    bool needed = false;  // for something that was tried
    bool lost = false;    // nothing serves until then
    std::string text;
};

class Identity {
  public:
    virtual ~Identity() = default;
    virtual client::CredentialsPtr credentials() const = 0;
    virtual SignInState state() const = 0;
    // [waits] A link under which the person who may sign in does so. An error where there is no
    // sign-in.
    virtual Result<std::string> sign_in_link(const std::string& owner,
                                             client::Deadline deadline) = 0;
    // [waits] The person came back with these query parameters.
    virtual Result<void> signed_in(const std::map<std::string, std::string>& params,
                                   client::Deadline deadline) = 0;
    virtual Result<void> sign_out(client::Deadline deadline) = 0;
};

using IdentityPtr = std::shared_ptr<Identity>;

// `principal`: empty for the organisation's own identity.
Result<IdentityPtr> make_identity(const Port& port, client::Engine& engine, const HostFacts& host,
                                  const std::string& org, const Settings& settings,
                                  const std::string& principal);

// Whose sign-in a callback's `state` belongs to. The error says that there is none (any more).
struct WhoseState {
    std::string server, principal;
};
Result<WhoseState> identity_of_state(const Port& port, const std::string& state);

// Who has a sign-in to a server, or began one.
std::set<std::string> principals_of(const Port& port, const std::string& server);

// A server is no longer registered: nothing is kept of who signed in to it.
void forget_identities(const Port& port, const std::string& server);

// Our metadata document (Client ID Metadata Documents); an error where the host has no public URL.
Result<std::string> client_document(const HostFacts& host, const std::string& org);

}  // namespace pb::remote
