// SPDX-License-Identifier: Apache-2.0
// Starting instances within a time, and handing them out so that their last user ends them.
#include "plugin/instance.h"

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "json/parse.h"
#include "plugin/host_instance.h"

namespace pb::plugin {
namespace {

void dispose(std::unique_ptr<HostInstance> instance) {
    if (!instance || !instance->must_stay()) return;
    static std::mutex mutex;
    static auto* kept = new std::vector<std::unique_ptr<HostInstance>>;
    std::lock_guard lock(mutex);
    kept->push_back(std::move(instance));
}

// Shared by the thread that waits for a start and the one that does it.
struct Attempt {
    Attempt() = default;
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;
    ~Attempt() { dispose(std::move(instance)); }

    std::mutex mutex;
    std::condition_variable changed;
    std::unique_ptr<HostInstance> instance;
    std::optional<Result<void>> outcome;

    void run() {
        auto begun = instance->begin();
        std::lock_guard lock(mutex);
        outcome = std::move(begun);
        changed.notify_all();
    }
    bool wait_for(std::chrono::milliseconds timeout) {
        std::unique_lock lock(mutex);
        return changed.wait_for(lock, timeout, [this] { return outcome.has_value(); });
    }
    void wait() {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return outcome.has_value(); });
    }
};

std::shared_ptr<Instance> share(std::unique_ptr<HostInstance> instance, Lifecycle& lifecycle) {
    auto let_go = [&lifecycle, held = lifecycle.adopt()](HostInstance* last) mutable {
        lifecycle.retire(std::string(last->label()), [last, held = std::move(held)] {
            last->end();
            dispose(std::unique_ptr<HostInstance>(last));
        });
    };
    return std::shared_ptr<HostInstance>(instance.release(), std::move(let_go));
}

Error failed(const Library& library, const InstanceSpec& spec, Error error) {
    error.message = "the capability '" + spec.capability + "' of plugin " + library.label() +
                    " did not start: " + error.message;
    return error;
}

// A start that comes to its end late is undone; one that never does is left behind and counted.
void abandon(const std::shared_ptr<Attempt>& attempt, Lifecycle& lifecycle) {
    lifecycle.retire(std::string(attempt->instance->label()), [attempt] {
        attempt->wait();
        if (attempt->outcome->ok()) attempt->instance->end();
    });
}

}  // namespace

Result<std::shared_ptr<Instance>> start_instance(const LibraryPtr& library,
                                                 const InstanceSpec& spec, const Wiring& wiring) {
    if (!library->manifest.capability(spec.capability))
        return not_found("plugin " + library->label() + " has no capability '" + spec.capability +
                         "'");
    auto config = json::parse(spec.config);
    if (!config || !config->is_object())
        return failed(*library, spec, invalid("its configuration must be a JSON object"));
    auto attempt = std::make_shared<Attempt>();
    attempt->instance = std::make_unique<HostInstance>(library, spec, std::move(*config), wiring);
    // On a thread of its own, because a start() that hangs must not hold the caller for good.
    try {
        std::thread([attempt] { attempt->run(); }).detach();
    } catch (const std::exception& error) {
        return failed(*library, spec, internal_error(error.what()));
    }
    if (!attempt->wait_for(spec.start_timeout)) {
        abandon(attempt, wiring.lifecycle);
        return failed(
            *library, spec,
            {ErrorKind::deadline,
             "its start took longer than " + std::to_string(spec.start_timeout.count()) + " ms"});
    }
    if (!attempt->outcome->ok()) return failed(*library, spec, attempt->outcome->error());
    return share(std::move(attempt->instance), wiring.lifecycle);
}

}  // namespace pb::plugin
