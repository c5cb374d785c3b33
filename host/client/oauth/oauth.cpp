// SPDX-License-Identifier: Apache-2.0
// OAuth towards the requests: what they are given, what a refusal leads to.
#include "client/oauth/oauth.h"

#include <algorithm>
#include <system_error>

#include "base/base64.h"
#include "json/scan.h"

namespace pb::client {

using namespace oauth;

namespace {

constexpr std::chrono::seconds work_time{30}, pace_window{60};
constexpr std::size_t most_renewals = 3, most_scopes = 64;

Error late() {
    return {ErrorKind::deadline, "the authorization was not ready in time; it goes on"};
}

// "Bearer abc" to "abc".
std::string_view token_of(const outbound::Headers& headers) {
    const auto value = outbound::find_header(headers, "Authorization");
    return value.substr(value.find(' ') + 1);
}

// The nonce inside a proof of ours.
std::string nonce_of(std::string_view proof) {
    const auto start = std::min(proof.find('.'), proof.size());
    const auto rest = proof.substr(std::min(start + 1, proof.size()));
    const auto claims = base64_decode(rest.substr(0, rest.find('.')), Alphabet::url);
    return claims ? text_member(*claims, "nonce") : "";
}

bool is_state_prefix(std::string_view text) {
    return text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '.' || c == '_' || c == '-';
           });
}

}  // namespace

Result<std::shared_ptr<OAuth>> OAuth::make(OAuthSettings settings, OAuthParts parts) {
    std::shared_ptr<OAuth> out(new OAuth(std::move(settings), std::move(parts)));
    if (auto sound = out->check(); !sound) return std::move(sound).error();
    out->load();
    return out;
}

OAuth::OAuth(OAuthSettings settings, OAuthParts parts)
    : settings_(std::move(settings)), parts_([&parts] {
          if (!parts.registrations) parts.registrations = parts.tokens;
          return std::move(parts);
      }()) {}

OAuth::~OAuth() {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
}

Result<void> OAuth::check() {
    auto server = parse_secure_url(settings_.server, "the server's URL", settings_.allow_http);
    if (!server) return std::move(server).error();
    server_ = std::move(*server);
    if (!settings_.private_key.empty()) {
        auto key = jose::SigningKey::from_pem(settings_.private_key);
        if (!key) return std::move(key).error();
        client_key_ = std::move(*key);
    }
    if (!is_state_prefix(settings_.state_prefix))
        return invalid("state_prefix may hold 64 letters, digits, '.', '_' and '-'");
    if (is_attended()) {
        const auto back = parse_secure_url(settings_.redirect_uri, "the redirect URI", false);
        return back ? Result<void>() : back.error();
    }
    if (settings_.grant == Grant::client_credentials && settings_.client_id.empty())
        return invalid("client_credentials needs a client_id");
    if (settings_.grant != Grant::client_credentials && !settings_.assertion)
        return invalid("nothing gives the assertion that this grant exchanges");
    const auto& provider = settings_.identity_provider;
    if (settings_.grant == Grant::enterprise && provider.issuer.empty() &&
        provider.token_endpoint.empty())
        return invalid("the identity provider's issuer or token_endpoint is missing");
    return {};
}

Seconds OAuth::now() const {
    return std::chrono::duration_cast<std::chrono::seconds>(parts_.now().time_since_epoch())
        .count();
}

bool OAuth::is_ours(std::string_view url) const {
    if (url == settings_.server) return true;
    const auto parsed = parse_url(url, "the URL");
    return parsed && parsed->origin() == server_.origin();
}

std::optional<outbound::Headers> OAuth::ready(std::string_view method, std::string_view url) {
    if (!is_ours(url)) return outbound::Headers();
    Lock lock(mutex_);
    if (!settled()) return std::nullopt;
    if (!tokens_) return outbound::Headers();
    if (!key_) return bearer(tokens_->access);
    const auto token = tokens_->access;
    const auto key = *key_;
    const auto nonce = nonce_;
    lock.unlock();
    auto proof = dpop_proof(key, method, url, token, nonce, now());
    if (!proof) return std::nullopt;
    return outbound::Headers{{"Authorization", "DPoP " + token}, {"DPoP", std::move(*proof)}};
}

Result<void> OAuth::acquire(Deadline deadline) {
    Lock lock(mutex_);
    if (auto turn = wait_turn(lock, deadline); !turn) return turn;
    if (settled()) return {};
    if (const auto* error = standing()) return *error;
    return perform(lock, deadline, [this](const Web& web) { return renew(web); });
}

Result<void> OAuth::challenged(const Challenge& challenge, Deadline deadline) {
    if (!is_ours(challenge.url))
        return Error{ErrorKind::denied, "another origin than " + server_.origin() +
                                            " asks for credentials, which it does not get"};
    const auto demand = read_demand(challenge.www_authenticate);
    const bool scope_missing = challenge.status == 403 && demand.error == "insufficient_scope";
    if (challenge.status != 401 && !scope_missing)
        return Error{ErrorKind::denied, server_.origin() + " forbids it (HTTP " +
                                            std::to_string(challenge.status) + ")"};
    Lock lock(mutex_);
    if (auto turn = wait_turn(lock, deadline); !turn) return turn;
    // Somebody else was refused before, and has got something newer.
    if (tokens_ && settled() && token_of(challenge.used) != tokens_->access) return {};
    if (take_nonce(challenge)) return {};
    if (scope_missing && tokens_) return forbidden(lock, demand, deadline);
    return unauthorized(lock, demand, deadline);
}

bool OAuth::may_renew() const { return !is_attended() || (tokens_ && !tokens_->refresh.empty()); }

bool OAuth::settled() const {
    if (!tokens_) return !memory_.asked;
    if (refused_ == tokens_->access) return false;
    const auto time = now();
    if (tokens_->expires != 0 && time >= tokens_->expires) return false;
    if (tokens_->refresh_at == 0 || time < tokens_->refresh_at || !may_renew()) return true;
    return failure_ &&
           time < failure_->until;  // it could not be renewed just now, and serves still
}

bool OAuth::lacks_scopes() const {
    auto asked = tokens_ ? tokens_->scopes : std::vector<std::string>();
    return tokens_ && add_scopes(asked, memory_.scopes);
}

const Error* OAuth::standing() const {
    return failure_ && (failure_->final || now() < failure_->until) ? &failure_->error : nullptr;
}

std::vector<std::string> OAuth::wanted_scopes(const std::vector<std::string>& published) const {
    auto out = settings_.scopes;
    add_scopes(out, memory_.scopes);
    return out.empty() ? published : out;
}

Result<void> OAuth::wait_turn(Lock& lock, Deadline deadline) {
    if (changed_.wait_until(lock, deadline, [this] { return !busy_; })) return {};
    return late();
}

Result<void> OAuth::perform(Lock& lock, Deadline deadline, Work work) {
    if (auto turn = wait_turn(lock, deadline); !turn) return turn;
    if (thread_.joinable()) thread_.join();  // it has ended its work and lets the lock alone
    const auto outcome = std::make_shared<std::optional<Result<void>>>();
    busy_ = true;
    try {
        thread_ = std::thread([this, outcome, work = std::move(work)] {
            Result<void> result = internal_error("the authorization failed in an unforeseen way");
            try {
                result = work(Web(parts_.fetch, std::chrono::steady_clock::now() + work_time,
                                  settings_.allow_http, settings_.protocol_version, &stopping_));
            } catch (const std::exception&) {
                // What was thrown might quote a secret.
            }
            const std::lock_guard done(mutex_);
            *outcome = std::move(result);
            busy_ = false;
            changed_.notify_all();
        });
    } catch (const std::system_error&) {
        busy_ = false;
        return Error{ErrorKind::busy, "there is no thread for the authorization"};
    }
    if (changed_.wait_until(lock, deadline, [&] { return outcome->has_value(); })) return **outcome;
    return late();
}

bool OAuth::note(const Demand& demand) {
    bool news = !memory_.asked;
    memory_.asked = true;
    if (!demand.resource_metadata.empty() &&
        memory_.resource_metadata != demand.resource_metadata) {
        memory_.resource_metadata = demand.resource_metadata;
        news = true;
    }
    if (demand.dpop && !memory_.dpop) memory_.dpop = news = true;
    // Together with what there was: for other operations it is needed still.
    auto scopes = memory_.scopes;
    if (tokens_ && !demand.scopes.empty()) add_scopes(scopes, tokens_->scopes);
    add_scopes(scopes, demand.scopes);
    if (scopes.size() <= most_scopes && scopes.size() > memory_.scopes.size()) {
        memory_.scopes = std::move(scopes);
        news = true;
    }
    return news;
}

bool OAuth::take_nonce(const Challenge& challenge) {
    if (!key_ || challenge.dpop_nonce.empty() || challenge.status != 401) return false;
    if (nonce_of(outbound::find_header(challenge.used, "DPoP")) == challenge.dpop_nonce)
        return false;  // it was given, and it is not what is missing
    nonce_ = challenge.dpop_nonce;
    return true;
}

Result<void> OAuth::keep_pace() {
    const auto time = std::chrono::steady_clock::now();
    while (!renewals_.empty() && renewals_.front() < time - pace_window)
        renewals_.pop_front();
    if (renewals_.size() >= most_renewals)
        return Error{ErrorKind::denied, server_.origin() +
                                            " refuses tokens that were just issued for it; it is "
                                            "asked again in a minute"};
    renewals_.push_back(time);
    return {};
}

Result<void> OAuth::unauthorized(Lock& lock, const Demand& demand, Deadline deadline) {
    const bool news = note(demand);
    if (!tokens_ && !news)
        if (const auto* error = standing()) return *error;
    if (tokens_) {
        refused_ = tokens_->access;
        if (may_renew())
            if (auto paced = keep_pace(); !paced) return paced;
    }
    // The server may have moved to another authorization server.
    memory_.found_at = 0;
    failure_.reset();
    return perform(lock, deadline, [this](const Web& web) { return renew(web); });
}

Result<void> OAuth::forbidden(Lock& lock, const Demand& demand, Deadline deadline) {
    auto asked = tokens_->scopes;
    const auto text = server_.origin() + " asks for more permission (scope " +
                      harmless(join_scopes(demand.scopes), {}) + ")";
    if (!add_scopes(asked, demand.scopes))
        return Error{ErrorKind::denied, text + ", which was asked for already and not enough"};
    note(demand);
    if (!lacks_scopes()) return Error{ErrorKind::denied, text + ", which are too many scopes"};
    if (is_attended()) {
        auto saved = perform(lock, deadline, [this](const Web&) {
            save_memory();
            return Result<void>();
        });
        if (!saved) return saved;
        return Error{ErrorKind::denied, text + ": a person has to sign in again"};
    }
    if (auto paced = keep_pace(); !paced) return paced;
    const auto token = refused_ = tokens_->access;
    auto done = perform(lock, deadline, [this](const Web& web) { return renew(web); });
    if (!done && refused_ == token) refused_.clear();  // for the rest it is still good
    return done;
}

OAuth::Status OAuth::status() const {
    const Lock lock(mutex_);
    Status out;
    if (tokens_) {
        out.scopes = tokens_->scopes;
        out.expires = tokens_->expires;
    }
    const bool has_token = tokens_ && (settled() || (may_renew() && !standing()));
    if (has_token) {
        out.state = lacks_scopes() ? State::needs_permission : State::ready;
        out.text = lacks_scopes() ? "more permission was asked for: " + join_scopes(memory_.scopes)
                                  : "signed in";
        if (!unsaved_.empty()) out.text += "; the tokens could not be stored: " + unsaved_;
    } else if (const auto* error = standing()) {
        out.state = failure_->final ? State::needs_sign_in : State::failing;
        out.text = error->message;
    } else if (memory_.asked && !may_renew()) {
        out.state = State::needs_sign_in;
        out.text = "a person has to sign in to " + server_.origin();
    } else {
        out.text = "not asked for yet";
    }
    return out;
}

}  // namespace pb::client
