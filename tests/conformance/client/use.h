// SPDX-License-Identifier: Apache-2.0
// Uses everything that a server lists, as the scenario wants it.
#pragma once

#include "client/client.h"
#include "client/lists.h"
#include "scenario.h"

namespace pb::client {

Result<void> use_all(Client& client, const Scenario& scenario, const ServerLists& lists);

}  // namespace pb::client
