// SPDX-License-Identifier: Apache-2.0
// Scanning and watching the folder of plugins.
#include "plugin/folder.h"

#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "base/log.h"

namespace pb::plugin {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::size_t max_files = 1000;
// How often the first state waits for a file that is still being written.
constexpr int patient_rounds = 20;
// From the first interval between two tries of what failed to the longest.
constexpr int longest_pause = 400;

// What changes when a file does; all zero for one that is not there.
struct Stamp {
    std::uint64_t device = 0, inode = 0, size = 0, mode = 0, owner = 0;
    std::int64_t modified_s = 0, modified_ns = 0, changed_s = 0, changed_ns = 0;
    bool operator==(const Stamp&) const = default;

    // The change time is the kernel's own: a copy that keeps the old modification time shows too.
    bool quiet_for(milliseconds settle) const {
        timespec now{};
        clock_gettime(CLOCK_REALTIME, &now);
        auto age =
            milliseconds((now.tv_sec - changed_s) * 1000 + (now.tv_nsec - changed_ns) / 1'000'000);
        // A time to come is that of a clock that was set back.
        return age >= settle || age < -milliseconds(1000);
    }
};

Stamp stamp_of(const std::string& path) {
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0) return {};
    return {info.st_dev,          info.st_ino,         static_cast<std::uint64_t>(info.st_size),
            info.st_mode,         info.st_uid,         info.st_mtim.tv_sec,
            info.st_mtim.tv_nsec, info.st_ctim.tv_sec, info.st_ctim.tv_nsec};
}

bool is_plugin_name(const std::string& name) {
    return name.size() > 3 && name.ends_with(".so") && name[0] != '.' && name[0] != '#' &&
           name[0] != '~';
}

// A folder that is not there is empty. Any other failure says nothing about the files.
Result<std::set<std::string>> plugin_names(const std::string& folder) {
    std::set<std::string> names;
    std::error_code failed;
    fs::directory_iterator at(folder, failed), end;
    while (!failed && at != end) {
        std::string name = at->path().filename().string();
        if (is_plugin_name(name)) names.insert(std::move(name));
        at.increment(failed);
    }
    if (!failed || failed == std::errc::no_such_file_or_directory ||
        failed == std::errc::not_a_directory)
        return names;
    return internal_error(failed.message());
}

// What a scan leaves to be done without anybody asking.
enum class Left { nothing, writing, failed };

}  // namespace

class PluginFolder::Scanner {
  public:
    Scanner(std::string folder, Loader& loader, Changed changed, milliseconds settle)
        : folder_(std::move(folder)),
          loader_(loader),
          changed_(std::move(changed)),
          settle_(settle) {}

    ~Scanner() {
        {
            std::lock_guard lock(mutex_);
            ended_ = true;
            wake_.notify_all();
        }
        if (thread_.joinable()) thread_.join();
    }

    const std::string& folder() const { return folder_; }

    // Returns when the first state was published.
    void start() {
        ask(false);
        thread_ = std::thread([this] { run(); });
        settle();
    }

    void ask(bool retry_refused) {
        std::lock_guard lock(mutex_);
        asked_ = true;
        retry_refused_ |= retry_refused;
        wake_.notify_all();
    }

    void settle() {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return !asked_ && !busy_; });
    }

    FolderState state() const {
        std::lock_guard lock(mutex_);
        return state_;
    }

  private:
    struct Known {
        Stamp file, signature;
        LibraryPtr library;  // the last good one
        std::string reason;  // why the file as it is now was refused; empty if it was not
        std::string rival;   // the plugin id that another file has; to be looked at again each time
    };

    void run();
    Left scan(bool retry_refused, bool waited);
    bool look_at_all(std::set<std::string>& names, bool retry_refused);
    bool has_ended() const {
        std::lock_guard lock(mutex_);
        return ended_;
    }
    bool look_at(const std::string& name, Known& known, std::set<std::string>& taken);
    bool load(const std::string& path, Known& known, const std::set<std::string>& taken);
    void forget_removed(const std::set<std::string>& names);
    std::string owner_of(const std::string& id, const std::string& except) const;
    void publish();
    std::string path_of(const std::string& name) const {
        return (fs::path(folder_) / name).string();
    }

    const std::string folder_;
    Loader& loader_;
    const Changed changed_;
    const milliseconds settle_;

    // Only the thread's own.
    std::map<std::string, Known> known_;  // by file name
    std::string unreadable_;              // why the folder could not be read the last time
    bool published_ = false;

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    FolderState state_;
    bool asked_ = false, retry_refused_ = false, busy_ = false, ended_ = false;

    std::thread thread_;  // last: it uses all of the above
};

// Looks when it is asked to, and by itself while something is left that time may cure.
void PluginFolder::Scanner::run() {
    const milliseconds first_pause = std::max(10 * settle_, milliseconds(100));
    milliseconds pause = first_pause;
    int rounds = 0;
    Left left = Left::nothing;
    std::unique_lock lock(mutex_);
    while (true) {
        const auto called = [this] { return ended_ || asked_; };
        if (left == Left::nothing)
            wake_.wait(lock, called);
        else
            wake_.wait_for(lock, left == Left::writing ? settle_ : pause, called);
        if (ended_) return;
        const bool due = !asked_ && left == Left::failed;
        if (due) pause = std::min(2 * pause, longest_pause * first_pause);
        if (asked_) {
            pause = first_pause;
            rounds = 0;
        }
        const bool retry_refused = std::exchange(retry_refused_, false) || due;
        asked_ = false;
        busy_ = true;
        lock.unlock();
        left = scan(retry_refused, ++rounds >= patient_rounds);
        lock.lock();
        busy_ = left == Left::writing && rounds < patient_rounds;
        wake_.notify_all();
    }
}

// `waited`: the first state does not wait any longer for files that are being written.
Left PluginFolder::Scanner::scan(bool retry_refused, bool waited) try {
    auto names = plugin_names(folder_);
    const std::string trouble = names ? "" : names.error().message;
    if (!names && trouble != unreadable_)
        log::error("plugin.folder_unreadable", {{"path", folder_}, {"reason", trouble}});
    unreadable_ = trouble;
    bool settled = true;
    if (names) settled = look_at_all(*names, retry_refused);
    if (has_ended()) return Left::nothing;
    // The first state is a whole one: files that were put there just before the start are part of
    // it. One that is written for longer does not keep the others from being used.
    if (settled || published_ || waited) publish();
    if (!settled) return Left::writing;
    return names && state().refusals.empty() ? Left::nothing : Left::failed;
} catch (const std::exception& fault) {
    log::error("plugin.scan_failed", {{"path", folder_}, {"reason", fault.what()}});
    return Left::failed;
}

// True if no file was found in the middle of being written.
bool PluginFolder::Scanner::look_at_all(std::set<std::string>& names, bool retry_refused) {
    if (names.size() > max_files) {
        log::error("plugin.too_many_files", {{"path", folder_}, {"limit", max_files}});
        names.erase(std::next(names.begin(), max_files), names.end());
    }
    forget_removed(names);
    bool settled = true;
    std::set<std::string> taken;  // plugin ids, by files that come first
    for (const std::string& name : names) {
        // A probe may take its time; the end of the host does not wait for all of them.
        if (has_ended()) break;
        Known& known = known_[name];
        if (retry_refused && !known.reason.empty()) known.file = {};
        settled = look_at(name, known, taken) && settled;
        if (known.library) taken.insert(known.library->manifest.id);
    }
    return settled;
}

void PluginFolder::Scanner::forget_removed(const std::set<std::string>& names) {
    for (auto at = known_.begin(); at != known_.end();) {
        if (names.contains(at->first)) {
            ++at;
            continue;
        }
        if (at->second.library)
            log::info("plugin.removed",
                      {{"plugin", at->second.library->label()}, {"path", path_of(at->first)}});
        at = known_.erase(at);
    }
}

// Brings what is known of one file up to date; false if the file is still being written.
bool PluginFolder::Scanner::look_at(const std::string& name, Known& known,
                                    std::set<std::string>& taken) {
    std::string path = path_of(name);
    Stamp file = stamp_of(path), signature = stamp_of(path + ".sig");
    // A file that comes first may have brought the same id meanwhile.
    bool rivalled = known.library && taken.contains(known.library->manifest.id);
    bool same = file == known.file && signature == known.signature;
    if (same && known.rival.empty() && !rivalled) return true;
    if (file == Stamp{} || !file.quiet_for(settle_)) {
        if (rivalled) known.library = nullptr;
        return false;
    }
    std::string reason_before = std::exchange(known.reason, {});
    known.rival.clear();
    if (!load(path, known, taken)) return false;
    // What was written meanwhile is to be looked at again, with the stamp that it has then.
    known.file = file;
    known.signature = signature;
    if (!known.reason.empty() && known.reason != reason_before) {
        log::Fields fields = {{"path", path}, {"reason", known.reason}};
        if (known.library) fields.emplace_back("still_serving", known.library->label());
        log::warning("plugin.refused", fields);
    }
    return true;
}

// False if the file changed meanwhile.
bool PluginFolder::Scanner::load(const std::string& path, Known& known,
                                 const std::set<std::string>& taken) {
    if (known.library && taken.contains(known.library->manifest.id)) known.library = nullptr;
    auto file = loader_.inspect(path);
    if (!file) {
        if (file.error().kind == ErrorKind::busy) return false;
        known.reason = file.error().message;
        return true;
    }
    if (taken.contains(file->manifest.id)) {
        known.rival = file->manifest.id;
        known.reason = "the plugin id '" + file->manifest.id + "' is already that of '" +
                       owner_of(file->manifest.id, path) + "'; remove one of the two";
        known.library = nullptr;
        return true;
    }
    // Touched, but the same.
    if (known.library && known.library->sha256 == file->sha256) return true;
    auto library = loader_.load(*file);
    if (!library) {
        known.reason = library.error().message;
        return true;
    }
    known.library = *library;
    log::info("plugin.loaded",
              {{"plugin", (*library)->label()}, {"path", path}, {"sha256", (*library)->sha256}});
    return true;
}

std::string PluginFolder::Scanner::owner_of(const std::string& id,
                                            const std::string& except) const {
    for (const auto& [name, known] : known_)
        if (known.library && known.library->manifest.id == id && path_of(name) != except)
            return path_of(name);
    return {};
}

void PluginFolder::Scanner::publish() {
    FolderState state;
    for (const auto& [name, known] : known_) {
        if (known.library) state.libraries.push_back(known.library);
        if (!known.reason.empty()) state.refusals.push_back({path_of(name), known.reason});
    }
    {
        std::lock_guard lock(mutex_);
        if (published_ && state.libraries == state_.libraries && state.refusals == state_.refusals)
            return;
        state_ = state;
    }
    published_ = true;
    changed_(state);
}

LibraryPtr FolderState::with_capability(std::string_view capability) const {
    for (const LibraryPtr& each : libraries)
        if (each->manifest.capability(capability)) return each;
    return nullptr;
}

PluginFolder::PluginFolder(std::string path, Loader& loader, Changed changed, milliseconds settle)
    : scanner_(std::make_unique<Scanner>(std::move(path), loader, std::move(changed), settle)) {}

PluginFolder::~PluginFolder() = default;

Result<void> PluginFolder::start(bool watch) {
    // Watching begins first: what changes during the first scan is seen by the next.
    Result<void> watching;
    if (watch) {
        auto started = FileWatch::start({scanner_->folder()}, [this] { scanner_->ask(false); });
        if (started)
            watch_ = std::move(*started);
        else
            watching = started.error();
    }
    scanner_->start();
    return watching;
}

void PluginFolder::rescan() { scanner_->ask(true); }

void PluginFolder::settle() { scanner_->settle(); }

FolderState PluginFolder::state() const { return scanner_->state(); }

}  // namespace pb::plugin
