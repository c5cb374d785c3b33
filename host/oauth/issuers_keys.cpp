// SPDX-License-Identifier: Apache-2.0
#include "oauth/issuers_keys.h"

#include <algorithm>
#include <charconv>

#include "base/log.h"
#include "base/url.h"
#include "json/scan.h"

namespace pb::oauth {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds shortest_life = 5min, longest_life = 24h, usual_life = 1h;
constexpr std::chrono::seconds grace = 1h;  // while the issuer cannot be reached
constexpr std::chrono::seconds pace = 60s, pace_without_keys = 10s;
constexpr std::chrono::milliseconds request_time = 4s;
// Tokens with made-up keys must not be able to keep all of the host's workers waiting.
constexpr int most_waiting = 16;
constexpr std::size_t largest_answer = 256U << 10U;
constexpr json::Limits answer_limits{largest_answer, 16, 8192};

// How long the answer may be used, by its Cache-Control and Age, within bounds of our own.
std::chrono::seconds lifetime_of(const outbound::Head& head) {
    const auto number = [](std::string_view text) -> std::optional<std::int64_t> {
        std::int64_t out = 0;
        const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), out);
        if (fault == std::errc::result_out_of_range) return longest_life.count();
        return end != text.data() && out >= 0 ? std::optional(out) : std::nullopt;
    };
    std::string control(head.header("Cache-Control"));
    std::transform(control.begin(), control.end(), control.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (control.find("no-store") != std::string::npos ||
        control.find("no-cache") != std::string::npos)
        return shortest_life;
    constexpr std::string_view name = "max-age=";
    const auto at = control.find(name);
    if (at == std::string::npos) return usual_life;
    const auto age = std::min(number(control.substr(at + name.size())).value_or(0),
                              std::int64_t{longest_life.count()});
    const auto passed = number(head.header("Age")).value_or(0);
    return std::clamp(std::chrono::seconds(age - std::min(age, passed)), shortest_life,
                      longest_life);
}

}  // namespace

PublishedKeys::KeysPtr PublishedKeys::for_token(const jose::Token& token) {
    std::unique_lock lock(mutex_);
    const auto now = ticks_();
    const bool missing = !keys_ || !keys_->has_key_for(token);
    if (missing || now >= refresh_at_) begin(now);
    const bool has_to_wait = missing || now >= fresh_until_;
    if (has_to_wait && fetching_ && waiting_ < most_waiting) {
        ++waiting_;
        fetched_.wait_for(lock, patience_, [this] { return !fetching_; });
        --waiting_;
    }
    return ticks_() < usable_until_ ? keys_ : nullptr;
}

PublishedKeys::KeysPtr PublishedKeys::fresh() {
    std::lock_guard lock(mutex_);
    const auto now = ticks_();
    if (!keys_ || now >= fresh_until_) return nullptr;
    if (now >= refresh_at_) begin(now);
    return keys_;
}

void PublishedKeys::begin(Ticks now) {
    if (fetching_ || (not_before_ && now < *not_before_)) return;
    fetching_ = true;
    not_before_ = now + (keys_ ? pace : pace_without_keys);
    workers_.post([self = shared_from_this()] { self->refresh(); });
}

void PublishedKeys::refresh() {
    auto got = [this]() -> Result<Fetched> {
        try {
            return fetch();
        } catch (const std::exception& error) {
            return internal_error(error.what());
        }
    }();
    if (got)
        log::info("issuer.keys", {{"issuer", issuer_}, {"keys", got->keys.size()}});
    else if (!stopping_)
        log::warning("issuer.keys", {{"issuer", issuer_}, {"reason", got.error().message}});
    std::lock_guard lock(mutex_);
    if (got) {
        const auto now = ticks_();
        not_before_ = now + pace;
        refresh_at_ = now + got->lifetime * 3 / 4;
        fresh_until_ = now + got->lifetime;
        usable_until_ = fresh_until_ + grace;
        keys_ = std::make_shared<const jose::KeySet>(std::move(got->keys));
    }
    fetching_ = false;
    fetched_.notify_all();
}

Result<PublishedKeys::Fetched> PublishedKeys::fetch() const {
    auto place = jwks_uri_.empty() ? discover() : Result<std::string>(jwks_uri_);
    if (!place) return std::move(place).error();
    const auto answer = get(*place);
    if (!answer) return answer.error();
    if (answer->head.status != 200)
        return invalid(*place + " answered HTTP " + std::to_string(answer->head.status));
    auto keys = jose::KeySet::parse(answer->body);
    if (!keys) return invalid(*place + " is no set of keys: " + keys.error().message);
    return Fetched{std::move(*keys), lifetime_of(answer->head)};
}

// RFC 8414, 3 and OpenID Connect Discovery, 4.
Result<std::string> PublishedKeys::discover() const {
    const auto issuer = parse_secure_url(issuer_, "the issuer", false);
    if (!issuer) return issuer.error();
    auto below = issuer->origin() + issuer->path;
    if (below.ends_with('/')) below.pop_back();
    for (const auto& place : {below + "/.well-known/openid-configuration",
                              well_known(*issuer, "oauth-authorization-server"),
                              well_known(*issuer, "openid-configuration")}) {
        const auto answer = get(place);
        if (!answer) return answer.error();
        const int status = answer->head.status;
        if (status == 429 || status >= 500)
            return invalid(place + " answered HTTP " + std::to_string(status));
        if (status != 200 || !json::scan(answer->body, answer_limits)) continue;
        if (json::string_value(json::member(answer->body, "issuer")) != issuer_)
            return invalid("the metadata at " + place + " is of another issuer");
        const auto uri = json::string_value(json::member(answer->body, "jwks_uri"));
        if (!uri) return invalid("the metadata at " + place + " has no jwks_uri");
        const auto keys = parse_secure_url(*uri, "the jwks_uri at " + place, false);
        if (!keys) return keys.error();
        return keys->text();
    }
    return invalid("the issuer publishes no metadata; its jwks_uri can be configured");
}

Result<outbound::Answer> PublishedKeys::get(const std::string& url) const {
    if (stopping_) return Error{ErrorKind::cancelled, "the host is stopping"};
    outbound::Request request;
    request.url = url;
    request.headers = {{"Accept", "application/json"}};
    request.max_answer = largest_answer;
    request.connect_time = request.time = request_time;
    request.redirects = 3;
    auto outcome = fetch_(std::move(request));
    if (const auto* failure = std::get_if<outbound::Failure>(&outcome))
        return invalid(failure->message);
    return std::get<outbound::Answer>(std::move(outcome));
}

}  // namespace pb::oauth
