// SPDX-License-Identifier: Apache-2.0
#include "trust.h"

#include "json/parse.h"
#include "sha256.h"

namespace pb::remote {
namespace {

constexpr std::size_t most_changes = 200;

std::map<std::string, std::string> text_members(const Json& object) {
    std::map<std::string, std::string> out;
    if (!object.is_object()) return out;
    for (const auto& [name, value] : object.items())
        if (value.is_string()) out.emplace(name, value.get<std::string>());
    return out;
}

// Definitions that are kept to be shown are shown whole or not at all.
constexpr std::size_t max_before = 64U << 10U, most_before = 4U << 20U;

Json tree_of(const std::string& definition) { return Json::parse(definition, nullptr, false); }

}  // namespace

Result<Approval> read_approval(const Json& body) {
    if (!body.is_object()) return invalid("what is approved must be a JSON object");
    Approval out;
    for (const auto& [member, tools] : body.items()) {
        if (member != "tools")
            return invalid("'" + member.substr(0, 64) +
                           "' is not known; name what is approved in tools, or leave that out to "
                           "approve all that is withheld");
        if ((!tools.is_array() && !tools.is_object()) || tools.empty())
            return invalid(
                "tools must be a list of names, or an object of names with the digests that they "
                "were shown with; leave it out to approve all that is withheld");
        for (const auto& [key, value] : tools.items()) {
            if (!value.is_string()) return invalid("tools must hold texts");
            if (tools.is_array())
                out.emplace(value.get<std::string>(), "");
            else
                out.emplace(key, value.get<std::string>());
        }
    }
    return out;
}

Trust Trust::load(const Json& kept) {
    Trust out;
    if (!kept.is_object()) return out;
    out.known_ = true;
    out.accepted_ = text_members(kept.value("accepted", Json()));
    const auto waiting = kept.value("waiting", Json::object());
    for (const auto& [name, each] : waiting.items())
        if (each.is_object())
            out.waiting_[name] = {each.value("digest", ""), each.value("before", "")};
    out.changes_ = kept.value("changes", Json::array());
    return out;
}

Json Trust::store() const {
    Json waiting = Json::object();
    std::size_t size = 0;
    for (const auto& [name, each] : waiting_) {
        waiting[name]["digest"] = each.digest;
        if (each.before.size() <= max_before && (size += each.before.size()) <= most_before)
            waiting[name]["before"] = each.before;
    }
    return {{"accepted", accepted_}, {"waiting", waiting}, {"changes", changes_}};
}

std::string Trust::accepted_definition(const std::string& name, const Tools& before) const {
    const auto accepted = accepted_.find(name);
    const auto found = before.find(name);
    if (accepted != accepted_.end() && found != before.end() &&
        digest_of(found->second) == accepted->second)
        return found->second;
    const auto waiting = waiting_.find(name);
    return waiting == waiting_.end() ? "" : waiting->second.before;
}

std::vector<ToolChange> Trust::look(const Tools& tools, OnToolChange on_change, std::int64_t now_ms,
                                    const Tools& before) {
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
        const bool seen = waiting != waiting_.end() && waiting->second.digest == digest;
        if (!first && !seen)
            out.push_back({name, accepted == accepted_.end() ? "added" : "changed"});
        if (withhold || (seen && on_change == OnToolChange::quarantine)) {
            waiting_[name] = {digest, accepted_definition(name, before)};
        } else {
            accepted_[name] = digest;
            waiting_.erase(name);
        }
    }
    std::erase_if(waiting_, [&](const auto& each) { return !tools.contains(each.first); });
    std::erase_if(accepted_, [&](const auto& each) {
        if (tools.contains(each.first)) return false;
        out.push_back({each.first, "removed"});
        return true;
    });
    for (const auto& change : out)
        changes_.push_back({{"at", now_ms},
                            {"tool", change.tool},
                            {"change", change.kind},
                            {"withheld", waiting_.contains(change.tool)}});
    while (changes_.size() > most_changes)
        changes_.erase(changes_.begin());
    return out;
}

Result<std::vector<std::string>> Trust::approve(const Approval& approval) {
    for (const auto& [name, digest] : approval) {
        const auto waiting = waiting_.find(name);
        if (waiting == waiting_.end())
            return invalid("the tool '" + name + "' is not withheld; nothing was approved");
        if (!digest.empty() && digest != waiting->second.digest)
            return Error{ErrorKind::busy, "the tool '" + name +
                                              "' is no longer as it was shown; look at it again. "
                                              "Nothing was approved"};
    }
    std::vector<std::string> out;
    std::erase_if(waiting_, [&](const auto& each) {
        const auto& [name, waiting] = each;
        if (!approval.empty() && !approval.contains(name)) return false;
        accepted_[name] = waiting.digest;
        out.push_back(name);
        return true;
    });
    return out;
}

std::set<std::string> Trust::withheld() const {
    std::set<std::string> out;
    for (const auto& [name, waiting] : waiting_)
        out.insert(name);
    return out;
}

Json Trust::report(const Tools& tools) const {
    Json withheld = Json::array();
    for (const auto& [name, waiting] : waiting_) {
        Json each{{"tool", name},
                  {"change", accepted_.contains(name) ? "changed" : "added"},
                  {"digest", waiting.digest}};
        const auto now = tools.find(name);
        if (now != tools.end()) each["definition"] = tree_of(now->second);
        if (!waiting.before.empty()) each["before"] = tree_of(waiting.before);
        withheld.push_back(std::move(each));
    }
    return {{"withheld", withheld}, {"changes", changes_}};
}

std::string digest_of(const std::string& definition) {
    auto tree = json::parse(definition);
    return sha256(tree ? json::dump(*tree) : definition);
}

}  // namespace pb::remote
