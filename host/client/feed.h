// SPDX-License-Identifier: Apache-2.0
// Feed: the changes that a server tells over one link: subscriptions/listen in the modern era (one
// stream, replaced when what is wanted changes), resources/subscribe in the legacy ones (lists come
// by themselves there).
// https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "client/negotiate.h"

namespace pb::client {

class Feed : public std::enable_shared_from_this<Feed> {
  public:
    Feed(Engine& engine, const ServerSpec& spec, LinkPtr link)
        : engine_(engine), spec_(spec), link_(std::move(link)) {}

    // [any thread] What is wanted from now on.
    void want(const std::set<std::string>& uris);
    // [any thread] notifications/subscriptions/acknowledged: this stream has taken over.
    void acknowledged(std::string_view params);
    void stop();

  private:
    class Stream;
    void listen();
    void again(RequestId ended, bool heard);
    void change(const std::set<std::string>& before, const std::set<std::string>& now);
    std::string filter() const;

    Engine& engine_;
    const ServerSpec spec_;
    const LinkPtr link_;

    std::mutex mutex_;
    std::set<std::string> wanted_;
    RequestId current_ = no_request, before_ = no_request;
    milliseconds pause_{1'000};
    bool stopped_ = false;
};

}  // namespace pb::client
