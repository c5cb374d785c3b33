// SPDX-License-Identifier: Apache-2.0
// patchbay.config/1: the instance's configuration by JSON pointer.
#include "json/parse.h"
#include "plugin/host_instance.h"
#include "plugin/services.h"
#include "plugin/text_view.h"

namespace pb::plugin {
namespace {

// The value at an RFC 6901 pointer, null if there is none. nlohmann's own lookup throws on
// everything unusual and takes "-" for a place.
const nlohmann::json* find(const nlohmann::json& root,
                           const nlohmann::json::json_pointer& pointer) {
    try {
        return root.contains(pointer) ? &root.at(pointer) : nullptr;
    } catch (const nlohmann::json::exception&) {
        return nullptr;
    }
}

patchbay_status get(const patchbay_host* host, patchbay_str pointer, patchbay_sink sink,
                    void* user) noexcept {
    return guarded([&]() -> patchbay_status {
        if (!is_view(pointer) || !sink) return PATCHBAY_E_INVALID;
        nlohmann::json::json_pointer path;
        try {
            path = nlohmann::json::json_pointer(std::string(as_view(pointer)));
        } catch (const nlohmann::json::exception&) {
            return PATCHBAY_E_INVALID;
        }
        const auto config = HostInstance::of(host).config();
        const nlohmann::json* value = find(*config, path);
        if (!value) return PATCHBAY_E_NOT_FOUND;
        std::string text = json::dump(*value);
        sink(user, pointer, as_str(text));
        return PATCHBAY_OK;
    });
}

}  // namespace

const patchbay_config_v1& config_service() {
    static const patchbay_config_v1 table{sizeof(patchbay_config_v1), get};
    return table;
}

}  // namespace pb::plugin
