// SPDX-License-Identifier: Apache-2.0
#include "cli/credentials.h"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>

namespace pb::cli {
namespace {

constexpr std::size_t max_secret = 64U << 10U, max_typed = 1024, max_key = 4096;

// A terminal that shows nothing and hands on every key. Interrupts too are keys: as signals they
// would end the program and leave the terminal like this.
class Unseen {
  public:
    explicit Unseen(int terminal) : terminal_(terminal) {
        if (tcgetattr(terminal, &before_) != 0) return;
        auto changed = before_;
        changed.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
        changed.c_cc[VMIN] = 1;
        changed.c_cc[VTIME] = 0;
        good_ = tcsetattr(terminal, TCSAFLUSH, &changed) == 0;
    }
    ~Unseen() {
        if (good_) tcsetattr(terminal_, TCSADRAIN, &before_);
    }
    Unseen(const Unseen&) = delete;
    Unseen& operator=(const Unseen&) = delete;
    bool good() const { return good_; }

  private:
    const int terminal_;
    termios before_{};
    bool good_ = false;
};

std::optional<char> key_from(int terminal) {
    char c = 0;
    ssize_t got = 0;
    do {
        got = ::read(terminal, &c, 1);
    } while (got < 0 && errno == EINTR);
    return got == 1 ? std::optional(c) : std::nullopt;
}

void remove_character(std::string& text) {
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U)
        text.pop_back();
    if (!text.empty()) text.pop_back();
}

// One line. Nothing if it was broken off.
std::optional<std::string> typed(int terminal) {
    constexpr char interrupt = 3, end = 4, backspace = 8, line_gone = 21, quit = 28, rubout = 127;
    std::string out;
    for (;;) {
        const auto key = key_from(terminal);
        if (!key || *key == interrupt || *key == quit) return std::nullopt;
        if (*key == end && out.empty()) return std::nullopt;
        if (*key == '\n' || *key == '\r' || *key == end) return out;
        if (*key == backspace || *key == rubout)
            remove_character(out);
        else if (*key == line_gone)
            out.clear();
        else if (static_cast<unsigned char>(*key) >= ' ' && out.size() <= max_typed)
            out += *key;
    }
}

}  // namespace

Result<std::string> read_secret(std::istream& in, std::string_view what) {
    std::string value(max_secret + 2, '\0');
    in.read(value.data(), static_cast<std::streamsize>(value.size()));
    value.resize(static_cast<std::size_t>(in.gcount()));
    if (value.ends_with('\n')) value.pop_back();
    if (value.ends_with('\r')) value.pop_back();
    if (value.empty())
        return invalid(std::string(what) + " is read from standard input, which is empty");
    if (value.size() > max_secret) return invalid(std::string(what) + " has at most 64 KiB");
    return value;
}

Result<std::string> ask_password(int terminal, std::ostream& prompts) {
    const Unseen unseen(terminal);
    if (!unseen.good())
        return internal_error("the terminal would show the password; give it on standard input");
    std::string first;
    for (const char* prompt : {"New password: ", "Again: "}) {
        prompts << prompt << std::flush;
        auto line = typed(terminal);
        prompts << '\n' << std::flush;
        if (!line) return Error{ErrorKind::cancelled, "no password was given"};
        if (first.empty())
            first = std::move(*line);
        else if (first != *line)
            return invalid("the two are not the same");
        if (first.empty()) return Error{ErrorKind::cancelled, "no password was given"};
    }
    return first;
}

Result<std::string> read_password(Streams streams) {
    if (&streams.in == &std::cin && isatty(STDIN_FILENO) == 1)
        return ask_password(STDIN_FILENO, streams.err);
    return read_secret(streams.in, "the password");
}

Result<std::string> read_api_key(const Options& options, std::istream& in) {
    Result<std::string> key = std::string();
    const auto& path = options.tool.api_key_file;
    if (path == "-") {
        key = read_secret(in, "the key");
    } else if (!path.empty()) {
        std::ifstream file(path, std::ios::binary);
        if (!file) return invalid("--api-key-file " + path + " cannot be read");
        key = read_secret(file, "the key of " + path);
        if (!key) return invalid("--api-key-file " + path + " holds no key");
    } else if (const char* value = std::getenv("PATCHBAY_API_KEY")) {
        key = std::string(value);
    }
    if (!key) return key;
    const bool plain =
        std::all_of(key->begin(), key->end(), [](char c) { return c > ' ' && c < 127; });
    if (!plain || key->size() > max_key)
        return invalid("the API key is one word of visible characters, like pb_...");
    return key;
}

}  // namespace pb::cli
