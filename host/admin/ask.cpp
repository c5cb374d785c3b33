// SPDX-License-Identifier: Apache-2.0
#include "admin/ask.h"

#include <algorithm>

#include "base/log.h"
#include "base/times.h"
#include "json/parse.h"

namespace pb::admin {
namespace {

constexpr std::int64_t most_listed = 1000, listed = 200;

}  // namespace

bool Ask::administers() const {
    return caller.permits.has(access::Level::admin) && !caller.permits.is_narrowed();
}

access::Role Ask::rank() const {
    if (const auto role = access::role_from(caller.role); role && is_person()) return *role;
    return administers() ? access::Role::admin : access::Role::member;
}

Reply answer(const Json& body, int status) {
    Reply out;
    out.status = status;
    out.body = json::dump(body);
    return out;
}

Reply refuse(int status, std::string why, http::HeaderList headers) {
    Reply out = answer({{"error", why}}, status);
    out.headers = std::move(headers);
    out.reason = std::move(why);
    return out;
}

Reply refuse(const Error& error) {
    switch (error.kind) {
        case ErrorKind::invalid:
            return refuse(400, error.message);
        case ErrorKind::denied:
            return refuse(403, error.message);
        case ErrorKind::not_found:
            return refuse(404, error.message);
        case ErrorKind::busy:
            return refuse(503, "the records are busy; try again", {{"Retry-After", "1"}});
        default:
            log::error("admin.failed", {{"reason", error.message}});
            return refuse(500, "the request failed");
    }
}

Reply conflict(const Error& error) {
    return error.kind == ErrorKind::invalid ? refuse(409, error.message) : refuse(error);
}

Reply refuse_scope(access::Level level) {
    const auto scope = std::string(access::scope_of(level));
    auto why = "this needs the scope " + scope;
    if (level == access::Level::admin) why += ", not narrowed to capabilities, sources or objects";
    return refuse(
        403, std::move(why),
        {{"WWW-Authenticate", "Bearer error=\"insufficient_scope\", scope=\"" + scope + "\""}});
}

Reply page(std::string_view name, std::vector<Json> all, Members& query) {
    const auto after = query.text("after");
    const auto limit =
        static_cast<std::size_t>(query.number("limit", 1, most_listed).value_or(listed));
    if (auto right = query.check(); !right) return refuse(right.error());
    auto first = all.begin();
    if (after) {
        first = std::find_if(all.begin(), all.end(),
                             [&](const Json& each) { return each.at("id") == *after; });
        if (first == all.end())
            return refuse(400, "there is nothing with the id that \"after\" names any more");
        ++first;
    }
    const auto left = static_cast<std::size_t>(all.end() - first);
    const auto last = first + static_cast<std::ptrdiff_t>(std::min(limit, left));
    Json out{{name, Json::array()}};
    if (left > limit) out["next"] = std::prev(last)->at("id");
    std::move(first, last, std::back_inserter(out[std::string(name)]));
    return answer(out);
}

Json role_json(const std::string& role) { return role.empty() ? Json(nullptr) : Json(role); }

Json when(const std::optional<access::Millis>& ms) {
    if (!ms || *ms == 0) return nullptr;
    return iso_time(*ms);
}

}  // namespace pb::admin
