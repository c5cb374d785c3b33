// SPDX-License-Identifier: Apache-2.0
#include "access/passwords.h"

#include <sodium.h>

#include <semaphore>

namespace pb::access::passwords {
namespace {

// RFC 9106's second choice takes 64 MiB and three passes; libsodium's interactive one two.
constexpr auto passes = crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE;
constexpr auto memory = crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE;

class Turn {
  public:
    Turn() { free().acquire(); }
    ~Turn() { free().release(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

  private:
    static std::counting_semaphore<2>& free() {
        static std::counting_semaphore<2> two(2);
        return two;
    }
};

std::string hashed(std::string_view password) {
    std::string out(crypto_pwhash_STRBYTES, '\0');
    const Turn turn;
    if (sodium_init() < 0 || crypto_pwhash_argon2id_str(out.data(), password.data(),
                                                        password.size(), passes, memory) != 0)
        return {};
    out.resize(out.find('\0'));
    return out;
}

}  // namespace

Result<std::string> hash(std::string_view password) {
    if (password.size() < shortest || password.size() > longest)
        return invalid("a password has " + std::to_string(shortest) + " to " +
                       std::to_string(longest) + " bytes");
    auto out = hashed(password);
    if (out.empty()) return internal_error("there is no memory for the password's hash");
    return out;
}

bool matches(std::string_view password, const std::string& hash) {
    if (password.size() > longest) return false;
    static const std::string nobody = hashed("nobody has this password");
    const bool real = hash.size() < crypto_pwhash_STRBYTES && !hash.empty();
    std::string text = real ? hash : nobody;
    text.resize(crypto_pwhash_STRBYTES);
    const Turn turn;
    return crypto_pwhash_argon2id_str_verify(text.data(), password.data(), password.size()) == 0 &&
           real;
}

}  // namespace pb::access::passwords
