// SPDX-License-Identifier: Apache-2.0
// OAuth: the credentials of one identity for one MCP server. It finds out who issues tokens, gets
// them, keeps them fresh and steps up; where a person has to sign in, it says so and gives the
// link.
//
// It does one piece of work at a time (discovery, a renewal, a sign-in's end), on a thread of its
// own: whoever waits for it waits until his own deadline, and an answer that comes later still
// counts, as a refresh token that was rotated must not be lost.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "client/oauth/challenge.h"
#include "client/oauth/grants.h"

namespace pb::client {

class OAuth : public Credentials {
  public:
    // The error names what is wrong with the settings. Reads the store.
    static Result<std::shared_ptr<OAuth>> make(OAuthSettings settings, OAuthParts parts);
    // Waits for the request that runs, which has a bound of its own.
    ~OAuth() override;
    OAuth(const OAuth&) = delete;
    OAuth& operator=(const OAuth&) = delete;

    // Before the server has asked for anything, there is nothing to show: its challenge says what
    // it wants. Nothing is ever shown to another origin than the server's.
    std::optional<outbound::Headers> ready(std::string_view method, std::string_view url) override;
    Result<void> acquire(Deadline deadline) override;
    Result<void> challenged(const Challenge& challenge, Deadline deadline) override;

    enum class State {
        untried,           // the server has not asked for anything yet
        ready,             //
        needs_sign_in,     // by a person
        needs_permission,  // what there is serves, but not for all that was tried: sign in again
        failing,           // later may work
    };
    struct Status {
        State state = State::untried;
        std::string text;                 // for a person; no secrets
        std::vector<std::string> scopes;  // that the token was asked for with
        oauth::Seconds expires = 0;       // of the token; 0: unknown
    };
    // [any thread] Does not wait.
    Status status() const;

    struct Begun {
        std::string url;    // where the person's browser goes
        std::string state;  // what it comes back with
        oauth::Seconds expires = 0;
    };
    // [waits] `owner` is whoever may end it, in the caller's words. What an owner has begun lately
    // is returned again. `anew`: with a new registration, where it is a dynamic one.
    Result<Begun> begin_sign_in(const std::string& owner, Deadline deadline, bool anew = false);
    // Whose sign-in it is; nothing if there is none (any more).
    std::optional<std::string> sign_in_owner(const std::string& state) const;
    // [waits] `params`: the callback's query, decoded. A sign-in ends once, well or not.
    Result<void> finish_sign_in(const std::string& state, const FormParams& params,
                                Deadline deadline);
    // [waits] Forgets the tokens, then revokes them where that is offered. An error means that they
    // are forgotten, but may still be valid.
    Result<void> sign_out(Deadline deadline);

  private:
    using Lock = std::unique_lock<std::mutex>;
    using Work = std::function<Result<void>(const oauth::Web&)>;
    struct Failure {
        Error error;
        bool final = false;        // only a person or another challenge helps
        oauth::Seconds until = 0;  // otherwise: not tried again before
        int count = 0;             // in a row
    };

    OAuth(OAuthSettings settings, OAuthParts parts);
    Result<void> check();  // the settings
    void load();
    oauth::Seconds now() const;
    bool is_ours(std::string_view url) const;
    bool is_attended() const { return settings_.grant == Grant::authorization_code; }

    // With the lock.
    bool may_renew() const;  // without a person
    bool settled() const;    // nothing has to be done before a request
    bool lacks_scopes() const;
    const Error* standing() const;  // a failure that lasts
    std::vector<std::string> wanted_scopes(const std::vector<std::string>& published) const;
    Result<void> wait_turn(Lock& lock, Deadline deadline);
    // Waits for the turn, then for the work, and is without the lock meanwhile.
    Result<void> perform(Lock& lock, Deadline deadline, Work work);
    Result<void> unauthorized(Lock& lock, const oauth::Demand& demand, Deadline deadline);
    Result<void> forbidden(Lock& lock, const oauth::Demand& demand, Deadline deadline);
    bool note(const oauth::Demand& demand);
    bool take_nonce(const Challenge& challenge);
    Result<void> keep_pace();
    void prune_sign_ins();

    // The work: on its thread, without the lock.
    Result<void> renew(const oauth::Web& web);
    Result<oauth::Found> find(const oauth::Web& web);
    Result<oauth::Granting> prepare(const oauth::Web& web, const oauth::Found& found, bool anew);
    Result<void> refresh(const oauth::Web& web, const oauth::Found& found,
                         const oauth::Tokens& old);
    bool adopt_stored(const oauth::Tokens& old);
    Result<void> fail(Error error, bool final);
    Result<void> fail(oauth::TokenRefusal refusal, const oauth::Registration& client);
    Result<void> accept(oauth::Tokens tokens);
    void drop_tokens();
    Result<void> start_sign_in(const oauth::Web& web, const std::string& owner, bool anew,
                               Begun& out);
    Result<void> end_sign_in(const oauth::Web& web, const oauth::SignIn& sign_in,
                             const FormParams& params);
    void save_memory();
    Result<void> save_sign_ins();

    const OAuthSettings settings_;
    const OAuthParts parts_;
    Url server_;
    std::optional<jose::SigningKey> client_key_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool busy_ = false;
    std::thread thread_;
    std::atomic<bool> stopping_ = false;

    // Guarded by mutex_.
    oauth::Memory memory_;
    std::optional<oauth::Tokens> tokens_;
    std::optional<jose::SigningKey> key_;  // DPoP's, of tokens_
    std::string nonce_;                    // the server's last one
    std::string refused_;                  // an access token that the server does not take
    std::optional<Failure> failure_;
    std::string unsaved_;  // why tokens_ could not be stored
    std::vector<oauth::SignIn> sign_ins_;
    std::deque<Deadline> renewals_;  // that challenges caused, lately

    std::string issuer_nonce_;  // the work's own
};

}  // namespace pb::client
