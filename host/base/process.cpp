// SPDX-License-Identifier: Apache-2.0
// Running another program over posix_spawn.
#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <thread>

#include "base/descriptor.h"

extern char** environ;

namespace pb {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int most_reads = 16;  // of 4 KiB: what a pipe holds

// posix_spawn's two option objects.
class SpawnOptions {
  public:
    SpawnOptions() {
        posix_spawn_file_actions_init(&actions_);
        posix_spawnattr_init(&attributes_);
        // Signals that this process blocks or ignores (servers ignore SIGPIPE, thread pools block
        // SIGTERM) would stay so in the child and make it unkillable by ordinary means.
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        posix_spawnattr_setpgroup(&attributes_, 0);
        posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    ~SpawnOptions() {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attributes_);
    }
    SpawnOptions(const SpawnOptions&) = delete;
    SpawnOptions& operator=(const SpawnOptions&) = delete;

    void streams(int output, int errors) {
        posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&actions_, output, 1);
        posix_spawn_file_actions_adddup2(&actions_, errors, 2);
        posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
    }
    const posix_spawn_file_actions_t* actions() const { return &actions_; }
    const posix_spawnattr_t* attributes() const { return &attributes_; }

  private:
    posix_spawn_file_actions_t actions_;
    posix_spawnattr_t attributes_;
};

std::vector<char*> pointers(const std::vector<std::string>& strings) {
    std::vector<char*> out;
    out.reserve(strings.size() + 1);
    for (const std::string& text : strings)
        out.push_back(const_cast<char*>(text.c_str()));
    out.push_back(nullptr);
    return out;
}

// Reads what is there, and no more than a pipe holds: whoever writes without pause must not keep
// this from looking at the time. False at the end of the stream.
bool drain(int fd, std::string& kept, std::size_t most) {
    std::array<char, 4096> buffer;
    for (int reads = 0; reads < most_reads; ++reads) {
        ssize_t count = read(fd, buffer.data(), buffer.size());
        if (count > 0) {
            std::size_t room = most - std::min(most, kept.size());
            kept.append(buffer.data(), std::min(room, static_cast<std::size_t>(count)));
            continue;
        }
        if (count == 0) return false;
        if (errno == EINTR) continue;
        return errno == EAGAIN;
    }
    return true;
}

// True once the child has been reaped, with `end` filled in.
bool reap(pid_t child, ProcessEnd& end, int options) {
    int status = 0;
    pid_t got;
    do {
        got = waitpid(child, &status, options);
    } while (got < 0 && errno == EINTR);
    if (got == 0) return false;
    if (got == child && WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
    if (got == child && WIFSIGNALED(status)) end.signal = WTERMSIG(status);
    return true;
}

// Collects output until the child has ended or the time is over; then ends its whole group.
ProcessEnd attend(pid_t child, const ProcessSpec& spec, Pipe& output, Pipe& errors) {
    ProcessEnd end;
    auto deadline = Clock::now() + spec.timeout;
    pollfd streams[2] = {{output.read.get(), POLLIN, 0}, {errors.read.get(), POLLIN, 0}};
    auto collect = [&] {
        if (streams[0].fd >= 0 && !drain(streams[0].fd, end.output, spec.max_output))
            streams[0].fd = -1;
        if (streams[1].fd >= 0 && !drain(streams[1].fd, end.errors, spec.max_output))
            streams[1].fd = -1;
    };
    bool reaped = false;
    while (!(reaped = reap(child, end, WNOHANG))) {
        auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
        if (left <= milliseconds::zero()) {
            end.timed_out = true;
            break;
        }
        // A child may close its streams and go on, or leave them open in a grandchild: so its end
        // is asked for in between. Right after the streams' end it is only an instant away.
        bool closed = streams[0].fd < 0 && streams[1].fd < 0;
        if (closed)
            std::this_thread::sleep_for(std::min(left, milliseconds(1)));
        else
            poll(streams, 2, static_cast<int>(std::min(left, milliseconds(20)).count()));
        collect();
    }
    kill(-child, SIGKILL);
    if (!reaped) reap(child, end, 0);
    collect();
    return end;
}

}  // namespace

Result<ProcessEnd> run_process(const ProcessSpec& spec) {
    if (spec.arguments.empty()) return invalid("a program to run needs a name");
    Pipe output, errors;
    if (!output.open() || !errors.open() || fcntl(output.read.get(), F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(errors.read.get(), F_SETFL, O_NONBLOCK) != 0)
        return internal_error(std::string("cannot make a pipe: ") + std::strerror(errno));
    SpawnOptions options;
    options.streams(output.write.get(), errors.write.get());
    auto arguments = pointers(spec.arguments);
    auto environment = pointers(spec.environment);
    pid_t child = 0;
    int failed = posix_spawnp(&child, arguments[0], options.actions(), options.attributes(),
                              arguments.data(), environment.data());
    if (failed != 0)
        return internal_error("cannot run '" + spec.arguments[0] + "': " + std::strerror(failed));
    output.write.reset();
    errors.write.reset();
    return attend(child, spec, output, errors);
}

std::vector<std::string> plain_environment() {
    static constexpr std::string_view names[] = {
        "PATH",         "HOME",         "TMPDIR",       "TZ", "LANG", "LC_ALL", "LD_LIBRARY_PATH",
        "ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"};
    std::vector<std::string> out;
    for (char** entry = environ; entry && *entry; ++entry) {
        std::string_view text = *entry;
        auto name = text.substr(0, text.find('='));
        if (std::find(std::begin(names), std::end(names), name) != std::end(names))
            out.emplace_back(text);
    }
    return out;
}

}  // namespace pb
