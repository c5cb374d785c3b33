// SPDX-License-Identifier: Apache-2.0
#include "catalog/choices.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "json/parse.h"

namespace pb::catalog {
namespace {

using json::Json;

// With its prefix an id is a scope, which has 256 bytes.
constexpr std::size_t longest_id = 200;
constexpr std::size_t longest_title = 200;
constexpr std::size_t longest_description = 1000;

// Scopes are separated by spaces: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
bool fits_into_a_scope(std::string_view id) {
    return !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
        return c >= 0x21 && c <= 0x7e && c != '"' && c != '\\';
    });
}

Result<std::string> text_of_choice(const Json& object, const char* name, std::size_t longest) {
    const auto found = object.find(name);
    if (found == object.end()) return std::string();
    const auto wrong = [&](const std::string& what) {
        return invalid("a choice's \"" + std::string(name) + "\" " + what);
    };
    if (!found->is_string()) return wrong("must be a string");
    const auto& text = found->get_ref<const std::string&>();
    if (text.size() > longest) return wrong("is longer than " + std::to_string(longest) + " bytes");
    return text;
}

Result<Choice> read_choice(const Json& object) {
    if (!object.is_object()) return invalid("a choice must be an object");
    Choice out;
    const struct {
        const char* name;
        std::size_t longest;
        std::string& text;
    } texts[] = {{"id", longest_id, out.id},
                 {"title", longest_title, out.title},
                 {"description", longest_description, out.description}};
    for (const auto& [name, longest, text] : texts) {
        auto given = text_of_choice(object, name, longest);
        if (!given) return given.error();
        text = std::move(*given);
    }
    if (!fits_into_a_scope(out.id))
        return invalid("a choice's \"id\" must be of visible ASCII characters but \" and \\");
    return out;
}

Result<std::vector<Choice>> read_named(const Json& array) {
    if (array.size() > most_choices)
        return invalid("there are more than " + std::to_string(most_choices));
    std::vector<Choice> out;
    std::set<std::string> ids;
    for (const Json& each : array) {
        auto choice = read_choice(each);
        if (!choice) return choice.error();
        if (!ids.insert(choice->id).second)
            return invalid("the id \"" + choice->id + "\" is there twice");
        out.push_back(std::move(*choice));
    }
    return out;
}

}  // namespace

Result<Choices> read_choices(const Json& object, bool may_ask) {
    Choices out;
    const struct {
        const char* name;
        ChoiceList& list;
    } kinds[] = {{"sources", out.sources}, {"objects", out.objects}};
    for (const auto& [name, list] : kinds) {
        const auto found = object.find(name);
        if (found == object.end()) continue;
        const auto member = "\"" + std::string(name) + "\"";
        list.asked = may_ask && found->is_boolean() && found->get<bool>();
        if (list.asked) continue;
        if (!found->is_array())
            return invalid(member + " must be " + (may_ask ? "true or " : "") + "an array");
        auto named = read_named(*found);
        if (!named) return invalid(member + ": " + named.error().message);
        list.named = std::move(*named);
    }
    return out;
}

}  // namespace pb::catalog
