// SPDX-License-Identifier: Apache-2.0
#include "client/http_stream.h"

#include <algorithm>

#include "outbound/target.h"

namespace pb::client {
namespace {

constexpr std::size_t shown_body = 4096, shown_place = 500;
// Of one request: servers send "/mcp" on to "/mcp/".
constexpr int most_redirects = 3;

bool is_event_stream(const outbound::Head& head) {
    std::string type(head.header("Content-Type"));
    type = type.substr(0, type.find(';'));
    while (!type.empty() && type.back() == ' ')
        type.pop_back();
    std::transform(type.begin(), type.end(), type.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return head.status >= 200 && head.status < 300 && type == "text/event-stream";
}

// Where a redirect points, without what may be secret in it, and why nobody went there.
std::string unfollowed(const outbound::Head& head, const Sent& sent) {
    const std::string location(head.header("Location"));
    if (location.empty()) return {};
    const auto from = outbound::parse_target(sent.url);
    const auto to = from ? outbound::resolve_reference(*from, location) : from;
    if (!to) return "; what it redirects to is no URL to be followed";
    std::string why = "there were " + std::to_string(most_redirects) + " already";
    if (!to->same_origin(*from))
        why = "it is of another origin";
    else if (sent.method != "GET" && head.status != 307 && head.status != 308)
        why = "only 307 and 308 keep a " + sent.method + " what it is";
    return "; its redirect to " + to->url.substr(0, std::min(to->url.find('?'), shown_place)) +
           " is not followed: " + why;
}

std::string joined(const outbound::Headers& headers, std::string_view name) {
    std::string out;
    for (const auto& header : headers) {
        if (outbound::find_header({header}, name).empty()) continue;
        if (!out.empty()) out += ", ";
        out += header.second;
    }
    return out;
}

}  // namespace

void HttpStream::start(outbound::Request request) {
    const auto ticket = http_.start(std::move(request), shared_from_this());
    bool abandoned = false;
    {
        std::lock_guard lock(mutex_);
        ticket_ = ticket;
        abandoned = abandoned_;
    }
    if (abandoned) http_.cancel(ticket);
}

void HttpStream::abandon() {
    outbound::Http::Ticket ticket = 0;
    {
        std::lock_guard lock(mutex_);
        abandoned_ = true;
        ticket = ticket_;
    }
    if (ticket != 0) http_.cancel(ticket);
}

void HttpStream::head(const outbound::Head& head) {
    so_far_.head = head;
    so_far_.events = is_event_stream(head);
    if (hooks_.head) hooks_.head(head);
}

bool HttpStream::data(std::string_view bytes) {
    if (so_far_.events) {
        // A stream may go on for ever, but it has to say something.
        idle_ += bytes.size();
        const bool understood = events_.feed(bytes, [this](const outbound::Event& event) {
            if (event.data.empty()) return;
            idle_ = 0;
            so_far_.heard = true;
            if (hooks_.event(event)) so_far_.answered = true;
        });
        refused_ = !understood || idle_ > bound_;
    } else if (bytes.size() > bound_ - so_far_.body.size()) {
        refused_ = true;
    } else {
        so_far_.body += bytes;
    }
    return !refused_;
}

void HttpStream::end(const std::optional<outbound::Failure>& failure) {
    so_far_.failure = failure;
    if (refused_ && failure)
        so_far_.failure->message =
            "one message of the server is over " + std::to_string(bound_) + " bytes";
    so_far_.last_id = events_.last_id();
    so_far_.retry = events_.retry();
    {
        std::lock_guard lock(mutex_);
        so_far_.abandoned = abandoned_;
        ticket_ = 0;
    }
    auto hooks = std::move(hooks_);  // what they hold goes with them
    hooks.end(std::move(so_far_));
}

Loss loss_of(const outbound::Failure& failure) {
    using outbound::Fault;
    Loss out;
    out.message = failure.message;
    out.executed = failure.sent;
    switch (failure.fault) {
        case Fault::refused:
        case Fault::unresolved:
        case Fault::unreachable:
        case Fault::tls:
            out.why = Loss::Why::unreachable;
            break;
        case Fault::late:
            out.why = Loss::Why::late;
            break;
        case Fault::busy:
            out.why = Loss::Why::busy;
            break;
        case Fault::too_large:
            out.why = Loss::Why::malformed;
            break;
        case Fault::broken:
            out.why = Loss::Why::broken;
            break;
        case Fault::cancelled:
            out.why = Loss::Why::cancelled;
            break;
    }
    return out;
}

milliseconds connect_time(const ServerSpec& spec, milliseconds time) {
    return time.count() > 0 ? std::min(spec.connect_time, time * 7 / 8) : spec.connect_time;
}

std::optional<SignedRequest> sign_request(Credentials& credentials, const ServerSpec& spec,
                                          std::string_view method, const std::string& url) {
    auto ours = credentials.ready(method, url);
    if (!ours) return std::nullopt;
    SignedRequest out;
    out.request.method = method;
    out.request.url = url;
    out.request.headers.reserve(spec.headers.size() + ours->size() + 8);  // and the transport's
    out.request.headers = spec.headers;
    out.request.headers.insert(out.request.headers.end(), ours->begin(), ours->end());
    out.request.connect_time = spec.connect_time;
    out.request.redirects = most_redirects;
    out.sent = std::make_shared<const Sent>(Sent{std::string(method), url, std::move(*ours)});
    return out;
}

Loss loss_of(const HttpStream::End& end, const Sent& sent) {
    if (end.failure) return loss_of(*end.failure);
    Loss out;
    out.status = end.head.status;
    out.executed = out.status < 300;
    out.body = end.body.substr(0, shown_body);
    out.retry_after = end.head.header("Retry-After");
    if (out.status == 401 || out.status == 403) {
        out.why = Loss::Why::challenged;
        out.message = out.status == 401 ? "the server asks for credentials (401)"
                                        : "the server does not allow this (403)";
        out.challenge.status = out.status;
        out.challenge.method = sent.method;
        out.challenge.url = sent.url;
        out.challenge.used = sent.credentials;
        out.challenge.www_authenticate = joined(end.head.headers, "WWW-Authenticate");
        out.challenge.dpop_nonce = end.head.header("DPoP-Nonce");
        return out;
    }
    if (out.status >= 300) {
        out.why = Loss::Why::status;
        out.message = "the server answered with HTTP status " + std::to_string(out.status);
        if (out.status < 400) out.message += unfollowed(end.head, sent);
        out.executed = out.status >= 500;
        return out;
    }
    out.why = end.events ? Loss::Why::broken : Loss::Why::malformed;
    out.message = end.events ? "the server's event stream ended without the answer"
                             : "the server's answer holds no answer to the request";
    return out;
}

}  // namespace pb::client
