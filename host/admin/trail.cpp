// SPDX-License-Identifier: Apache-2.0
#include "admin/resources.h"

namespace pb::admin {
namespace {

constexpr std::int64_t most_records = 1000, usual_records = 100;

}  // namespace

Reply read_trail(const Ask& ask) {
    if (!ask.options.trail) return refuse(404, "no trail is kept here");
    Members query(ask.query, "parameter");
    TrailQuery wanted;
    wanted.org = ask.org();
    wanted.from_ms = query.time("from");
    wanted.to_ms = query.time("to");
    const std::pair<const char*, std::string*> texts[] = {
        {"tool", &wanted.tool},
        {"status", &wanted.status},
        {"principal", &wanted.principal},
        {"method", &wanted.method},
        {"client", &wanted.client},
        {"kind", &wanted.kind},
        {"credential", &wanted.credential},
        {"capability", &wanted.capability},
        {"trace", &wanted.trace},
        {"cursor", &wanted.cursor},
    };
    for (const auto& [name, text] : texts)
        *text = query.text(name).value_or("");
    wanted.limit =
        static_cast<std::size_t>(query.number("limit", 1, most_records).value_or(usual_records));
    if (auto right = query.check(); !right) return refuse(right.error());
    auto page = ask.options.trail(wanted);
    if (!page) return refuse(page.error());
    Reply out;
    out.body = std::move(*page);
    return out;
}

}  // namespace pb::admin
