// SPDX-License-Identifier: Apache-2.0
// Upstream: one remote server at work for one organisation: its clients, what it offers now, and
// the looks at it that keep this true. Whatever the server does, what is asked of it here is
// answered at once from what is known.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "client/client.h"
#include "exposed.h"
#include "identities.h"
#include "port.h"
#include "settings.h"
#include "trust.h"

namespace pb::remote {

// Where a server was named.
enum class Origin { config, registered, scoped };
std::string_view name_of(Origin origin);

struct Surroundings {
    Port port;
    client::Engine& engine;
    HostFacts host;
    std::string org;
};

class Upstream final : public client::Events, public std::enable_shared_from_this<Upstream> {
  public:
    Upstream(Surroundings around, Settings settings, Origin origin);
    ~Upstream() override;

    // Takes up what is kept of it from earlier times. `well`: the server has done nothing wrong
    // since, so that it may be old.
    void restore(bool well);
    // After restore(), and before start(): takes the place of one with other settings, which has
    // retired. Whoever lists hears what there is now.
    void succeed(const Upstream& before) { announce(*before.exposed(), *exposed()); }
    // Before start(): one of a caller's own, under a name that nobody else has.
    void scope(const std::string& id) {
        capability_.insert(sizeof "mcp:" - 1, "scope." + id + ".");
    }
    // Offers it to the host (not a scoped one). The error is the host's: a namespace that is taken.
    Result<void> offer();
    // Begins to look, now and again.
    void start();
    // No further looks; what runs goes on, and its clients end with it.
    void retire();
    // The end of everything at once.
    void stop();

    ExposedPtr exposed() const;
    // Calls `then`, perhaps before this returns, with what it offers once it was looked at, or with
    // why that is not known: the look failed, or takes longer than somebody should wait.
    using Then = std::function<void(const Result<ExposedPtr>&)>;
    void when_looked(Then then);
    // The last look succeeded.
    bool is_well() const;
    const Settings& settings() const { return settings_; }
    const std::string& capability() const { return capability_; }
    Origin origin() const { return origin_; }
    Json spec() const;  // as it is offered

    struct Client {
        std::shared_ptr<client::Client> client;
        IdentityPtr identity;
    };
    // For a caller; the principal only matters where the server is spoken to as each person.
    Result<Client> client_for(const std::string& principal);
    // The first subscriber of a URI came, or the last one left.
    void subscribe(const std::string& uri, bool on);

    // [waits] For administrators, and at once, however often it has failed. What a look at the
    // server changed: {"added":[...],...}.
    Result<Json> sync(client::Deadline deadline);
    // [waits] Whether it can be reached, what it is and how long that took.
    Result<Json> test(client::Deadline deadline);
    Result<Json> approve(const Approval& approval);
    Json status() const;
    Json trust_report() const;
    // Somebody has signed in: look again.
    void look_soon() { look_after(client::milliseconds(0)); }

    void opened(const client::ServerInfo& info) noexcept override;
    void notified(std::string_view method, std::string_view params) noexcept override;
    void ended(const std::string& why) noexcept override;

  private:
    using Clock = std::chrono::steady_clock;
    struct Person {
        Client client;
        Clock::time_point used;
    };

    Result<Client> make_client(const std::string& principal);
    Result<Client> looking_client();
    SignInState sign_in_state() const;
    void look_after(client::milliseconds delay);
    void look();
    Result<Json> look_once(client::Deadline deadline, bool regardless);
    Result<Json> look_at_it(client::Deadline deadline, bool regardless);
    Json accept(const client::ServerInfo& info, client::ServerLists& lists);
    void failed(const Error& error);
    void replace(const ExposedPtr& next);
    Result<ExposedPtr> shown() const;
    void looked();
    void announce(const Exposed& before, const Exposed& now) const;
    void schedule(bool well);
    void keep(const client::ServerInfo& info, const client::ServerLists& lists);
    void remember_trust();

    const Surroundings around_;
    const Settings settings_;
    const Origin origin_;
    std::string capability_;

    std::mutex looking_;  // one look at a time
    std::atomic<bool> in_look_{false};
    mutable std::mutex mutex_;
    ExposedPtr exposed_ = std::make_shared<const Exposed>();
    std::map<std::string, Person> clients_;  // by principal; "" for the organisation's
    const client::LoadPtr load_ = std::make_shared<client::Load>(0);  // of all of them
    std::set<std::string> subscriptions_;
    Trust trust_;
    client::ServerInfo info_;
    client::ServerLists lists_;
    bool known_ = false;  // info_ and lists_ are the server's
    std::optional<mcp::Version> remembered_;
    bool looked_ = false;        // once, or it took too long
    std::vector<Then> waiting_;  // for that
    std::string problem_;
    bool sign_in_needed_ = false;
    std::int64_t synced_ms_ = 0;  // wall clock; 0: never
    int failures_ = 0;
    std::uint64_t timer_ = 0;
    Clock::time_point next_{};
    bool stopped_ = false;
};

using UpstreamPtr = std::shared_ptr<Upstream>;

}  // namespace pb::remote
