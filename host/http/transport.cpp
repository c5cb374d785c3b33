// SPDX-License-Identifier: Apache-2.0
// The plain socket.
#include "http/transport.h"

#include <sys/socket.h>

#include <cerrno>

namespace pb::http {
namespace {

class PlainTransport final : public Transport {
  public:
    explicit PlainTransport(int descriptor) : descriptor_(descriptor) {}

    Transfer read(char* into, std::size_t size) override {
        const ssize_t got = retried([&] { return ::recv(descriptor_, into, size, 0); });
        if (got > 0) return {Transfer::State::done, static_cast<std::size_t>(got)};
        if (got < 0 && would_block()) return {Transfer::State::wait_read, 0};
        return {Transfer::State::closed, 0};
    }

    Transfer write(std::string_view bytes, bool more) override {
        const int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
        const ssize_t sent =
            retried([&] { return ::send(descriptor_, bytes.data(), bytes.size(), flags); });
        if (sent >= 0) return {Transfer::State::done, static_cast<std::size_t>(sent)};
        if (would_block()) return {Transfer::State::wait_write, 0};
        return {Transfer::State::closed, 0};
    }

  private:
    template <class Call>
    static ssize_t retried(Call call) {
        ssize_t result = call();
        while (result < 0 && errno == EINTR)
            result = call();
        return result;
    }
    static bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

    int descriptor_;
};

}  // namespace

std::unique_ptr<Transport> plain_transport(int descriptor) {
    return std::make_unique<PlainTransport>(descriptor);
}

}  // namespace pb::http
