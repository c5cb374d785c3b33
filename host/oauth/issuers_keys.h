// SPDX-License-Identifier: Apache-2.0
// PublishedKeys: the keys of one issuer, as it publishes them now. They are fetched when they are
// first needed, again before they are old, and at once when a token names one that is not among
// them: but never more often than once a minute, whatever tokens come. While an issuer cannot be
// reached, what it said last holds for another hour.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/workers.h"
#include "jose/verify.h"
#include "oauth/issuers.h"

namespace pb::oauth {

class PublishedKeys : public std::enable_shared_from_this<PublishedKeys> {
  public:
    using Ticks = std::chrono::steady_clock::time_point;
    using KeysPtr = std::shared_ptr<const jose::KeySet>;

    // `workers` outlives whoever asks.
    PublishedKeys(std::string issuer, std::string jwks_uri, const Issuers::Parts& parts,
                  Workers& workers)
        : issuer_(std::move(issuer)),
          jwks_uri_(std::move(jwks_uri)),
          fetch_(parts.fetch),
          ticks_(parts.ticks),
          patience_(parts.patience),
          workers_(workers) {}

    const std::string& issuer() const { return issuer_; }
    const std::string& jwks_uri() const { return jwks_uri_; }

    // [any thread, waits a few seconds at most] The keys to verify the token with, as far as they
    // can be had; null if there are none.
    KeysPtr for_token(const jose::Token& token);
    // [any thread] Those that are fresh; null if there are none, and somebody has to wait.
    KeysPtr fresh();
    // No request is made any more.
    void stop() { stopping_ = true; }

  private:
    struct Fetched {
        jose::KeySet keys;
        std::chrono::seconds lifetime;
    };

    void begin(Ticks now);
    void refresh();
    Result<Fetched> fetch() const;
    Result<std::string> discover() const;
    Result<outbound::Answer> get(const std::string& url) const;

    const std::string issuer_, jwks_uri_;
    const decltype(Issuers::Parts::fetch) fetch_;
    const decltype(Issuers::Parts::ticks) ticks_;
    const std::chrono::milliseconds patience_;
    Workers& workers_;
    std::atomic<bool> stopping_ = false;

    std::mutex mutex_;
    std::condition_variable fetched_;
    KeysPtr keys_;
    Ticks refresh_at_, fresh_until_, usable_until_;  // of keys_
    std::optional<Ticks> not_before_;                // the next fetch
    bool fetching_ = false;
    int waiting_ = 0;
};

}  // namespace pb::oauth
