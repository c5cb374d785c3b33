// SPDX-License-Identifier: Apache-2.0
// SHA-256 as lower-case hexadecimal digits.
#pragma once

#include <openssl/evp.h>

#include <string>
#include <string_view>

namespace pb::remote {

inline std::string sha256(std::string_view bytes) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
    static constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (unsigned int i = 0; i < size; ++i) {
        out += digits[digest[i] >> 4U];
        out += digits[digest[i] & 15U];
    }
    return out;
}

}  // namespace pb::remote
