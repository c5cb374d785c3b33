// SPDX-License-Identifier: Apache-2.0
// A chunked body, taken apart strictly. Not Beast's: its chunk reader (1.74) runs into its own
// assertions on hostile chunk lines, and past them when they are compiled out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pb::http {

class ChunkedBody {
  public:
    enum class Step { need_more, complete, malformed, too_large };

    explicit ChunkedBody(std::size_t body_limit) : left_in_body_(body_limit) {}

    // Takes bytes off the front of `input` and appends the data among them to `body`. What it
    // leaves (part of a line) must come again, with more behind it. Extensions and trailers are
    // dropped.
    Step feed(std::string_view& input, std::string& body);

  private:
    enum class At { size, data, data_end, trailer };

    Step take_size(std::string_view line);
    void take_data(std::string_view& input, std::string& body);

    At at_ = At::size;
    std::uint64_t left_in_chunk_ = 0;
    std::uint64_t left_in_body_;
    std::size_t trailers_ = 0;  // bytes
};

}  // namespace pb::http
