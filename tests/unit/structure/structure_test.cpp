// SPDX-License-Identifier: Apache-2.0
// The house keeps its shape: includes follow the arrows between the folders, the SDK and the
// plugins know nothing of the host, files stay short and carry their licence.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace pb {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_file = 600;

// Who may include whom, besides itself and sdk/include. The lower a line stands, the more it knows.
const std::map<std::string, std::set<std::string>> arrows{
    {"base", {}},
    {"json", {"base"}},
    {"jose", {"json", "base"}},
    {"http", {"base"}},
    {"outbound", {"base"}},
    {"client", {"mcp", "jose", "outbound", "json", "base"}},
    {"store", {"json", "base"}},
    {"access", {"store", "json", "base"}},
    {"audit", {"store", "json", "base"}},
    {"metrics", {"base"}},
    {"catalog", {"json", "base"}},
    {"config", {"json", "base"}},
    {"runtime", {"access", "catalog", "json", "base"}},
    {"admission", {"runtime", "metrics", "audit", "access", "catalog", "config", "json", "base"}},
    {"mcp", {"admission", "runtime", "catalog", "json", "base"}},
    {"plugin", {"store", "catalog", "json", "base"}},
    {"endpoint", {"audit", "mcp", "http", "admission", "runtime", "catalog", "json", "base"}},
    {"oauth", {"access", "audit", "http", "jose", "outbound", "store", "json", "base"}},
    {"admin", {"admission", "runtime", "audit", "access", "http", "json", "base"}},
    {"cli", {"access", "audit", "config", "store", "json", "base"}},
    {"app",
     {"endpoint", "mcp", "http", "admission", "runtime", "catalog", "config", "store", "plugin",
      "access", "admin", "audit", "jose", "metrics", "oauth", "outbound", "json", "base", "cli"}},
};

struct Source {
    std::string path;  // from the repository's root
    std::vector<std::string> lines;
};

std::vector<Source> sources_in(const std::string& folder) {
    const std::set<std::string> endings{".h", ".hpp", ".c", ".cpp", ".mjs"};
    std::vector<Source> out;
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(SOURCE_DIR) / folder)) {
        if (!entry.is_regular_file() || endings.count(entry.path().extension().string()) == 0) {
            continue;
        }
        if (entry.path().string().find("/node_modules/") != std::string::npos) continue;
        Source source{fs::relative(entry.path(), SOURCE_DIR).string(), {}};
        std::ifstream file(entry.path());
        for (std::string line; std::getline(file, line);) {
            source.lines.push_back(line);
        }
        out.push_back(std::move(source));
    }
    return out;
}

std::vector<std::string> includes_of(const Source& source) {
    static const std::regex directive(R"re(^\s*#\s*include\s*["<]([^">]+)[">].*)re");
    std::vector<std::string> out;
    std::smatch match;
    for (const std::string& line : source.lines) {
        if (std::regex_match(line, match, directive)) out.push_back(match[1]);
    }
    return out;
}

// The host folder that an include leads into; empty if it leads elsewhere.
std::string host_folder(const std::string& include) {
    const std::string first = include.substr(0, include.find('/'));
    if (first == include) return "";
    return arrows.count(first) != 0 ? first : "";
}

bool allowed(const std::string& from, const std::string& to) {
    return to.empty() || from == to || arrows.at(from).count(to) != 0;
}

TEST(Structure, TheCheckItselfSeesAWrongArrow) {
    const Source wrong{"host/json/x.cpp", {"#include <string>", "  #  include \"http/server.h\""}};
    const auto includes = includes_of(wrong);
    ASSERT_EQ(includes.size(), 2U);
    EXPECT_EQ(host_folder(includes[0]), "");
    EXPECT_EQ(host_folder(includes[1]), "http");
    EXPECT_FALSE(allowed("json", "http"));
    EXPECT_TRUE(allowed("http", "base"));
    EXPECT_TRUE(allowed("json", "json"));
}

TEST(Structure, IncludesFollowTheArrows) {
    std::size_t seen = 0;
    for (const auto& [folder, targets] : arrows) {
        if (!fs::exists(fs::path(SOURCE_DIR) / "host" / folder)) continue;
        for (const Source& source : sources_in("host/" + folder)) {
            ++seen;
            for (const std::string& include : includes_of(source)) {
                EXPECT_TRUE(allowed(folder, host_folder(include)))
                    << source.path << " includes " << include << ", but " << folder
                    << " does not stand on it";
            }
        }
    }
    EXPECT_GT(seen, 20U);
}

TEST(Structure, EveryHostFolderHasItsPlaceInTheList) {
    for (const auto& entry : fs::directory_iterator(fs::path(SOURCE_DIR) / "host")) {
        if (!entry.is_directory()) continue;
        EXPECT_EQ(arrows.count(entry.path().filename().string()), 1U) << entry.path();
    }
}

// No arrow leads back: a folder never stands on one that stands on it.
TEST(Structure, TheArrowsHaveNoCycle) {
    std::set<std::string> placed;
    while (placed.size() < arrows.size()) {
        const std::size_t before = placed.size();
        for (const auto& [folder, targets] : arrows) {
            if (std::includes(placed.begin(), placed.end(), targets.begin(), targets.end())) {
                placed.insert(folder);
            }
        }
        ASSERT_GT(placed.size(), before) << "the rest stands on itself";
    }
}

// But for remote_mcp, which puts the host's client behind the ABI and is linked with it.
TEST(Structure, SdkAndPluginsKnowNothingOfTheHost) {
    const std::set<std::string> lent{"", "base", "json", "jose", "mcp", "outbound", "client"};
    std::size_t seen = 0;
    for (const char* folder : {"sdk", "plugins"}) {
        for (const Source& source : sources_in(folder)) {
            ++seen;
            const bool borrows = source.path.starts_with("plugins/remote_mcp/");
            for (const std::string& include : includes_of(source)) {
                const std::string into = host_folder(include);
                EXPECT_TRUE((into.empty() || (borrows && lent.contains(into))) &&
                            include.find("host/") == std::string::npos)
                    << source.path << " includes " << include;
            }
        }
    }
    EXPECT_GT(seen, 3U);
}

TEST(Structure, FilesAreShortAndCarryTheirLicence) {
    for (const char* folder : {"host", "sdk", "plugins", "tests"}) {
        for (const Source& source : sources_in(folder)) {
            EXPECT_LE(source.lines.size(), longest_file) << source.path;
            const auto licence = [](const std::string& line) {
                return line.find("SPDX-License-Identifier: ") != std::string::npos;
            };
            const auto head = std::min<std::size_t>(source.lines.size(), 2);  // after a #! line
            EXPECT_TRUE(std::any_of(source.lines.begin(),
                                    source.lines.begin() + std::ptrdiff_t(head), licence))
                << source.path << " does not begin with its SPDX line";
        }
    }
}

}  // namespace
}  // namespace pb
