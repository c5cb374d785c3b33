// SPDX-License-Identifier: Apache-2.0
// curl calls back in C: nothing is thrown through it, and what went wrong is kept in failure_.
#include "outbound/transfer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/log.h"

namespace pb::outbound {
namespace {

constexpr std::size_t most_pinned = 16;           // addresses that are tried
constexpr std::size_t dropped_body = 64U << 10U;  // of a redirect that is followed
constexpr std::chrono::seconds safe_idle{110};    // pooled connections for safe requests
constexpr auto never = Clock::time_point::max();

Clock::time_point after(std::chrono::milliseconds time) {
    return time.count() > 0 ? Clock::now() + time : never;
}

bool is_safe(std::string_view method) {
    return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

bool is_method(std::string_view method) {
    return !method.empty() && method.size() <= 32 &&
           std::all_of(method.begin(), method.end(), [](char c) { return c >= 'A' && c <= 'Z'; }) &&
           method != "CONNECT" && method != "TRACE";
}

std::optional<std::chrono::seconds> keep_alive(const Head& head) {
    const std::string_view value = head.header("keep-alive");
    const std::size_t at = value.find("timeout=");
    if (at == std::string_view::npos) return {};
    unsigned seconds = 0;
    const char* const begin = value.data() + at + 8;
    if (std::from_chars(begin, value.data() + value.size(), seconds).ec != std::errc()) return {};
    return std::chrono::seconds(seconds);
}

bool is_redirect(int status) {
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

}  // namespace

struct Transfer::Callbacks {
    template <class Work>
    static auto guarded(Transfer& self, decltype(std::declval<Work>()()) otherwise,
                        Work work) noexcept {
        try {
            return work();
        } catch (const std::exception& error) {
            log::error("outbound.fault", {{"reason", error.what()}});
        } catch (...) {
            log::error("outbound.fault", {{"reason", "an unknown exception"}});
        }
        self.failure_ = Failure{Fault::broken, true, "The answer could not be taken."};
        return otherwise;
    }
    static std::size_t header(char* bytes, std::size_t size, std::size_t count, void* self) {
        auto& transfer = *static_cast<Transfer*>(self);
        return guarded(transfer, std::size_t{0}, [&] {
            return transfer.on_header({bytes, size * count});
        });
    }
    static std::size_t body(char* bytes, std::size_t size, std::size_t count, void* self) {
        auto& transfer = *static_cast<Transfer*>(self);
        return guarded(transfer, std::size_t{0}, [&] {
            return transfer.on_body({bytes, size * count});
        });
    }
    static int ready(void* self, char* address, char*, int port, int) {
        auto& transfer = *static_cast<Transfer*>(self);
        return guarded(transfer, CURL_PREREQFUNC_ABORT,
                       [&] { return transfer.on_ready(address, port); });
    }
    static curl_socket_t open(void* self, curlsocktype, curl_sockaddr* address) {
        auto& transfer = *static_cast<Transfer*>(self);
        return guarded(transfer, CURL_SOCKET_BAD, [&] { return transfer.open_socket(*address); });
    }
};

Transfer::Transfer(Http::Ticket ticket, Request request, std::shared_ptr<Receiver> receiver)
    : ticket_(ticket),
      request_(std::move(request)),
      receiver_(std::move(receiver)),
      connect_due_(after(request_.connect_time)),
      due_(after(request_.time)) {
    const auto ready = check();
    if (!ready) failure_ = Failure{Fault::refused, false, ready.error().message};
}

Result<void> Transfer::check() {
    if (!is_method(request_.method)) return invalid("The request's method is not one of HTTP's.");
    auto target = parse_target(request_.url);
    if (!target) return std::move(target).error();
    target_ = std::move(*target);
    auto lines = header_lines(request_.headers, has_body());
    if (!lines) return std::move(lines).error();
    headers_ = std::move(*lines);
    return {};
}

bool Transfer::safe() const { return is_safe(request_.method); }

bool Transfer::has_body() const {
    return !request_.body.empty() || request_.method == "POST" || request_.method == "PUT" ||
           request_.method == "PATCH";
}

Clock::time_point Transfer::due() const {
    if (!connected_) return std::min(due_, connect_due_);
    if (request_.silence.count() <= 0) return due_;
    return std::min(due_, last_byte_ + request_.silence);
}

void Transfer::prepare(TransferHost& host, Easy easy, CheckedPtr checked,
                       std::optional<std::chrono::seconds> idle) {
    host_ = &host;
    easy_ = std::move(easy);
    checked_ = std::move(checked);
    CURL* const e = easy_.get();
    pin_.reset();
    if (!target_.address) {
        std::string line = "+" + target_.place + ":";
        for (std::size_t i = 0; i < std::min(checked_->addresses.size(), most_pinned); ++i)
            line.append(i == 0 ? "" : ",").append(text_of(checked_->addresses[i]));
        append(pin_, line);
    }
    curl_easy_setopt(e, CURLOPT_RESOLVE, pin_.get());
    curl_easy_setopt(e, CURLOPT_URL, target_.url.c_str());
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers_.get());
    curl_easy_setopt(e, CURLOPT_PRIVATE, this);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, error_);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, &Callbacks::header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, &Callbacks::body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, &Callbacks::ready);
    curl_easy_setopt(e, CURLOPT_PREREQDATA, this);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, &Callbacks::open);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, this);
    // curl divides it among a place's addresses, so that a dead first one leaves time for the next.
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        std::min({connect_due_, due_, Clock::now() + std::chrono::hours(24)}) - Clock::now());
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, std::max<long>(1, left.count()));
    curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, static_cast<long>(idle.value_or(safe_idle).count()));
    set_method(e);
}

void Transfer::set_method(CURL* e) {
    const std::string& method = request_.method;
    if (has_body()) {
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, request_.body.data());
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
                         static_cast<curl_off_t>(request_.body.size()));
        curl_easy_setopt(e, CURLOPT_POST, 1L);
    } else {
        curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
    }
    if (method == "HEAD") curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
    const bool own = method == "HEAD" || method == (has_body() ? "POST" : "GET");
    curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, own ? nullptr : method.c_str());
}

int Transfer::open_socket(curl_sockaddr& address) {
    connecting_ = true;
    auto refusal = host_->policy().refusal(address.addr);
    const auto known = host_->checked(target_.place);  // the pin of a later request may have won
    if (refusal.empty() && !checked_->holds(address.addr) &&
        !(known && known->holds(address.addr))) {
        refusal = "It has an address that was not checked";
    }
    if (!refusal.empty()) {
        fail(Fault::refused, refusal);
        return CURL_SOCKET_BAD;
    }
    const int made =
        ::socket(address.family, address.socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.protocol);
    if (made < 0 && (errno == EMFILE || errno == ENFILE))
        fail(Fault::busy, "No descriptor is free for a connection");
    return made < 0 ? CURL_SOCKET_BAD : made;
}

// A connection is there, new or from the pool; the request is written next.
int Transfer::on_ready(const char* address, int port) {
    sockaddr_storage peer{};
    auto& v4 = reinterpret_cast<sockaddr_in&>(peer);
    auto& v6 = reinterpret_cast<sockaddr_in6&>(peer);
    if (::inet_pton(AF_INET, address, &v4.sin_addr) == 1) {
        peer.ss_family = AF_INET;
    } else if (::inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
        peer.ss_family = AF_INET6;
    }
    const auto refusal = host_->policy().refusal(reinterpret_cast<const sockaddr&>(peer));
    if (!refusal.empty() || port != target_.port) {
        fail(Fault::refused, refusal.empty() ? "It is connected to another port" : refusal);
        return CURL_PREREQFUNC_ABORT;
    }
    // When a pooled connection ends without an answer, curl sends the request again by itself. The
    // server may have executed it (RFC 9110, 9.2.2).
    if (++attempts_ > 1 && !safe()) {
        fail(Fault::broken, "The connection ended before an answer came");
        return CURL_PREREQFUNC_ABORT;
    }
    connected_ = true;
    last_byte_ = Clock::now();
    host_->connected(*this);
    return CURL_PREREQFUNC_OK;
}

std::size_t Transfer::on_header(std::string_view line) {
    last_byte_ = Clock::now();
    const bool before = head_.complete();
    switch (head_.line(line)) {
        case HeadReader::State::more:
            return line.size();
        case HeadReader::State::complete:
            return before || on_head() ? line.size() : 0;
        case HeadReader::State::bad:
            fail(Fault::broken, "The answer is not HTTP");
            return 0;
        case HeadReader::State::too_large:
            fail(Fault::too_large,
                 "The answer's header is over " + std::to_string(HeadReader::max_size) + " bytes");
            return 0;
    }
    return 0;
}

bool Transfer::on_head() {
    const Head& head = head_.head();
    if (const auto idle = keep_alive(head)) host_->keeps(target_.place, *idle);
    if (plan_redirect(head)) return true;
    holds_head_ = host_->holds(*this);
    if (!holds_head_) receiver_->head(head);
    return true;
}

std::size_t Transfer::on_body(std::string_view bytes) {
    last_byte_ = Clock::now();
    body_size_ += bytes.size();
    if (next_) return body_size_ <= dropped_body ? bytes.size() : 0;
    if (!head_.complete()) {
        fail(Fault::broken, "The answer is not HTTP");
        return 0;
    }
    if (request_.max_answer > 0 && body_size_ > request_.max_answer) {
        fail(Fault::too_large,
             "The answer is over " + std::to_string(request_.max_answer) + " bytes");
        return 0;
    }
    if (host_->holds(*this)) {
        held_body_ += bytes;
        return bytes.size();
    }
    return tell(bytes) ? bytes.size() : 0;
}

bool Transfer::tell(std::string_view bytes) {
    if (receiver_->data(bytes)) return true;
    fail(Fault::too_large, "The answer is more than its receiver takes");
    return false;
}

void Transfer::tell_held() {
    if (std::exchange(holds_head_, false)) receiver_->head(head_.head());
    const auto body = std::exchange(held_body_, {});
    if (!body.empty()) tell(body);
}

bool Transfer::plan_redirect(const Head& head) {
    const bool same_request = safe() || head.status == 307 || head.status == 308;
    if (!is_redirect(head.status) || !same_request || request_.redirects <= 0) return false;
    const std::string location(head.header("location"));
    if (location.empty()) return false;
    auto next = resolve_reference(target_, location);
    if (!next || !next->same_origin(target_)) return false;
    next_ = std::move(*next);
    return true;
}

void Transfer::follow() {
    target_ = std::move(*next_);
    next_.reset();
    --request_.redirects;
    sent_before_ = true;
    connecting_ = connected_ = false;
    attempts_ = 0;
    head_ = {};
    body_size_ = 0;
    connect_due_ = after(request_.connect_time);
}

bool Transfer::multiplexed() const {
    long version = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_HTTP_VERSION, &version);
    return version >= CURL_HTTP_VERSION_2_0;
}

bool Transfer::finished(CURLcode code) {
    const bool cut = code == CURLE_WRITE_ERROR && !failure_;  // a redirect's body, by us
    if (next_ && !failure_ && (code == CURLE_OK || cut)) {
        follow();
        return true;
    }
    if (!failure_ && code == CURLE_OK && !head_.complete()) {
        fail(Fault::broken, "The answer is not HTTP");
    }
    if (!failure_ && code != CURLE_OK) fail(fault_of(code), reason_of(code));
    return false;
}

// A first write that fails leaves curl's count of written bytes at zero. With TLS it may do so for
// other reasons.
bool Transfer::sent() const {
    if (sent_before_) return true;
    if (!connected_) return false;
    long written = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_REQUEST_SIZE, &written);
    return written > 0 || target_.secure;
}

void Transfer::fail(Fault fault, const std::string& reason) {
    if (failure_) return;
    const bool stopped = reason.ends_with('.');
    failure_ = Failure{fault, sent(), target_.place + " failed: " + reason + (stopped ? "" : ".")};
}

void Transfer::fail_late() {
    const auto now = Clock::now();
    if (easy_ && !connecting_ && !connected_)
        return fail(Fault::busy, "No connection was free for it in time");
    if (!connected_ && due_ > now) return fail(Fault::late, "It could not be connected to in time");
    if (due_ > now) return fail(Fault::late, "It was silent for too long");
    fail(Fault::late, "The answer was not complete in time");
}

Fault Transfer::fault_of(CURLcode code) const {
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
            return Fault::unresolved;
        case CURLE_COULDNT_CONNECT:
            return Fault::unreachable;
        case CURLE_OPERATION_TIMEDOUT:
            return Fault::late;
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
        case CURLE_SSL_ENGINE_INITFAILED:
            return Fault::tls;
        default:
            return Fault::broken;
    }
}

std::string Transfer::reason_of(CURLcode code) const {
    const Fault fault = fault_of(code);
    long number = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_OS_ERRNO, &number);
    if (fault == Fault::unreachable && number != 0) {
        return std::string("It could not be connected to: ") +
               std::strerror(static_cast<int>(number));
    }
    if (fault == Fault::tls && error_[0] != '\0') return error_;
    switch (code) {
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_WEIRD_SERVER_REPLY:
            return "The answer is not HTTP";
        case CURLE_OUT_OF_MEMORY:  // curl's own bound of a header's line
            return "The answer's header is too large";
        case CURLE_PARTIAL_FILE:
            return "The connection ended before the answer did";
        default:
            return curl_easy_strerror(code);
    }
}

void Transfer::tell_end() {
    try {
        receiver_->end(failure_);
    } catch (...) {
        log::error("outbound.fault", {{"reason", "a receiver has thrown"}});
    }
    receiver_.reset();
}

}  // namespace pb::outbound
