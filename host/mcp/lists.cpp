// SPDX-License-Identifier: Apache-2.0
#include "mcp/lists.h"

#include "base/base64.h"
#include "json/scan.h"

namespace pb::mcp {
namespace {

constexpr std::size_t most_kept = 64u << 20;

std::string_view member_name(Listed kind) {
    switch (kind) {
        case Listed::tool:
            return "tools";
        case Listed::resource:
            return "resources";
        case Listed::resource_template:
            return "resourceTemplates";
        case Listed::prompt:
            return "prompts";
    }
    return "";
}

template <class Visit>
auto with_entries(const catalog::Snapshot& snapshot, Listed kind, Visit visit) {
    switch (kind) {
        case Listed::tool:
            return visit(snapshot.tools);
        case Listed::resource:
            return visit(snapshot.resources);
        case Listed::resource_template:
            return visit(snapshot.templates);
        default:
            return visit(snapshot.prompts);
    }
}

// A cursor names the last entry of the page before: lists are ordered, so it stays good while that
// entry exists.
std::string cursor_after(const std::string& exposed) {
    return base64_encode(exposed, Alphabet::url);
}

}  // namespace

Result<std::string> Lists::page(const catalog::SnapshotPtr& snapshot, bool is_private,
                                Version version, Listed kind, bool has_cursor,
                                std::string_view cursor) const {
    const auto size = with_entries(*snapshot, kind, [](const auto& list) { return list.size(); });
    Page page{is_private || snapshot->lists.is_private, version, kind, 0,
              std::min(size, page_size_)};
    if (!has_cursor) {
        const std::pair key(
            snapshot->version,
            (static_cast<int>(kind) * 8 + static_cast<int>(version)) * 2 + page.is_private);
        std::lock_guard lock(mutex_);
        const auto found = first_pages_.find(key);
        if (found != first_pages_.end()) return found->second;
        auto text = render(*snapshot, page);
        if (kept_bytes_ + text.size() > most_kept) {
            first_pages_.clear();
            kept_bytes_ = 0;
        }
        kept_bytes_ += text.size();
        first_pages_.emplace(key, text);
        return text;
    }
    const auto last = base64_decode(cursor, Alphabet::url);
    const auto from = with_entries(*snapshot, kind, [&](const auto& list) {
        for (std::size_t i = 0; last && i < list.size(); ++i)
            if (list[i].exposed == *last) return i + 1;
        return std::size_t{0};
    });
    if (from == 0) return invalid("this cursor is not valid any more; list again from the start");
    page.from = from;
    page.to = std::min(size, from + page_size_);
    return render(*snapshot, page);
}

std::string Lists::render(const catalog::Snapshot& snapshot, const Page& page) const {
    const auto kind = page.kind;
    const auto from = page.from, to = page.to;
    std::string members = "\"" + std::string(member_name(kind)) + "\":[";
    std::string next;
    with_entries(snapshot, kind, [&](const auto& list) {
        for (std::size_t i = from; i < to; ++i) {
            if (i > from) members += ',';
            members += render_definition(page.version, kind, list[i].definition);
        }
        if (to < list.size() && to > from) next = cursor_after(list[to - 1].exposed);
    });
    members += ']';
    if (!next.empty()) members += ",\"nextCursor\":" + json::quote(next);
    if (is_modern(page.version)) {
        members += ",\"ttlMs\":" + std::to_string(snapshot.lists.ttl_ms) + ",\"cacheScope\":\"" +
                   (page.is_private ? "private" : "public") + "\"";
    }
    return render_own(page.version, members, server_info_);
}

}  // namespace pb::mcp
