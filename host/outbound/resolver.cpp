// SPDX-License-Identifier: Apache-2.0
// The system's resolver.
#include "outbound/resolver.h"

#include <netdb.h>

#include <cerrno>
#include <cstring>

namespace pb::outbound {
namespace {

// This machine, also where nothing says so: in a container without /etc/hosts (RFC 6761, 6.3).
bool is_localhost(std::string_view host) {
    return host == "localhost" || host.ends_with(".localhost");
}

class SystemResolver : public Resolver {
  public:
    Result<std::vector<sockaddr_storage>> resolve(const std::string& host,
                                                  std::uint16_t port) override {
        addrinfo hints{};
        hints.ai_family = AF_UNSPEC;
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = AI_NUMERICSERV;
        addrinfo* found = nullptr;
        const auto service = std::to_string(port);
        int error = ::getaddrinfo(host.c_str(), service.c_str(), &hints, &found);
        if (error != 0 && is_localhost(host))
            error = ::getaddrinfo(nullptr, service.c_str(), &hints, &found);  // loopback
        if (error != 0) {
            const char* reason = error == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(error);
            return not_found("The name " + host + " has no address: " + reason + ".");
        }
        const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> freed(found, &::freeaddrinfo);
        std::vector<sockaddr_storage> out;
        for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
            if (each->ai_addrlen > sizeof(sockaddr_storage)) continue;
            std::memcpy(&out.emplace_back(), each->ai_addr, each->ai_addrlen);
        }
        if (out.empty()) return not_found("The name " + host + " has no address.");
        return out;
    }
};

}  // namespace

ResolverPtr system_resolver() { return std::make_shared<SystemResolver>(); }

}  // namespace pb::outbound
