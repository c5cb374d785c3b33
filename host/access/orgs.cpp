// SPDX-License-Identifier: Apache-2.0
#include "access/orgs.h"

namespace pb::access {

Result<void> OrgRecords::add(std::string_view name, std::string_view config) {
    auto added = records_->use()->run(
        "INSERT INTO org(name, config, created_ms) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING", name,
        config, now_ms());
    if (!added) return added.error();
    if (*added > 0) return {};
    return Error{ErrorKind::busy,
                 "there is, or was, an organisation \"" + std::string(name) + "\""};
}

Result<void> OrgRecords::configure(std::string_view name, std::string_view config) {
    auto set = records_->change()->run("UPDATE org SET config=?2 WHERE name=?1 AND config<>''",
                                       name, config);
    if (!set) return set.error();
    if (*set == 0) return not_found("there is no such organisation");
    return {};
}

Result<void> OrgRecords::remove(std::string_view name) {
    auto use = records_->change();
    auto all = use->begin();
    if (!all) return all.error();
    auto gone = use->run("UPDATE org SET config='' WHERE name=?1 AND config<>''", name);
    if (!gone) return gone.error();
    if (*gone == 0) return not_found("there is no such organisation");
    for (const auto* sql : {"DELETE FROM member WHERE org=?1", "DELETE FROM api_key WHERE org=?1",
                            "DELETE FROM client WHERE org=?1", "DELETE FROM consent WHERE org=?1"})
        if (auto done = use->run(sql, name); !done) return done.error();
    return all->commit();
}

Result<std::vector<OrgRecord>> OrgRecords::list() {
    return records_->use()->rows(
        "SELECT name, config, created_ms FROM org WHERE config<>'' ORDER BY name",
        [](const store::Statement& row) {
            return OrgRecord{std::string(row.bytes(0)), std::string(row.bytes(1)), row.integer(2)};
        });
}

}  // namespace pb::access
