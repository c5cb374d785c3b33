// SPDX-License-Identifier: Apache-2.0
// Shared libraries over dlopen.
#include "base/dynamic_library.h"

#include <dlfcn.h>

namespace pb {

Result<DynamicLibrary> DynamicLibrary::load(const std::string& path) {
    // A name without a slash would be searched for along the library path.
    if (path.empty() || path.front() != '/')
        return invalid("a library is loaded by its absolute path, not as '" + path + "'");
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char* reason = dlerror();
        return invalid(std::string("the library cannot be loaded: ") +
                       (reason ? reason : "no reason given"));
    }
    return DynamicLibrary(handle);
}

void* DynamicLibrary::symbol(const char* name) const { return dlsym(handle_, name); }

}  // namespace pb
