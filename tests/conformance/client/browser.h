// SPDX-License-Identifier: Apache-2.0
// Credentials with a person at hand: where OAuth says that somebody has to sign in, somebody does.
#pragma once

#include "client/oauth/oauth.h"
#include "scenario.h"

namespace pb::client {

class Browser : public Credentials {
  public:
    static Result<CredentialsPtr> make(outbound::Http& http, const std::string& url,
                                       const Scenario& scenario);

    std::optional<outbound::Headers> ready(std::string_view method, std::string_view url) override {
        return oauth_->ready(method, url);
    }
    Result<void> acquire(Deadline deadline) override;
    Result<void> challenged(const Challenge& challenge, Deadline deadline) override;

  private:
    Browser(outbound::Http& http, std::shared_ptr<OAuth> oauth)
        : http_(http), oauth_(std::move(oauth)) {}
    Result<void> sign_in(const Error& because, Deadline deadline);

    outbound::Http& http_;
    const std::shared_ptr<OAuth> oauth_;
    std::mutex mutex_;  // one person
    int sign_ins_ = 0;
};

}  // namespace pb::client
