// SPDX-License-Identifier: Apache-2.0
// How long a call may last: what its caller says, else what its capability says, else the default.
#include "gate.h"

namespace pb::test {
namespace {

class Timed : public FakeProvider {
  public:
    using FakeProvider::FakeProvider;
    void handle(const catalog::ProviderRequest& request) noexcept override {
        time = std::chrono::nanoseconds(request.deadline_ns);
    }
    std::chrono::nanoseconds time{0};
};

TEST(CallTime, TheCallersComesBeforeTheCapabilitysBeforeTheDefault) {
    using std::chrono::seconds;
    auto options = World::quick();
    options.default_timeout = seconds(100);
    options.max_timeout = seconds(300);
    World world(options);
    const auto provider = std::make_shared<Timed>(world.calls);
    const auto time_of = [&](seconds capabilitys, seconds callers) {
        auto binding = std::make_shared<catalog::Binding>();
        binding->provider = provider;
        binding->call_time = capabilitys;
        admission::Target target;
        target.snapshot = std::make_shared<catalog::Snapshot>();
        target.binding = binding;
        admission::Admitted admitted;
        admitted.method = "prompts/get";
        admitted.params = "{}";
        admitted.caller = world.authenticator.local();
        admitted.timeout = callers;
        world.calls.cancel(world.admission.call(target, admitted, std::make_shared<Witness>()));
        return provider->time;
    };
    EXPECT_EQ(time_of(seconds(0), seconds(0)), seconds(100));
    EXPECT_EQ(time_of(seconds(200), seconds(0)), seconds(200));
    EXPECT_EQ(time_of(seconds(5), seconds(0)), seconds(5));
    EXPECT_EQ(time_of(seconds(200), seconds(7)), seconds(7));
    EXPECT_EQ(time_of(seconds(900), seconds(0)), seconds(300)) << "the host's limit";
}

}  // namespace
}  // namespace pb::test
