// SPDX-License-Identifier: Apache-2.0
// URI templates with the variables of RFC 6570 level 1 and {+reserved}: which URIs are instances of
// a template, and with which values.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay {

using Variables = std::map<std::string, std::string>;

class UriTemplate {
  public:
    static constexpr std::size_t max_uri_size = 4096;

    // "travel://city/{name}": {x} stands for one or more characters other than "/", "?" and "#",
    // {+x} for one or more of any. std::invalid_argument if it is not such a template.
    explicit UriTemplate(std::string_view text) : text_(text) {
        while (!text.empty()) {
            const auto open = text.find('{');
            if (open != 0) {
                parts_.push_back({std::string(text.substr(0, open)), false, false});
                if (open == std::string_view::npos) return;
            }
            const auto close = text.find('}', open);
            if (close == std::string_view::npos) fail("an opening brace is not closed");
            add_variable(text.substr(open + 1, close - open - 1));
            text.remove_prefix(close + 1);
        }
    }

    const std::string& text() const noexcept { return text_; }
    std::vector<std::string> variables() const {
        std::vector<std::string> out;
        for (const auto& part : parts_) {
            if (part.variable) out.push_back(part.text);
        }
        return out;
    }

    // Whether `uri` is an instance; then `out` has the values, percent-decoded. They come from
    // outside: "..", "/" (by "%2F" or {+x}) and any other byte may be in them. Where several
    // readings are possible, earlier variables are the shorter. Takes time in proportion to the
    // URI's length.
    bool match(std::string_view uri, Variables& out) const {
        if (uri.size() > max_uri_size) return false;
        // reach[i][p]: the first i parts can end at position p.
        std::vector<std::vector<bool>> reach(parts_.size() + 1,
                                             std::vector<bool>(uri.size() + 1, false));
        reach[0][0] = true;
        for (std::size_t i = 0; i < parts_.size(); ++i)
            advance(parts_[i], uri, reach[i], reach[i + 1]);
        if (!reach.back()[uri.size()]) return false;
        return collect(uri, reach, out);
    }

  private:
    struct Part {
        std::string text;  // the literal, or the variable's name
        bool variable;
        bool reserved;
    };

    [[noreturn]] void fail(const char* why) const {
        throw std::invalid_argument("URI template \"" + text_ + "\": " + why);
    }
    void add_variable(std::string_view name) {
        const bool reserved = !name.empty() && name.front() == '+';
        if (reserved) name.remove_prefix(1);
        if (name.empty()) fail("a variable has no name");
        for (const char c : name) {
            const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '_' || c == '.';
            if (!good) fail("only {name} and {+name} are supported");
        }
        if (!parts_.empty() && parts_.back().variable) fail("two variables need text between them");
        parts_.push_back({std::string(name), true, reserved});
    }
    static bool takes(const Part& part, char c) {
        return part.reserved || (c != '/' && c != '?' && c != '#');
    }
    static void advance(const Part& part, std::string_view uri, const std::vector<bool>& from,
                        std::vector<bool>& to) {
        if (!part.variable) {
            for (std::size_t p = 0; p + part.text.size() <= uri.size(); ++p) {
                if (from[p] && uri.compare(p, part.text.size(), part.text) == 0) {
                    to[p + part.text.size()] = true;
                }
            }
            return;
        }
        bool inside = false;
        for (std::size_t p = 0; p < uri.size(); ++p) {
            inside = (inside || from[p]) && takes(part, uri[p]);
            if (inside) to[p + 1] = true;
        }
    }
    bool collect(std::string_view uri, const std::vector<std::vector<bool>>& reach,
                 Variables& out) const {
        out.clear();
        std::size_t end = uri.size();
        for (std::size_t i = parts_.size(); i-- > 0;) {
            const Part& part = parts_[i];
            if (!part.variable) {
                end -= part.text.size();
                continue;
            }
            std::size_t begin = end;
            for (std::size_t p = end; p-- > 0 && takes(part, uri[p]);) {
                if (reach[i][p]) begin = p;
            }
            std::string value;
            if (!decode(uri.substr(begin, end - begin), value)) return false;
            const auto [at, is_new] = out.emplace(part.text, value);
            // A name that occurs twice has one value.
            if (!is_new && at->second != value) return false;
            end = begin;
        }
        return true;
    }
    static int hex(char c) {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    }
    static bool decode(std::string_view in, std::string& out) {
        for (std::size_t i = 0; i < in.size(); ++i) {
            if (in[i] != '%') {
                out += in[i];
                continue;
            }
            const int high = i + 2 < in.size() ? hex(in[i + 1]) : -1;
            const int low = i + 2 < in.size() ? hex(in[i + 2]) : -1;
            if (high < 0 || low < 0) return false;
            out += static_cast<char>(high * 16 + low);
            i += 2;
        }
        return true;
    }

    std::string text_;
    std::vector<Part> parts_;
};

}  // namespace patchbay
