// SPDX-License-Identifier: Apache-2.0
// Hub: all remote servers of one organisation: those of its configuration file, those that were
// registered at run time, and those that a caller brings along for its own calls. It keeps what is
// offered to the host equal to them and hands each call to its server.
//
// Of two servers with one name the file's counts; a scoped one hides both, for its caller's calls.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>

#include "calls.h"
#include "parking.h"
#include "port.h"
#include "relay.h"
#include "upstream.h"

namespace pb::remote {

class Hub {
  public:
    explicit Hub(const patchbay_host* host);
    ~Hub();

    // `start` as the host gives it to start() and configure().
    Result<void> start(const Json& start);
    Result<void> configure(const Json& start);
    void stop();

    // A call for one of the virtual capabilities. [any thread]
    void handle(const std::string& capability, HostCall call);
    void cancel(patchbay_call call);

    // What administrators do; admin.cpp. [any thread], waiting where it says so.
    Json list() const;
    Result<Json> get(const std::string& name) const;
    Result<Json> add(const std::string& name, const Json& entry);
    Result<Json> update(const std::string& name, const Json& patch);
    Result<Json> remove(const std::string& name);  // waits
    Result<Json> sync(const std::string& name);    // waits
    Result<Json> test(const std::string& name);    // waits
    Result<Json> test(const Json& entry);          // waits; of one that is not registered
    // `what`: as read_approval() has it.
    Result<Json> approve(const std::string& name, const Json& what);
    // Whether each person signs in to it; false if there is none.
    bool acts_as_user(const std::string& name) const;
    // [waits] A link for whoever may sign in.
    Result<std::string> sign_in(const std::string& name, const std::string& principal);
    Result<Json> sign_out(const std::string& name, const std::string& principal);  // waits
    // [waits] The browser of somebody who signed in came back.
    Result<std::string> signed_in(const std::map<std::string, std::string>& params);

    // Servers for one caller's calls: {"capabilities":[specs]}, or what is wrong with one of them.
    Result<Json> open_scope(const Json& servers);
    void close_scope(const Json& capabilities);

    const std::string& org() const { return org_; }
    const HostFacts& host() const { return facts_; }

  private:
    // A server that is named somewhere, whether it works or not.
    struct Named {
        Json entry;  // of a registered one: references not resolved
        Origin origin = Origin::config;
        std::string key = {};  // under which it is in the file, if that is no name of ours
        Json resolved = {};
        UpstreamPtr upstream = {};  // null if it is disabled or its settings are wrong
        std::string problem = {};
    };
    using Table = std::map<std::string, Named>;

    // Under what a registered server's entry is kept, among the secrets.
    static constexpr const char* registered_prefix = "server/";

    Result<void> take(const Json& start);
    void apply();
    Table wanted() const;
    Result<Json> resolved(const Json& entry, Origin origin) const;
    Result<Settings> settings_of(const std::string& name, Named& named) const;
    void renew(const std::string& name);
    void bring_up(const std::string& name, Named& named, const UpstreamPtr& before);
    Result<UpstreamPtr> make(const std::string& name, Named& named, const UpstreamPtr& before);
    void begin(Named& named, UpstreamPtr made, const UpstreamPtr& before);
    void put_down(const UpstreamPtr& upstream);
    void take_back(const UpstreamPtr& made, const UpstreamPtr& before);
    Result<Json> put_registered(const std::string& name, const Json& entry);
    UpstreamPtr find(const std::string& capability) const;
    void list_scoped(const UpstreamPtr& upstream, const HostCall& call) const;
    Result<UpstreamPtr> server(const std::string& name) const;
    Json describe(const std::string& name, const Named& named) const;
    Json describe_now(const std::string& name, const Named& named) const;
    void sign_out_all(const std::string& name, Named& named);
    Result<void> check_registered(const std::string& name, const Json& entry) const;

    const Port port_;
    std::shared_ptr<client::Engine> engine_;
    std::shared_ptr<Parking> parking_;
    const std::shared_ptr<Calls> calls_ = std::make_shared<Calls>();
    std::string org_;
    bool recorded_ = false;  // what its configuration says, no operator does
    HostFacts facts_;

    mutable std::mutex changing_;  // one change of the table at a time
    Json configured_ = Json::object();
    std::map<std::string, Port> ports_;  // by server, as long as it is named

    mutable std::shared_mutex mutex_;
    Table table_;
    std::map<std::string, UpstreamPtr, std::less<>> by_capability_;
    std::uint64_t scopes_ = 0;
};

}  // namespace pb::remote
