// SPDX-License-Identifier: Apache-2.0
// The thread on which all transfers run: curl's multi interface over one epoll set.
//
// Whoever starts a transfer sends it off itself where that needs no waiting - nobody has to be
// woken for it then - and what curl tells meanwhile is left for the thread: receivers hear there
// alone.
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
    struct Finished {
        Http::Ticket ticket;
        CURLcode code;
    };
    struct MultiFreed {
        void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
    };
    struct Callbacks;
    class Here;

    bool start_here(std::unique_ptr<Transfer>& transfer);
    bool is_ours() const { return std::this_thread::get_id() == id_; }
    void wake();
    void run();
    void turn();
    void take_leftovers();
    void read_sockets();
    bool take_inbox();
    Clock::time_point due() const;
    std::chrono::milliseconds patience();
    void admit(std::unique_ptr<Transfer> transfer);
    void begin(Transfer& transfer);
    CheckedPtr known(Transfer& transfer);
    void look_up(const Target& target);
    void found(const Lookup& lookup);
    void launch(Transfer& transfer, CheckedPtr checked);
    void end_late();
    void collect();
    void finish();
    void schedule(Transfer& transfer);
    void end(Http::Ticket ticket);
    void run_timer();

    const AddressPolicy& policy() const override { return options_.policy; }
    CheckedPtr checked(const std::string& place) const override { return names_.find(place); }
    void connected(Transfer& transfer) override { schedule(transfer); }
    bool holds(Transfer& transfer) override;
    void keeps(const std::string& place, std::chrono::seconds idle) override;

    const Http::Options options_;
    Poller poller_;
    std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
    std::atomic<Http::Ticket> next_ticket_{1};

    std::atomic<bool> looks_{false};  // the loop will look into the inbox before it waits

    std::mutex turning_;  // the rest, while the loop does not wait for its sockets
    bool running_ = true;
    bool here_ = false;  // somebody else than the loop is at it
    EasyHandles handles_;
    std::unique_ptr<CURLM, MultiFreed> multi_;
    std::optional<Clock::time_point> timer_;
    bool posted_ = false;  // into the inbox, by the loop's own thread
    bool busy_ = false;    // the last wait was not in vain
    Clock::time_point waits_until_ = Clock::time_point::min();
    Names names_;
    std::map<std::string, std::chrono::seconds> idle_;          // what servers said
    std::map<std::string, std::vector<Http::Ticket>> waiting_;  // for a name
    std::unordered_map<Http::Ticket, std::unique_ptr<Transfer>> transfers_;
    std::set<std::pair<Clock::time_point, Http::Ticket>> schedule_;
    std::vector<Http::Ticket> leftovers_;  // they hold what their receivers have to hear
    std::vector<Finished> finished_;

    Workers resolving_;
    std::thread thread_;
    std::thread::id id_;
};

}  // namespace pb::outbound
