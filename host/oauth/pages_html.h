// SPDX-License-Identifier: Apache-2.0
// HTML that is put together: literals of the program go in as they are, all other text escaped.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace pb::oauth::pages {

// Safe between tags and in quoted attributes. What cannot be seen or turns the reading direction
// becomes U+FFFD, so that a name cannot pass for another one; so does what is not UTF-8.
std::string escaped(std::string_view text);

class Html {
  public:
    template <std::size_t size>
    Html& operator<<(const char (&literal)[size]) {
        text_.append(literal, size - 1);
        return *this;
    }
    Html& operator<<(std::string_view text) {
        text_ += escaped(text);
        return *this;
    }
    Html& operator<<(const Html& part) {
        text_ += part.text_;
        return *this;
    }

    bool empty() const { return text_.empty(); }
    const std::string& text() const { return text_; }

  private:
    std::string text_;
};

// The style sheet of all pages, exactly as it stands in them.
const Html& style_sheet();

// A whole page around what its <main> holds; `head`: more for its head.
std::string whole_page(std::string_view title, const Html& content, const Html& head = {});

// Pieces that several pages have.
Html hidden(std::string_view name, std::string_view value);
Html error_note(std::string_view error);  // nothing if there is none

}  // namespace pb::oauth::pages
