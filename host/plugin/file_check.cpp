// SPDX-License-Identifier: Apache-2.0
// Reading a plugin file and checking it.
#include "plugin/file_check.h"

#include <utility>

#include "patchbay/plugin.h"
#include "plugin/elf_check.h"
#include "plugin/read_file.h"

namespace pb::plugin {
namespace {

// C++ objects of one standard library's runtime meet those of another one in the process, and an
// exception_ptr that travels between threads then corrupts the heap.
Result<void> check_needed(const ElfSummary& elf) {
    for (const std::string& name : elf.needed)
        if (name.starts_with("libc++.") || name.starts_with("libc++abi."))
            return invalid("it is linked with " + name +
                           ", which does not get along with this host's C++ runtime; link it with "
                           "-static-libstdc++ -Wl,--exclude-libs,ALL (patchbay_add_plugin does)");
    return {};
}

Result<void> check_abi(const Manifest& manifest) {
    if (manifest.abi_major == PATCHBAY_ABI_MAJOR) return {};
    return invalid("it was built for plugin ABI " + std::to_string(manifest.abi_major) + "." +
                   std::to_string(manifest.abi_minor) + "; this host loads " +
                   std::to_string(PATCHBAY_ABI_MAJOR) + ".x");
}

}  // namespace

Result<CheckedFile> check_file(const std::string& path, const FilePolicy& policy) {
    auto bytes =
        read_guarded(path, policy.max_size, policy.insecure ? Guard::advised : Guard::demanded);
    if (!bytes) return bytes.error();
    auto elf = check_elf(*bytes);
    if (!elf) return elf.error();
    auto needed = check_needed(*elf);
    if (!needed) return needed.error();
    auto capsule = find_capsule(*bytes);
    if (!capsule) return capsule.error();
    auto manifest = parse_manifest(*capsule);
    if (!manifest) return manifest.error();
    auto abi = check_abi(*manifest);
    if (!abi) return abi.error();
    std::string hash = sha256_hex(*bytes);
    if (hash.empty()) return internal_error("its SHA-256 cannot be computed");
    return CheckedFile{path, std::move(*bytes), std::move(hash), std::move(*manifest)};
}

}  // namespace pb::plugin
