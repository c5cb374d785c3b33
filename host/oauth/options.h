// SPDX-License-Identifier: Apache-2.0
// What the authorization server is made from: how it is set up, and what it stands on.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "access/access.h"
#include "audit/record.h"
#include "base/buckets.h"
#include "store/secrets.h"

namespace pb::oauth {

struct Options {
    // Where the host is reached from outside ("https://mcp.example.com"); empty: as the request
    // says, whose Host header somebody has to have checked.
    std::string public_url;
    std::string endpoint = "/mcp";  // the path of the protected resource
    std::string resource_name = "Patchbay";
    bool register_clients = true;                 // by themselves (RFC 7591)
    access::Millis signed_in = 12 * 3'600'000LL;  // how long a browser stays so

    // For each address; those of sign-in also bound what is tried for one login.
    Rate sign_in{10, 10}, registration{10, 20}, token{120, 120};
    Rate described{20, 20};  // documents that are fetched because of it
};

// What a person can choose, besides the levels.
struct Choosable {
    std::string id;  // a namespace, a source or an object type: what follows "action:" and so on
    std::string title, text;
};
struct Choices {
    std::vector<Choosable> namespaces, sources, objects;
};

// A document that describes a client, and for how long it may be used again.
struct Document {
    std::string body;
    std::chrono::seconds fresh{0};
};
// [any thread, waits] invalid: why there is no document at this URL, for a person.
using FetchDocument = std::function<Result<Document>(const std::string& url)>;

// All of it outlives the server.
struct Parts {
    access::Access& access;
    audit::Sink& trail;
    store::Secrets& secrets;  // for the key that signs ID tokens
    FetchDocument fetch;      // null: clients cannot describe themselves by a document
    // [any thread] What there is in an organisation; what an unknown one has is nothing.
    std::function<Choices(const std::string& org)> choices;
    std::function<bool(std::string_view org)> is_org;
};

}  // namespace pb::oauth
