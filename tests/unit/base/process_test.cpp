// SPDX-License-Identifier: Apache-2.0
// Helper processes: how they end, what is kept of their output, and that they can be ended.
#include "base/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "support/files.h"

namespace pb {
namespace {

ProcessEnd shell(const std::string& script,
                 std::chrono::milliseconds timeout = std::chrono::minutes(1)) {
    ProcessSpec spec;
    spec.arguments = {"/bin/sh", "-c", script};
    spec.environment = {"PATH=/usr/bin:/bin", "GIVEN=yes"};
    spec.timeout = timeout;
    spec.max_output = 1000;
    auto end = run_process(spec);
    if (!end) throw std::runtime_error(end.error().message);
    return *end;
}

TEST(Process, TellsHowItEnded) {
    auto end = shell("echo out; echo err >&2; exit 7");
    EXPECT_EQ(end.exit_code, 7);
    EXPECT_EQ(end.output, "out\n");
    EXPECT_EQ(end.errors, "err\n");
    EXPECT_FALSE(end.timed_out);
    EXPECT_EQ(shell("kill -9 $$").signal, SIGKILL);
}

TEST(Process, OutputIsBoundedAndReadToItsEnd) {
    auto end = shell(
        "i=0; while [ $i -lt 5000 ]; do echo 0123456789012345678901234567890123456789; "
        "i=$((i+1)); done; exit 3");
    EXPECT_EQ(end.output.size(), 1000u);
    EXPECT_EQ(end.exit_code, 3);
}

TEST(Process, IsKilledWithItsChildrenWhenItsTimeIsOver) {
    const test::TempFolder folder;
    const std::string fifo = folder / "alive";
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ASSERT_GE(reader, 0);
    // The grandchild holds the other end open as long as it lives.
    auto end = shell("sleep 600 >" + fifo + " & sleep 600", std::chrono::seconds(1));
    EXPECT_TRUE(end.timed_out);
    EXPECT_EQ(end.signal, SIGKILL);
    pollfd waiting{reader, POLLIN, 0};
    EXPECT_EQ(poll(&waiting, 1, 60'000), 1);
    char byte;
    EXPECT_EQ(read(reader, &byte, 1), 0) << "the grandchild is gone";
    close(reader);
}

TEST(Process, IsKilledAlsoWhileItWritesWithoutPause) {
    auto end = shell("yes & yes & yes & exec yes", std::chrono::milliseconds(100));
    EXPECT_TRUE(end.timed_out);
    EXPECT_EQ(end.signal, SIGKILL);
}

TEST(Process, AChildThatKeepsTheStreamsOpenDoesNotDelayTheEnd) {
    auto end = shell("sleep 600 & exit 4");
    EXPECT_FALSE(end.timed_out);
    EXPECT_EQ(end.exit_code, 4);
}

TEST(Process, InheritsNothing) {
    setenv("PATCHBAY_TEST_SECRET", "hidden", 1);
    auto end = shell("echo $GIVEN $PATCHBAY_TEST_SECRET; cat");
    unsetenv("PATCHBAY_TEST_SECRET");
    EXPECT_EQ(end.output, "yes\n");
    for (const std::string& entry : plain_environment())
        EXPECT_EQ(entry.find("SECRET"), std::string::npos);
}

TEST(Process, InheritsNoDescriptors) {
    const int open_one = open("/dev/null", O_RDONLY);  // without O_CLOEXEC
    ASSERT_GE(open_one, 3);
    auto end = shell("test -e /proc/self/fd/0 && test ! -e /proc/self/fd/" +
                     std::to_string(open_one) + " && echo none");
    close(open_one);
    EXPECT_EQ(end.output, "none\n");
}

TEST(Process, BlockedAndIgnoredSignalsAreFreeAgain) {
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    auto old = signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(shell("exec perl -e 'kill 15, $$; sleep 5' || kill -15 $$").signal, SIGTERM);
    EXPECT_EQ(shell("kill -13 $$; exit 0").signal, SIGPIPE);
    signal(SIGPIPE, old);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(Process, AMissingProgramIsAnError) {
    ProcessSpec spec;
    EXPECT_FALSE(run_process(spec).ok());
    spec.arguments = {"/nonexistent/program"};
    auto end = run_process(spec);
    ASSERT_FALSE(end.ok());
    EXPECT_NE(end.error().message.find("/nonexistent/program"), std::string::npos);
}

}  // namespace
}  // namespace pb
