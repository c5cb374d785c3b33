// SPDX-License-Identifier: Apache-2.0
// Virtual capabilities, as a plugin offers them and as the host calls them.
#include <nlohmann/json.hpp>

#include "plugin/offers.h"
#include "support.h"

namespace pb::plugin {
namespace {

using catalog::Status;

class OffersTest : public testing::Test {
  protected:
    std::shared_ptr<Instance> start(Script script = {}) {
        auto inner = script.start;
        script.start = [this, inner](const patchbay_host* host, std::string_view message) {
            host_ = host;
            return inner ? inner(host, message) : PATCHBAY_OK;
        };
        return started(around_, std::move(script));
    }
    static const patchbay_capabilities_v1& service(const patchbay_host* host) {
        return *static_cast<const patchbay_capabilities_v1*>(
            host->service(host, PATCHBAY_SERVICE_CAPABILITIES));
    }
    patchbay_status offer(std::string_view spec) {
        reason_.clear();
        const auto take = [](void* user, patchbay_str key, patchbay_str why) {
            *static_cast<std::string*>(user) =
                std::string(view(key)) + ": " + std::string(view(why));
        };
        return service(host_).offer(host_, str(spec), take, &reason_);
    }
    patchbay_status withdraw(std::string_view name) {
        return service(host_).withdraw(host_, str(name));
    }

    Host around_;
    const patchbay_host* host_ = nullptr;
    std::string reason_;
};

TEST_F(OffersTest, AreBindingsOfTheirOwn) {
    auto instance = start();
    ASSERT_EQ(offer(R"({"name":"mcp:hub","namespace":"hub","title":"Hub","description":"d",
                        "lists":{"scope":"private","ttl_ms":7},"call_time_ms":9,"later":1})"),
              PATCHBAY_OK)
        << reason_;
    ASSERT_EQ(offer(R"({"name":"mcp:any","namespace":""})"), PATCHBAY_OK) << reason_;
    const auto offered = instance->offered();
    ASSERT_EQ(offered.size(), 2u);
    EXPECT_EQ(offered[0].capability, "mcp:any");
    EXPECT_EQ(offered[1].capability, "mcp:hub");
    EXPECT_EQ(offered[1].name_space, "hub");
    EXPECT_EQ(offered[1].lists, (catalog::ListPolicy{.is_private = true, .ttl_ms = 7}));
    EXPECT_EQ(offered[1].call_time, std::chrono::milliseconds(9));
    EXPECT_EQ(offered[0].call_time, std::chrono::milliseconds(0));
    EXPECT_EQ(offered[1].provider->capability(), "mcp:hub");
    EXPECT_EQ(&offered[1].provider->speaker(), instance.get());
    EXPECT_EQ(instance->offered()[1].provider, offered[1].provider) << "the same while it is held";
    EXPECT_EQ(around_.changes.seen,
              (std::vector<std::string>{"scripted@1.0.0#1 offers", "scripted@1.0.0#1 offers"}));
    EXPECT_EQ(withdraw("mcp:any"), PATCHBAY_OK);
    EXPECT_EQ(withdraw("mcp:any"), PATCHBAY_E_NOT_FOUND);
    EXPECT_EQ(instance->offered().size(), 1u);
}

TEST_F(OffersTest, ThatAreWrongAreRefusedWithAReason) {
    auto instance = start();
    const std::pair<const char*, const char*> wrong[] = {
        {"", "JSON"},
        {"[]", "object"},
        {R"({"namespace":"a"})", "\"name\""},
        {R"({"name":"mcp:a"})", "\"namespace\""},
        {R"({"name":"github","namespace":"a"})", "'github'"},
        {R"({"name":"mcp:a","namespace":"a__b"})", "'a__b'"},
        {R"({"name":"mcp:a","namespace":"a","title":1})", "\"title\""},
        {R"({"name":"mcp:a","namespace":"a","lists":{"ttl_ms":-1}})", "\"ttl_ms\""},
        {R"({"name":"mcp:a","namespace":"a","call_time_ms":0})", "\"call_time_ms\""},
        {R"({"name":"mcp:a","namespace":"a","call_time_ms":86400001})", "\"call_time_ms\""},
        {R"({"name":"mcp:a","namespace":"a","call_time_ms":1.5})", "\"call_time_ms\""},
        {R"({"name":"mcp:a","namespace":"a","call_time_ms":"9"})", "\"call_time_ms\""},
    };
    for (const auto& [spec, part] : wrong) {
        EXPECT_EQ(offer(spec), PATCHBAY_E_INVALID) << spec;
        EXPECT_NE(reason_.find(part), std::string::npos) << reason_;
    }
    EXPECT_EQ(offer(R"({"name":"mcp:a","namespace":"taken"})"), PATCHBAY_E_BUSY);
    EXPECT_EQ(reason_, "mcp:a: the namespace is taken");
    EXPECT_EQ(offer(R"({"name":"mcp:a","namespace":"s"})"), PATCHBAY_E_BUSY) << "its own";
    EXPECT_TRUE(instance->offered().empty());
    EXPECT_EQ(service(host_).offer(host_, {nullptr, 5}, nullptr, nullptr), PATCHBAY_E_INVALID);
    EXPECT_EQ(service(host_).offer(host_, str("{}"), nullptr, nullptr), PATCHBAY_E_INVALID);
}

TEST_F(OffersTest, AreBounded) {
    auto instance = start();
    const auto spec = [](int i) {
        const auto name = std::to_string(i);
        return R"({"name":"mcp:)" + name + R"(","namespace":")" + name + "\"}";
    };
    for (int i = 0; i < 1000; ++i)
        ASSERT_EQ(offer(spec(i)), PATCHBAY_OK) << reason_;
    EXPECT_EQ(offer(spec(1000)), PATCHBAY_E_BUSY);
    EXPECT_NE(reason_.find("1000"), std::string::npos) << reason_;
    EXPECT_EQ(offer(R"({"name":"mcp:7","namespace":"seven"})"), PATCHBAY_OK) << "no further one";
}

TEST_F(OffersTest, SayWhatChangedUnderTheirName) {
    auto instance = start();
    ASSERT_EQ(offer(R"({"name":"mcp:hub","namespace":"hub"})"), PATCHBAY_OK);
    const auto say = [&](std::string_view name, std::string_view method, std::string_view params) {
        return service(host_).notify(host_, str(name), str(method), str(params));
    };
    constexpr auto changed = "notifications/tools/list_changed";
    EXPECT_EQ(say("mcp:hub", changed, ""), PATCHBAY_OK) << "nobody has asked yet";
    around_.changes.seen.clear();
    const auto held = instance->offered();
    EXPECT_EQ(say("mcp:hub", changed, ""), PATCHBAY_OK);
    EXPECT_EQ(around_.changes.seen, (std::vector<std::string>{"scripted@1.0.0#1/mcp:hub " +
                                                              std::string(changed) + " {}"}));
    EXPECT_EQ(say("mcp:other", changed, ""), PATCHBAY_E_NOT_FOUND);
    EXPECT_EQ(say("mcp:hub", changed, "[]"), PATCHBAY_E_INVALID);
    EXPECT_EQ(say("mcp:hub", "notifications/message", "{}"), PATCHBAY_E_UNSUPPORTED);
    // Whoever listed it under what was said before lists it again.
    around_.changes.seen.clear();
    EXPECT_EQ(offer(R"({"name":"mcp:hub","namespace":"hub","lists":{"ttl_ms":1}})"), PATCHBAY_OK);
    EXPECT_EQ(around_.changes.seen.size(), 2u);
    EXPECT_EQ(offer(R"({"name":"mcp:hub","namespace":"hub","lists":{"ttl_ms":1}})"), PATCHBAY_OK);
    EXPECT_EQ(around_.changes.seen.size(), 2u);
}

TEST_F(OffersTest, EndWithTheirInstanceAndKeepItUntilThen) {
    Signal destroyed;
    patchbay_status at_stop = PATCHBAY_OK;
    Script script;
    script.stop = [&](const patchbay_host* host) {
        at_stop =
            service(host).offer(host, str(R"({"name":"mcp:b","namespace":"b"})"), nullptr, nullptr);
    };
    script.destroy = [&](auto*) { destroyed.raise(); };
    auto instance = start(script);
    ASSERT_EQ(offer(R"({"name":"mcp:a","namespace":"a"})"), PATCHBAY_OK);
    auto held = instance->offered().at(0).provider;
    instance.reset();
    EXPECT_FALSE(destroyed.raised());
    held->handle({5, "tools/call", R"({"x":1})", "{}", 0});
    EXPECT_EQ(around_.calls.end_of(5).body, R"({"x":1})");
    held.reset();
    ASSERT_TRUE(destroyed.wait());
    EXPECT_EQ(at_stop, PATCHBAY_E_GONE);
}

}  // namespace
}  // namespace pb::plugin
