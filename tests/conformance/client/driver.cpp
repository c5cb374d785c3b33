// SPDX-License-Identifier: Apache-2.0
// client-under-test: what the official conformance suite starts to test Patchbay's client. It lists
// what the server has and uses all of it, over the very code that remote servers are called with.
//
//   client-under-test URL     with MCP_CONFORMANCE_SCENARIO, MCP_CONFORMANCE_PROTOCOL_VERSION and
//                             MCP_CONFORMANCE_CONTEXT (JSON) in the environment
#include <cstdio>
#include <cstdlib>

#include "browser.h"
#include "client/client.h"
#include "client/lists.h"
#include "use.h"

namespace pb::client {
namespace {

constexpr std::chrono::seconds run_time{25};  // the suite gives 30

std::string environment(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody writes
    return value != nullptr ? value : "";
}

int fail(const std::string& message) {
    std::fprintf(stderr, "client-under-test: %s\n", message.c_str());
    return 1;
}

outbound::Http::Options loopback_only() {
    outbound::Http::Options out;
    out.policy = *outbound::AddressPolicy::make({"127.0.0.0/8", "::1/128"});
    return out;
}

int run(const std::string& url) {
    const Scenario scenario{environment("MCP_CONFORMANCE_SCENARIO"),
                            environment("MCP_CONFORMANCE_CONTEXT")};
    const auto deadline = std::chrono::steady_clock::now() + run_time;
    Engine engine(loopback_only());
    ServerSpec spec;
    spec.name = "conformance";
    spec.url = url;
    spec.version = mcp::version_from(environment("MCP_CONFORMANCE_PROTOCOL_VERSION"));
    auto credentials = Browser::make(engine.http, url, scenario);
    if (!credentials) return fail(credentials.error().message);
    const auto client = Client::make(engine, spec, *credentials, {});
    const auto link = client->open(deadline);
    if (!link) return fail(link.error().message);
    auto lists = list_all(*client, deadline);
    if (!lists) return fail(lists.error().message);
    for (const auto& warning : lists->warnings)
        std::fprintf(stderr, "left out: %s\n", warning.c_str());
    const auto used = use_all(*client, scenario, *lists);
    client->close();
    return used ? 0 : fail(used.error().message);
}

}  // namespace
}  // namespace pb::client

int main(int count, char** arguments) {
    if (count != 2) return pb::client::fail("give the server's URL");
    try {
        return pb::client::run(arguments[1]);
    } catch (const std::exception& fault) {
        return pb::client::fail(fault.what());
    }
}
