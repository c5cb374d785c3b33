// SPDX-License-Identifier: Apache-2.0
#include "oauth/client_book.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/url.h"
#include "json/parse.h"

namespace pb::oauth {
namespace {

using access::OAuthClient;
using json::Json;

constexpr std::size_t longest_id = 2048, longest_document = 64U << 10U, most_known = 1000;
constexpr int most_fetching = 8;  // a slow document holds a thread
constexpr std::chrono::hours longest_fresh{24};

// Section 3 of the draft.
Result<void> check_client_url(std::string_view id) {
    if (id.size() > longest_id) return invalid("the client_id is longer than 2048 bytes");
    const auto url = parse_url(id, "the client_id");
    if (!url) return url.error();
    if (url->path.empty()) return invalid("a client_id that is a URL has a path");
    std::string_view rest = url->path;
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const auto segment = rest.substr(0, rest.find('/'));
        if (segment == "." || segment == "..")
            return invalid("a client_id that is a URL has no \".\" or \"..\" in its path");
        rest.remove_prefix(segment.size());
    }
    return {};
}

// Documents are written for many servers: what is offered besides is nothing against them.
Result<void> keep_ours(Json& document, const char* name, std::string_view needed,
                       std::initializer_list<std::string_view> ours) {
    const auto at = document.find(name);
    if (at == document.end() || at->is_null()) return {};
    Json kept = Json::array();
    bool found = false;
    if (at->is_array())
        for (const auto& each : *at) {
            if (!each.is_string()) continue;
            const auto& text = each.get_ref<const std::string&>();
            if (std::find(ours.begin(), ours.end(), text) == ours.end()) continue;
            found = found || text == needed;
            kept.push_back(text);
        }
    if (!found) return invalid(std::string(name) + " does not name " + std::string(needed));
    *at = std::move(kept);
    return {};
}

Result<OAuthClient> read_document(const std::string& url, std::string_view body) {
    auto document = json::parse_unique(body, {longest_document, 16, 2000});
    if (!document) return invalid("it is no JSON document: " + document.error().message);
    if (!document->is_object()) return invalid("it is no JSON object");
    const auto id = document->find("client_id");
    if (id == document->end() || !id->is_string() || id->get_ref<const std::string&>() != url)
        return invalid("its client_id is not its own URL");
    if (!document->contains("client_name")) return invalid("it has no client_name");
    if (document->contains("client_secret"))
        return invalid("it holds a client_secret, which everybody can read");
    auto& method = (*document)["token_endpoint_auth_method"];
    if (method.is_null()) method = "none";
    if (method != "none")
        return invalid(
            "its token_endpoint_auth_method is another than none, the one that is "
            "taken here");
    const auto kept = keep_ours(*document, "grant_types", "authorization_code",
                                {"authorization_code", "refresh_token"});
    if (!kept) return kept.error();
    if (auto ours = keep_ours(*document, "response_types", "code", {"code"}); !ours)
        return ours.error();
    auto read = access::read_client(*document);
    if (const auto* wrong = std::get_if<access::RegistrationError>(&read))
        return invalid(wrong->description);
    auto out = std::get<OAuthClient>(std::move(read));
    out.id = url;
    return out;
}

}  // namespace

OAuthClient ClientBook::described(std::string_view id) {
    OAuthClient out;
    out.id = id;
    return out;
}

Result<std::optional<OAuthClient>> ClientBook::find(std::string_view id,
                                                    const std::function<bool()>& may_fetch) {
    if (!is_described(id)) return registered_.find(id);
    if (!fetch_) return std::optional<OAuthClient>();
    if (auto well = check_client_url(id); !well) return well.error();
    auto out = look_at(std::string(id), may_fetch);
    if (!out) return out.error();
    return std::optional(std::move(*out));
}

Result<OAuthClient> ClientBook::look_at(const std::string& url,
                                        const std::function<bool()>& may_fetch) {
    {
        std::lock_guard lock(mutex_);
        const auto found = known_.find(url);
        if (found != known_.end() && found->second.until > access::now_ms())
            return found->second.client;
    }
    if (!may_fetch())
        return Error{ErrorKind::busy, "too many applications were looked up; try again later"};
    auto document = fetched(url);
    if (!document) return document.error();
    auto client = read_document(url, document->body);
    // What is not as it has to be is looked at again the next time.
    if (!client)
        return invalid("the document at the client_id is refused: " + client.error().message);
    const auto now = access::now_ms();
    const auto fresh =
        std::clamp<std::chrono::seconds>(document->fresh, std::chrono::seconds(0), longest_fresh);
    std::lock_guard lock(mutex_);
    if (known_.size() >= most_known)
        std::erase_if(known_, [&](const auto& each) { return each.second.until <= now; });
    if (known_.size() >= most_known) known_.clear();
    known_.insert_or_assign(url, Known{*client, now + std::chrono::milliseconds(fresh).count()});
    return client;
}

Result<Document> ClientBook::fetched(const std::string& url) {
    struct Turn {
        explicit Turn(std::atomic<int>& count) : taken(count), number(++count) {}
        ~Turn() { --taken; }
        std::atomic<int>& taken;
        const int number;
    } const turn(fetching_);
    if (turn.number > most_fetching)
        return Error{ErrorKind::busy, "too many applications are being looked up; try again"};
    return fetch_(url);
}

}  // namespace pb::oauth
