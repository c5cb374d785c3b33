// SPDX-License-Identifier: Apache-2.0
// Locks. The standard ones, except with a MinGW compiler of the win32 thread model before GCC 13,
// whose standard library has none.
#pragma once

#include <mutex>

#if defined(__MINGW32__) && !defined(_GLIBCXX_HAS_GTHREADS) && !defined(_LIBCPP_VERSION)
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

namespace patchbay::detail {

// Reader-writer lock; also the plain one.
class SharedMutex {
  public:
    void lock() { AcquireSRWLockExclusive(&lock_); }
    void unlock() { ReleaseSRWLockExclusive(&lock_); }
    void lock_shared() { AcquireSRWLockShared(&lock_); }
    void unlock_shared() { ReleaseSRWLockShared(&lock_); }

  private:
    SRWLOCK lock_ = SRWLOCK_INIT;
    friend class Signal;
};
using Mutex = SharedMutex;

// Set once, by any thread; wait() returns when it is set.
class Signal {
  public:
    void set() {
        mutex_.lock();
        set_ = true;
        WakeAllConditionVariable(&condition_);
        mutex_.unlock();
    }
    void wait() {
        mutex_.lock();
        while (!set_) {
            SleepConditionVariableSRW(&condition_, &mutex_.lock_, INFINITE, 0);
        }
        mutex_.unlock();
    }

  private:
    Mutex mutex_;
    CONDITION_VARIABLE condition_ = CONDITION_VARIABLE_INIT;
    bool set_ = false;
};

template <class M>
class SharedLock {
  public:
    explicit SharedLock(M& mutex) : mutex_(mutex) { mutex_.lock_shared(); }
    ~SharedLock() { mutex_.unlock_shared(); }
    SharedLock(const SharedLock&) = delete;
    SharedLock& operator=(const SharedLock&) = delete;

  private:
    M& mutex_;
};

}  // namespace patchbay::detail

#else
#include <condition_variable>
#include <shared_mutex>

namespace patchbay::detail {

using Mutex = std::mutex;
using SharedMutex = std::shared_mutex;
template <class M>
using SharedLock = std::shared_lock<M>;

// Set once, by any thread; wait() returns when it is set.
class Signal {
  public:
    void set() {
        // Notified under the lock: the waiter may destroy this as soon as it sees set_.
        const std::lock_guard lock(mutex_);
        set_ = true;
        condition_.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        condition_.wait(lock, [this] { return set_; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable condition_;
    bool set_ = false;
};

}  // namespace patchbay::detail

#endif
