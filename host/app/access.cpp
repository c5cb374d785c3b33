// SPDX-License-Identifier: Apache-2.0
#include "app/access.h"

#include "app/data_dir.h"

namespace pb::app {

cli::AccessActions access_actions() {
    cli::AccessActions actions;
    actions.open = [](const config::HostConfig& host) -> Result<std::unique_ptr<access::Access>> {
        if (auto made = make_data_dir(host.data_dir); !made) return made.error();
        return access::Access::open(host.data_dir);
    };
    return actions;
}

}  // namespace pb::app
