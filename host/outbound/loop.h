// SPDX-License-Identifier: Apache-2.0
// The thread on which all transfers run: curl's multi interface over one epoll set.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/workers.h"
#include "outbound/easy_handles.h"
#include "outbound/http.h"
#include "outbound/names.h"
#include "outbound/poller.h"
#include "outbound/transfer.h"

namespace pb::outbound {

class Loop final : private TransferHost {
  public:
    explicit Loop(Http::Options options);
    ~Loop();

    // [any thread]
    Http::Ticket start(Request request, std::shared_ptr<Receiver> receiver);
    void cancel(Http::Ticket ticket);
    void stop();

  private:
    struct Lookup {
        std::string place;
        CheckedPtr checked;
        Failure failure;  // if there are none
    };
    // What other threads leave for the loop; it outlives a lookup that hangs.
    struct Inbox {
        std::mutex mutex;
        std::vector<std::unique_ptr<Transfer>> started;
        std::vector<Http::Ticket> cancelled;
        std::vector<Lookup> found;
        bool stopping = false;
        Poller* poller = nullptr;  // null: the loop has ended
    };
    struct MultiFreed {
        void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
    };
    struct Callbacks;

    void wake();
    void run();
    void turn();
    bool take_inbox();
    std::chrono::milliseconds patience() const;
    void admit(std::unique_ptr<Transfer> transfer);
    void begin(Transfer& transfer);
    void look_up(const Target& target);
    void found(const Lookup& lookup);
    void launch(Transfer& transfer, CheckedPtr checked);
    void end_late();
    void collect();
    void schedule(Transfer& transfer);
    void end(Http::Ticket ticket);
    void run_timer();

    const AddressPolicy& policy() const override { return options_.policy; }
    CheckedPtr checked(const std::string& place) const override { return names_.find(place); }
    void connected(Transfer& transfer) override { schedule(transfer); }
    void keeps(const std::string& place, std::chrono::seconds idle) override;

    const Http::Options options_;
    Poller poller_;
    std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
    std::atomic<Http::Ticket> next_ticket_{1};

    EasyHandles handles_;
    std::unique_ptr<CURLM, MultiFreed> multi_;
    std::optional<Clock::time_point> timer_;
    bool posted_ = false;  // into the inbox, by the loop's own thread
    Names names_;
    std::map<std::string, std::chrono::seconds> idle_;          // what servers said
    std::map<std::string, std::vector<Http::Ticket>> waiting_;  // for a name
    std::unordered_map<Http::Ticket, std::unique_ptr<Transfer>> transfers_;
    std::set<std::pair<Clock::time_point, Http::Ticket>> schedule_;

    Workers resolving_;
    std::thread thread_;
};

}  // namespace pb::outbound
