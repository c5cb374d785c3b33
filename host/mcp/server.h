// SPDX-License-Identifier: Apache-2.0
// Server: the protocol, both eras. It takes one message with what its transport knows of it and
// brings it to the method that answers. No I/O: messages leave through the Outlet.
//
//   receive ── modern? ── _meta, version, headers ── method table ── handler ── ClientCall / Lists
//   / ...
//           └─ legacy ─── session, version ───────── method table ── handler
//
// Which era a message belongs to is decided from the message alone:
//   _meta names a protocol version         -> modern (and the header must agree)
//   MCP-Protocol-Version names a modern
//     or an unknown version                -> modern (and _meta is missing: refused)
//   anything else, initialize included     -> legacy
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "admission/admission.h"
#include "mcp/client_call.h"
#include "mcp/lists.h"
#include "mcp/request.h"
#include "mcp/seal.h"
#include "mcp/session.h"
#include "mcp/subscriptions.h"

namespace pb::mcp {

struct ServerOptions {
    std::string name = "patchbay";
    std::string title = "Patchbay";
    std::string version;
    std::string instructions;
    std::size_t page_size = 1000;
    std::size_t max_sessions = 10'000;
    std::chrono::milliseconds session_idle{30 * 60'000};
    std::size_t max_subscriptions = 50'000;
    int max_rounds = 16;
    std::chrono::milliseconds state_ttl{10 * 60'000};
    std::chrono::milliseconds patience{10 * 60'000};
};

// One message as its transport hands it over.
struct Incoming {
    std::shared_ptr<const void> owner;  // keeps `text`
    std::string_view text;              // one checked JSON value
    runtime::CallerPtr caller;
    const HeaderView* headers = nullptr;  // null on stdio
    SessionPtr session;  // HTTP: the one that Mcp-Session-Id names, or null; stdio: the process's
    // Of a batch: whether one of its malformed members was told of, which is enough.
    bool* malformed_told = nullptr;
};

class Server {
  public:
    Server(const admission::Admission& admission, catalog::Catalog& catalog, ServerOptions options,
           const Seal::Key& key);

    // [any thread] Takes one message. A request is answered through `outlet`, now or later; for a
    // notification or a response the outlet gets an empty answer with status 202.
    void receive(const Incoming& incoming, std::shared_ptr<Outlet> outlet);

    // [any thread] A transport refuses what came before it is a message, `method` ("http POST") by
    // name. It costs its sender what a malformed message does. What it is to be answered with.
    RpcError refused(const runtime::Caller& caller, std::string_view method, std::size_t bytes,
                     RpcError error) const;

    Sessions& sessions() { return sessions_; }
    Subscriptions& subscriptions() { return subscriptions_; }
    // A session is over: DELETE, or the end of the input on stdio.
    void close_session(const SessionPtr& session);
    // Closes the sessions that nobody uses any more; called now and then.
    void sweep();
    // Ends the streams of those whose credential is not good any more, and the sessions of those
    // who will not come in again.
    void end_of(const runtime::StandingOf& standing);
    // Shutdown, first half: streams that wait for news end with their closing message.
    void goodbye();
    // Shutdown, second half, after the running requests have had their time.
    void close_all();

    // What a message's era is, for transports that must know before they open a stream.
    static bool is_modern_message(std::string_view text, std::string_view version_header,
                                  bool in_session);

  private:
    struct Method;
    static const Method* find_method(std::string_view name, bool modern);

    void receive_modern(const RequestPtr& request, std::string_view header_version,
                        int header_count);
    void receive_legacy(const RequestPtr& request, std::string_view header_version,
                        int header_count);
    void malformed(const RequestPtr& request, const Incoming& incoming, const RpcError& error);
    void notification(const RequestPtr& request);
    bool check_version(Request& request, std::string_view header, int header_count,
                       RpcError& error);
    bool check_headers(const Request& request, const Method& method, RpcError& error);

    // methods.cpp: both eras
    void discover(const RequestPtr& request);
    void list_tools(const RequestPtr& request) { list(request, Listed::tool); }
    void list_resources(const RequestPtr& request) { list(request, Listed::resource); }
    void list_templates(const RequestPtr& request) { list(request, Listed::resource_template); }
    void list_prompts(const RequestPtr& request) { list(request, Listed::prompt); }
    void call_by_name(const RequestPtr& request);
    void read_resource(const RequestPtr& request);
    void complete(const RequestPtr& request);
    void listen(const RequestPtr& request) { subscriptions_.listen(request); }
    void list(const RequestPtr& request, Listed kind);
    // `reference`: the method in whose sense `name` names something, as Admission::find has it.
    void call(const RequestPtr& request, std::string_view reference, std::string_view name);
    std::string instructions(const catalog::Snapshot& snapshot) const;

    // legacy_methods.cpp
    void initialize(const RequestPtr& request);
    void ping(const RequestPtr& request) { request->answer("{}"); }
    void set_level(const RequestPtr& request);
    void subscribe(const RequestPtr& request);
    void unsubscribe(const RequestPtr& request);

    const admission::Admission& admission_;
    ServerOptions options_;
    std::string server_info_;
    Seal seal_;
    Sessions sessions_;
    Subscriptions subscriptions_;
    Lists lists_;
    CallServices services_;
};

// The method table: a row says which eras have the method, which param a header names, who handles
// it.
struct Server::Method {
    std::string_view name;
    bool modern, legacy;
    std::string_view name_param;  // mirrored in Mcp-Name, or empty
    void (Server::*handle)(const RequestPtr&);
};

}  // namespace pb::mcp
