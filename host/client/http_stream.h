// SPDX-License-Identifier: Apache-2.0
// HttpStream: one HTTP transfer of a transport and the messages that come in its body, be it JSON
// or an event stream.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "client/spec.h"
#include "client/transport.h"
#include "outbound/event_stream.h"

namespace pb::client {

class HttpStream final : public outbound::Receiver,
                         public std::enable_shared_from_this<HttpStream> {
  public:
    // How a transfer ended.
    struct End {
        outbound::Head head;
        std::optional<outbound::Failure> failure;
        bool events = false;    // it was an event stream
        bool heard = false;     // something came in it
        bool answered = false;  // the answer that it was for has come
        bool abandoned = false;
        std::string body;     // of what was no event stream
        std::string last_id;  // event id; empty if there was none
        std::optional<milliseconds> retry;
    };
    struct Hooks {
        // A message in an event stream; true if it is the answer that the transfer is for.
        std::function<bool(const outbound::Event& event)> event;
        std::function<void(const outbound::Head& head)> head = nullptr;
        std::function<void(End end)> end;
    };

    // The bound is that of each event, or of a body that is no event stream.
    HttpStream(outbound::Http& http, std::size_t bound, Hooks hooks)
        : http_(http), bound_(bound), hooks_(std::move(hooks)), events_(bound) {}

    void start(outbound::Request request);
    // [any thread] Closes it; hooks.end says abandoned.
    void abandon();

    void head(const outbound::Head& head) override;
    bool data(std::string_view bytes) override;
    void end(const std::optional<outbound::Failure>& failure) override;

  private:
    outbound::Http& http_;
    const std::size_t bound_;
    std::size_t idle_ = 0;  // bytes of an event stream since its last event
    bool refused_ = false;  // a message was over the bound
    Hooks hooks_;           // only the loop's from the start on
    outbound::EventStream events_;
    End so_far_;

    std::mutex mutex_;
    outbound::Http::Ticket ticket_ = 0;
    bool abandoned_ = false;
};

// What a request carried of ours, for when it is challenged.
struct Sent {
    std::string method, url;
    outbound::Headers credentials;
};
using SentPtr = std::shared_ptr<const Sent>;

struct SignedRequest {
    outbound::Request request;
    SentPtr sent;
};

// How long a connection may be waited for: so that whoever waits for the answer hears that there
// was none before its time is over. 0: any.
milliseconds connect_time(const ServerSpec& spec, milliseconds time);

// A request to a server with what all have; nothing if its credentials have to be got first.
std::optional<SignedRequest> sign_request(Credentials& credentials, const ServerSpec& spec,
                                          std::string_view method, const std::string& url);

// What a transfer's end means for the request that waited for it: why there is no answer.
Loss loss_of(const HttpStream::End& end, const Sent& sent);
Loss loss_of(const outbound::Failure& failure);

}  // namespace pb::client
