// SPDX-License-Identifier: Apache-2.0
// Child: another program with its standard streams in our hands. It ends with this object, and with
// this process, however that ends.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pb::client {

struct ChildSpec {
    std::string command;  // found by PATH if without '/'
    std::vector<std::string> arguments;
    std::map<std::string, std::string> environment;  // on top of what any program may see
    std::string cwd;                                 // empty: ours
    std::size_t max_line = 16U << 20U;
    std::size_t max_error_line = 1024;
    std::chrono::milliseconds patience{2'000};  // to end by itself, and again after SIGTERM
};

// All children that have not been reaped; its end waits for theirs.
class Children {
  public:
    ~Children();

  private:
    friend class Child;
    void add(int change);

    std::mutex mutex_;
    std::condition_variable left_;
    int count_ = 0;
};

class Child {
  public:
    // Called on the child's own thread.
    struct Hooks {
        std::function<void(std::string_view line)> line;    // of its standard output
        std::function<void(std::string_view line)> error;   // of its standard error, cut
        std::function<void(const std::string& how)> ended;  // once, last: "exited with code 1"
    };

    static Result<std::shared_ptr<Child>> start(Children& children, ChildSpec spec, Hooks hooks);
    ~Child() { close(); }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    // [any thread] Queues one line for its standard input; false if it does not read and too much
    // is waiting, or if it has ended.
    bool write(std::string_view line);
    // [any thread] Begins its end and does not wait for it: its input is closed; if that does not
    // do, SIGTERM and then SIGKILL to its process group.
    void close();

  private:
    struct State;
    static void live(const std::shared_ptr<State>& state, std::promise<Result<void>> begun);
    explicit Child(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
};

}  // namespace pb::client
