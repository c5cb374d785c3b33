// SPDX-License-Identifier: Apache-2.0
#include "mcp/seal.h"

#include "base/base64.h"
#include "json/scan.h"

namespace pb::mcp {
namespace {

// Length-prefixed, so that no two bindings have the same text.
std::string associated(const Seal::Binding& binding) {
    std::string out = "patchbay request state 1";
    for (auto part :
         {binding.org, binding.principal, binding.method, binding.name, binding.arguments})
        out.append("\n").append(std::to_string(part.size())).append(":").append(part);
    return out;
}

std::int64_t now_ms() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

Error refused() {
    return invalid(
        "requestState is not valid for this request, or no longer; start again without it");
}

}  // namespace

std::string Seal::close(const Binding& binding, int round, std::string_view state) const {
    const std::string plain = "{\"until\":" + std::to_string(now_ms() + ttl_.count()) +
                              ",\"round\":" + std::to_string(round) +
                              ",\"state\":" + json::quote(state) + "}";
    return base64_encode(aes_gcm::seal(key_, associated(binding), plain), Alphabet::url);
}

Result<Seal::Opened> Seal::open(const Binding& binding, std::string_view sealed) const {
    const auto raw = base64_decode(sealed, Alphabet::url);
    if (!raw) return refused();
    const auto plain = aes_gcm::open(key_, associated(binding), *raw);
    if (!plain) return refused();
    const auto until = json::integer_value(json::member(*plain, "until"));
    const auto round = json::integer_value(json::member(*plain, "round"));
    auto state = json::string_value(json::member(*plain, "state"));
    if (!until || !round || !state || *until < now_ms()) return refused();
    return Opened{std::move(*state), static_cast<int>(*round)};
}

}  // namespace pb::mcp
