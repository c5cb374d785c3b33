// SPDX-License-Identifier: Apache-2.0
// Packed: a record as one run of bytes, which costs no memory but its own while it waits, and which
// is written to the file without being copied again.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "audit/record.h"

namespace pb::audit {

// The fields of a Record in the order in which they are packed and kept: columns of the table.
constexpr std::array<std::string_view, 5> number_fields{"at_ms", "code", "duration_us",
                                                        "request_bytes", "response_bytes"};
constexpr std::array<std::string_view, 17> text_fields{
    "org",     "kind",    "method",   "principal", "principal_kind", "credential",
    "client",  "address", "name",     "original",  "capability",     "upstream",
    "outcome", "reason",  "trace_id", "arguments", "result"};

struct Packed {
    std::array<std::int64_t, number_fields.size()> numbers{};
    std::array<std::string_view, text_fields.size()> texts;

    std::int64_t at_ms() const { return numbers[0]; }
    std::string_view org() const { return texts[0]; }
};

// Bytes of a text that are kept; of arguments and results.
constexpr std::size_t longest_text = 2048, longest_json = 64u << 10;

// Texts that are too long are cut, and say so.
void pack(const Record& record, std::string& out);
// The first of the packed records; `packed` goes on behind it, and must stay while it is used.
Packed unpack(std::string_view& packed);

}  // namespace pb::audit
