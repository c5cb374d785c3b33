// SPDX-License-Identifier: Apache-2.0
// `patchbay audit`: what it asks the trail for, and what it shows.
#include "base/times.h"
#include "terminal.h"

namespace pb::cli::testing {
namespace {

class AuditTest : public Terminal {
  protected:
    AuditTest() {
        actions_.access.trail = [this](const config::HostConfig&, const TrailQuery& query) {
            asked_.push_back(query);
            return answer_(query);
        };
    }
    static std::string record(int id, const std::string& more = "") {
        return R"({"id":")" + std::to_string(id) + R"(","at":"2026-11-22T04:51:02.000Z")" +
               (more.empty() ? "" : "," + more) + "}";
    }

    std::vector<TrailQuery> asked_;
    std::function<Result<TrailPage>(const TrailQuery&)> answer_ = [](const TrailQuery&) {
        return Result<TrailPage>(TrailPage{{record(1)}, "", 0});
    };
};

TEST_F(AuditTest, AsksForWhatIsWanted) {
    ASSERT_EQ(run({"audit",  "--from",   "2026-01-01", "--to",     "2026-02-01T00:00:00Z",
                   "--tool", "a__*",     "--status",   "failed",   "--principal",
                   "p",      "--method", "m",          "--client", "c",
                   "--kind", "call",     "--limit",    "7",        "--org",
                   "gone"}),
              exit_ok)
        << err_;
    ASSERT_EQ(asked_.size(), 1U);
    const auto& asked = asked_[0];
    EXPECT_EQ(asked.org, "gone");
    EXPECT_EQ(asked.from_ms, parse_time("2026-01-01"));
    EXPECT_EQ(asked.to_ms, parse_time("2026-02-01"));
    EXPECT_EQ(asked.tool + asked.status + asked.principal, "a__*failedp");
    EXPECT_EQ(asked.method + asked.client + asked.kind, "mccall");
    EXPECT_EQ(asked.limit, 7U);

    ASSERT_EQ(run({"audit", "--from", "1h"}), exit_ok);
    EXPECT_EQ(asked_[1].org, "default");
    EXPECT_LE(asked_[1].from_ms.value(), access::now_ms() - 3'600'000);
    ASSERT_EQ(run({"audit", "--all-orgs"}), exit_ok);
    EXPECT_EQ(asked_[2].org, std::nullopt);
    EXPECT_EQ(run({"audit", "--all-orgs", "--org", "acme"}), exit_usage);
    EXPECT_EQ(run({"audit", "--limit", "0"}), exit_usage);
    EXPECT_EQ(run({"audit", "--from", "yesterday"}), exit_failed);
    expect_error("--from \"yesterday\" is no time");
}

TEST_F(AuditTest, ShowsTheNewestLast) {
    answer_ = [](const TrailQuery& query) -> Result<TrailPage> {
        if (query.cursor.empty()) return TrailPage{{record(4), record(3)}, "a", 0};
        if (query.cursor == "a") return TrailPage{{}, "b", 0};
        return TrailPage{{record(2)}, "c", 3};
    };
    ASSERT_EQ(run({"audit", "--json", "--limit", "3"}), exit_ok) << err_;
    EXPECT_EQ(out_, record(2) + "\n" + record(3) + "\n" + record(4) + "\n");
    ASSERT_EQ(asked_.size(), 3U);
    EXPECT_EQ(asked_[1].limit, 1U);
    EXPECT_NE(err_.find("3 records were lost"), std::string::npos);
}

TEST_F(AuditTest, ALineForAPerson) {
    answer_ = [](const TrailQuery&) -> Result<TrailPage> {
        return TrailPage{{record(1, R"("outcome":"denied","method":"tools/call","name":"a__x",)"
                                    R"("principal":"usr_1","reason":"no \u001b[2J\nat all")"),
                          "no JSON \x1b"},
                         "",
                         0};
    };
    ASSERT_EQ(run({"audit"}), exit_ok) << err_;
    EXPECT_EQ(out_,
              "no JSON ?\n2026-11-22T04:51:02.000Z  denied  tools/call  a__x  usr_1  no ?[2J at "
              "all\n");
}

TEST_F(AuditTest, FollowsWhatComes) {
    int polls = 0;
    answer_ = [&](const TrailQuery&) -> Result<TrailPage> {
        switch (++polls) {
            case 1:  // what is known when it begins
                return TrailPage{{record(3), record(2), record(1)}, "", 0};
            case 2:  // what is shown first
                return TrailPage{{record(3)}, "", 0};
            case 3:  // one that began before, and one that is new
                return TrailPage{{record(5), record(3), record(2), record(10), record(1)}, "", 0};
            case 4:
                return TrailPage{{record(5), record(3), record(2), record(10), record(1)}, "", 0};
            default:
                return internal_error("that is all");
        }
    };
    EXPECT_EQ(run({"audit", "--follow", "--json", "--limit", "1"}), exit_failed);
    EXPECT_EQ(out_, record(3) + "\n" + record(10) + "\n" + record(5) + "\n");
    EXPECT_NE(err_.find("that is all"), std::string::npos);
}

TEST_F(AuditTest, WithoutATrailItSaysSo) {
    actions_.access.trail = nullptr;
    EXPECT_EQ(run({"audit"}), exit_failed);
    expect_error("no trail");
}

}  // namespace
}  // namespace pb::cli::testing
