// SPDX-License-Identifier: Apache-2.0
// Any HTTP request at the MCP endpoint, through protocol and admission to a provider and back: each
// is answered once, in JSON-RPC, in its own era, and leaves nothing behind.
//
// The input is a request as one would write it down: the method, a header on each line, an empty
// line, the body. An Mcp-Session-Id that is a protocol version stands for an open session of it.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "endpoint/streamable_http.h"
#include "support/exchange.h"
#include "support/world.h"

namespace {

using namespace pb;
using catalog::Status;
using test::FakeExchange;
using test::FakeExchangePtr;
using test::HeaderList;

void require(bool holds) {
    if (!holds) std::abort();
}

// Answers with what it was sent, so that the input also chooses what a provider says.
class Mirror : public catalog::Provider {
  public:
    explicit Mirror(catalog::CallSink& calls) : calls_(calls) {}

    std::string_view label() const override { return "mirror@1.0.0#1"; }
    void cancel(catalog::CallId) noexcept override {}
    void handle(const catalog::ProviderRequest& request) noexcept override {
        static const std::map<std::string_view, std::string_view> fixed{
            {"server/discover",
             R"({"capabilities":{"tools":{},"prompts":{},"completions":{},
                 "resources":{"subscribe":true}}})"},
            {"tools/list", R"({"tools":[
                {"name":"say","inputSchema":{"type":"object"}},
                {"name":"ask","inputSchema":{"type":"object"}},
                {"name":"fail","inputSchema":{"type":"object"}},
                {"name":"note","inputSchema":{"type":"object"}},
                {"name":"typed","title":"Typed","outputSchema":{"required":["sum"]},
                 "inputSchema":{"type":"object","required":["a"],"properties":{
                     "a":{"type":"integer","x-mcp-header":"A"},
                     "b":{"type":"string","pattern":"^x+$"}}}}]})"},
            {"prompts/list", R"({"prompts":[{"name":"greet"}]})"},
            {"resources/list", R"({"resources":[{"uri":"note://a","name":"a"}]})"},
            {"resources/templates/list",
             R"({"resourceTemplates":[{"uriTemplate":"file:///{path}","name":"f"}]})"},
            {"resources/subscribe", "{}"},
            {"resources/unsubscribe", "{}"},
            {"completion/complete", R"({"completion":{"values":["x"]}})"}};
        if (auto found = fixed.find(request.method); found != fixed.end()) {
            calls_.complete(request.call, Status::ok, found->second);
            return;
        }
        const auto given = json::member(request.params, "arguments");
        const auto name = json::string_value(json::member(request.params, "name")).value_or("");
        // Once answered, a question is not asked again.
        const bool answered = !json::member(request.params, "inputResponses").empty();
        if (name == "ask" && !answered) {
            calls_.complete(request.call, Status::input_required, given);
        } else if (name == "fail") {
            const auto status = json::integer_value(json::member(given, "status")).value_or(-10);
            calls_.complete(request.call,
                            static_cast<Status>(std::clamp<std::int64_t>(status, -12, 2)), given);
        } else {
            const auto method = json::string_value(json::member(given, "method"));
            if (name == "note")
                calls_.notify(request.call, method.value_or("notifications/progress"), given);
            calls_.complete(request.call, Status::ok, given.empty() ? request.params : given);
        }
        require(calls_.complete(request.call, Status::ok, "{}") == Status::gone);
    }

  private:
    catalog::CallSink& calls_;
};

struct Stage {
    Stage() {
        world.publish("", std::make_shared<Mirror>(world.calls));
        require(world.warnings.empty());
    }
    FakeExchangePtr send(const std::string& method, HeaderList headers, std::string body) {
        auto exchange = std::make_shared<FakeExchange>();
        endpoint.handle(test::make_request(method, std::move(headers), std::move(body)), exchange);
        return exchange;
    }
    std::string open(std::string_view version) {
        const auto body = R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{)"
                          R"("capabilities":{"roots":{},"sampling":{},"elicitation":{}},)"
                          R"("protocolVersion":")" +
                          std::string(version) + "\"}}";
        auto answer =
            send("POST", {{"Host", "localhost"}, {"Content-Type", "application/json"}}, body);
        require(answer->status() == 200);
        return answer->header("Mcp-Session-Id");
    }
    test::World world;
    endpoint::Gate gate{world.authenticator, endpoint::Guards({}, {}), {}};
    endpoint::StreamableHttp endpoint{world.server, gate};
};

struct Input {
    std::string method;
    HeaderList headers;
    std::string body;

    std::string header(std::string_view name) const {
        return std::string(test::make_request(method, headers)->header(name));
    }
};

Input read(std::string_view text) {
    Input out;
    auto line = [&] {
        const auto end = std::min(text.find('\n'), text.size());
        const auto found = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        return found;
    };
    out.method = line();
    for (auto header = line(); !header.empty(); header = line()) {
        const auto colon = std::min(header.find(": "), header.size());
        out.headers.emplace_back(header.substr(0, colon),
                                 header.substr(std::min(colon + 2, header.size())));
    }
    out.body = text;
    // What is there in nearly every request need not be in the input.
    if (out.header("Host").empty()) out.headers.emplace_back("Host", "localhost");
    if (out.header("Content-Type").empty())
        out.headers.emplace_back("Content-Type", "application/json");
    return out;
}

// What the client has asked: the ids of the requests in the body, and of what is malformed; and the
// ids whose answer it does not want any more.
struct Asked {
    bool modern = false;
    std::vector<std::string> ids;
    std::vector<std::string> cancelled;
};

// An id in one spelling: a string may come back with other escapes than it was sent with.
std::string plain(std::string_view id) {
    const auto text = json::string_value(id);
    return text ? json::quote(*text) : std::string(id);
}

void add_request(std::string_view message, Asked& asked) {
    mcp::Message read;
    mcp::RpcError error;
    const bool sound = mcp::read_message(message, read, error);
    if (sound ? read.kind == mcp::MessageKind::request : !read.id.empty())
        asked.ids.push_back(plain(read.id));
    if (sound && read.method == "notifications/cancelled")
        asked.cancelled.push_back(plain(json::member(read.params, "requestId")));
}

Asked what_is_asked(const Input& input) {
    Asked asked;
    if (input.method != "POST" || !json::scan(input.body).ok()) return asked;
    asked.modern = mcp::Server::is_modern_message(input.body, input.header("MCP-Protocol-Version"),
                                                  !input.header("Mcp-Session-Id").empty());
    std::vector<std::string_view> messages;
    if (json::elements(input.body, messages)) {
        for (const auto& message : messages)
            add_request(message, asked);
    } else {
        add_request(input.body, asked);
    }
    return asked;
}

void check_result(std::string_view result, bool modern) {
    require(json::type_of(result) == json::Type::object);
    const bool typed = !json::member(result, "resultType").empty();
    require(typed == modern);
    if (modern) return;
    for (const char* name : {"ttlMs", "cacheScope"})
        require(json::member(result, name).empty());
}

void check_error(std::string_view error, bool modern) {
    const auto code = json::integer_value(json::member(error, "code"));
    const auto message = json::string_value(json::member(error, "message"));
    require(code && message && !message->empty());
    require(*message != "internal error");  // an exception was caught
    require(modern ? *code != mcp::code::resource_not_found : *code > -32020 || *code < -32022);
}

// One message from the server; if it is an answer, the id that it answers.
std::optional<std::string> check_message(std::string_view text, bool modern) {
    require(json::scan(text, {.depth = 100}).ok());
    require(json::member(text, "jsonrpc") == "\"2.0\"");
    const auto id = json::member(text, "id");
    const auto result = json::member(text, "result"), error = json::member(text, "error");
    if (!json::member(text, "method").empty()) {
        require(result.empty() && error.empty());
        require(!modern || id.empty());  // only legacy clients are asked
        return std::nullopt;
    }
    require(result.empty() != error.empty() && (result.empty() || !id.empty()));
    if (error.empty())
        check_result(result, modern);
    else
        check_error(error, modern);
    return plain(id);
}

// Nobody is answered twice, and when it is over nobody is still waiting.
void check_answers(const std::vector<std::string>& answered, const Asked& asked, bool over) {
    auto open = asked.ids;
    for (const auto& id : answered) {
        if (id.empty()) continue;  // of something that could not be read
        auto found = std::find(open.begin(), open.end(), id);
        require(found != open.end());  // nobody asked, or it was answered before
        open.erase(found);
    }
    for (const auto& id : asked.cancelled)
        std::erase(open, id);
    require(!over || open.empty());
}

// The answers of a stream; the id of its last event where it has one.
std::string check_stream(const FakeExchange& exchange, bool modern,
                         std::vector<std::string>& answered) {
    std::string last;
    for (const auto& event : exchange.events()) {
        if (!event.id.empty()) last = event.id;
        require(!modern || event.id.empty());  // modern streams cannot be resumed
        if (event.data.empty()) continue;
        if (auto id = check_message(event.data, modern)) answered.push_back(*id);
    }
    return last;
}

void check_body(const FakeExchange& exchange, const Asked& asked) {
    require(exchange.status() >= 200 && exchange.status() < 600 && exchange.status() != 500);
    const auto body = exchange.body();
    if (body.empty()) return check_answers({}, asked, true);
    std::vector<std::string_view> messages;
    std::vector<std::string> answered;
    require(json::scan(body, {.depth = 100}).ok());
    const bool batch = json::elements(body, messages);
    if (!batch) messages = {body};
    for (const auto& message : messages)
        if (auto id = check_message(message, asked.modern)) answered.push_back(*id);
    const bool refused = !batch && answered.size() == 1 && answered[0].empty();
    check_answers(answered, asked, !refused);  // one refusal is the answer to all of them
}

void check(Stage& stage, const Input& input, const Asked& asked, const FakeExchange& exchange) {
    if (!exchange.streaming()) {
        // Not answered: a question, or a listener's stream, is still to come.
        if (exchange.answered()) check_body(exchange, asked);
        return;
    }
    std::vector<std::string> answered;
    const auto last = check_stream(exchange, asked.modern, answered);
    bool over = exchange.ended();
    // Let go by the provider: the rest is to be had again.
    if (over && answered.size() < asked.ids.size() && !last.empty()) {
        auto headers = input.headers;
        headers.emplace_back("Last-Event-ID", last);
        const auto rest = stage.send("GET", std::move(headers), {});
        check_stream(*rest, asked.modern, answered);
        over = rest->ended();
        rest->leave();
    }
    check_answers(answered, asked, over);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
    pb::log::configure(pb::log::Level::off, pb::log::Format::text);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Stage stage;
    auto input = read({reinterpret_cast<const char*>(data), size});
    const auto asked = what_is_asked(input);
    for (auto& [name, value] : input.headers) {
        const auto version = mcp::version_from(value);
        if (name == "Mcp-Session-Id" && version && !mcp::is_modern(*version))
            value = stage.open(value);
    }
    auto exchange = stage.send(input.method, input.headers, input.body);
    check(stage, input, asked, *exchange);

    exchange->leave();
    stage.world.server.close_all();
    require(stage.world.calls.running() == 0);
    require(stage.world.server.subscriptions().listening() == 0);
    require(stage.world.server.sessions().size() == 0);
    return 0;
}
