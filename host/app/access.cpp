// SPDX-License-Identifier: Apache-2.0
#include "app/access.h"

#include "app/data_dir.h"
#include "audit/trail.h"

namespace pb::app {
namespace {

Result<cli::TrailPage> read_trail(const config::HostConfig& host, const cli::TrailQuery& query) {
    auto reader = audit::Reader::open(host.data_dir);
    if (!reader) return reader.error();
    audit::Filter filter;
    filter.org = query.org;
    filter.from_ms = query.from_ms;
    filter.to_ms = query.to_ms;
    filter.name = query.tool;
    filter.outcome = query.status;
    filter.principal = query.principal;
    filter.method = query.method;
    filter.client = query.client;
    filter.kind = query.kind;
    auto page = (*reader)->page(filter, query.cursor, query.limit);
    if (!page) return page.error();
    return cli::TrailPage{std::move(page->records), std::move(page->next), page->dropped};
}

Result<void> note(const config::HostConfig& host, std::vector<audit::Record> records) {
    audit::Options options;
    // What is too old is the running host's business.
    options.keep = std::chrono::hours(0);
    options.keep_bytes = 0;
    auto trail = audit::Trail::open(host.data_dir, options);
    if (!trail) return trail.error();
    for (auto& record : records)
        (*trail)->add(std::move(record));
    if (!(*trail)->flush()) return internal_error("it cannot be written");
    return {};
}

}  // namespace

cli::AccessActions access_actions() {
    cli::AccessActions actions;
    actions.open = [](const config::HostConfig& host) -> Result<std::unique_ptr<access::Access>> {
        if (auto made = make_data_dir(host.data_dir); !made) return made.error();
        return access::Access::open(host.data_dir);
    };
    actions.trail = read_trail;
    actions.note = note;
    return actions;
}

}  // namespace pb::app
