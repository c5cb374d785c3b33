// SPDX-License-Identifier: Apache-2.0
#include "audit/packed.h"

#include <cstring>

#include "audit/redact.h"

namespace pb::audit {
namespace {

constexpr std::string_view cut_mark = "...";
constexpr std::size_t first_json = text_fields.size() - 2;

struct Head {
    std::array<std::int64_t, number_fields.size()> numbers;
    std::array<std::uint32_t, text_fields.size()> sizes;
};

// What is kept of a text that is too long; never half a character.
std::string cut(std::string_view text) {
    std::size_t size = longest_text - cut_mark.size();
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80)
        --size;
    return std::string(text.substr(0, size)).append(cut_mark);
}

}  // namespace

std::string trace_id_of(std::string_view traceparent) {
    constexpr std::size_t size = 55, begin = 3, length = 32;
    const bool whole =
        traceparent.size() == size || (traceparent.size() > size && traceparent[size] == '-');
    if (!whole) return {};
    for (std::size_t i = 0; i < size; ++i) {
        const char c = traceparent[i];
        const bool dash = i == begin - 1 || i == begin + length || i == size - 3;
        const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        if (dash ? c != '-' : !hex) return {};
    }
    return std::string(traceparent.substr(begin, length));
}

void pack(const Record& record, std::string& out) {
    std::array<std::string_view, text_fields.size()> texts{
        record.org,        record.kind,     record.method,  record.principal, record.principal_kind,
        record.credential, record.client,   record.address, record.name,      record.original,
        record.capability, record.upstream, record.outcome, record.reason,    record.trace_id,
        record.arguments,  record.result};
    std::array<std::string, text_fields.size()> shorter;
    Head head{{record.at_ms, record.code, record.duration_us, record.request_bytes,
               record.response_bytes},
              {}};
    std::size_t size = sizeof head;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const bool json = i >= first_json;
        if (texts[i].size() > (json ? longest_json : longest_text)) {
            shorter[i] = json ? summary_of(texts[i].size(), {}) : cut(texts[i]);
            texts[i] = shorter[i];
        }
        head.sizes[i] = static_cast<std::uint32_t>(texts[i].size());
        size += texts[i].size();
    }
    out.reserve(out.size() + size);
    out.append(reinterpret_cast<const char*>(&head), sizeof head);
    for (const auto text : texts)
        out.append(text);
}

Packed unpack(std::string_view& packed) {
    Head head;
    std::memcpy(&head, packed.data(), sizeof head);
    packed.remove_prefix(sizeof head);
    Packed out{head.numbers, {}};
    for (std::size_t i = 0; i < out.texts.size(); ++i) {
        out.texts[i] = packed.substr(0, head.sizes[i]);
        packed.remove_prefix(head.sizes[i]);
    }
    return out;
}

}  // namespace pb::audit
