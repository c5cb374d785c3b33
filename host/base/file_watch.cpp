// SPDX-License-Identifier: Apache-2.0
// FileWatch over inotify.
#include "base/file_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>
#include <exception>
#include <filesystem>
#include <map>
#include <set>
#include <string_view>
#include <thread>

#include "base/log.h"

namespace pb {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
namespace fs = std::filesystem;

constexpr std::uint32_t interesting = IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_CREATE |
                                      IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |
                                      IN_MOVE_SELF;

}  // namespace

class FileWatch::Loop {
  public:
    Loop(const std::vector<std::string>& paths, std::function<void()> changed, milliseconds quiet)
        : changed_(std::move(changed)), quiet_(quiet) {
        for (const std::string& path : paths) {
            fs::path target = fs::absolute(path).lexically_normal();
            // "folder/" names the folder, not an empty name inside it.
            if (!target.has_filename()) target = target.parent_path();
            targets_.push_back(std::move(target));
        }
    }

    ~Loop() {
        if (thread_.joinable()) {
            std::uint64_t one = 1;
            [[maybe_unused]] auto written = write(stop_, &one, sizeof one);
            thread_.join();
        }
        if (inotify_ >= 0) close(inotify_);
        if (stop_ >= 0) close(stop_);
    }

    Result<void> start() {
        inotify_ = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        stop_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (inotify_ < 0 || stop_ < 0)
            return internal_error(std::string("files cannot be watched: ") + std::strerror(errno) +
                                  " (see fs.inotify.max_user_instances)");
        refresh();
        thread_ = std::thread([this] { run(); });
        return {};
    }

  private:
    // What of a watched folder matters: all of it, or only some names.
    struct Interest {
        bool everything = false;
        std::set<std::string, std::less<>> names;
    };

    // Watches what exists now: each target that is a folder and, for every target, the nearest
    // folder above it, to see it come. True if a folder is watched that was not before: something
    // may have been put there in between.
    bool refresh() {
        std::map<int, Interest> before = std::move(interests_);
        interests_.clear();
        for (const fs::path& target : targets_) {
            std::error_code ignored;
            if (fs::is_directory(target, ignored))
                if (auto* interest = watch(target)) interest->everything = true;
            fs::path below = target;
            while (below.has_relative_path()) {
                fs::path above = below.parent_path();
                if (auto* interest = watch(above)) {
                    interest->names.insert(below.filename().string());
                    // A mounted volume of a container platform replaces its files by moving this
                    // link.
                    if (below == target) interest->names.insert("..data");
                    break;
                }
                below = above;
            }
        }
        for (const auto& [id, interest] : before)
            if (!interests_.contains(id)) inotify_rm_watch(inotify_, id);
        return std::any_of(interests_.begin(), interests_.end(),
                           [&](const auto& entry) { return !before.contains(entry.first); });
    }

    Interest* watch(const fs::path& folder) {
        int id = inotify_add_watch(inotify_, folder.c_str(), interesting | IN_ONLYDIR);
        return id < 0 ? nullptr : &interests_[id];
    }

    bool matters(const inotify_event& event) const {
        if (event.mask & (IN_Q_OVERFLOW | IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) return true;
        auto found = interests_.find(event.wd);
        if (found == interests_.end()) return false;
        if (found->second.everything) return true;
        return event.len > 0 && found->second.names.contains(std::string_view(event.name));
    }

    // Takes what is there; true if any of it matters.
    bool read_events() {
        alignas(inotify_event) char buffer[16 * (sizeof(inotify_event) + NAME_MAX + 1)];
        bool relevant = false;
        for (;;) {
            ssize_t size = read(inotify_, buffer, sizeof buffer);
            if (size <= 0) return relevant;
            for (ssize_t at = 0; at < size;) {
                const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
                relevant |= matters(*event);
                at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
            }
        }
    }

    void run() {
        bool dirty = false;
        Clock::time_point first, last;
        for (;;) {
            int timeout = -1;
            if (dirty) {
                auto due = std::min(last + quiet_, first + 10 * quiet_);
                auto left = std::chrono::ceil<milliseconds>(due - Clock::now());
                timeout = static_cast<int>(std::max(left, milliseconds::zero()).count());
            }
            pollfd waiting[2] = {{inotify_, POLLIN, 0}, {stop_, POLLIN, 0}};
            int ready = poll(waiting, 2, timeout);
            if (waiting[1].revents) return;
            bool relevant = ready > 0 && read_events();
            if (relevant) {
                refresh();
                last = Clock::now();
                if (!dirty) first = last;
                dirty = true;
            }
            auto now = Clock::now();
            if (dirty && (now >= last + quiet_ || now >= first + 10 * quiet_)) {
                dirty = false;
                tell();
                // A folder made while nobody watched its place is seen here at the latest.
                if (refresh()) {
                    first = last = Clock::now();
                    dirty = true;
                }
            }
        }
    }

    // A receiver's trouble must not end the process, nor the watching.
    void tell() {
        try {
            changed_();
        } catch (const std::exception& fault) {
            log::error("file_watch.fault", {{"reason", fault.what()}});
        }
    }

    std::vector<fs::path> targets_;
    const std::function<void()> changed_;
    const milliseconds quiet_;
    int inotify_ = -1;
    int stop_ = -1;
    std::map<int, Interest> interests_;  // by watch descriptor
    std::thread thread_;
};

FileWatch::FileWatch(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
FileWatch::~FileWatch() = default;

Result<std::unique_ptr<FileWatch>> FileWatch::start(const std::vector<std::string>& paths,
                                                    std::function<void()> changed,
                                                    milliseconds quiet) {
    auto loop = std::make_unique<Loop>(paths, std::move(changed), quiet);
    auto started = loop->start();
    if (!started) return started.error();
    return std::unique_ptr<FileWatch>(new FileWatch(std::move(loop)));
}

}  // namespace pb
