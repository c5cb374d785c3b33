// SPDX-License-Identifier: Apache-2.0
#include "entry.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "json/references.h"
#include "settings.h"
#include "sha256.h"

namespace pb::remote {
namespace {

constexpr std::size_t max_namespace = 40;
constexpr std::size_t namespace_digits = 6;
constexpr std::size_t max_readable = 30;  // of a derived name, so that its namespace is all of it

// Letters, digits and '-' in lower case; what is between them is one '_'.
std::string slug(const std::string& text) {
    std::string out;
    for (const unsigned char c : text) {
        const bool ascii = c < 0x80;
        if (ascii && (std::isalnum(c) != 0 || c == '-'))
            out += static_cast<char>(std::tolower(c));
        else if (!out.empty() && out.back() != '_')
            out += '_';
    }
    const auto begin = std::min(out.find_first_not_of("_-"), out.size());
    return out.substr(begin, out.find_last_not_of("_-") + 1 - begin);
}

std::string cut(std::string text, std::size_t most) {
    if (text.size() > most) text.resize(most);
    while (!text.empty() && (text.back() == '_' || text.back() == '-'))
        text.pop_back();
    return text;
}

void tools(Json& entry) {
    const auto tools = entry.find("tools");
    if (tools == entry.end() || !tools->is_array()) return;
    *tools = Json{{"include", *tools}};
}

// Some clients count in seconds. No call is to end after less than one.
void timeout(Json& entry, std::vector<std::string>& remarks) {
    const auto found = entry.find("timeout");
    if (found == entry.end() || !found->is_number()) return;
    const auto given = found->get<double>();
    if (given >= 1000 && given < 1e9) *found = std::llround(given);
    if (!(given > 0) || given >= 1000) return;
    remarks.push_back("timeout " + found->dump() +
                      " is taken as seconds; from 1000 on it would be " + "milliseconds");
    *found = std::llround(given * 1000);
}

Json scopes(const Json& given) {
    if (!given.is_string()) return given;
    Json out = Json::array();
    std::string word;
    for (const char c : given.get<std::string>() + " ") {
        if (c != ' ') {
            word += c;
        } else if (!word.empty()) {
            out.push_back(std::exchange(word, {}));
        }
    }
    return out;
}

// {"clientId", "clientSecret", "scopes"} of other clients, which know the authorization code alone.
Json auth_from(const Json& given, const std::string& where, std::vector<std::string>& remarks) {
    static const std::map<std::string, const char*> ours{{"clientId", "client_id"},
                                                         {"CLIENT_ID", "client_id"},
                                                         {"client_id", "client_id"},
                                                         {"clientSecret", "client_secret"},
                                                         {"CLIENT_SECRET", "client_secret"},
                                                         {"client_secret", "client_secret"},
                                                         {"scopes", "scopes"},
                                                         {"scope", "scopes"}};
    Json out{{"type", "oauth"}, {"grant", "authorization_code"}};
    for (const auto& [name, value] : given.items()) {
        const auto known = ours.find(name);
        if (known == ours.end())
            remarks.push_back("'" + where + "." + name.substr(0, 64) +
                              "' is not known and is ignored");
        else
            out[known->second] = known->second == std::string("scopes") ? scopes(value) : value;
    }
    return out;
}

Result<void> auth(Json& entry, std::vector<std::string>& remarks) {
    const auto own = entry.find("auth");
    if (own != entry.end() && own->is_object() && own->contains("CLIENT_ID") &&
        !own->contains("type"))
        *own = auth_from(*own, "auth", remarks);
    const auto other = entry.find("oauth");
    if (other == entry.end()) return {};
    if (!other->is_object())
        return invalid("oauth must be an object with clientId, clientSecret and scopes as needed");
    if (own != entry.end()) return invalid("auth and oauth say the same; leave one of them out");
    auto made = auth_from(*other, "oauth", remarks);
    entry.erase("oauth");
    entry["auth"] = std::move(made);
    return {};
}

}  // namespace

std::string name_for(const std::string& key, std::size_t digits) {
    if (check_name(key)) return key;
    // What comes last tells most: github.com/modelcontextprotocol/servers/tree/main/src/git
    const auto last = key.substr(key.find_last_of('/', key.size() < 2 ? 0 : key.size() - 2) + 1);
    const auto readable = cut(slug(last), max_readable);
    return (readable.empty() ? "server" : readable) + "-" + sha256(key).substr(0, digits);
}

std::string namespace_for(const std::string& name) {
    auto whole = slug(name);
    if (whole.size() <= max_namespace) return whole;
    // Cut, two of them could be one.
    return cut(whole, max_namespace - namespace_digits - 1) + "-" +
           sha256(name).substr(0, namespace_digits);
}

Result<Json> resolve_registered(
    const Json& entry, const std::function<Result<std::string>(std::string_view)>& secret) {
    const auto value_of = [&](const json::Reference& reference) -> Result<std::string> {
        if (reference.scheme == "secret") {
            auto value = secret(reference.name);
            if (value) return value;
            return invalid(reference.shown() + ": " + value.error().message);
        }
        const auto hint =
            "; keep the value as a secret of the organisation (patchbay secrets set NAME) and "
            "write "
            "${secret:NAME}, or $${ for a literal ${";
        if (reference.scheme == "env" || reference.scheme.empty())
            return invalid(reference.shown() +
                           ": what is registered at run time cannot read the host's environment" +
                           hint);
        return invalid(reference.shown() + " is not known here" + hint);
    };
    return json::replace_references(entry, value_of, true);
}

Result<Json> in_our_words(const Json& entry, std::vector<std::string>& remarks) {
    if (!entry.is_object()) return invalid("a server's settings must be an object");
    // What another client may do without asking its user, or shows: nothing that is lost here.
    static const std::set<std::string> harmless{
        "alwaysAllow", "autoApprove", "trust",    "watchPaths", "gallery", "version",
        "icon",        "iconUrl",     "$comment", "comment",    "_comment"};
    auto out = entry;
    for (const auto& name : harmless)
        out.erase(name);
    tools(out);
    timeout(out, remarks);
    if (auto done = auth(out, remarks); !done) return done.error();
    return out;
}

}  // namespace pb::remote
