// SPDX-License-Identifier: Apache-2.0
// One thread for each child: it starts it (the kernel ties a child's end to the thread that made
// it), reads, writes, and reaps it.
#include "client/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <thread>

#include "base/descriptor.h"
#include "base/log.h"
#include "base/process.h"

namespace pb::client {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t max_waiting = 32U << 20U;  // bytes that the child has not read yet

// Lines out of bytes; false if one is too long (with `cut`: its end is dropped instead).
class Lines {
  public:
    Lines(std::size_t most, bool cut) : most_(most), cut_(cut) {}

    template <class Each>
    bool feed(std::string_view bytes, const Each& each) {
        while (!bytes.empty()) {
            const auto end = bytes.find('\n');
            const auto piece = bytes.substr(0, end);
            const auto room = most_ - std::min(most_, partial_.size());
            if (piece.size() > room && !cut_) return false;
            partial_.append(piece.substr(0, room));
            if (end == std::string_view::npos) return true;
            if (!partial_.empty() && partial_.back() == '\r') partial_.pop_back();
            if (!partial_.empty()) each(std::string_view(partial_));
            partial_.clear();
            bytes.remove_prefix(end + 1);
        }
        return true;
    }

  private:
    const std::size_t most_;
    const bool cut_;
    std::string partial_;
};

std::vector<std::string> environment_of(const ChildSpec& spec) {
    std::vector<std::string> out;
    for (auto& entry : plain_environment())
        if (!spec.environment.contains(entry.substr(0, entry.find('='))))
            out.push_back(std::move(entry));
    for (const auto& [name, value] : spec.environment)
        out.push_back(name + "=" + value);
    return out;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> out;
    out.reserve(strings.size() + 1);
    for (auto& text : strings)
        out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

// In the new process, before the program: only what is safe after fork. The error goes to `report`.
[[noreturn]] void become(char* const* arguments, char* const* environment, const char* cwd,
                         int input, int output, int errors, int report, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::setpgid(0, 0);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int number = 1; number < NSIG; ++number)
        ::signal(number, SIG_DFL);
    const bool ready = ::dup2(input, 0) == 0 && ::dup2(output, 1) == 1 && ::dup2(errors, 2) == 2 &&
                       (!cwd || ::chdir(cwd) == 0);
    if (ready) ::execvpe(arguments[0], arguments, environment);
    const int fault = errno;
    (void)!::write(report, &fault, sizeof fault);
    ::_exit(127);
}

std::string how(int status) {
    if (WIFEXITED(status)) return "exited with code " + std::to_string(WEXITSTATUS(status));
    if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
    return "ended";
}

}  // namespace

struct Child::State : std::enable_shared_from_this<Child::State> {
    State(ChildSpec wanted, Hooks called)
        : spec(std::move(wanted)),
          hooks(std::move(called)),
          wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
          output(spec.max_line, false),
          errors(spec.max_error_line, true) {}

    Result<void> spawn();
    void run();
    void wait_for_events();
    bool read(Descriptor& from, Lines& lines, const std::function<void(std::string_view)>& each);
    void feed();
    void press();
    bool reap();
    void kill();
    void nudge() const {
        const std::uint64_t one = 1;
        (void)!::write(wake.get(), &one, sizeof one);
    }

    const ChildSpec spec;
    const Hooks hooks;
    const Descriptor wake;

    std::mutex mutex;
    std::string waiting;  // for its standard input
    bool closing = false;

    // Only the thread's own.
    Lines output, errors;
    Descriptor in, out, err, process;
    pid_t pid = -1;
    int status = 0;
    int pressed = 0;  // 1: input closed, 2: SIGTERM, 3: SIGKILL
    Clock::time_point next_press{};
    std::string sending;
};

Result<void> Child::State::spawn() {
    Pipe input, result, faults, report;
    if (!input.open() || !result.open() || !faults.open() || !report.open() || wake.get() < 0)
        return internal_error(std::string("cannot make a pipe: ") + std::strerror(errno));
    std::vector<std::string> words{spec.command};
    words.insert(words.end(), spec.arguments.begin(), spec.arguments.end());
    auto variables = environment_of(spec);
    const auto arguments = pointers(words), environment = pointers(variables);
    const auto parent = ::getpid();
    pid = ::fork();
    if (pid == 0)
        become(arguments.data(), environment.data(), spec.cwd.empty() ? nullptr : spec.cwd.c_str(),
               input.read.get(), result.write.get(), faults.write.get(), report.write.get(),
               parent);
    if (pid < 0) return internal_error(std::string("cannot fork: ") + std::strerror(errno));
    report.write.reset();
    int fault = 0;
    ssize_t said = 0;
    while ((said = ::read(report.read.get(), &fault, sizeof fault)) < 0 && errno == EINTR) {
    }
    if (said == sizeof fault) {
        ::waitpid(pid, &status, 0);
        return invalid("cannot run '" + spec.command + "': " + std::strerror(fault));
    }
    in = std::move(input.write);
    out = std::move(result.read);
    err = std::move(faults.read);
    process = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    for (const auto* each : {&in, &out, &err})
        ::fcntl(each->get(), F_SETFL, O_NONBLOCK);
    return {};
}

void Child::State::run() {
    while (!reap()) {
        wait_for_events();
        if (!read(out, output, hooks.line)) {
            // Its answers end here; a line beyond all bounds is the same.
            std::lock_guard lock(mutex);
            closing = true;
        }
        if (!read(err, errors, hooks.error)) err.reset();
        feed();
        press();
    }
    // What it left behind in its group would live on without anybody to end it.
    ::kill(-pid, SIGKILL);
    (void)read(out, output, hooks.line);
    hooks.ended(how(status));
}

void Child::State::wait_for_events() {
    bool more = !sending.empty(), end = false;
    {
        std::lock_guard lock(mutex);
        more |= !waiting.empty();
        end = closing;
    }
    pollfd all[] = {{wake.get(), POLLIN, 0},
                    {process.get(), POLLIN, 0},
                    {out.get(), POLLIN, 0},
                    {err.get(), POLLIN, 0},
                    {more ? in.get() : -1, POLLOUT, 0}};
    // Without a process descriptor (an old kernel), and while it is being ended: look now and then.
    const int timeout = process.get() < 0 || end ? 20 : -1;
    ::poll(all, std::size(all), timeout);
    std::uint64_t count = 0;
    (void)!::read(wake.get(), &count, sizeof count);
}

// False at the end of the stream, or at a line that is too long.
bool Child::State::read(Descriptor& from, Lines& lines,
                        const std::function<void(std::string_view)>& each) {
    if (from.get() < 0) return &from != &out;
    std::array<char, 65536> buffer;
    for (int reads = 0; reads < 16; ++reads) {
        const auto count = ::read(from.get(), buffer.data(), buffer.size());
        if (count > 0) {
            if (lines.feed({buffer.data(), static_cast<std::size_t>(count)}, each)) continue;
            from.reset();
            return false;
        }
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) return true;
        from.reset();
        return false;
    }
    return true;
}

void Child::State::feed() {
    if (in.get() < 0) return;
    if (sending.empty()) {
        std::lock_guard lock(mutex);
        sending.swap(waiting);
    }
    std::size_t done = 0;
    while (done < sending.size()) {
        const auto count = ::write(in.get(), sending.data() + done, sending.size() - done);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            if (errno != EAGAIN) in.reset();
            break;
        }
        done += static_cast<std::size_t>(count);
    }
    sending.erase(0, done);
}

// One step further in ending it, whenever its time for the last one is over.
void Child::State::press() {
    {
        std::lock_guard lock(mutex);
        if (!closing) return;
    }
    if (pressed > 0 && Clock::now() < next_press) return;
    if (pressed == 0) in.reset();
    if (pressed == 1) ::kill(-pid, SIGTERM);
    if (pressed >= 2) ::kill(-pid, SIGKILL);
    ++pressed;
    next_press = Clock::now() + spec.patience;
}

bool Child::State::reap() {
    const auto got = ::waitpid(pid, &status, WNOHANG);
    return got == pid || (got < 0 && errno != EINTR);
}

void Child::State::kill() {
    ::kill(-pid, SIGKILL);
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
}

Children::~Children() {
    std::unique_lock lock(mutex_);
    left_.wait(lock, [this] { return count_ == 0; });
}

void Children::add(int change) {
    std::lock_guard lock(mutex_);
    count_ += change;
    left_.notify_all();
}

// The whole life of a child, on its thread.
void Child::live(const std::shared_ptr<State>& state, std::promise<Result<void>> begun) {
    // A child that does not read must not end us.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    bool running = false;
    try {
        auto started = state->spawn();
        running = started.ok();
        begun.set_value(std::move(started));
        if (running) state->run();
    } catch (const std::exception& fault) {
        log::error("child.fault", {{"reason", fault.what()}});
        if (!running) return begun.set_value(internal_error(fault.what()));
        state->kill();
        state->hooks.ended("was ended because of a fault here");
    }
}

Result<std::shared_ptr<Child>> Child::start(Children& children, ChildSpec spec, Hooks hooks) {
    auto state = std::make_shared<State>(std::move(spec), std::move(hooks));
    std::promise<Result<void>> begun;
    auto ready = begun.get_future();
    children.add(1);
    try {
        std::thread([state, &children, begun = std::move(begun)]() mutable {
            live(state, std::move(begun));
            state.reset();
            children.add(-1);
        }).detach();
    } catch (const std::system_error& fault) {
        children.add(-1);
        return internal_error(std::string("cannot start a thread: ") + fault.what());
    }
    if (auto result = ready.get(); !result) return result.error();
    return std::shared_ptr<Child>(new Child(std::move(state)));
}

bool Child::write(std::string_view line) {
    std::lock_guard lock(state_->mutex);
    if (state_->closing || state_->waiting.size() + line.size() > max_waiting) return false;
    state_->waiting.append(line).push_back('\n');
    state_->nudge();
    return true;
}

void Child::close() {
    std::lock_guard lock(state_->mutex);
    state_->closing = true;
    state_->nudge();
}

}  // namespace pb::client
