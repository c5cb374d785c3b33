// SPDX-License-Identifier: Apache-2.0
// Suggestions while a person fills in an argument of a prompt or a variable of a resource template.
// https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion
#pragma once

#include <patchbay/call.hpp>
#include <patchbay/uri_template.hpp>

#include <functional>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

namespace patchbay {

// What is being typed.
struct Completing {
    std::string argument;  // its name
    std::string value;     // so far
    Variables others;      // arguments that are already filled in
};

// The suggestions, best first. At most 100 are sent; the rest is counted.
class Completions {
  public:
    static constexpr std::size_t max_values = 100;

    Completions(std::vector<std::string> values) : values_(std::move(values)) {}
    Completions(std::initializer_list<std::string> values) : values_(values) {}
    // Where there are more matches than values.
    Completions& total(std::size_t count) {
        total_ = count;
        return *this;
    }

    std::string text() const {
        const std::size_t total = total_ > values_.size() ? total_ : values_.size();
        const std::size_t sent = values_.size() < max_values ? values_.size() : max_values;
        std::string out = "{\"completion\":{\"values\":[";
        for (std::size_t i = 0; i < sent; ++i) {
            if (i > 0) out += ',';
            detail::append_quoted(out, values_[i]);
        }
        out += "],\"total\":" + std::to_string(total);
        return out + ",\"hasMore\":" + (total > sent ? "true" : "false") + "}}";
    }

  private:
    std::vector<std::string> values_;
    std::size_t total_ = 0;
};

namespace detail {

using Completer = std::function<Completions(const Completing&, Call&)>;
using Completers = std::map<std::string, Completer, std::less<>>;

// Those that begin with what was typed; ASCII letters of either case are equal.
inline Completions beginning_with(const std::vector<std::string>& words, std::string_view typed) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    std::vector<std::string> out;
    for (const auto& word : words) {
        bool fits = word.size() >= typed.size();
        for (std::size_t i = 0; fits && i < typed.size(); ++i)
            fits = lower(word[i]) == lower(typed[i]);
        if (fits) out.push_back(word);
    }
    return out;
}

// source: a list of words, or a function of (const Completing&) or (const Completing&, Call&).
template <class F>
Completer make_completer(F&& source) {
    if constexpr (std::is_convertible_v<F, std::vector<std::string>>) {
        return [words = std::vector<std::string>(std::forward<F>(source))](
                   const Completing& typing, Call&) { return beginning_with(words, typing.value); };
    } else if constexpr (std::is_invocable_v<F&, const Completing&, Call&>) {
        return std::forward<F>(source);
    } else {
        return [source = std::forward<F>(source)](const Completing& typing, Call&) -> Completions {
            return source(typing);
        };
    }
}

}  // namespace detail

}  // namespace patchbay
