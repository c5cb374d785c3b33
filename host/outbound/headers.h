// SPDX-License-Identifier: Apache-2.0
// Header fields both ways: what may be sent, and what came.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string_view>

#include "outbound/http.h"

namespace pb::outbound {

struct ListFreed {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, ListFreed>;

// Appends a line.
void append(List& list, const std::string& line);

// The request's fields as curl wants them; an error if one could be read as more than itself, or
// is one that the framing is made of. `with_body` false leaves out what describes a body.
Result<List> header_lines(const Headers& headers, bool with_body);

// Gathers the lines of an answer's header as they come. An interim answer (1xx) is passed over.
class HeadReader {
  public:
    enum class State { more, complete, bad, too_large };
    State line(std::string_view line);

    Head& head() { return head_; }
    bool complete() const { return complete_; }

    static constexpr std::size_t max_size = 64U << 10U;

  private:
    State status_line(std::string_view line);
    bool fits_length(std::string_view value) const;

    Head head_;
    std::size_t size_ = 0;
    bool complete_ = false;
};

bool equal_names(std::string_view a, std::string_view b);

}  // namespace pb::outbound
