// SPDX-License-Identifier: Apache-2.0
#include "store/queries.h"

namespace pb::store {

Result<const Statement*> Queries::take(std::string_view sql) {
    const auto found = statements_.find(sql);
    if (found != statements_.end()) return &found->second;
    auto prepared = database_.prepare(sql);
    if (!prepared) return prepared.error();
    return &statements_.emplace(sql, std::move(*prepared)).first->second;
}

}  // namespace pb::store
