// SPDX-License-Identifier: Apache-2.0
// OAuth's work behind the requests: finding out, renewing, keeping.
#include <algorithm>

#include "client/oauth/oauth.h"

namespace pb::client {

using namespace oauth;

namespace {

constexpr Seconds found_for = Seconds{24} * 3600;
constexpr Seconds first_pause = 2, longest_pause = 60, refusal_pause = 60;

std::string key_of(const Tokens& tokens) {
    return record_key("tokens", {tokens.issuer, tokens.resource});
}

bool is_for(const Tokens& tokens, const Found& found) {
    return tokens.issuer == found.server.issuer && tokens.resource == found.resource;
}

}  // namespace

void OAuth::load() {
    const auto read = [this](const std::string& key) {
        auto text = parts_.tokens->load(key);
        return text ? std::move(*text).value_or("") : std::string();
    };
    if (auto memory = memory_from_json(read(record_key("server", {settings_.server}))))
        memory_ = std::move(*memory);
    sign_ins_ = sign_ins_from_json(read(record_key("sign-ins", {settings_.server})));
    if (!memory_.found) return;
    Tokens wanted;
    wanted.issuer = memory_.found->server.issuer;
    wanted.resource = memory_.found->resource;
    auto tokens = tokens_from_json(read(key_of(wanted)));
    if (!tokens || !is_for(*tokens, *memory_.found)) return;
    // Another client is configured by now, or the same one with another secret.
    if (!settings_.client_id.empty()) {
        if (tokens->client.client_id != settings_.client_id) return;
        tokens->client.client_secret = settings_.client_secret;
    }
    if (!tokens->dpop_key.empty()) {
        auto key = jose::SigningKey::from_pem(tokens->dpop_key);
        if (!key) return;
        key_ = std::move(*key);
    }
    tokens_ = std::move(*tokens);
}

void OAuth::save_memory() {
    Lock lock(mutex_);
    const auto text = to_json(memory_);
    lock.unlock();
    // Without it a restart finds out anew.
    (void)parts_.tokens->save(record_key("server", {settings_.server}), text);
}

Result<void> OAuth::save_sign_ins() {
    Lock lock(mutex_);
    const auto text = to_json(sign_ins_);
    lock.unlock();
    return parts_.tokens->save(record_key("sign-ins", {settings_.server}), text);
}

Result<void> OAuth::fail(Error error, bool final) {
    const Lock lock(mutex_);
    const int count = failure_ ? failure_->count + 1 : 0;
    const auto pause = std::min(longest_pause, first_pause << std::min(count, 5));
    failure_ = Failure{error, final, now() + pause, count};
    return error;
}

Result<void> OAuth::fail(TokenRefusal refusal, const Registration& client) {
    if (refusal.code == "invalid_client" && is_dynamic(settings_, client))
        forget_registration(settings_, *parts_.registrations, client);
    const bool refused = !refusal.code.empty();
    auto outcome = fail(std::move(refusal.error), false);
    // A plain no will not be a yes in a second.
    const Lock lock(mutex_);
    if (refused) failure_->until = now() + refusal_pause;
    return outcome;
}

Result<void> OAuth::renew(const Web& web) {
    save_memory();  // what a challenge said
    Lock lock(mutex_);
    const auto old = tokens_;
    // What has to be a wider one is not refreshed.
    const bool refreshable = old && !old->refresh.empty() && (is_attended() || !lacks_scopes());
    lock.unlock();
    if (refreshable && adopt_stored(*old)) return {};
    if (refreshable || !is_attended()) {
        const auto found = find(web);
        if (!found) return fail(found.error(), false);
        if (refreshable && is_for(*old, *found)) {
            auto refreshed = refresh(web, *found, *old);
            if (refreshed || refreshed.error().kind != ErrorKind::gone) return refreshed;
        }
        if (!is_attended()) {
            auto granting = prepare(web, *found, false);
            if (!granting) return fail(granting.error(), false);
            auto granted = grant_unattended(*granting);
            if (auto* refusal = std::get_if<TokenRefusal>(&granted))
                return fail(std::move(*refusal), granting->client);
            return accept(std::get<Tokens>(std::move(granted)));
        }
    }
    return fail({ErrorKind::denied, "a person has to sign in to " + server_.origin()}, true);
}

// `gone`: the refresh token is not good any more.
Result<void> OAuth::refresh(const Web& web, const Found& found, const Tokens& old) {
    Granting granting{web, settings_, found, old.client, old.scopes};
    granting.client_key = client_key_ ? &*client_key_ : nullptr;
    granting.dpop_nonce = &issuer_nonce_;
    granting.now = now();
    if (!old.dpop_key.empty()) {
        auto key = jose::SigningKey::from_pem(old.dpop_key);
        if (!key) return fail(std::move(key).error(), false);
        granting.dpop = std::move(*key);
    }
    auto granted = oauth::refresh(granting, old);
    if (auto* tokens = std::get_if<Tokens>(&granted)) return accept(std::move(*tokens));
    auto& refusal = std::get<TokenRefusal>(granted);
    // A configured client with a wrong secret is put right by an administrator, not by everybody.
    const bool over = refusal.code == "invalid_grant" || refusal.code == "unauthorized_client" ||
                      (refusal.code == "invalid_client" && is_dynamic(settings_, old.client));
    if (!over) return fail(std::move(refusal), old.client);
    if (adopt_stored(old)) return {};
    auto without = old;
    without.refresh.clear();
    (void)parts_.tokens->save(key_of(without), to_json(without));
    (void)fail(std::move(refusal), old.client);
    const Lock lock(mutex_);
    tokens_ = std::move(without);  // until it expires, it serves
    failure_.reset();
    return Error{ErrorKind::gone, "the refresh token is not good any more"};
}

// Somebody else who shares the store may have renewed already: then his tokens are the good ones.
bool OAuth::adopt_stored(const Tokens& old) {
    const auto text = parts_.tokens->load(key_of(old));
    auto stored = text && *text ? tokens_from_json(**text) : std::nullopt;
    if (!stored || stored->access == old.access || stored->dpop_key != old.dpop_key) return false;
    const Lock lock(mutex_);
    if (stored->access == refused_) return false;
    tokens_ = std::move(*stored);
    failure_.reset();
    return settled();
}

Result<void> OAuth::accept(Tokens tokens) {
    // Kept before it is used: with it used and lost, a rotated refresh token would be gone.
    auto saved = parts_.tokens->save(key_of(tokens), to_json(tokens));
    std::optional<jose::SigningKey> key;
    if (!tokens.dpop_key.empty()) {
        auto read = jose::SigningKey::from_pem(tokens.dpop_key);
        if (!read) return fail(std::move(read).error(), false);
        key = std::move(*read);
    }
    const Lock lock(mutex_);
    tokens_ = std::move(tokens);
    key_ = std::move(key);
    memory_.asked = true;
    refused_.clear();
    failure_.reset();
    unsaved_ = saved ? "" : saved.error().message;
    return {};
}

void OAuth::drop_tokens() {
    Lock lock(mutex_);
    if (!tokens_) return;
    const auto key = key_of(*tokens_);
    tokens_.reset();
    key_.reset();
    refused_.clear();
    lock.unlock();
    (void)parts_.tokens->remove(key);
}

Result<Found> OAuth::find(const Web& web) {
    Lock lock(mutex_);
    const auto known = memory_.found;
    const bool current = known && memory_.found_at != 0;
    if (current && now() < memory_.found_at + found_for) return *known;
    Search search{server_, memory_.resource_metadata, settings_.issuer, !settings_.issuer.empty()};
    if (search.issuer.empty() && known) search.issuer = known->server.issuer;
    lock.unlock();
    auto found = discover(web, search);
    if (!found) return current ? Result<Found>(*known) : found;
    lock.lock();
    memory_.found = *found;
    memory_.found_at = now();
    const bool moved = tokens_ && !is_for(*tokens_, *found);
    lock.unlock();
    save_memory();
    // What one authorization server issued is never shown to another.
    if (moved) drop_tokens();
    return found;
}

Result<Granting> OAuth::prepare(const Web& web, const Found& found, bool anew) {
    Lock lock(mutex_);
    auto scopes = wanted_scopes(found.scopes);
    const bool bound = settings_.dpop == Dpop::always || (settings_.dpop == Dpop::when_asked &&
                                                          (memory_.dpop || found.dpop_required));
    lock.unlock();
    auto client = identify(web, settings_, *parts_.registrations, found, scopes, now(), anew);
    if (!client) return std::move(client).error();
    Granting out{web, settings_, found, std::move(*client), std::move(scopes)};
    out.client_key = client_key_ ? &*client_key_ : nullptr;
    out.dpop_nonce = &issuer_nonce_;
    out.now = now();
    if (!bound) return out;
    const auto& known = found.server.dpop_algorithms;
    auto key = jose::SigningKey::generate();
    if (!key) return std::move(key).error();
    if (!known.empty() && std::find(known.begin(), known.end(), key->algorithm()) == known.end())
        return Error{ErrorKind::unsupported, "the authorization server " + found.server.issuer +
                                                 " takes no DPoP proofs that are signed with " +
                                                 key->algorithm()};
    out.dpop = std::move(*key);
    return out;
}

}  // namespace pb::client
