// SPDX-License-Identifier: Apache-2.0
#include "trust.h"

#include "json/parse.h"
#include "sha256.h"

namespace pb::remote {
namespace {

constexpr std::size_t most_changes = 200;

std::map<std::string, std::string> texts(const Json& object) {
    std::map<std::string, std::string> out;
    if (!object.is_object()) return out;
    for (const auto& [name, value] : object.items())
        if (value.is_string()) out.emplace(name, value.get<std::string>());
    return out;
}

}  // namespace

Trust Trust::load(const Json& kept) {
    Trust out;
    if (!kept.is_object()) return out;
    out.known_ = true;
    out.accepted_ = texts(kept.value("accepted", Json()));
    out.waiting_ = texts(kept.value("waiting", Json()));
    out.changes_ = kept.value("changes", Json::array());
    return out;
}

Json Trust::store() const {
    return {{"accepted", accepted_}, {"waiting", waiting_}, {"changes", changes_}};
}

std::vector<ToolChange> Trust::look(const std::map<std::string, std::string>& tools,
                                    OnToolChange on_change, std::int64_t now_ms) {
    std::vector<ToolChange> out;
    const bool first = !std::exchange(known_, true);
    const bool withhold = on_change == OnToolChange::quarantine && !first;
    for (const auto& [name, definition] : tools) {
        const auto digest = digest_of(definition);
        const auto accepted = accepted_.find(name);
        if (accepted != accepted_.end() && accepted->second == digest) {
            waiting_.erase(name);  // it is again what it was
            continue;
        }
        const auto waiting = waiting_.find(name);
        const bool seen = waiting != waiting_.end() && waiting->second == digest;
        if (!first && !seen)
            out.push_back({name, accepted == accepted_.end() ? "added" : "changed"});
        if (withhold || (seen && on_change == OnToolChange::quarantine)) {
            waiting_[name] = digest;
        } else {
            accepted_[name] = digest;
            waiting_.erase(name);
        }
    }
    for (auto* known : {&accepted_, &waiting_})
        for (auto at = known->begin(); at != known->end();) {
            if (tools.contains(at->first)) {
                ++at;
                continue;
            }
            if (known == &accepted_) out.push_back({at->first, "removed"});
            at = known->erase(at);
        }
    for (const auto& change : out)
        changes_.push_back({{"at", now_ms},
                            {"tool", change.tool},
                            {"change", change.kind},
                            {"withheld", waiting_.contains(change.tool)}});
    while (changes_.size() > most_changes)
        changes_.erase(changes_.begin());
    return out;
}

std::vector<std::string> Trust::approve(const std::set<std::string>& tools) {
    std::vector<std::string> out;
    for (auto at = waiting_.begin(); at != waiting_.end();) {
        if (!tools.empty() && !tools.contains(at->first)) {
            ++at;
            continue;
        }
        accepted_[at->first] = at->second;
        out.push_back(at->first);
        at = waiting_.erase(at);
    }
    return out;
}

std::set<std::string> Trust::withheld() const {
    std::set<std::string> out;
    for (const auto& [name, digest] : waiting_)
        out.insert(name);
    return out;
}

Json Trust::report() const { return {{"withheld", withheld()}, {"changes", changes_}}; }

std::string digest_of(const std::string& definition) {
    auto tree = json::parse(definition);
    return sha256(tree ? json::dump(*tree) : definition);
}

}  // namespace pb::remote
