// SPDX-License-Identifier: Apache-2.0
#include "admin/members.h"

#include <algorithm>
#include <charconv>

#include "base/times.h"

namespace pb::admin {
namespace {

constexpr std::size_t most_texts = 256;
// A name comes from outside: no more of it is repeated than tells which one it is.
constexpr std::size_t longest_shown = 64;

}  // namespace

const Json* Members::find(std::string_view name) {
    known_.emplace(name);
    const auto at = object_.find(name);
    return at == object_.end() ? nullptr : &*at;
}

void Members::wrong(std::string_view name, std::string_view right) {
    if (wrong_.empty())
        wrong_ = "the " + what_ + " \"" + std::string(name) + "\" has to be " + std::string(right);
}

std::optional<std::string> Members::text(std::string_view name) {
    const auto* value = find(name);
    if (!value) return std::nullopt;
    if (value->is_string()) return value->get<std::string>();
    wrong(name, "a string");
    return std::nullopt;
}

std::optional<bool> Members::flag(std::string_view name) {
    const auto* value = find(name);
    if (!value) return std::nullopt;
    if (value->is_boolean()) return value->get<bool>();
    wrong(name, "true or false");
    return std::nullopt;
}

bool Members::yes(std::string_view name) {
    const auto* value = find(name);
    if (!value || *value == "false") return false;
    if (*value != "true") wrong(name, "true or false");
    return true;
}

std::optional<std::vector<std::string>> Members::texts(std::string_view name) {
    const auto* value = find(name);
    if (!value) return std::nullopt;
    const bool texts = value->is_array() && value->size() <= most_texts &&
                       std::all_of(value->begin(), value->end(),
                                   [](const Json& each) { return each.is_string(); });
    if (texts) return value->get<std::vector<std::string>>();
    wrong(name, "a list of at most 256 strings");
    return std::nullopt;
}

const Json* Members::object(std::string_view name) {
    const auto* value = find(name);
    if (!value || value->is_object()) return value;
    wrong(name, "an object");
    return nullptr;
}

std::optional<std::int64_t> Members::time(std::string_view name) {
    const auto* value = find(name);
    if (!value) return std::nullopt;
    const auto out = value->is_string() ? parse_time(value->get_ref<const std::string&>())
                                        : std::optional<std::int64_t>();
    if (!out) wrong(name, "a time like \"2026-11-22T04:51:02Z\"");
    return out;
}

std::optional<std::int64_t> Members::number(std::string_view name, std::int64_t least,
                                            std::int64_t most) {
    const auto* value = find(name);
    if (!value) return std::nullopt;
    std::int64_t out = least - 1;
    if (value->is_string()) {
        const auto& text = value->get_ref<const std::string&>();
        const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
        if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) out = least - 1;
    }
    if (out >= least && out <= most) return out;
    wrong(name, "a number from " + std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
}

std::string Members::needed(std::string_view name) {
    auto out = text(name).value_or("");
    if (out.empty()) wrong(name, "a string that is not empty");
    return out;
}

Result<void> Members::check() const {
    if (!wrong_.empty()) return invalid(wrong_);
    for (const auto& [name, value] : object_.items()) {
        if (known_.contains(name)) continue;
        std::string names;
        for (const auto& known : known_)
            names += (names.empty() ? "" : ", ") + known;
        return invalid("there is no " + what_ + " \"" + name.substr(0, longest_shown) +
                       "\" here; there are: " + (names.empty() ? "none" : names));
    }
    return {};
}

}  // namespace pb::admin
