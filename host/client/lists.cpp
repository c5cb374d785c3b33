// SPDX-License-Identifier: Apache-2.0
#include "client/lists.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "json/header_params.h"
#include "json/parse.h"
#include "json/scan.h"

namespace pb::client {
namespace {

constexpr std::size_t most_warnings = 100;
constexpr std::size_t most_bytes = 32U << 20U;  // of all lists of one server
constexpr std::size_t max_cursor = 64U << 10U;

struct List {
    const char* capability;
    const char* method;
    const char* member;
    const char* key;  // what names an entry
};

class Lister {
  public:
    Lister(Client& client, Deadline deadline, bool regardless)
        : client_(client), deadline_(deadline), regardless_(regardless) {}

    Result<void> list(const List& kind, std::vector<std::string>& into);
    // False if it was not the list that failed, but the server.
    bool goes_on() const { return !lost_; }
    void miss(std::vector<std::string> ServerLists::*list, const std::string& why);
    ServerLists out;

  private:
    Result<std::string> page(const List& kind, const std::string& cursor);
    Result<bool> take(const List& kind, std::string_view result, std::vector<std::string>& into);
    void hints(std::string_view result);
    void warn(std::string text) {
        if (out.warnings.size() < most_warnings) out.warnings.push_back(std::move(text));
    }

    Client& client_;
    const Deadline deadline_;
    const bool regardless_;
    std::size_t bytes_ = 0;
    bool lost_ = false;
};

// The server is there, whatever it makes of this request.
bool is_there(const Loss& loss) {
    return loss.why == Loss::Why::status || loss.why == Loss::Why::malformed ||
           loss.why == Loss::Why::late;
}

std::string wrong_headers(std::string_view tool) {
    const auto schema = json::member(tool, "inputSchema");
    if (schema.find("x-mcp-header") == std::string_view::npos) return {};
    auto tree = json::parse(schema);
    if (!tree) return tree.error().message;
    auto params = json::header_params(*tree);
    return params ? std::string() : params.error().message;
}

Result<std::string> Lister::page(const List& kind, const std::string& cursor) {
    const auto rest = std::chrono::duration_cast<milliseconds>(deadline_ - Deadline::clock::now());
    if (rest.count() <= 0) return Error{ErrorKind::deadline, "the server lists too slowly"};
    CallRequest request;
    request.method = kind.method;
    request.params = cursor.empty() ? "{}" : "{\"cursor\":" + cursor + "}";
    request.time = rest;
    request.regardless = regardless_;
    auto reply = client_.ask(std::move(request));
    if (reply.ok()) return std::move(reply.text);
    if (reply.kind == Reply::Kind::error) {
        // A server that says it has a list and does not know the method has an empty one.
        if (json::integer_value(json::member(reply.text, "code")) == -32601)
            return std::string("{\"") + kind.member + "\":[]}";
        const auto said = json::string_value(json::member(reply.text, "message")).value_or("");
        return internal_error(std::string(kind.method) + ": " + said.substr(0, 500));
    }
    lost_ = !is_there(reply.loss);
    const auto why = reply.loss.why == Loss::Why::challenged ? ErrorKind::denied
                     : reply.loss.why == Loss::Why::late     ? ErrorKind::deadline
                                                             : ErrorKind::internal;
    return Error{why, std::string(kind.method) + ": " + reply.loss.message};
}

Result<void> Lister::list(const List& kind, std::vector<std::string>& into) {
    std::string cursor;
    std::set<std::string> seen;
    for (std::size_t pages = 0;; ++pages) {
        if (pages == client_.spec().limits.pages) {
            warn(std::string(kind.method) + ": what follows page " + std::to_string(pages) +
                 " is left out");
            return {};
        }
        auto result = page(kind, cursor);
        if (!result) return result.error();
        hints(*result);
        const auto more = take(kind, *result, into);
        if (!more) return more.error();
        if (!*more) return {};
        const auto next = json::member(*result, "nextCursor");
        if (json::type_of(next) != json::Type::string || next.empty()) return {};
        if (next.size() > max_cursor || !seen.insert(std::string(next)).second) {
            warn(std::string(kind.method) + ": its pages do not end");
            return {};
        }
        cursor = next;
    }
}

// False if that is enough. What is no list is not an empty one either: who took it for that would
// take away all that there was.
Result<bool> Lister::take(const List& kind, std::string_view result,
                          std::vector<std::string>& into) {
    std::vector<std::string_view> entries;
    if (!json::elements(json::member(result, kind.member), entries))
        return internal_error(std::string(kind.method) + ": the server's answer has no array \"" +
                              kind.member + "\"");
    for (const auto entry : entries) {
        if (json::type_of(entry) != json::Type::object)
            return internal_error(std::string(kind.method) + ": an entry of \"" + kind.member +
                                  "\" is no object");
        const auto name = json::string_value(json::member(entry, kind.key)).value_or("");
        if (name.empty()) {
            warn(std::string(kind.method) + ": an entry without \"" + kind.key + "\" is left out");
            continue;
        }
        bytes_ += entry.size();
        if (into.size() == client_.spec().limits.entries || bytes_ > most_bytes) {
            warn(std::string(kind.method) + ": what is beyond the limit is left out");
            return false;
        }
        if (std::string_view(kind.member) == "tools")
            if (auto wrong = wrong_headers(entry); !wrong.empty()) {
                warn("tool '" + name.substr(0, 128) + "' is left out: " + wrong);
                continue;
            }
        into.emplace_back(entry);
    }
    return true;
}

void Lister::miss(std::vector<std::string> ServerLists::*list, const std::string& why) {
    (out.*list).clear();
    out.failed.push_back(list);
    warn(why + "; what it listed before is kept");
}

void Lister::hints(std::string_view result) {
    if (const auto ttl = json::integer_value(json::member(result, "ttlMs")); ttl && *ttl >= 0)
        out.ttl_ms = std::min(out.ttl_ms.value_or(*ttl), *ttl);
    if (json::member(result, "cacheScope") == "\"private\"") out.is_private = true;
}

}  // namespace

Result<ServerLists> list_all(Client& client, Deadline deadline, bool regardless) {
    auto link = client.open(deadline, regardless);
    if (!link) return link.error();
    const auto capabilities = (*link)->info.capabilities;
    static constexpr List tools{"tools", "tools/list", "tools", "name"};
    static constexpr List resources{"resources", "resources/list", "resources", "uri"};
    static constexpr List templates{"resources", "resources/templates/list", "resourceTemplates",
                                    "uriTemplate"};
    static constexpr List prompts{"prompts", "prompts/list", "prompts", "name"};
    static constexpr std::pair<const List*, std::vector<std::string> ServerLists::*> all[] = {
        {&tools, &ServerLists::tools},
        {&resources, &ServerLists::resources},
        {&templates, &ServerLists::templates},
        {&prompts, &ServerLists::prompts}};
    Lister lister(client, deadline, regardless);
    for (const auto& [kind, into] : all) {
        if (json::member(capabilities, kind->capability).empty()) continue;
        const auto listed = lister.list(*kind, lister.out.*into);
        if (listed) continue;
        if (kind == &tools || !lister.goes_on()) return listed.error();
        lister.miss(into, listed.error().message);
    }
    return std::move(lister.out);
}

}  // namespace pb::client
