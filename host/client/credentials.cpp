// SPDX-License-Identifier: Apache-2.0
#include "client/credentials.h"

#include "base/base64.h"

namespace pb::client {
namespace {

class Fixed : public Credentials {
  public:
    explicit Fixed(outbound::Headers headers) : headers_(std::move(headers)) {}

    std::optional<outbound::Headers> ready(std::string_view, std::string_view) override {
        return headers_;
    }
    Result<void> acquire(Deadline) override { return {}; }
    Result<void> challenged(const Challenge& challenge, Deadline) override {
        const auto status = std::to_string(challenge.status);
        if (headers_.empty())
            return Error{ErrorKind::denied, "the server asks for credentials (HTTP " + status +
                                                ") and none are configured for it"};
        return Error{ErrorKind::denied,
                     "the server does not accept the credentials that are "
                     "configured for it (HTTP " +
                         status + ")"};
    }

  private:
    const outbound::Headers headers_;
};

}  // namespace

CredentialsPtr fixed_credentials(outbound::Headers headers) {
    return std::make_shared<Fixed>(std::move(headers));
}

outbound::Headers bearer(std::string_view token) {
    return {{"Authorization", "Bearer " + std::string(token)}};
}

outbound::Headers basic(std::string_view user, std::string_view password) {
    const auto pair = std::string(user) + ":" + std::string(password);
    return {{"Authorization", "Basic " + base64_encode(pair, Alphabet::standard)}};
}

}  // namespace pb::client
