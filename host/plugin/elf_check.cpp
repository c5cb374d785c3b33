// SPDX-License-Identifier: Apache-2.0
// Reading ELF headers out of untrusted bytes.
#include "plugin/elf_check.h"

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <optional>

namespace pb::plugin {
namespace {

#if defined(__x86_64__)
constexpr std::uint16_t this_machine = EM_X86_64;
constexpr const char* machine_name = "x86-64";
#elif defined(__aarch64__)
constexpr std::uint16_t this_machine = EM_AARCH64;
constexpr const char* machine_name = "AArch64";
#else
#error "the ELF machine of this platform is not known here"
#endif

constexpr std::size_t max_needed = 256;

bool within(std::uint64_t offset, std::uint64_t size, std::uint64_t total) {
    return offset <= total && size <= total - offset;
}

// The struct at an offset, copied because nothing is aligned in bytes from outside.
template <class T>
std::optional<T> at(std::string_view bytes, std::uint64_t offset) {
    if (!within(offset, sizeof(T), bytes.size())) return std::nullopt;
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
}

Error truncated(const char* what) {
    return invalid(std::string("the file is cut off: its ") + what +
                   " lies beyond its end; copy it again");
}

Result<Elf64_Ehdr> read_header(std::string_view bytes) {
    if (!bytes.starts_with(std::string_view(ELFMAG, SELFMAG)))
        return invalid("it is no shared library (no ELF file)");
    auto header = at<Elf64_Ehdr>(bytes, 0);
    if (!header) return truncated("header");
    bool fits = header->e_ident[EI_CLASS] == ELFCLASS64 &&
                header->e_ident[EI_DATA] == ELFDATA2LSB && header->e_machine == this_machine;
    if (!fits)
        return invalid(std::string("it was built for another machine; this host needs 64-bit ") +
                       machine_name);
    if (header->e_ident[EI_VERSION] != EV_CURRENT || header->e_version != EV_CURRENT)
        return invalid("its ELF version is not known");
    if (header->e_type != ET_DYN)
        return invalid("it is an ELF file, but no shared library; link it with -shared");
    return *header;
}

Result<std::vector<Elf64_Phdr>> read_segments(std::string_view bytes, const Elf64_Ehdr& header) {
    if (header.e_phnum == 0 || header.e_phentsize != sizeof(Elf64_Phdr))
        return invalid("its table of segments is malformed");
    std::vector<Elf64_Phdr> segments;
    bool loadable = false;
    for (std::uint64_t index = 0; index < header.e_phnum; ++index) {
        if (header.e_phoff > bytes.size()) return truncated("table of segments");
        auto segment = at<Elf64_Phdr>(bytes, header.e_phoff + index * sizeof(Elf64_Phdr));
        if (!segment) return truncated("table of segments");
        if (!within(segment->p_offset, segment->p_filesz, bytes.size()))
            return truncated("code or data");
        if (segment->p_type == PT_LOAD) {
            if (segment->p_filesz > segment->p_memsz)
                return invalid("one of its segments is larger in the file than in memory");
            loadable = true;
        }
        segments.push_back(*segment);
    }
    if (!loadable) return invalid("it has no loadable segment");
    return segments;
}

// Sections are not needed for loading, but their table is at the end of what linkers write: it is
// how a file shows that its end is there.
Result<void> check_sections(std::string_view bytes, const Elf64_Ehdr& header) {
    if (header.e_shoff == 0) return {};
    if (header.e_shnum != 0 && header.e_shentsize != sizeof(Elf64_Shdr))
        return invalid("its table of sections is malformed");
    if (header.e_shoff > bytes.size()) return truncated("table of sections");
    for (std::uint64_t index = 0; index < header.e_shnum; ++index) {
        auto section = at<Elf64_Shdr>(bytes, header.e_shoff + index * sizeof(Elf64_Shdr));
        if (!section) return truncated("table of sections");
        if (section->sh_type == SHT_NOBITS || section->sh_type == SHT_NULL) continue;
        if (!within(section->sh_offset, section->sh_size, bytes.size()))
            return truncated("last section");
    }
    return {};
}

// Where an address of the loaded image is in the file.
std::optional<std::uint64_t> file_offset(const std::vector<Elf64_Phdr>& segments,
                                         std::uint64_t address) {
    for (const Elf64_Phdr& each : segments)
        if (each.p_type == PT_LOAD && address >= each.p_vaddr &&
            address - each.p_vaddr < each.p_filesz)
            return each.p_offset + (address - each.p_vaddr);
    return std::nullopt;
}

std::string_view text_at(std::string_view bytes, std::uint64_t offset) {
    if (offset >= bytes.size()) return {};
    auto rest = bytes.substr(offset, 4096);
    return rest.substr(0, rest.find('\0'));
}

// The dynamic section; null if there is none. A linker makes one: with more of them a small file
// could ask for much work.
Result<const Elf64_Phdr*> dynamic_section(const std::vector<Elf64_Phdr>& segments) {
    const Elf64_Phdr* found = nullptr;
    for (const Elf64_Phdr& segment : segments) {
        if (segment.p_type != PT_DYNAMIC) continue;
        if (found) return invalid("it has more than one dynamic section");
        found = &segment;
    }
    return found;
}

Result<std::vector<std::string>> read_needed(std::string_view bytes,
                                             const std::vector<Elf64_Phdr>& segments) {
    auto dynamic = dynamic_section(segments);
    if (!dynamic) return dynamic.error();
    if (!*dynamic) return std::vector<std::string>{};
    std::vector<std::uint64_t> names;
    std::optional<std::uint64_t> table;
    const auto& section = **dynamic;
    for (std::uint64_t offset = 0; offset + sizeof(Elf64_Dyn) <= section.p_filesz;
         offset += sizeof(Elf64_Dyn)) {
        auto entry = at<Elf64_Dyn>(bytes, section.p_offset + offset);
        if (!entry || entry->d_tag == DT_NULL) break;
        if (entry->d_tag == DT_STRTAB) table = entry->d_un.d_ptr;
        if (entry->d_tag != DT_NEEDED) continue;
        if (names.size() == max_needed) return invalid("it asks for more than 256 other libraries");
        names.push_back(entry->d_un.d_val);
    }
    const auto strings = table ? file_offset(segments, *table) : std::nullopt;
    if (!names.empty() && !strings) return invalid("its dynamic section is malformed");
    std::vector<std::string> needed;
    for (std::uint64_t name : names) {
        if (name > bytes.size()) return invalid("its dynamic section is malformed");
        needed.emplace_back(text_at(bytes, *strings + name));
    }
    return needed;
}

}  // namespace

Result<ElfSummary> check_elf(std::string_view bytes) {
    auto header = read_header(bytes);
    if (!header) return header.error();
    auto segments = read_segments(bytes, *header);
    if (!segments) return segments.error();
    auto sections = check_sections(bytes, *header);
    if (!sections) return sections.error();
    auto needed = read_needed(bytes, *segments);
    if (!needed) return needed.error();
    return ElfSummary{std::move(*needed)};
}

}  // namespace pb::plugin
