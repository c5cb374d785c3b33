// SPDX-License-Identifier: Apache-2.0
#include "cli/credentials.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "support/files.h"

namespace pb::cli {
namespace {

TEST(Credentials, ASecretIsTheWholeInput) {
    for (const auto& [text, expected] :
         {std::pair{"abc\n", "abc"}, {"abc\r\n", "abc"}, {"a b", "a b"}, {"a\nb\n", "a\nb"}}) {
        std::istringstream in(text);
        EXPECT_EQ(read_secret(in, "the value").value(), expected);
    }
    for (const auto& text : {std::string(), std::string("\n"), std::string(65'537, 'x')}) {
        std::istringstream in(text);
        EXPECT_FALSE(read_secret(in, "the value")) << text.size();
    }
}

// A terminal at which somebody types.
class Typing : public ::testing::Test {
  protected:
    Typing() : keyboard_(posix_openpt(O_RDWR | O_NOCTTY)) {
        if (keyboard_ < 0) return;
        if (grantpt(keyboard_) != 0 || unlockpt(keyboard_) != 0)
            throw std::runtime_error("no terminal");
        terminal_ = open(ptsname(keyboard_), O_RDWR | O_NOCTTY);
    }
    ~Typing() override {
        close(terminal_);
        close(keyboard_);
    }
    // Some containers have no pseudo-terminals.
    bool has_terminal() const {
        if (keyboard_ < 0) std::fprintf(stderr, "not looked at: there are no terminals here\n");
        return keyboard_ >= 0;
    }
    tcflag_t modes() const {
        termios now{};
        tcgetattr(terminal_, &now);
        return now.c_lflag;
    }
    // What was typed before the question counts no more: so it is typed when it has been asked.
    class Prompts : public std::stringbuf {
      public:
        Prompts(int keyboard, std::vector<std::string> lines)
            : keyboard_(keyboard), lines_(std::move(lines)) {}
        int sync() override {
            if (str().ends_with(": ") && next_ < lines_.size()) {
                const auto& line = lines_[next_++];
                EXPECT_EQ(write(keyboard_, line.data(), line.size()), ssize_t(line.size()));
            }
            return 0;
        }

      private:
        const int keyboard_;
        const std::vector<std::string> lines_;
        std::size_t next_ = 0;
    };
    Result<std::string> ask(std::vector<std::string> lines) {
        Prompts prompts(keyboard_, std::move(lines));
        std::ostream out(&prompts);
        const auto before = modes();
        auto answer = ask_password(terminal_, out);
        EXPECT_EQ(modes(), before) << "the terminal is as it was";
        shown_ = prompts.str();
        return answer;
    }
    // What the terminal has shown of what was typed.
    std::string echoed() const {
        fcntl(keyboard_, F_SETFL, O_NONBLOCK);
        std::string out(4096, '\0');
        const auto got = read(keyboard_, out.data(), out.size());
        out.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return out;
    }

    int keyboard_, terminal_ = -1;
    std::string shown_;
};

TEST_F(Typing, IsNotShown) {
    if (!has_terminal()) return;
    EXPECT_EQ(ask({"sesame öffne\n", "sesame öffne\n"}).value(), "sesame öffne");
    EXPECT_EQ(shown_, "New password: \nAgain: \n");
    EXPECT_EQ(echoed(), "");
}

TEST_F(Typing, CanBeMended) {
    if (!has_terminal()) return;
    EXPECT_EQ(ask({"x\x15sesö\x7f\x08same\n", "sesame\x1b\n"}).value(), "sesame");
}

TEST_F(Typing, HasToBeTheSameTwice) {
    if (!has_terminal()) return;
    const auto answer = ask({"sesame\n", "sesamo\n"});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().message, "the two are not the same");
}

TEST_F(Typing, CanBeBrokenOff) {
    if (!has_terminal()) return;
    for (const auto* key : {"ses\x03", "\x04", "\n", "ses\x1c"}) {
        const auto answer = ask({key});
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().kind, ErrorKind::cancelled);
    }
}

TEST(Credentials, WhatIsNoTerminalAsksNobody) {
    int pipes[2];
    ASSERT_EQ(pipe(pipes), 0);
    std::ostringstream prompts;
    EXPECT_FALSE(ask_password(pipes[0], prompts));
    EXPECT_EQ(prompts.str(), "");
    close(pipes[0]);
    close(pipes[1]);
}

class ApiKeyTest : public ::testing::Test {
  protected:
    ApiKeyTest() { unsetenv("PATCHBAY_API_KEY"); }
    ~ApiKeyTest() override { unsetenv("PATCHBAY_API_KEY"); }
    Result<std::string> key(const std::string& file, const std::string& input = "") {
        Options options;
        options.tool.api_key_file = file;
        std::istringstream in(input);
        return read_api_key(options, in);
    }

    test::TempFolder folder_;
};

TEST_F(ApiKeyTest, ComesFromAFileOrTheEnvironment) {
    EXPECT_EQ(key("").value(), "");
    setenv("PATCHBAY_API_KEY", "pb_env", 1);
    EXPECT_EQ(key("").value(), "pb_env");
    test::write(folder_ / "key", "pb_file\n");
    EXPECT_EQ(key(folder_ / "key").value(), "pb_file");
    EXPECT_EQ(key("-", "pb_in\n").value(), "pb_in");
}

TEST_F(ApiKeyTest, IsOneWord) {
    for (const auto* wrong : {"pb_a b", "pb_a\nX-Evil: 1", "pb_\xc3\xb6"}) {
        setenv("PATCHBAY_API_KEY", wrong, 1);
        const auto refused = key("");
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().message.find("pb_a"), std::string::npos) << "it is a secret";
    }
    EXPECT_FALSE(key(folder_ / "none"));
    EXPECT_FALSE(key("-", ""));
    EXPECT_FALSE(key("-", std::string(5000, 'x')));
}

}  // namespace
}  // namespace pb::cli
