// SPDX-License-Identifier: Apache-2.0
// A plugin that leans on its C++ runtime where two of them in one process could meet: exceptions
// through several frames and between threads, run-time types, thread-local objects with
// destructors, streams and locales. Built with several compilers and standard libraries.
#include <atomic>
#include <exception>
#include <future>
#include <iomanip>
#include <patchbay/plugin.hpp>
#include <sstream>
#include <thread>

#if defined(__clang__)
#define COMPILER "clang"
#else
#define COMPILER "gcc"
#endif
#if defined(_LIBCPP_VERSION)
#define LIBRARY "libc++"
#else
#define LIBRARY "libstdc++"
#endif

namespace {

struct Shape {
    virtual ~Shape() = default;
};
struct Circle : Shape {};
struct Square : Shape {};

struct Trouble : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Counts its own destructions: one for each thread that touched it.
std::atomic<int> ended_threads{0};
struct OfThread {
    int uses = 0;
    ~OfThread() { ++ended_threads; }
};
thread_local OfThread of_thread;

void throw_deep(int depth) {
    if (depth == 0) throw Trouble("from the depth");
    std::string on_the_way = std::to_string(depth);
    throw_deep(depth - 1);
    // Not a tail call: there is something to unwind.
    if (on_the_way.empty()) throw_deep(0);
}

std::string caught() {
    try {
        throw_deep(20);
    } catch (const std::exception& error) {
        return error.what();
    }
    return "nothing";
}

// An exception that travels between threads, three times over.
std::string carried() {
    std::exception_ptr trouble;
    std::thread([&] {
        try {
            throw_deep(3);
        } catch (...) {
            trouble = std::current_exception();
        }
    }).join();
    auto promise = std::async(std::launch::async, [trouble] { std::rethrow_exception(trouble); });
    try {
        promise.get();
    } catch (const Trouble& error) {
        try {
            std::throw_with_nested(std::logic_error("carried"));
        } catch (const std::exception& outer) {
            try {
                std::rethrow_if_nested(outer);
            } catch (const Trouble& inner) {
                return std::string(outer.what()) + " " + inner.what();
            }
        }
    }
    return "lost";
}

std::string types() {
    const std::unique_ptr<Shape> shape = std::make_unique<Circle>();
    try {
        (void)dynamic_cast<Square&>(*shape);
    } catch (const std::bad_cast&) {
        return dynamic_cast<Circle*>(shape.get()) ? "circle" : "no circle";
    }
    return "square";
}

int threads() {
    const int before = ended_threads;
    for (int i = 0; i < 4; ++i)
        std::thread([] { ++of_thread.uses; }).join();
    return ended_threads - before;
}

std::string formatted() {
    std::ostringstream out;
    out.imbue(std::locale::classic());
    out << std::fixed << std::setprecision(2) << 3.14159 << ' ' << std::hex << 255;
    return out.str();
}

}  // namespace

PATCHBAY_PLUGIN(RUNTIME_ID, "1.0.0", plugin) {
    plugin.tool("built_with").handle([] { return COMPILER " " LIBRARY; });
    plugin.tool("exercise").handle([] {
        return patchbay::structured({{"caught", caught()},
                                     {"carried", carried()},
                                     {"types", types()},
                                     {"threads", threads()},
                                     {"formatted", formatted()}});
    });
    plugin.tool("fail").handle([]() -> std::string { throw Trouble("in " COMPILER " " LIBRARY); });
}
