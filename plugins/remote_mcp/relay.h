// SPDX-License-Identifier: Apache-2.0
// Relay: one call of the host that is answered by a remote server. Everything passes as it came;
// only names and the envelope differ.
//
// Where the server asks the caller something, the call of the host ends with "input required" and
// is made again with the answers. A modern server is asked again too (its own state travels inside
// ours). A legacy one still waits for its answer: its call is parked meanwhile.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "client/client.h"
#include "upstream.h"

namespace pb::remote {

class Parking;
class Calls;

// What the host said of a call, read once.
struct HostCall {
    patchbay_call id = PATCHBAY_NO_CALL;
    std::string method, params, context;

    std::string principal() const;
    bool is_admin() const;
    bool can(std::string_view capability, std::string_view mode = {}) const;  // be asked
};

class Relay final : public client::Handler, public std::enable_shared_from_this<Relay> {
  public:
    Relay(Port port, client::Engine& engine, UpstreamPtr upstream, std::shared_ptr<Parking> parking,
          std::shared_ptr<Calls> calls, HostCall call);

    // Answers the call, now or later.
    void start();
    // The host's call was cancelled.
    void cancel();
    // Takes the place of the host's call that was answered with the question.
    void resume(HostCall call);
    // Nobody came back in time.
    void expire();
    const std::string& principal() const { return principal_; }

    void progress(std::string_view params) noexcept override;
    void message(std::string_view params) noexcept override;
    void question(client::Question question) noexcept override;
    void done(client::Reply reply) noexcept override;

  private:
    struct Asked {
        std::string key;
        client::Question question;
        bool shown = false;  // to the caller, whose answer is awaited
    };

    client::CallRequest request() const;
    void send();
    bool waits_for_sign_in();
    void show_questions();
    void send_notice(std::string_view method, std::string_view params);
    bool flush();
    void flush_later();
    void finish(const client::Reply& reply);
    void finish_result(std::string_view result);
    void finish_error(std::string_view error);
    bool sync_and_repeat(std::int64_t code);
    void finish_lost(const client::Loss& loss);
    void offer_sign_in(const std::string& why);
    void fail(const patchbay::Error& error);
    void end(patchbay_status status, const std::string& body);
    void record() const;

    const Port port_;
    client::Engine& engine_;
    const UpstreamPtr upstream_;
    const std::shared_ptr<Parking> parking_;
    const std::shared_ptr<Calls> calls_;
    const std::string principal_;
    Upstream::Client who_;
    std::shared_ptr<client::Running> running_;

    mutable std::mutex mutex_;
    HostCall call_;  // id 0: parked
    std::deque<Asked> asked_;
    std::optional<client::Reply> reply_;  // came while nobody was there, or notices wait
    std::deque<std::pair<std::string, std::string>> notices_;  // that the host has not taken yet
    int questions_ = 0;
    bool resynced_ = false;    // because the server did not like our headers
    bool signing_in_ = false;  // the caller was given the link
    bool declined_ = false;    // and does not sign in now
    std::chrono::steady_clock::time_point begun_{};
    bool flushing_ = false, ended_ = false;
};

}  // namespace pb::remote
