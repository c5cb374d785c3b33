// SPDX-License-Identifier: Apache-2.0
// How bytes pass: a plain socket or TLS on it. Never blocks; the owner calls it under its own lock.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace pb::http {

struct Transfer {
    enum class State { done, wait_read, wait_write, closed };
    State state = State::done;
    std::size_t bytes = 0;
};

class Transport {
  public:
    virtual ~Transport() = default;

    virtual Transfer read(char* into, std::size_t size) = 0;
    // `more`: further bytes follow at once, so a short packet may wait for them.
    virtual Transfer write(std::string_view bytes, bool more) = 0;
    // Input that was taken off the socket already, so that no poll would announce it.
    virtual bool buffered() const { return false; }
    // Says goodbye, as far as the protocol has a word for it. The descriptor is the owner's.
    virtual void close() {}
};

std::unique_ptr<Transport> plain_transport(int descriptor);

}  // namespace pb::http
