// SPDX-License-Identifier: Apache-2.0
// Child processes: whatever they do, they end with us and do no harm.
#include "client/child.h"

#include <signal.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>

#include "support.h"

namespace pb::client::testing::child_test {
namespace {

// Gone, or only not reaped by whoever it was left to.
bool is_dead(int pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string all((std::istreambuf_iterator<char>(stat)), {});
    const auto name_end = all.rfind(')');
    return name_end == std::string::npos || all.size() < name_end + 3 || all[name_end + 2] == 'Z';
}

// A shell script as a child, and what it said.
class Script {
  public:
    explicit Script(const std::string& text, ChildSpec spec = {}) {
        if (spec.command.empty()) {
            spec.command = "sh";
            spec.arguments = {"-c", text};
        }
        spec.patience = std::chrono::milliseconds(200);
        Child::Hooks hooks;
        hooks.line = [this](std::string_view line) { note(lines_, line); };
        hooks.error = [this](std::string_view line) { note(errors_, line); };
        hooks.ended = [this](const std::string& how) { note(ends_, how); };
        auto started = Child::start(children_, spec, hooks);
        if (started)
            child_ = std::move(*started);
        else
            problem_ = started.error().message;
    }
    ~Script() { child_.reset(); }

    Child& child() { return *child_; }
    const std::string& problem() const { return problem_; }
    bool started() const { return child_ != nullptr; }
    std::string line(std::size_t index = 0) { return wait(lines_, index); }
    std::string error(std::size_t index = 0) { return wait(errors_, index); }
    std::string end() { return wait(ends_, 0); }
    std::size_t ends() {
        std::lock_guard lock(mutex_);
        return ends_.size();
    }
    std::size_t lines() {
        std::lock_guard lock(mutex_);
        return lines_.size();
    }
    void drop() { child_.reset(); }

  private:
    void note(std::vector<std::string>& list, std::string_view line) {
        std::lock_guard lock(mutex_);
        list.emplace_back(line);
        changed_.notify_all();
    }
    std::string wait(const std::vector<std::string>& list, std::size_t index) {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, patience, [&] { return list.size() > index; })) {
            ADD_FAILURE() << "nothing came";
            return {};
        }
        return list[index];
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> lines_, errors_, ends_;
    std::string problem_;
    std::shared_ptr<Child> child_;
    Children children_;  // last: its end waits for the child's, which uses the others
};

TEST(Child, ReadsWritesAndEndsWhenItsInputIsClosed) {
    Script script("while read line; do echo \"got $line\"; done; echo bye");
    EXPECT_TRUE(script.child().write("one"));
    EXPECT_TRUE(script.child().write("two words"));
    EXPECT_EQ(script.line(0), "got one");
    EXPECT_EQ(script.line(1), "got two words");
    script.child().close();
    EXPECT_EQ(script.line(2), "bye");
    EXPECT_EQ(script.end(), "exited with code 0");
    EXPECT_EQ(script.ends(), 1U);
    EXPECT_FALSE(script.child().write("late"));
}

TEST(Child, EndsWithItsObject) {
    Script script("echo $$; exec sleep 600");
    const int pid = std::stoi(script.line());
    EXPECT_FALSE(is_dead(pid));
    script.drop();
    EXPECT_EQ(script.end(), "was ended by signal 15");
    EXPECT_TRUE(is_dead(pid));
}

TEST(Child, WhatIgnoresEverythingIsKilled) {
    Script script("trap '' TERM HUP INT; echo $$; while :; do sleep 1; done");
    const int pid = std::stoi(script.line());
    script.child().close();
    EXPECT_EQ(script.end(), "was ended by signal 9");
    EXPECT_TRUE(is_dead(pid));
}

TEST(Child, ItsWholeGroupGoes) {
    Script script("sleep 600 & echo $!; echo $$; wait");
    const int grandchild = std::stoi(script.line(0)), child = std::stoi(script.line(1));
    EXPECT_FALSE(is_dead(grandchild));
    script.child().close();
    script.end();
    EXPECT_TRUE(eventually([&] { return is_dead(child) && is_dead(grandchild); }));
}

TEST(Child, WhatItLeavesBehindGoesToo) {
    Script script("sleep 600 & echo $!; exit 0");
    const int grandchild = std::stoi(script.line(0));
    EXPECT_EQ(script.end(), "exited with code 0");
    EXPECT_TRUE(eventually([&] { return is_dead(grandchild); }));
}

TEST(Child, SaysHowItEnded) {
    Script exits("echo last words; exit 7");
    EXPECT_EQ(exits.line(), "last words");
    EXPECT_EQ(exits.end(), "exited with code 7");
    Script dies("kill -SEGV $$");
    EXPECT_EQ(dies.end(), "was ended by signal 11");
}

TEST(Child, WhatCannotBeRunIsAnError) {
    ChildSpec spec;
    spec.command = "/nowhere/at-all";
    EXPECT_NE(Script("", spec).problem().find("/nowhere/at-all"), std::string::npos);
    spec.command = "no-such-program-anywhere";
    EXPECT_FALSE(Script("", spec).started());
    spec.command = "sh";
    spec.cwd = "/nowhere";
    EXPECT_FALSE(Script("", spec).started());
}

TEST(Child, HasItsOwnEnvironmentAndFolder) {
    ::setenv("PATCHBAY_TEST_SECRET", "not for children", 1);
    ChildSpec spec;
    spec.command = "sh";
    spec.arguments = {"-c", "echo \"$GIVEN|$PATCHBAY_TEST_SECRET|$(pwd)\""};
    spec.environment = {{"GIVEN", "a b"}};
    spec.cwd = "/";
    Script script("", spec);
    EXPECT_EQ(script.line(), "a b||/");
    ::unsetenv("PATCHBAY_TEST_SECRET");
}

TEST(Child, LongErrorLinesAreCut) {
    ChildSpec spec;
    spec.command = "sh";
    spec.arguments = {"-c", "printf '%0100000d\\nshort\\n' 0 >&2"};
    spec.max_error_line = 100;
    Script script("", spec);
    EXPECT_EQ(script.error(0).size(), 100U);
    EXPECT_EQ(script.error(1), "short");
}

TEST(Child, ALineThatIsTooLongEndsIt) {
    ChildSpec spec;
    spec.command = "sh";
    spec.arguments = {"-c", "echo short; printf '%0100000d\\n' 0; exec sleep 600"};
    spec.max_line = 1'000;
    Script script("", spec);
    EXPECT_EQ(script.line(), "short");
    script.end();
    EXPECT_EQ(script.lines(), 1U);
}

TEST(Child, WhoNeverReadsIsNotWrittenToWithoutBound) {
    Script script("echo ready; exec sleep 600");
    script.line();
    const std::string large(1U << 20U, 'x');
    int taken = 0;
    while (taken < 100 && script.child().write(large))
        ++taken;
    EXPECT_GE(taken, 16);
    EXPECT_LT(taken, 64);
    script.child().close();
    EXPECT_EQ(script.end(), "was ended by signal 15");
}

TEST(Child, AFloodIsReadToItsEnd) {
    Script script(
        "i=0; while [ $i -lt 20000 ]; do echo line $i; echo error $i >&2; i=$((i+1)); done");
    EXPECT_EQ(script.end(), "exited with code 0");
    EXPECT_EQ(script.lines(), 20'000U);
}

TEST(Child, ManyAtOnceLeaveNothing) {
    std::vector<int> pids;
    {
        std::vector<std::unique_ptr<Script>> all;
        for (int i = 0; i < 20; ++i)
            all.push_back(std::make_unique<Script>("echo $$; cat"));
        for (auto& each : all)
            pids.push_back(std::stoi(each->line()));
    }
    for (const int pid : pids)
        EXPECT_TRUE(is_dead(pid));
}

TEST(Child, DiesWithItsParent) {
    ChildSpec spec;
    spec.command = PATCHBAY_TEST_PEER;
    spec.arguments = {"parent"};
    int grandchild = 0;
    {
        Script parent("", spec);
        ASSERT_TRUE(parent.started()) << parent.problem();
        grandchild = std::stoi(parent.line());
        EXPECT_FALSE(is_dead(grandchild));
        parent.child().close();  // it ignores its input's end; SIGTERM and then SIGKILL follow
        parent.end();
    }
    EXPECT_TRUE(eventually([&] { return is_dead(grandchild); }));
}

// --- MCP over it ---------------------------------------------------------------------------------

struct Peer : World {
    explicit Peer(const std::string& mode) {
        spec.kind = Kind::stdio;
        spec.command = PATCHBAY_TEST_PEER;
        spec.arguments = {mode};
    }
};

TEST(Stdio, BothErasAreFound) {
    Peer modern_one("modern");
    ASSERT_TRUE(modern_one.open());
    EXPECT_TRUE(modern_one.client().link()->info.modern());
    EXPECT_TRUE(modern_one.ask().ok());
    for (const std::string mode : {"legacy", "named", "exits", "silent"}) {
        Peer peer(mode);
        const auto link = peer.open();
        ASSERT_TRUE(link) << mode << ": " << link.error().message;
        EXPECT_EQ((*link)->info.version_name, "2025-06-18") << mode;
        EXPECT_TRUE(peer.ask().ok()) << mode;
    }
}

TEST(Stdio, WhatIsRememberedMayBeWrong) {
    Peer now_modern("modern");
    now_modern.remembered = mcp::Version::v2025_11_25;
    ASSERT_TRUE(now_modern.open());
    EXPECT_TRUE(now_modern.client().link()->info.modern());
    Peer now_legacy("exits");
    now_legacy.remembered = mcp::newest;
    ASSERT_TRUE(now_legacy.open());
    EXPECT_FALSE(now_legacy.client().link()->info.modern());
}

TEST(Stdio, AProcessThatCrashesIsStartedAgainForTheNextCall) {
    Peer peer("modern");
    const auto first = peer.ask();
    ASSERT_TRUE(first.ok());
    const auto crashed = peer.ask(tool("crash"));
    EXPECT_EQ(crashed.loss.why, Loss::Why::broken);
    EXPECT_TRUE(crashed.loss.executed);
    EXPECT_NE(crashed.loss.message.find("code 3"), std::string::npos) << crashed.loss.message;
    const auto second = peer.ask();
    ASSERT_TRUE(second.ok());
    EXPECT_NE(first.text, second.text);
    EXPECT_EQ(peer.owner->ends(), 1);
}

TEST(Stdio, AProcessThatCrashesAgainAndAgainIsStartedLaterAndLater) {
    Peer peer("modern");
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(peer.ask(tool("crash")).loss.why, Loss::Why::broken);
    const auto refused = peer.ask();
    EXPECT_EQ(refused.loss.why, Loss::Why::unreachable);
    EXPECT_FALSE(refused.loss.executed);
    EXPECT_NE(refused.loss.message.find("code 3; restarting in"), std::string::npos)
        << refused.loss.message;
    EXPECT_EQ(peer.owner->opens(), 2);
    EXPECT_TRUE(eventually([&] { return peer.ask().ok(); }));
}

TEST(Stdio, AProcessThatEndsAtOnceIsStartedLaterAndLater) {
    Peer peer("modern");
    peer.spec.command = "false";
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(peer.ask().loss.message.find("restarting"), std::string::npos);
    EXPECT_NE(peer.ask().loss.message.find("restarting in"), std::string::npos);
}

TEST(Restarts, PausesGrowUpToABoundAndALongLifeEndsThem) {
    Restarts restarts({milliseconds(1'000), milliseconds(20'000), milliseconds(60'000)});
    restarts.began();
    restarts.ended("once");
    EXPECT_EQ(restarts.left(), milliseconds(0));
    for (const auto pause : {20'000, 40'000, 60'000, 60'000}) {
        restarts.began();
        restarts.ended("again");
        EXPECT_LE(restarts.left(), milliseconds(pause));
        EXPECT_GT(restarts.left(), milliseconds(pause / 2));
    }
    restarts.began();
    std::this_thread::sleep_for(std::chrono::milliseconds(1'000));
    restarts.ended("after long");
    EXPECT_EQ(restarts.left(), milliseconds(0));
    EXPECT_EQ(restarts.why(), "after long");
    restarts.began();
    restarts.ended("the first of new ones");
    EXPECT_EQ(restarts.left(), milliseconds(0));
}

TEST(Stdio, AFloodAndALineThatIsTooLongCostTheirOwnCalls) {
    Peer peer("legacy");
    peer.spec.limits.message = 1U << 20U;
    EXPECT_TRUE(peer.ask(tool("flood")).ok());
    EXPECT_EQ(peer.ask(tool("long")).loss.why, Loss::Why::broken);
    EXPECT_TRUE(peer.ask().ok());
}

TEST(Stdio, ACancelledCallIsNamed) {
    Peer peer("modern");
    const auto heard = std::make_shared<Recorder>();
    ASSERT_TRUE(peer.ask().ok());
    const auto call = peer.call(heard, tool("hang"));
    call->cancel("enough");
    EXPECT_EQ(heard->wait().loss.why, Loss::Why::cancelled);
    EXPECT_TRUE(eventually([&] {
        for (const auto& notice : peer.owner->notices())
            if (notice.starts_with("test/cancelled") && notice.find("enough") != std::string::npos)
                return true;
        return false;
    }));
}

// The server ends the subscription at once, each time: there is no stream whose end could tell.
TEST(Stdio, ASubscriptionThatIsTornDownIsMadeAgain) {
    Peer peer("modern");
    ASSERT_TRUE(peer.open());
    EXPECT_TRUE(eventually([&] {
        const auto all = peer.owner->notices();
        return std::count_if(all.begin(), all.end(), [](const std::string& notice) {
                   return notice.starts_with("test/listen");
               }) >= 2;
    }));
}

TEST(Stdio, AServerThatCannotBeStartedIsAnError) {
    Peer peer("modern");
    peer.spec.command = "/nowhere/server";
    const auto reply = peer.ask();
    EXPECT_EQ(reply.loss.why, Loss::Why::unreachable);
    EXPECT_NE(reply.loss.message.find("/nowhere/server"), std::string::npos);
}

// --- the end of everything -----------------------------------------------------------------------

TEST(Shutdown, EndsWhateverIsGoingOn) {
    TestServer quiet([](const Got&, const Out& out) { out.on_gone([out] {}); });
    TestServer calls([](const Got& got, const Out& out) {
        if (!modern(got, out)) out.on_gone([out] {});
    });
    TestServer streams([](const Got& got, const Out& out) {
        if (got.http != "GET" && legacy(got, out, {"s", R"({"tools":{}})", ""})) return;
        out.stream();
        out.event("", "e1", 0);
        out.end();
    });
    for (const bool closed_first : {true, false}) {
        auto engine = local_engine();
        std::vector<std::shared_ptr<Client>> clients;
        std::vector<std::shared_ptr<Recorder>> heard;
        for (const auto* server : {&quiet, &calls, &streams})
            for (int i = 0; i < 3; ++i) {
                ServerSpec spec;
                spec.url = server->url();
                clients.push_back(Client::make(*engine, spec, fixed_credentials({}), {}));
            }
        for (const std::string mode : {"modern", "silent"}) {
            ServerSpec spec;
            spec.kind = Kind::stdio;
            spec.command = PATCHBAY_TEST_PEER;
            spec.arguments = {mode};
            clients.push_back(Client::make(*engine, spec, fixed_credentials({}), {}));
        }
        for (const auto& client : clients) {
            heard.push_back(std::make_shared<Recorder>());
            client->call(tool("hang"), heard.back());
        }
        ASSERT_TRUE(quiet.wait_for("server/discover"));
        ASSERT_TRUE(calls.wait_for("tools/call"));
        ASSERT_TRUE(streams.wait_for("tools/call"));
        if (closed_first)
            for (const auto& client : clients)
                client->close();
        engine.reset();
        for (const auto& each : heard)
            EXPECT_EQ(each->ends(), 1);
    }
}

}  // namespace
}  // namespace pb::client::testing::child_test
