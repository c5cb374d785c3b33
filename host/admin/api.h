// SPDX-License-Identifier: Apache-2.0
// Api: administration over HTTP. Everything happens within the caller's own organisation; what is
// another one's is absent.
//
//   /api/users    people and their roles          /api/clients  machines that sign in by OAuth
//   /api/keys     API keys                        /api/grants   what people allowed their clients
//   /api/orgs     the organisation itself         /api/audit    the trail
//
// Who administers has mcp:admin, not narrowed to anything. A person without it sees and revokes
// what is their own. Each request is a record of the trail, those that only look too: they show
// people's data.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/access.h"
#include "audit/record.h"
#include "http/server.h"
#include "runtime/caller.h"

namespace pb::admin {

// Which records of the trail, the newest first. Texts that are empty narrow nothing, but for org.
struct TrailQuery {
    std::string org;
    std::optional<std::int64_t> from_ms, to_ms;  // from <= began < to
    std::string tool, status, principal, method, client, kind, credential, capability, trace;
    std::string cursor;  // `next` of the page before; empty: the first page
    std::size_t limit = 0;
};

struct Options {
    // A page as JSON: {"records": [...], "next": "..."}. Errors of kind invalid are the question's.
    std::function<Result<std::string>(const TrailQuery& query)> trail;
    // Whether a name and a configuration (as an organisation's file has it) can be used for an
    // organisation; the error says what is wrong. Null: none is made or configured over HTTP.
    std::function<Result<void>(std::string_view name, std::string_view config)> check_org;
    // Whether a file says what this organisation is: it is changed there alone.
    std::function<bool(std::string_view name)> has_file;
    std::size_t most_orgs = 16;  // that one person may make
    // Every request that was answered, by what the trail calls it. Null: nobody measures.
    std::function<void(std::string_view act, std::string_view outcome, int code, double seconds)>
        measure;
};

class Api {
  public:
    // Both outlive this.
    Api(access::Access& access, audit::Sink& sink, Options options)
        : access_(access), sink_(sink), options_(std::move(options)) {}

    // Whether a path is one of these.
    static bool covers(std::string_view path);
    // What the trail calls what is done here: "users.add". Of a request that asks for nothing that
    // there is: "api.none".
    static std::vector<std::string> acts();

    // [worker] One request to such a path, of a caller who was authenticated. May wait for a
    // password's hash.
    void handle(const std::shared_ptr<const http::Request>& request,
                const std::shared_ptr<http::Exchange>& exchange, const runtime::CallerPtr& caller);

  private:
    struct Told;
    void tell(Told&& told) const;

    access::Access& access_;
    audit::Sink& sink_;
    const Options options_;
    // One change at a time: what it stands on (roles, owners, numbers) stays as it was looked at.
    std::mutex changing_;
};

}  // namespace pb::admin
