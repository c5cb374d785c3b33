// SPDX-License-Identifier: Apache-2.0
#include "app/seal_key.h"

#include "base/log.h"
#include "store/key_file.h"

namespace pb::app {

mcp::Seal::Key seal_key(const std::string& data_dir) {
    auto kept = store::kept_key(data_dir + "/seal.key");
    if (kept) return *kept;
    log::warning("seal.key_not_kept", {{"reason", kept.error().message}});
    return aes_gcm::random_key();
}

}  // namespace pb::app
