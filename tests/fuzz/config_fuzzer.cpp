// SPDX-License-Identifier: Apache-2.0
// Fuzzes the configuration: any bytes as a host file, an organisation file, or text with
// references. The first byte chooses; the rest is the file.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/read.h"
#include "config/references.h"
#include "json/parse.h"

namespace {

using pb::config::Json;

constexpr const char* value_of_variable = "fuzzed-value";

// A file that only this process sees; its path ends in a number, which is an organisation's name.
class MemoryFile {
  public:
    explicit MemoryFile(std::string_view content)
        : descriptor_(memfd_create("config", MFD_CLOEXEC)) {
        if (descriptor_ < 0) std::abort();
        while (!content.empty()) {
            const ssize_t written = ::write(descriptor_, content.data(), content.size());
            if (written <= 0) std::abort();
            content.remove_prefix(static_cast<std::size_t>(written));
        }
    }
    ~MemoryFile() { ::close(descriptor_); }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

  private:
    int descriptor_;
};

void require(bool holds) {
    if (!holds) std::abort();
}

template <class T>
void check_error(const pb::Result<T>& result) {
    require(result.ok() || !result.error().message.empty());
}

bool is_address(const std::string& text) {
    in6_addr address{};
    return inet_pton(AF_INET, text.c_str(), &address) == 1 ||
           inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

void read_host(std::string_view content) {
    const MemoryFile file(content);
    pb::config::Overrides overrides;
    overrides.config_file = file.path();
    const auto host = pb::config::load_host(overrides);
    check_error(host);
    if (host) require(is_address(host->listen.address));
}

void read_org(std::string_view content) {
    const MemoryFile file(content);
    const auto org = pb::config::read_org(file.path());
    check_error(org);
    if (!org) return;
    for (const char* name : {"weather", "*", ""}) {
        const auto capability = org->capability(name);
        if (capability) check_error(pb::config::resolve(capability->config));
    }
}

void resolve(std::string_view content) {
    const auto value = pb::json::parse(content);
    const Json text = value ? *value : Json(std::string(content));
    const auto resolved = pb::config::resolve(text);
    check_error(resolved);
    // An error quotes the reference, never what a variable holds.
    const bool quoted = content.find(value_of_variable) != std::string_view::npos;
    require(resolved || quoted ||
            resolved.error().message.find(value_of_variable) == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
    setenv("FUZZ", value_of_variable, 1);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view content(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0]) {
        case 'h':
            read_host(content);
            break;
        case 'o':
            read_org(content);
            break;
        default:
            resolve(content);
            break;
    }
    return 0;
}
