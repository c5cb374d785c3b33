// SPDX-License-Identifier: Apache-2.0
// Which addresses are public, and what an operator's list opens.
#include "support.h"

namespace pb::outbound::testing {
namespace {

std::string refusal(const AddressPolicy& policy, const std::string& address) {
    const auto storage = FakeResolver::address(address);
    return policy.refusal(reinterpret_cast<const sockaddr&>(storage));
}

struct Case {
    const char* address;
    const char* what;  // a part of the refusal; empty: it is public
};

// Each range by its first and last address, and its neighbours where those are public.
const Case cases[] = {
    {"0.0.0.0", "unspecified"},
    {"0.255.255.255", "unspecified"},
    {"1.0.0.0", ""},
    {"9.255.255.255", ""},
    {"10.0.0.0", "private"},
    {"10.255.255.255", "private"},
    {"11.0.0.0", ""},
    {"100.63.255.255", ""},
    {"100.64.0.0", "carrier-grade NAT"},
    {"100.100.100.200", "carrier-grade NAT"},
    {"100.127.255.255", "carrier-grade NAT"},
    {"100.128.0.0", ""},
    {"126.255.255.255", ""},
    {"127.0.0.0", "loopback"},
    {"127.0.0.1", "127.0.0.1 is a loopback address"},
    {"127.255.255.255", "loopback"},
    {"128.0.0.0", ""},
    {"168.63.129.15", ""},
    {"168.63.129.16", "metadata"},
    {"169.253.255.255", ""},
    {"169.254.0.0", "link-local"},
    {"169.254.169.254", "link-local"},
    {"169.254.255.255", "link-local"},
    {"169.255.0.0", ""},
    {"172.15.255.255", ""},
    {"172.16.0.0", "private"},
    {"172.31.255.255", "private"},
    {"172.32.0.0", ""},
    {"192.0.0.0", "reserved"},
    {"192.0.0.192", "reserved"},
    {"192.0.1.0", ""},
    {"192.0.2.0", "documentation"},
    {"192.0.2.255", "documentation"},
    {"192.0.3.0", ""},
    {"192.88.99.1", "reserved"},
    {"192.167.255.255", ""},
    {"192.168.0.0", "private"},
    {"192.168.255.255", "private"},
    {"192.169.0.0", ""},
    {"198.17.255.255", ""},
    {"198.18.0.0", "benchmarking"},
    {"198.19.255.255", "benchmarking"},
    {"198.20.0.0", ""},
    {"198.51.100.7", "documentation"},
    {"198.51.101.0", ""},
    {"203.0.113.255", "documentation"},
    {"203.0.114.0", ""},
    {"223.255.255.255", ""},
    {"224.0.0.0", "multicast"},
    {"239.255.255.255", "multicast"},
    {"240.0.0.0", "reserved"},
    {"255.255.255.254", "reserved"},
    {"255.255.255.255", "broadcast"},
    {"8.8.8.8", ""},
    {"::", "unspecified"},
    {"::1", "loopback"},
    {"::2", "reserved"},
    {"::7f00:1", "reserved"},          // compatible, 127.0.0.1
    {"::8.8.8.8", "reserved"},         // compatible
    {"::ffff:127.0.0.1", "loopback"},  // mapped
    {"::ffff:169.254.169.254", "link-local"},
    {"::ffff:8.8.8.8", ""},
    {"::ffff:0:127.0.0.1", "reserved"},  // translated (SIIT)
    {"64:ff9b::7f00:1", "leads to 127.0.0.1, a loopback"},
    {"64:ff9b::a9fe:a9fe", "link-local"},
    {"64:ff9b::808:808", ""},
    {"64:ff9b:0:1::808:808", "reserved"},
    {"64:ff9b:1::808:808", "local translation"},
    {"100::1", "discard"},
    {"2001::", "unspecified"},                           // Teredo, server 0.0.0.0
    {"2001:0:808:808::f5ff:fffe", "leads to 10.0.0.1"},  // Teredo, client 10.0.0.1
    {"2001:0:7f00:1::f7f7:f7f7", "leads to 127.0.0.1"},  // Teredo, server 127.0.0.1
    {"2001:0:808:808::f7f7:f7f7", ""},                   // Teredo, both public
    {"2001:2::1", "benchmarking"},
    {"2001:10::1", "reserved"},
    {"2001:1ff:ffff::", "reserved"},
    {"2001:200::", ""},
    {"2001:db8::1", "documentation"},
    {"2001:db9::", ""},
    {"2001:4860:4860::8888", ""},
    {"2002:7f00:1::", "leads to 127.0.0.1"},  // 6to4
    {"2002:c0a8:101::1", "private"},
    {"2002:808:808::1", ""},
    {"2606:4700::1111", ""},
    {"3ffe:ffff::", ""},
    {"3fff::1", "documentation"},
    {"3fff:fff:ffff::", "documentation"},
    {"3fff:1000::", ""},
    {"4000::", "reserved"},
    {"5f00::1", "reserved"},
    {"fc00::", "private"},
    {"fd00:ec2::254", "private"},
    {"fdff:ffff::", "private"},
    {"fe00::", "reserved"},
    {"fe80::1", "link-local"},
    {"febf::", "link-local"},
    {"fec0::1", "site-local"},
    {"ff00::", "multicast"},
    {"ff02::1", "multicast"},
};

TEST(AddressPolicy, OnlyPublicAddressesPassByDefault) {
    const AddressPolicy policy;
    for (const auto& [address, what] : cases) {
        const auto why = refusal(policy, address);
        if (*what == '\0') {
            EXPECT_EQ(why, "") << address;
        } else {
            EXPECT_NE(why.find(what), std::string::npos) << address << ": " << why;
        }
    }
}

TEST(AddressPolicy, AnOpenedRangeIsOpenedExactly) {
    const struct {
        const char* range;
        std::vector<const char*> inside, outside;
    } ranges[] = {
        {"10.1.0.0/16",
         {"10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "64:ff9b::a01:203", "2002:a01:203::"},
         {"10.0.255.255", "10.2.0.0", "127.0.0.1", "::ffff:10.2.0.0", "64:ff9b::a02:203"}},
        {"127.0.0.1", {"127.0.0.1", "::ffff:127.0.0.1"}, {"127.0.0.2", "::1", "127.0.0.0"}},
        {"192.168.1.64/26", {"192.168.1.64", "192.168.1.127"}, {"192.168.1.63", "192.168.1.128"}},
        {"0.0.0.0/0", {"0.0.0.0", "127.0.0.1", "255.255.255.255", "::ffff:10.0.0.1"}, {"::1"}},
        {"::1/128", {"::1"}, {"::", "::2", "127.0.0.1"}},
        {"fd00::/9", {"fd00::1", "fd7f:ffff::"}, {"fd80::", "fc00::1", "fe80::1"}},
        {"::/0", {"::1", "fe80::1", "4000::"}, {"127.0.0.1", "::ffff:127.0.0.1"}},
        {"::ffff:127.0.0.0/104", {"127.0.0.1", "127.9.9.9"}, {"10.0.0.1"}},
        {"2002:7f00:1::/48", {"2002:7f00:1::9"}, {"2002:7f00:2::9", "127.0.0.1"}},
    };
    for (const auto& [range, inside, outside] : ranges) {
        const auto policy = opened({range});
        for (const char* address : inside)
            EXPECT_EQ(refusal(policy, address), "") << range << " opens " << address;
        for (const char* address : outside)
            EXPECT_NE(refusal(policy, address), "") << range << " does not open " << address;
        EXPECT_EQ(refusal(policy, "8.8.8.8"), "");
    }
}

TEST(AddressPolicy, AWrongRangeIsNamed) {
    for (const char* range :
         {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0/8",
          "10.0.0.0/ 8", " 10.0.0.0/8", "::/129", "fe80::1%lo", "example.com", "0x7f.1", "[::1]"}) {
        const auto policy = AddressPolicy::make({"10.0.0.0/8", range});
        ASSERT_FALSE(policy.ok()) << range;
        EXPECT_NE(policy.error().message.find("\"" + std::string(range) + "\""), std::string::npos);
    }
    EXPECT_FALSE(AddressPolicy::make({std::string("10.0.0.0\0/8", 11)}).ok());
    const auto bits = AddressPolicy::make({"10.1.2.3/8"});
    ASSERT_FALSE(bits.ok());
    EXPECT_NE(bits.error().message.find("\"10.0.0.0/8\" would be right"), std::string::npos);
}

TEST(AddressPolicy, OtherFamiliesAreRefused) {
    sockaddr_storage unix_socket{};
    unix_socket.ss_family = AF_UNIX;
    EXPECT_NE(opened({"0.0.0.0/0", "::/0"}).refusal(reinterpret_cast<sockaddr&>(unix_socket)), "");
}

}  // namespace
}  // namespace pb::outbound::testing
