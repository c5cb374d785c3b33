// SPDX-License-Identifier: Apache-2.0
// Redaction goes through the text once, from left to right, and stops where the bound is reached:
// no tree is built.
#include "audit/redact.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "audit/redacted.h"
#include "json/check.h"
#include "json/cursor.h"
#include "json/scan.h"

namespace pb::audit {
namespace {

// A longer text is not even looked at.
constexpr std::size_t longest_read = 256u << 10;
// JSON in a string in a string ...
constexpr int deepest_text = 2;
constexpr std::size_t start_bytes = 1024;

// The tokens of a JSON pointer (RFC 6901); nullopt if it is none.
std::optional<std::vector<std::string>> tokens_of(std::string_view pointer) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < pointer.size(); ++at) {
        if (pointer[at] == '/') {
            out.emplace_back();
        } else if (pointer[at] == '~') {
            const char next = ++at < pointer.size() ? pointer[at] : ' ';
            if (next != '0' && next != '1') return std::nullopt;
            out.back() += next == '0' ? '~' : '/';
        } else {
            out.back() += pointer[at];
        }
    }
    return out;
}

}  // namespace

class Redacting {
  public:
    Redacting(const Redactor& rules, std::string_view text, int depth)
        : rules_(rules), p_(text.data()), end_(p_ + text.size()), depth_(depth) {}

    // False: there was no room for all of it.
    bool run() {
        std::vector<Way> ways;
        if (depth_ == 0)
            for (const auto& tokens : rules_.pointers_)
                ways.push_back({&tokens, 0});
        return value(ways, Named::nothing);
    }
    std::string& out() { return out_; }

  private:
    // How far a configured pointer has been followed.
    struct Way {
        const std::vector<std::string>* tokens;
        std::size_t at;
    };
    // What a member's name says of its value: nothing; a secret, but for a number; a secret, but
    // for true, false and null; what the organisation does not want, whatever it is.
    enum class Named { nothing, count, secret, unwanted };

    bool room() const { return out_.size() <= rules_.longest_; }

    bool value(const std::vector<Way>& ways, Named named) {
        p_ = json::skip_space(p_, end_);
        if (p_ == end_) return true;
        if (may_not_stay(named)) {
            skip();
            out_.append(1, '"').append(redacted).append(1, '"');
            return room();
        }
        if (*p_ == '{') return object(ways);
        if (*p_ == '[') return array(ways);
        if (*p_ == '"') return text(content(), true);
        const char* begin = p_;
        skip();
        out_.append(begin, p_);
        return room();
    }

    bool may_not_stay(Named named) const {
        const bool number = *p_ == '-' || (*p_ >= '0' && *p_ <= '9');
        const bool text_or_more = *p_ == '"' || *p_ == '{' || *p_ == '[';
        return named == Named::unwanted || (named == Named::secret && (number || text_or_more)) ||
               (named == Named::count && text_or_more);
    }

    // Past the value at p_.
    void skip() {
        std::size_t open = 0;
        do {
            p_ = json::skip_space(p_, end_);
            if (p_ == end_) return;
            if (*p_ == '"') {
                p_ = json::skip_string(p_, end_);
            } else if (*p_ == '{' || *p_ == '[') {
                ++open;
                ++p_;
            } else if (*p_ == '}' || *p_ == ']') {
                --open;
                ++p_;
            } else if (*p_ == ',' || *p_ == ':') {
                ++p_;
            } else {
                while (p_ != end_ && !std::strchr(",:]} \t\r\n", *p_))
                    ++p_;
            }
        } while (open > 0);
    }

    // The string at p_, without its quotes and with its escapes resolved.
    std::string content() {
        const char* begin = p_ + 1;
        p_ = json::skip_string(p_, end_);
        const std::string_view raw(begin, static_cast<std::size_t>(p_ - begin) - 1);
        return raw.find('\\') == raw.npos ? std::string(raw) : json::unescape(raw);
    }

    bool text(const std::string& all, bool may_hold_json) {
        if (may_hold_json && depth_ < deepest_text && all.size() > 1 &&
            (all[0] == '{' || all[0] == '[') && json::scan(all)) {
            Redacting inner(rules_, all, depth_ + 1);
            if (!inner.run()) return false;
            json::append_quoted(out_, inner.out());
            return room();
        }
        const auto clean = without_credentials(all);
        // What is certain to be cut need not be written.
        if (clean.size() > rules_.longest_) {
            json::append_quoted(out_, std::string_view(clean).substr(0, start_bytes));
            return false;
        }
        json::append_quoted(out_, clean);
        return room();
    }

    // The ways that go on through a member or element; `ends` if one ends there.
    static std::vector<Way> through(const std::vector<Way>& ways, std::string_view step,
                                    bool& ends) {
        std::vector<Way> out;
        for (const auto& [tokens, at] : ways) {
            if ((*tokens)[at] != "*" && (*tokens)[at] != step) continue;
            if (at + 1 == tokens->size())
                ends = true;
            else
                out.push_back({tokens, at + 1});
        }
        return out;
    }

    Named judge(std::string_view name) const {
        const auto plain = folded(name);
        if (std::find(rules_.names_.begin(), rules_.names_.end(), plain) != rules_.names_.end())
            return Named::unwanted;
        if (!names_a_secret(name)) return Named::nothing;
        return counts_tokens(name) ? Named::count : Named::secret;
    }

    bool object(const std::vector<Way>& ways) {
        bool of_secret = false;  // {"name": "password", "value": ...}
        out_ += *p_++;
        for (bool first = true;; first = false) {
            p_ = json::skip_space(p_, end_);
            if (*p_ == '}') break;
            if (!first) ++p_;  // the comma
            p_ = json::skip_space(p_, end_);
            if (!first) out_ += ',';
            const auto name = content();
            if (!text(name, false)) return false;
            p_ = json::skip_space(p_, end_) + 1;  // the colon
            p_ = json::skip_space(p_, end_);
            out_ += ':';
            bool ends = false;
            const auto further = through(ways, name, ends);
            auto named = ends ? Named::unwanted : judge(name);
            if (named == Named::nothing && of_secret && name == "value") named = Named::secret;
            if ((name == "name" || name == "key") && *p_ == '"') {
                const char* value_at = p_;
                of_secret = judge(content()) >= Named::secret;
                p_ = value_at;
            }
            if (!value(further, named)) return false;
        }
        out_ += *p_++;
        return room();
    }

    bool array(const std::vector<Way>& ways) {
        out_ += *p_++;
        for (std::size_t index = 0;; ++index) {
            p_ = json::skip_space(p_, end_);
            if (*p_ == ']') break;
            if (index > 0) {
                ++p_;
                out_ += ',';
            }
            bool ends = false;
            const auto further = ways.empty() ? ways : through(ways, std::to_string(index), ends);
            if (!value(further, ends ? Named::unwanted : Named::nothing)) return false;
        }
        out_ += *p_++;
        return room();
    }

    const Redactor& rules_;
    const char* p_;
    const char* const end_;
    const int depth_;
    std::string out_;
};

Result<Redactor> Redactor::make(const Options& options) {
    Redactor out;
    out.longest_ = options.longest;
    for (const auto& field : options.fields) {
        if (field.empty()) return invalid("a field to be redacted has a name");
        if (field[0] != '/') {
            out.names_.push_back(folded(field));
            continue;
        }
        auto tokens = tokens_of(field);
        if (!tokens) return invalid("'" + field + "' is no JSON pointer: '~' is written as \"~0\"");
        out.pointers_.push_back(std::move(*tokens));
    }
    return out;
}

std::string Redactor::operator()(std::string_view json) const {
    if (json.size() > longest_read) return summary_of(json.size(), {});
    if (!json::scan(json)) return "\"[not JSON]\"";
    Redacting redacting(*this, json, 0);
    if (redacting.run()) return std::move(redacting.out());
    return summary_of(json.size(), redacting.out());
}

std::string summary_of(std::size_t bytes, std::string_view start) {
    std::string out = "{\"[cut]\":{\"bytes\":" + std::to_string(bytes);
    if (!start.empty()) {
        out += ",\"start\":";
        json::append_quoted(out, start.substr(0, start_bytes));
    }
    return out + "}}";
}

}  // namespace pb::audit
