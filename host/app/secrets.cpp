// SPDX-License-Identifier: Apache-2.0
#include "app/secrets.h"

#include "app/data_dir.h"
#include "store/secrets.h"

namespace pb::app {
namespace {

// Runs `body` with the secrets of a data directory.
template <class Body>
auto with_secrets(const config::HostConfig& host, Body&& body)
    -> decltype(body(std::declval<store::Secrets&>())) {
    if (auto made = make_data_dir(host.data_dir); !made) return made.error();
    auto store = store::open_store(host.data_dir + "/patchbay.db");
    if (!store) return store.error();
    auto keys = store::MasterKeys::of_environment(host.data_dir);
    if (!keys) return keys.error();
    store::Secrets secrets(**store, std::move(*keys));
    return body(secrets);
}

Result<void> check_name(const std::string& name) {
    if (store::is_secret_name(name)) return {};
    return invalid("a secret's name has 1 to 128 of A-Z, a-z, 0-9, '_', '.' and '-'");
}

}  // namespace

cli::SecretActions secret_actions() {
    cli::SecretActions actions;
    actions.set = [](const config::HostConfig& host, const std::string& org,
                     const std::string& name, const std::string& value) -> Result<void> {
        if (auto named = check_name(name); !named) return named;
        return with_secrets(host, [&](store::Secrets& secrets) -> Result<void> {
            auto written = secrets.put(store::own_secrets(org), name, value);
            if (!written) return written.error();
            return {};
        });
    };
    actions.remove = [](const config::HostConfig& host, const std::string& org,
                        const std::string& name) -> Result<void> {
        if (auto named = check_name(name); !named) return named;
        return with_secrets(host, [&](store::Secrets& secrets) {
            auto removed = secrets.remove(store::own_secrets(org), name);
            if (!removed && removed.error().kind == ErrorKind::not_found)
                return Result<void>(not_found("organisation " + org + " has no secret " + name));
            return removed;
        });
    };
    actions.list = [](const config::HostConfig& host,
                      const std::string& org) -> Result<std::vector<std::string>> {
        return with_secrets(host, [&](store::Secrets& secrets) -> Result<std::vector<std::string>> {
            std::vector<std::string> names;
            for (bool more = true; more;) {
                const auto before = names.size();
                auto listed = secrets.list(
                    store::own_secrets(org), "", names.empty() ? "" : std::string(names.back()),
                    store::max_list, [&](std::string_view name) { names.emplace_back(name); });
                if (!listed) return listed.error();
                more = names.size() - before == store::max_list;
            }
            return names;
        });
    };
    return actions;
}

}  // namespace pb::app
