// SPDX-License-Identifier: Apache-2.0
// Trust: which plugin files the host's owner has approved, by hash or by signature.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pb::plugin {

// Both empty: every file that passes the other checks is trusted. Otherwise a file needs one of
// them.
struct TrustOptions {
    std::vector<std::string> sha256;     // 64 hexadecimal digits each
    std::vector<std::string> key_files;  // Ed25519 public keys in PEM
};

class Trust {
  public:
    // Reads the keys. An error names the file or the hash that is wrong.
    static Result<Trust> make(const TrustOptions& options);

    // [any thread] `path`.sig holds the detached Ed25519 signature of the bytes: 64 bytes, raw or
    // in base64. It is read only where keys are configured.
    Result<void> check(const std::string& path, std::string_view bytes,
                       std::string_view sha256) const;

  private:
    std::set<std::string, std::less<>> hashes_;
    std::vector<std::shared_ptr<void>> keys_;  // EVP_PKEY
};

}  // namespace pb::plugin
