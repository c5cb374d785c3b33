// SPDX-License-Identifier: Apache-2.0
// Secrets: values that the host encrypts at rest (service patchbay.secrets/1), for tokens,
// passwords and keys. Plugin::secrets() makes it. Confined to the instance's organisation and
// capability, and apart from the store.
#pragma once

#include <patchbay/invoke.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay {

// Names are like the store's keys; values have up to 64 KiB of any bytes. All functions may be
// called from any thread and throw Error like those of Store.
class Secrets {
  public:
    struct Entry {
        std::string value;
        std::int64_t version = 0;  // grows with each write
    };

    explicit Secrets(const patchbay_host* host)
        : host_(host),
          table_(&detail::service<patchbay_secrets_v1>(host, PATCHBAY_SERVICE_SECRETS)) {}

    // The entry, or nothing.
    std::optional<Entry> get(std::string_view name) const {
        Entry out;
        const auto status = table_->get(
            host_, view(name),
            [](void* user, patchbay_str, patchbay_str value) noexcept {
                static_cast<Entry*>(user)->value = view(value);
            },
            &out, &out.version);
        if (status == PATCHBAY_E_NOT_FOUND) return std::nullopt;
        expect(status, "secrets.get");
        return out;
    }
    // Writes, whatever is there. The new version.
    std::int64_t put(std::string_view name, std::string_view value) const {
        std::int64_t version = 0;
        expect(table_->put(host_, view(name), view(value), -1, &version), "secrets.put");
        return version;
    }
    // Writes if the entry's version is `version` (0 = there is none). The new version, or nothing
    // if another writer was there first.
    std::optional<std::int64_t> put_if(std::string_view name, std::string_view value,
                                       std::int64_t version) const {
        std::int64_t now = 0;
        const auto status = table_->put(host_, view(name), view(value), version, &now);
        if (status == PATCHBAY_E_BUSY) return std::nullopt;
        expect(status, "secrets.put");
        return now;
    }
    // False if there was nothing.
    bool remove(std::string_view name) const {
        const auto status = table_->remove(host_, view(name), -1);
        if (status == PATCHBAY_E_NOT_FOUND) return false;
        expect(status, "secrets.remove");
        return true;
    }
    // Up to `limit` (1 to 1000) names that start with `prefix`, in byte order, after `after`.
    std::vector<std::string> list(std::string_view prefix = {}, std::string_view after = {},
                                  std::uint32_t limit = 1000) const {
        std::vector<std::string> out;
        const auto status = table_->list(
            host_, view(prefix), view(after), limit,
            [](void* user, patchbay_str name, patchbay_str) noexcept {
                static_cast<std::vector<std::string>*>(user)->emplace_back(view(name));
            },
            &out);
        expect(status, "secrets.list");
        return out;
    }

  private:
    static void expect(patchbay_status status, const char* what) {
        if (status != PATCHBAY_OK) throw detail::service_error(status, what);
    }
    const patchbay_host* host_;
    const patchbay_secrets_v1* table_;
};

}  // namespace patchbay
