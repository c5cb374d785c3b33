// SPDX-License-Identifier: Apache-2.0
// The command line: what each command hands on, prints and returns.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/commands.h"
#include "files.h"

namespace pb::cli {
namespace {

using Json = nlohmann::json;

constexpr const char* two_pages[] = {
    R"({"tools":[{"name":"a__x","description":"First.\nmore","inputSchema":{}}],"nextCursor":"2"})",
    R"({"tools":[{"name":"b__long","title":"Second \u001b[2J","inputSchema":{}},17]})"};

class CliTest : public config::FilesTest {
  protected:
    CliTest() {
        config_ = write("patchbay.json", R"({"listen": {"port": 1234}, "data_dir": "state"})");
        PluginReport good{"p/w.so", "weather", "1.0.0", "", "1.0", "ab", {"weather", "alerts"}, ""};
        PluginReport bad;
        bad.path = "p/bad.so";
        bad.problem = "it is truncated";
        reports_ = {good, bad};
        actions_.serve = [this](std::unique_ptr<config::ConfigStore> store) -> Result<void> {
            served_ = store->current();
            return serve_result_;
        };
        actions_.stdio = actions_.serve;
        actions_.probe = [this](const std::string& file) {
            probed_ = file;
            return 42;
        };
        actions_.list_plugins = [this](const config::HostConfig& host) {
            folder_listed_ = host.plugins.folder;
            return Result<std::vector<PluginReport>>(reports_);
        };
        actions_.check_plugin = [this](const config::HostConfig&, const std::string& file) {
            PluginReport report = reports_.at(file == "bad.so" ? 1 : 0);
            report.path = file;
            return report;
        };
        actions_.secrets.set = [this](const config::HostConfig& host, const std::string& org,
                                      const std::string& name,
                                      const std::string& value) -> Result<void> {
            secrets_[host.data_dir + " " + org][name] = value;
            return {};
        };
        actions_.secrets.remove = [this](const config::HostConfig& host, const std::string& org,
                                         const std::string& name) -> Result<void> {
            if (secrets_[host.data_dir + " " + org].erase(name) == 0) return not_found("no such");
            return {};
        };
        actions_.secrets.list = [this](const config::HostConfig& host, const std::string& org) {
            std::vector<std::string> names;
            for (const auto& [name, value] : secrets_[host.data_dir + " " + org]) {
                names.push_back(name);
            }
            return Result<std::vector<std::string>>(names);
        };
        actions_.request = [this](const config::ConfigSetPtr&, std::string_view method,
                                  std::string_view params) -> Result<std::string> {
            const Json parsed = Json::parse(params);
            if (method == "tools/list") return std::string(two_pages[parsed.contains("cursor")]);
            called_ = parsed;
            return tool_result_;
        };
    }
    ~CliTest() override { log::configure(log::Level::info, log::Format::text); }

    int run(std::vector<const char*> arguments, const std::string& input = "") {
        arguments.insert(arguments.begin(), "patchbay");
        std::istringstream in(input);
        std::ostringstream out;
        std::ostringstream err;
        const int code = cli::run(static_cast<int>(arguments.size()), arguments.data(), actions_,
                                  Streams{in, out, err});
        out_ = out.str();
        err_ = err.str();
        return code;
    }

    void expect_error(std::string_view part) const {
        EXPECT_NE(err_.find(part), std::string::npos) << "no \"" << part << "\" in: " << err_;
    }

    Actions actions_;
    std::string config_, out_, err_, probed_, folder_listed_;
    config::ConfigSetPtr served_;
    Result<void> serve_result_;
    Json called_;
    std::string tool_result_ = R"({"content":[{"type":"text","text":"sunny"}]})";
    std::vector<PluginReport> reports_;
    std::map<std::string, std::map<std::string, std::string>> secrets_;  // by folder and org
};

TEST_F(CliTest, ServeHandsOnTheConfiguration) {
    ASSERT_EQ(run({"serve", "--config", config_.c_str(), "--plugins", "pp"}), exit_ok) << err_;
    EXPECT_EQ(served_->host.listen.port, 1234);
    EXPECT_EQ(served_->host.data_dir, path("state"));
    EXPECT_EQ(served_->host.plugins.folder, "pp");
}

TEST_F(CliTest, FlagsWinOverTheFile) {
    ASSERT_EQ(run({"serve", "--config", config_.c_str(), "--listen", "[::1]:0", "--data", "d",
                   "--log-level", "error", "--log-format", "json"}),
              exit_ok)
        << err_;
    EXPECT_EQ(served_->host.listen.address, "::1");
    EXPECT_EQ(served_->host.listen.port, 0);
    EXPECT_EQ(served_->host.data_dir, "d");
    EXPECT_EQ(served_->host.log.level, log::Level::error);
    EXPECT_EQ(served_->host.log.format, log::Format::json);
    ASSERT_EQ(run({"stdio", "--config", config_.c_str()}), exit_ok);
    ASSERT_EQ(run({"serve", "--config", config_.c_str(), "--port", "65535"}), exit_ok);
    EXPECT_EQ(served_->host.listen.port, 65535);
}

TEST_F(CliTest, WrongCommandLinesAreUsageErrors) {
    const std::vector<std::pair<std::vector<const char*>, const char*>> cases{
        {{"bogus"}, "bogus"},
        {{"serve", "--bogus"}, "--bogus"},
        {{"serve", "--port", "65536"}, "0 to 65535"},
        {{"serve", "--port", "-1"}, "0 to 65535"},
        {{"serve", "--listen", "8080"}, "127.0.0.1:8080"},
        {{"serve", "--listen", "::1:8080"}, "[::1]:8080"},
        {{"serve", "--listen", "a:1", "--port", "2"}, "--port"},
        {{"serve", "--log-level", "loud"}, "debug, info"},
        {{"serve", "--log-format", "xml"}, "text or json"},
        {{"plugins"}, "subcommand"},
        {{"plugins", "check"}, "file"},
        {{"tools", "call"}, "name"},
        {{"tools", "list", "--timeout", "0"}, "--timeout"},
        {{"tools", "list", "--url", "http://x/mcp", "--plugins", "p"}, "--url"},
        {{"tools", "list", "--config", "c"}, "--plugins"},
        {{"tools", "list", "--plugins", "p", "--api-key-file", "k"}, "--api-key-file"},
        {{"tools", "list", "--api-key-file", "/none/key"}, "cannot be read"},
        {{"tools", "call", "x", "-", "--api-key-file", "-"}, "not both"},
        {{"users"}, "subcommand"},
        {{"keys", "create"}, "name"},
        {{"tools", "list", "--url", "https://x/mcp"}, "http://HOST:PORT/mcp"},
    };
    for (const auto& [arguments, expected] : cases) {
        EXPECT_EQ(run(arguments), exit_usage) << expected;
        expect_error(expected);
        EXPECT_EQ(out_, "");
    }
    EXPECT_EQ(served_, nullptr);
}

TEST_F(CliTest, WithoutACommandHelpIsShown) {
    EXPECT_EQ(run({}), exit_usage);
    expect_error("Usage: patchbay");
}

TEST_F(CliTest, HelpDocumentsCommandsAndExitCodes) {
    EXPECT_EQ(run({"--help"}), exit_ok);
    for (const char* part : {"serve", "stdio", "plugins check", "tools call", "config check",
                             "version", "Exit codes: 0 done, 1 failed, 2", "5 the tool"}) {
        EXPECT_NE(out_.find(part), std::string::npos) << part;
    }
    EXPECT_EQ(out_.find("probe"), std::string::npos);
    EXPECT_EQ(run({"serve", "--help"}), exit_ok);
    for (const char* flag : {"--config FILE", "--listen ADDR:PORT", "--port N", "--plugins DIR",
                             "--data DIR", "--org-dir DIR", "--log-level", "--log-format"}) {
        EXPECT_NE(out_.find(flag), std::string::npos) << flag;
    }
}

TEST_F(CliTest, ABadConfigurationHasItsOwnExitCode) {
    const std::string bad = write("bad.json", "{\n \"a\": 1}");
    EXPECT_EQ(run({"serve", "--config", bad.c_str()}), exit_config);
    expect_error("bad.json:2: /a");
    EXPECT_EQ(run({"serve", "--config", config_.c_str(), "--listen", "0.0.0.0"}), exit_usage);
    expect_error("--listen");
    EXPECT_EQ(run({"plugins", "list", "--config", bad.c_str()}), exit_config);
    EXPECT_EQ(run({"tools", "list", "--config", bad.c_str(), "--plugins", "p"}), exit_config);
    EXPECT_EQ(served_, nullptr);
}

TEST_F(CliTest, AHostThatCannotStartFails) {
    serve_result_ = invalid("port 1234 is in use");
    EXPECT_EQ(run({"serve", "--config", config_.c_str()}), exit_failed);
    expect_error("patchbay: port 1234 is in use\n");
}

TEST_F(CliTest, AnUnexpectedFaultFails) {
    actions_.serve = [](std::unique_ptr<config::ConfigStore>) -> Result<void> {
        throw std::runtime_error("boom");
    };
    EXPECT_EQ(run({"serve", "--config", config_.c_str()}), exit_failed);
    expect_error("boom");
}

TEST_F(CliTest, ConfigCheck) {
    write("orgs/acme.json", "{}");
    EXPECT_EQ(run({"config", "check", "--config", config_.c_str()}), exit_ok);
    EXPECT_NE(out_.find("valid; organisations: acme,default"), std::string::npos) << out_;
    EXPECT_EQ(run({"config", "check", "--config", config_.c_str(), "--json"}), exit_ok);
    EXPECT_EQ(Json::parse(out_)["orgs"], (Json{"acme", "default"}));

    write("orgs/acme.json", "{\"capabilites\": {}}");
    EXPECT_EQ(run({"config", "check", "--config", config_.c_str()}), exit_config);
    expect_error("acme.json:1: /capabilites");
    EXPECT_EQ(run({"config", "check", "--config", config_.c_str(), "--json"}), exit_config);
    EXPECT_EQ(Json::parse(out_)["valid"], false);
    EXPECT_EQ(Json::parse(out_)["problems"].size(), 1U);
}

TEST_F(CliTest, ConfigCheckWarnsOfOpenReferences) {
    write("orgs/acme.json",
          R"({"capabilities": {"w": {"config": {"key": "${env:PATCHBAY_TEST_ABSENT}"}}}})");
    EXPECT_EQ(run({"config", "check", "--config", config_.c_str()}), exit_ok);
    expect_error("organisation acme, capability w: at /key: ${env:PATCHBAY_TEST_ABSENT}");
}

TEST_F(CliTest, ConfigCheckWarnsOfOpenReferencesOfServers) {
    write("orgs/acme.json", R"({"mcpServers": {"gh": {"url": "https://example.com/mcp"},
              "hub": {"url": "https://example.com/mcp",
                      "headers": {"Authorization": "${env:PATCHBAY_TEST_ABSENT}"}}}})");
    EXPECT_EQ(run({"config", "check", "--config", config_.c_str()}), exit_ok);
    expect_error("organisation acme, server hub: at /headers/Authorization: ${env:");
}

TEST_F(CliTest, ConfigCheckNamesServersThatAreWrong) {
    write("orgs/acme.json", R"({"mcpServers": {
        "none": {"headers": {}},
        "odd": {"type": "telnet", "url": "https://example.com/mcp"}}})");
    EXPECT_EQ(run({"config", "check", "--config", config_.c_str()}), exit_config);
    expect_error("acme.json:2: /mcpServers/none/url: is required");
    expect_error("acme.json:3: /mcpServers/odd/type: must be one of");
    EXPECT_EQ(run({"config", "check", "--config", config_.c_str(), "--json"}), exit_config);
    EXPECT_EQ(Json::parse(out_)["problems"].size(), 2U);
}

TEST_F(CliTest, TheLogIsConfiguredBeforeAnythingIsSaid) {
    actions_.serve = [this](std::unique_ptr<config::ConfigStore> store) {
        write("orgs/acme.json", R"({"title": "Acme"})");
        auto watching = store->watch([](const auto&, const auto&) {});
        std::filesystem::remove(path("orgs/acme.json"));
        return watching;
    };
    const auto logged = [&](const char* flag, const char* value) {
        ::testing::internal::CaptureStderr();
        EXPECT_EQ(run({"serve", "--config", config_.c_str(), flag, value}), exit_ok);
        return ::testing::internal::GetCapturedStderr();
    };
    EXPECT_EQ(logged("--log-level", "error"), "");
    const std::string line = logged("--log-format", "json");
    EXPECT_EQ(Json::parse(line)["event"], "config.loaded") << line;
}

TEST_F(CliTest, PluginsList) {
    EXPECT_EQ(run({"plugins", "list", "--config", config_.c_str(), "--plugins", "pp"}), exit_ok);
    EXPECT_EQ(folder_listed_, "pp");
    EXPECT_EQ(out_,
              "ok       p/w.so    weather  1.0.0  weather,alerts\n"
              "refused  p/bad.so                  it is truncated\n");
    EXPECT_EQ(run({"plugins", "list", "--config", config_.c_str(), "--json"}), exit_ok);
    const Json listed = Json::parse(out_);
    EXPECT_EQ(listed["plugins"][0]["id"], "weather");
    EXPECT_EQ(listed["plugins"][0]["ok"], true);
    EXPECT_EQ(listed["plugins"][1]["problem"], "it is truncated");
}

TEST_F(CliTest, PluginsCheck) {
    EXPECT_EQ(run({"plugins", "check", "good.so", "--config", config_.c_str()}), exit_ok);
    EXPECT_NE(out_.find("weather 1.0.0"), std::string::npos) << out_;
    EXPECT_EQ(run({"plugins", "check", "bad.so", "--config", config_.c_str()}), exit_failed);
    expect_error("refused: it is truncated");
    EXPECT_EQ(run({"plugins", "check", "bad.so", "--config", config_.c_str(), "--json"}),
              exit_failed);
    EXPECT_EQ(Json::parse(out_)["ok"], false);
}

TEST_F(CliTest, ToolsListFollowsPagesAndDisarmsText) {
    EXPECT_EQ(run({"tools", "list", "--plugins", "p"}), exit_ok) << err_;
    EXPECT_EQ(out_, "a__x     First.\nb__long  Second ?[2J\n");
    EXPECT_EQ(run({"tools", "list", "--plugins", "p", "--json"}), exit_ok);
    EXPECT_EQ(Json::parse(out_)["tools"].size(), 2U);
}

TEST_F(CliTest, ToolsCallPrintsTheAnswer) {
    EXPECT_EQ(run({"tools", "call", "a__x", R"({"city":"Paris"})", "--plugins", "p"}), exit_ok);
    EXPECT_EQ(out_, "sunny\n");
    EXPECT_EQ(called_, (Json{{"name", "a__x"}, {"arguments", {{"city", "Paris"}}}}));
    EXPECT_EQ(run({"tools", "call", "a__x", "-", "--plugins", "p"}, R"({"n": 1})"), exit_ok);
    EXPECT_EQ(called_["arguments"], (Json{{"n", 1}}));
    EXPECT_EQ(run({"tools", "call", "a__x", "--plugins", "p", "--json"}), exit_ok);
    EXPECT_EQ(Json::parse(out_), Json::parse(tool_result_));
    EXPECT_EQ(called_["arguments"], Json::object());
}

TEST_F(CliTest, ToolsCallTellsAFailedTool) {
    tool_result_ = R"({"isError":true,"content":[{"type":"text","text":"no such city"}]})";
    EXPECT_EQ(run({"tools", "call", "a__x", "--plugins", "p"}), exit_tool_error);
    expect_error("no such city");
    EXPECT_EQ(run({"tools", "call", "a__x", "--plugins", "p", "--json"}), exit_tool_error);
    EXPECT_EQ(Json::parse(out_)["isError"], true);
}

TEST_F(CliTest, ToolsCallCannotAnswerQuestions) {
    tool_result_ = R"({"resultType":"input_required","inputRequests":{}})";
    EXPECT_EQ(run({"tools", "call", "a__x", "--plugins", "p"}), exit_failed);
    expect_error("asks for further input");
}

TEST_F(CliTest, ToolsCallPrintsEveryKindOfContent) {
    tool_result_ = R"({"content":[{"type":"image","mimeType":"image/png","data":"AA"},
        {"type":"resource_link","uri":"x://y"},{"type":"resource","resource":{"text":"inner"}},7,
        {"type":"text","text":"a\nb\u001b"},{"type":"text"}]})";
    EXPECT_EQ(run({"tools", "call", "a__x", "--plugins", "p"}), exit_ok);
    EXPECT_EQ(out_, "[image image/png; --json shows it]\n[resource x://y]\ninner\na\nb?\n\n");
    tool_result_ = R"({"structuredContent":{"t":1}})";
    EXPECT_EQ(run({"tools", "call", "a__x", "--plugins", "p"}), exit_ok);
    EXPECT_EQ(Json::parse(out_), (Json{{"t", 1}}));
    tool_result_ = "{\"structuredContent\":{\"t\":\"a\u009B2J\x7F\"}}";
    EXPECT_EQ(run({"tools", "call", "a__x", "--plugins", "p"}), exit_ok);
    EXPECT_EQ(out_, "{\n  \"t\": \"a?2J?\"\n}\n");
}

TEST_F(CliTest, ToolsCallRefusesWhatIsNotAnObjectAndUnknownNames) {
    EXPECT_EQ(run({"tools", "call", "a__x", "{", "--plugins", "p"}), exit_usage);
    EXPECT_EQ(run({"tools", "call", "a__x", "[]", "--plugins", "p"}), exit_usage);
    expect_error("must be a JSON object");
    EXPECT_EQ(run({"tools", "call", "nope", "--plugins", "p"}), exit_failed);
    expect_error("no tool \"nope\"; there are: a__x, b__long");
    EXPECT_TRUE(called_.is_null());
}

TEST_F(CliTest, SecretsAreReadFromStandardInputAndNeverShown) {
    const auto secrets = [&](std::vector<const char*> arguments, const std::string& input = "") {
        arguments.insert(arguments.begin(), "secrets");
        for (const char* more : {"--config", config_.c_str()})
            arguments.push_back(more);
        return run(arguments, input);
    };
    ASSERT_EQ(secrets({"set", "key"}, "v4lue\n"), exit_ok) << err_;
    ASSERT_EQ(secrets({"set", "two", "--org", "acme"}, "a\nb"), exit_ok) << err_;
    EXPECT_EQ(secrets_[path("state") + " default"]["key"], "v4lue");
    EXPECT_EQ(secrets_[path("state") + " acme"]["two"], "a\nb");
    ASSERT_EQ(secrets({"list"}), exit_ok);
    EXPECT_EQ(out_, "key\n");
    ASSERT_EQ(secrets({"list", "--org", "acme", "--json"}), exit_ok);
    EXPECT_EQ(Json::parse(out_), (Json{{"org", "acme"}, {"secrets", {"two"}}}));
    EXPECT_EQ(secrets({"remove", "key"}), exit_ok);
    EXPECT_EQ(secrets({"remove", "key"}), exit_failed);
    EXPECT_EQ(secrets({"set", "empty"}), exit_failed);
    EXPECT_EQ(secrets({"set", "big"}, std::string(70'000, 'x')), exit_failed);
    EXPECT_EQ(secrets({"set", "key", "v4lue"}), exit_usage) << "not as an argument";
    EXPECT_EQ(secrets({"list", "--org", "../etc"}), exit_failed);
}

TEST_F(CliTest, VersionAndProbe) {
    EXPECT_EQ(run({"version"}), exit_ok);
    EXPECT_EQ(out_.rfind("patchbay ", 0), 0U);
    EXPECT_EQ(run({"version", "--json"}), exit_ok);
    EXPECT_EQ(Json::parse(out_)["plugin_abi"], "1.1");
    EXPECT_EQ(run({"probe", "x.so"}), 42);
    EXPECT_EQ(probed_, "x.so");
}

}  // namespace
}  // namespace pb::cli
