// SPDX-License-Identifier: Apache-2.0
// One transfer: what curl is told for it, what it tells of it, and how it ended.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "outbound/easy_handles.h"
#include "outbound/headers.h"
#include "outbound/http.h"
#include "outbound/names.h"
#include "outbound/target.h"

namespace pb::outbound {

class Transfer;

// What a transfer needs of the loop while curl runs it. [with the loop's lock]
class TransferHost {
  public:
    virtual const AddressPolicy& policy() const = 0;
    virtual CheckedPtr checked(const std::string& place) const = 0;
    // Its deadlines may be others now.
    virtual void connected(Transfer& transfer) = 0;
    // The server keeps idle connections for so long.
    virtual void keeps(const std::string& place, std::chrono::seconds idle) = 0;
    // True if the receiver must not hear of it now: tell_held() follows.
    virtual bool holds(Transfer& transfer) = 0;

  protected:
    ~TransferHost() = default;
};

class Transfer {
  public:
    // [any thread] A malformed request makes one that has failed already.
    Transfer(Http::Ticket ticket, Request request, std::shared_ptr<Receiver> receiver);

    // The rest: [with the loop's lock]; tell_...(): on its thread.
    Http::Ticket ticket() const { return ticket_; }
    const Target& target() const { return target_; }
    const std::optional<Failure>& failure() const { return failure_; }
    CURL* easy() const { return easy_.get(); }
    Clock::time_point due() const;  // max(): never

    // Gives the handle what it needs; `idle` is how long a pooled connection may have waited.
    void prepare(TransferHost& host, Easy easy, CheckedPtr checked,
                 std::optional<std::chrono::seconds> idle);
    // Whether the request does nothing at the server, so that curl may send it a second time.
    bool safe() const;

    // curl is done. True if a redirect is to be followed: the target is the next one then.
    bool finished(CURLcode code);
    Easy release() { return std::move(easy_); }
    void fail(Fault fault, const std::string& reason);
    void fail_late();
    // To the receiver.
    void tell_held();
    void tell_end();

    bool multiplexed() const;  // over HTTP/2

    // What the loop keeps of it.
    Clock::time_point scheduled = Clock::time_point::max();
    int socket = -1;

  private:
    struct Callbacks;

    Result<void> check();
    void set_method(CURL* easy);
    bool has_body() const;
    std::size_t on_header(std::string_view line);
    std::size_t on_body(std::string_view bytes);
    bool tell(std::string_view bytes);
    bool on_head();
    int on_ready(const char* address, int port);
    int open_socket(curl_sockaddr& address);
    bool plan_redirect(const Head& head);
    void follow();
    bool sent() const;
    Fault fault_of(CURLcode code) const;
    std::string reason_of(CURLcode code) const;

    const Http::Ticket ticket_;
    Request request_;
    Target target_;
    std::shared_ptr<Receiver> receiver_;
    TransferHost* host_ = nullptr;
    Easy easy_;
    List headers_, pin_;
    CheckedPtr checked_;
    std::optional<Failure> failure_;

    Clock::time_point connect_due_, due_, last_byte_;
    bool connecting_ = false;  // or it waits for a connection of ours
    bool connected_ = false;
    bool sent_before_ = false;  // by an earlier hop
    int attempts_ = 0;
    HeadReader head_;
    std::size_t body_size_ = 0;
    bool holds_head_ = false;
    std::string held_body_;
    std::optional<Target> next_;
    char error_[CURL_ERROR_SIZE] = "";
};

}  // namespace pb::outbound
