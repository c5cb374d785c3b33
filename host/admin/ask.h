// SPDX-License-Identifier: Apache-2.0
// Ask and Reply: one request as the resources see it, and what they make of it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "admin/api.h"
#include "admin/members.h"

namespace pb::admin {

struct Ask {
    access::Access& access;
    const Options& options;
    const runtime::Caller& caller;
    std::string id;     // the segment after the resource; empty: the resource itself
    const Json& query;  // an object of strings
    const Json& body;   // an object

    const std::string& org() const { return caller.org; }
    // Narrowed to anything, it is no authority over the whole: who makes people and keys would be
    // past what narrows them.
    bool administers() const;
    // What nobody may raise anybody above. A key or a machine is at most an administrator's.
    access::Role rank() const;
    bool is_person() const { return caller.principal_kind == "user"; }
    bool is(std::string_view person) const { return is_person() && caller.principal == person; }
};

struct Reply {
    int status = 200;
    std::string body;  // JSON
    http::HeaderList headers;
    // For the trail.
    std::string subject;      // the id of what was changed
    Json done = nullptr;      // what about it; no secrets
    std::string reason = {};  // of a refusal
};

Reply answer(const Json& body, int status = 200);
Reply refuse(int status, std::string why, http::HeaderList headers = {});
// What went wrong inside stays there. busy: the database is.
Reply refuse(const Error& error);
Reply conflict(const Error& error);  // where an error of kind invalid says what is in the way
// For who does not administer, or lacks the level.
Reply refuse_scope(access::Level level = access::Level::admin);

// {"<name>": [...], "next": "..."}: so many of a list (query: limit) behind the one with the id
// `after`. `query` is checked.
Reply page(std::string_view name, std::vector<Json> all, Members& query);

// Milliseconds as text; null for never.
Json when(const std::optional<access::Millis>& ms);
// A key's or machine's; null for none.
Json role_json(const std::string& role);

}  // namespace pb::admin
