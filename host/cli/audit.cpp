// SPDX-License-Identifier: Apache-2.0
// A record has the time at which its call began and is written when that has ended: who follows the
// trail looks back some way for what was not there before.
#include "cli/audit.h"

#include <algorithm>
#include <chrono>
#include <ostream>
#include <set>
#include <thread>

#include "cli/desk.h"
#include "cli/print.h"
#include "json/parse.h"

namespace pb::cli {
namespace {

constexpr std::size_t page_size = 1000, most_followed = 10'000;
constexpr int most_pages = 10'000;  // a page may be empty and not the last
constexpr access::Millis looks_back = 600'000;
constexpr std::chrono::milliseconds looks_every{500};

std::string member_text(const Json& record, const char* name) {
    const auto at = record.find(name);
    if (at == record.end()) return "";
    return at->is_string() ? at->get<std::string>() : json::dump(*at);
}

std::string first_of(const Json& record, std::initializer_list<const char*> names) {
    for (const auto* name : names)
        if (auto text = member_text(record, name); !text.empty()) return text;
    return "";
}

std::string line_of(const std::string& text) {
    const auto record = json::parse(text);
    if (!record || !record->is_object()) return printable(text);
    std::string out;
    const auto add = [&](const std::string& part) {
        if (!part.empty()) out += (out.empty() ? "" : "  ") + printable(part);
    };
    add(member_text(*record, "at"));
    add(member_text(*record, "outcome"));
    add(member_text(*record, "method"));
    add(member_text(*record, "name"));
    add(first_of(*record, {"principal", "address"}));
    add(member_text(*record, "client"));
    add(member_text(*record, "reason"));
    return out;
}

std::string id_of(const std::string& record) {
    return json::string_value(json::member(record, "id")).value_or(record);
}

class Viewer {
  public:
    Viewer(const config::HostConfig& host, const Actions& actions, const Options& options,
           Streams streams)
        : host_(host), actions_(actions), options_(options), streams_(streams) {}

    Result<void> show() {
        if (!actions_.access.trail) return not_found("no trail is kept here");
        if (auto asked = read_query(); !asked) return asked;
        auto query = query_;
        if (options_.trail.follow) {
            // What is there already is not news, whether it is shown or not.
            query.from_ms = recent();
            if (auto known = gather(query, most_followed); !known) return known.error();
        }
        query.from_ms = query_.from_ms;
        auto newest = gather(query, static_cast<std::size_t>(options_.trail.limit));
        if (!newest) return newest.error();
        print(*newest);
        if (dropped_ > 0)
            streams_.err << "patchbay: " << dropped_
                         << " records were lost, while they could not be written\n";
        return options_.trail.follow ? follow() : Result<void>();
    }

  private:
    Result<void> read_query() {
        const auto& given = options_.trail;
        if (!options_.access.all)
            query_.org = options_.access.org.empty() ? host_.anonymous_org : options_.access.org;
        query_.tool = given.tool;
        query_.status = given.status;
        query_.principal = given.principal;
        query_.method = given.method;
        query_.client = given.client;
        query_.kind = given.kind;
        const std::tuple<const std::string&, const char*, std::optional<access::Millis>&> times[] =
            {{given.from, "--from", query_.from_ms}, {given.to, "--to", query_.to_ms}};
        for (const auto& [text, flag, target] : times) {
            if (text.empty()) continue;
            auto at = moment(text, -1, flag);
            if (!at) return at.error();
            target = *at;
        }
        return {};
    }

    access::Millis recent() const {
        return std::max(access::now_ms() - looks_back, query_.from_ms.value_or(0));
    }

    // The newest, at most so many, the newest first; they are known from now on.
    Result<std::vector<std::string>> gather(TrailQuery query, std::size_t most) {
        std::vector<std::string> out;
        for (int pages = 0; pages < most_pages && out.size() < most; ++pages) {
            query.limit = std::min(page_size, most - out.size());
            auto page = actions_.access.trail(host_, query);
            if (!page) return page.error();
            dropped_ = page->dropped;
            for (auto& record : page->records) {
                known_.insert(id_of(record));
                out.push_back(std::move(record));
            }
            if (page->next.empty()) break;
            query.cursor = page->next;
        }
        return out;
    }

    void print(const std::vector<std::string>& newest_first) {
        for (auto i = newest_first.size(); i-- > 0;)
            streams_.out << (options_.json ? newest_first[i] : line_of(newest_first[i])) << '\n';
        streams_.out << std::flush;
    }

    Result<void> follow() {
        auto query = query_;
        while (streams_.out) {
            std::this_thread::sleep_for(looks_every);
            query.from_ms = recent();
            const auto before = known_;
            known_.clear();
            auto found = gather(query, most_followed);
            if (!found) return found.error();
            std::erase_if(*found,
                          [&](const auto& record) { return before.contains(id_of(record)); });
            print(*found);
        }
        return {};
    }

    const config::HostConfig& host_;
    const Actions& actions_;
    const Options& options_;
    const Streams streams_;
    TrailQuery query_;
    std::set<std::string> known_;
    std::int64_t dropped_ = 0;
};

}  // namespace

int show_trail(const config::HostConfig& host, const Actions& actions, const Options& options,
               Streams streams) {
    auto done = Viewer(host, actions, options, streams).show();
    if (done) return exit_ok;
    streams.err << "patchbay: " << printable(done.error().message, true) << '\n';
    return exit_failed;
}

}  // namespace pb::cli
