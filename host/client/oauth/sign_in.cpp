// SPDX-License-Identifier: Apache-2.0
// OAuth towards a person: a sign-in begins with a link and ends with the browser's return.
#include <algorithm>

#include "client/oauth/oauth.h"

namespace pb::client {

using namespace oauth;

namespace {

constexpr Seconds sign_in_time = 600, link_again = 300, found_lately = 300;
constexpr std::size_t most_sign_ins = 16;

Error denied(std::string message) { return {ErrorKind::denied, std::move(message)}; }

// Nothing if it is absent; of two, no one knows which one counts (RFC 6749 §3.1).
Result<std::optional<std::string>> only(const FormParams& params, std::string_view name) {
    std::optional<std::string> found;
    for (const auto& [key, value] : params) {
        if (key != name) continue;
        if (found) return invalid("the sign-in's answer has " + std::string(name) + " twice");
        found = value;
    }
    return found;
}

// RFC 9207 §2.4: whoever answered must be whom the person was sent to. By its very bytes.
Result<void> check_issuer(const AuthorizationServer& server,
                          const std::optional<std::string>& iss) {
    if (!iss && server.iss_in_response)
        return denied("the sign-in's answer does not name its issuer, as " + server.issuer +
                      " says that its answers do");
    if (iss && *iss != server.issuer)
        return denied("the sign-in's answer is from another issuer than " + server.issuer);
    return {};
}

// The code of an answer that is sound.
Result<std::string> read_code(const SignIn& sign_in, const FormParams& params) {
    std::optional<std::string> values[4];
    const char* const names[] = {"state", "iss", "error", "code"};
    for (int i = 0; i < 4; ++i) {
        auto value = only(params, names[i]);
        if (!value) return std::move(value).error();
        values[i] = std::move(*value);
    }
    const auto& [state, iss, error, code] = values;
    if (!same_secret(state.value_or(""), sign_in.state))
        return denied("the sign-in's answer belongs to another sign-in");
    // Before anything else of it is believed or shown.
    if (auto checked = check_issuer(sign_in.found.server, iss); !checked)
        return std::move(checked).error();
    if (error == "access_denied") return denied("the sign-in was declined");
    if (error)
        return denied("the authorization server " + sign_in.found.server.issuer +
                      " answered the sign-in with " +
                      harmless(*error, {sign_in.verifier, sign_in.state}));
    if (!code || code->empty()) return invalid("the sign-in's answer has no code");
    return *code;
}

}  // namespace

void OAuth::prune_sign_ins() {
    const auto time = now();
    std::erase_if(sign_ins_, [&](const SignIn& each) { return each.expires <= time; });
}

Result<OAuth::Begun> OAuth::begin_sign_in(const std::string& owner, Deadline deadline, bool anew) {
    if (!is_attended())
        return Error{ErrorKind::unsupported,
                     "nobody signs in to this server: it is configured with "
                     "credentials of its own"};
    Lock lock(mutex_);
    if (auto turn = wait_turn(lock, deadline); !turn) return std::move(turn).error();
    prune_sign_ins();
    const auto wanted = memory_.found ? wanted_scopes(memory_.found->scopes) : settings_.scopes;
    for (const auto& each : sign_ins_)
        if (!anew && each.owner == owner && each.expires > now() + link_again &&
            memory_.found_at != 0 && each.scopes == wanted &&
            each.client.redirect_uri == settings_.redirect_uri)
            return Begun{each.url, each.state, each.expires};
    const auto out = std::make_shared<Begun>();
    auto done = perform(lock, deadline, [this, owner, anew, out](const Web& web) {
        return start_sign_in(web, owner, anew, *out);
    });
    if (!done) return std::move(done).error();
    return *out;
}

Result<void> OAuth::start_sign_in(const Web& web, const std::string& owner, bool anew, Begun& out) {
    Lock lock(mutex_);
    if (now() > memory_.found_at + found_lately) memory_.found_at = 0;
    lock.unlock();
    const auto found = find(web);
    if (!found) return found.error();
    auto granting = prepare(web, *found, anew);
    if (!granting) return std::move(granting).error();
    SignIn sign_in;
    sign_in.state = settings_.state_prefix + random_text();
    sign_in.owner = owner;
    sign_in.verifier = random_text();
    auto url = authorization_url(*granting, sign_in.state, sign_in.verifier);
    if (!url) return std::move(url).error();
    sign_in.url = std::move(*url);
    sign_in.found = *found;
    sign_in.client = granting->client;
    sign_in.scopes = granting->scopes;
    if (granting->dpop) sign_in.dpop_key = granting->dpop->pem();
    sign_in.expires = now() + sign_in_time;
    out = {sign_in.url, sign_in.state, sign_in.expires};
    lock.lock();
    if (sign_ins_.size() >= most_sign_ins) sign_ins_.erase(sign_ins_.begin());
    sign_ins_.push_back(std::move(sign_in));
    lock.unlock();
    return save_sign_ins();
}

std::optional<std::string> OAuth::sign_in_owner(const std::string& state) const {
    const Lock lock(mutex_);
    for (const auto& each : sign_ins_)
        if (same_secret(each.state, state) && each.expires > now()) return each.owner;
    return std::nullopt;
}

Result<void> OAuth::finish_sign_in(const std::string& state, const FormParams& params,
                                   Deadline deadline) {
    Lock lock(mutex_);
    if (auto turn = wait_turn(lock, deadline); !turn) return turn;
    prune_sign_ins();
    const auto found = std::find_if(sign_ins_.begin(), sign_ins_.end(), [&](const SignIn& each) {
        return same_secret(each.state, state);
    });
    if (found == sign_ins_.end())
        return not_found("there is no such sign-in, or no longer; begin it again");
    const auto sign_in = std::make_shared<SignIn>(std::move(*found));
    sign_ins_.erase(found);
    return perform(lock, deadline, [this, sign_in, params](const Web& web) {
        return end_sign_in(web, *sign_in, params);
    });
}

Result<void> OAuth::end_sign_in(const Web& web, const SignIn& sign_in, const FormParams& params) {
    (void)save_sign_ins();  // at worst it is there again after a restart, and its code is used up
    const auto code = read_code(sign_in, params);
    if (!code) return code.error();
    Granting granting{web, settings_, sign_in.found, sign_in.client, sign_in.scopes};
    granting.client_key = client_key_ ? &*client_key_ : nullptr;
    granting.dpop_nonce = &issuer_nonce_;
    granting.now = now();
    if (!sign_in.dpop_key.empty()) {
        auto key = jose::SigningKey::from_pem(sign_in.dpop_key);
        if (!key) return std::move(key).error();
        granting.dpop = std::move(*key);
    }
    auto granted = redeem_code(granting, *code, sign_in.verifier);
    if (auto* refusal = std::get_if<TokenRefusal>(&granted)) {
        if (refusal->code == "invalid_client")
            forget_registration(settings_, *parts_.registrations, sign_in.client);
        return std::move(refusal->error);
    }
    {
        // What a sign-in was begun with is what holds from now on.
        const Lock lock(mutex_);
        memory_.found = sign_in.found;
        memory_.asked = true;
        if (memory_.found_at == 0) memory_.found_at = now();
    }
    save_memory();
    return accept(std::get<Tokens>(std::move(granted)));
}

Result<void> OAuth::sign_out(Deadline deadline) {
    Lock lock(mutex_);
    if (auto turn = wait_turn(lock, deadline); !turn) return turn;
    const auto tokens = tokens_;
    const auto found = memory_.found;
    sign_ins_.clear();
    memory_.scopes.clear();
    failure_.reset();
    return perform(lock, deadline, [this, tokens, found](const Web& web) -> Result<void> {
        drop_tokens();
        save_memory();
        (void)save_sign_ins();
        if (!tokens || !found) return {};
        Granting granting{web, settings_, *found, tokens->client, {}};
        granting.client_key = client_key_ ? &*client_key_ : nullptr;
        granting.now = now();
        return revoke(granting, *tokens);
    });
}

}  // namespace pb::client
