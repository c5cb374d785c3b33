// SPDX-License-Identifier: Apache-2.0
// Shared libraries: loading and finding symbols. There is no unloading, on purpose: a template
// static or a thread_local pins a library, and then a reload silently runs the old code.
#pragma once

#include <string>

#include "base/result.h"

namespace pb {

class DynamicLibrary {
  public:
    // All symbols are bound now and none becomes visible to other libraries. `path` must be
    // absolute.
    static Result<DynamicLibrary> load(const std::string& path);

    // Null if the library has no such symbol.
    void* symbol(const char* name) const;

  private:
    explicit DynamicLibrary(void* handle) : handle_(handle) {}
    void* handle_;
};

}  // namespace pb
