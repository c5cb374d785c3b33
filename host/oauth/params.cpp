// SPDX-License-Identifier: Apache-2.0
#include "oauth/params.h"

#include <strings.h>

#include <algorithm>
#include <set>

namespace pb::oauth {
namespace {

constexpr std::size_t longest_text = 128U << 10U;
constexpr std::size_t most_params = 2000;  // a consent ticks them one by one

bool is_form(std::string_view type) {
    constexpr std::string_view form = "application/x-www-form-urlencoded";
    type = type.substr(0, type.find(';'));
    while (type.ends_with(' ') || type.ends_with('\t'))
        type.remove_suffix(1);
    return type.size() == form.size() && strncasecmp(type.data(), form.data(), form.size()) == 0;
}

}  // namespace

std::optional<Params> Params::read(std::string_view text) {
    if (text.size() > longest_text) return std::nullopt;
    if (std::count(text.begin(), text.end(), '&') >= static_cast<std::ptrdiff_t>(most_params))
        return std::nullopt;
    auto params = form_decode(text);
    if (!params) return std::nullopt;
    return Params(std::move(*params));
}

std::optional<Params> Params::of_form(const http::Request& request) {
    if (!is_form(request.header("Content-Type"))) return std::nullopt;
    return read(request.body);
}

std::string_view Params::get(std::string_view name) const {
    const auto found = std::find_if(params_.begin(), params_.end(),
                                    [&](const auto& each) { return each.first == name; });
    return found == params_.end() ? std::string_view() : found->second;
}

std::vector<std::string> Params::all(std::string_view name) const {
    std::vector<std::string> out;
    for (const auto& [key, value] : params_)
        if (key == name && !value.empty()) out.push_back(value);
    return out;
}

bool Params::repeats(std::initializer_list<std::string_view> may) const {
    std::set<std::string_view> seen;
    return std::any_of(params_.begin(), params_.end(), [&](const auto& each) {
        return std::find(may.begin(), may.end(), each.first) == may.end() &&
               !seen.insert(each.first).second;
    });
}

std::string Params::without(std::string_view name) const {
    auto left = params_;
    std::erase_if(left, [&](const auto& each) { return each.first == name; });
    return form_encode(left);
}

}  // namespace pb::oauth
