// SPDX-License-Identifier: Apache-2.0
// Call: one running request, as its handler sees it - who calls, how to report progress, how to ask
// the user, how to notice that it is over. AsyncCall (async_call.hpp) is the one that outlives its
// handler.
//
// Threads: progress(), log(), cancelled(), sleep(), check(), invoke() may be used from any thread;
// everything else belongs to one thread at a time.
#pragma once

#include <patchbay/ask.hpp>
#include <patchbay/invoke.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchbay {

// Severity of log lines and log notifications.
enum class Level { debug, info, notice, warning, error, critical };

inline const char* to_text(Level level) noexcept {
    constexpr const char* names[] = {"debug", "info", "notice", "warning", "error", "critical"};
    return names[static_cast<int>(level)];
}

// Who is behind a call, as the host authenticated them.
struct Caller {
    std::string org;
    std::string principal;  // id; empty if anonymous
    std::string kind;       // "anonymous", "user", "key" or "service"
    std::vector<std::string> scopes;
    // Absent: the caller may see every row; otherwise only those of these ids.
    std::optional<std::vector<std::string>> sources;
    std::optional<std::vector<std::string>> objects;
    std::string client_name;  // as the client says of itself; may be empty
    std::string client_version;

    bool has_scope(std::string_view scope) const {
        for (const auto& own : scopes) {
            if (own == scope) return true;
        }
        return false;
    }
    bool permits_source(std::string_view id) const { return is_among(sources, id); }
    bool permits_object(std::string_view type) const { return is_among(objects, type); }

  private:
    static bool is_among(const std::optional<std::vector<std::string>>& ids, std::string_view id) {
        return !ids || std::find(ids->begin(), ids->end(), id) != ids->end();
    }
};

class Call {
  public:
    // For the SDK and for tests; params as received. `request` must outlive the call.
    Call(const patchbay_host* host, patchbay_call id, const patchbay_request& request, json params)
        : host_(host), id_(id), context_text_(view(request.context)), params_(std::move(params)) {
        if (request.deadline_ns > 0) {
            deadline_ =
                std::chrono::steady_clock::now() + std::chrono::nanoseconds(request.deadline_ns);
        }
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    patchbay_call id() const noexcept { return id_; }
    const patchbay_host* host() const noexcept { return host_; }

    // --- what was asked -------------------------------------------------------------------------

    // The request's params. Handlers with typed input rarely need them.
    const json& params() const noexcept { return params_; }
    // params._meta, or an empty object.
    const json& meta() const { return object_member(params_, "_meta"); }

    // --- who asks -------------------------------------------------------------------------------

    // Org, principal, scopes, client. Valid as long as the call.
    const Caller& caller() {
        if (!caller_) caller_ = read_caller(context());
        return *caller_;
    }
    // Whether the caller may have what is in this source, or is of this type of object. Where not,
    // throw not_permitted(); lists leave it out.
    bool permits_source(std::string_view id) { return caller().permits_source(id); }
    bool permits_object(std::string_view type) { return caller().permits_object(type); }
    // Which capability it is for: the instance's own, or a virtual one that it offers. Empty where
    // the host does not say (1.0).
    std::string capability() { return text_member(context(), "capability"); }
    // Whether the client can be asked: "elicitation.form", "elicitation.url", "sampling", "roots",
    // or any other path into its capabilities.
    bool client_can(std::string_view path) {
        const json* at = &object_member(context(), "clientCapabilities");
        // An empty elicitation object means forms (2025-06-18 clients).
        if (path == "elicitation.form") {
            const auto own = at->find("elicitation");
            if (own != at->end() && own->is_object() && !own->contains("url")) return true;
        }
        while (!path.empty()) {
            const auto dot = path.find('.');
            const auto member = at->is_object() ? at->find(path.substr(0, dot)) : at->end();
            if (member == at->end()) return false;
            at = &*member;
            path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
        }
        return !at->is_null() && *at != json(false);
    }
    // The whole context object of plugin.h: protocolVersion, trace, depth, ...
    const json& context() {
        if (context_.is_null()) {
            context_ = json::parse(context_text_, nullptr, false);
            if (!context_.is_object()) context_ = json::object();
        }
        return context_;
    }

    // --- while it runs --------------------------------------------------------------------------

    // How far it is; value must grow from call to call, total is what it grows to. Cheap to call
    // often: the host may leave some out, and sends none if nobody listens.
    void progress(double value, std::string_view message = {}) {
        send_progress(value, std::nullopt, message);
    }
    void progress(double value, double total, std::string_view message = {}) {
        send_progress(value, total, message);
    }
    // A log message to the client (not to the host's log; Plugin::log() is that). Waits while the
    // client is behind; Cancelled if the call ends meanwhile.
    void log(Level level, const json& data, std::string_view logger = {}) {
        json params = {{"level", to_text(level)}, {"data", data}};
        if (!logger.empty()) params["logger"] = logger;
        const std::string text = dump(params);
        while (host_->notify(host_, id_, view("notifications/message"), view(text)) ==
               PATCHBAY_E_AGAIN) {
            sleep(std::chrono::milliseconds(5));
        }
    }
    // A small object (at most 4096 bytes) for the host's own record of the call, such as on whose
    // behalf it acted; a later one replaces it. No secrets. False where the host keeps none (1.0).
    bool record(const json& note) const {
        const std::string text = dump(note);
        return host_->notify(host_, id_, view("patchbay/record"), view(text)) == PATCHBAY_OK;
    }
    // True once the call was cancelled, is over its deadline, or has ended.
    bool cancelled() const { return host_->wait(host_, id_, 0) != PATCHBAY_OK; }
    // Throws Cancelled if cancelled().
    void check() const { sleep(std::chrono::nanoseconds(0)); }
    // Sleeps; throws Cancelled as soon as the call is over.
    void sleep(std::chrono::nanoseconds time) const {
        const auto status = host_->wait(host_, id_, time.count());
        if (status != PATCHBAY_OK) throw Cancelled(status);
    }
    // When the host gives up; absent = never.
    std::optional<std::chrono::steady_clock::time_point> deadline() const noexcept {
        return deadline_;
    }
    // This call will take long: a client that can resume its stream may let go of the connection.
    void release_stream(std::chrono::milliseconds retry = {}) const {
        std::string params = "{";
        if (retry.count() > 0) params += "\"retry_ms\":" + std::to_string(retry.count());
        params += '}';
        host_->notify(host_, id_, view("patchbay/stream/release"), view(params));
    }

    // --- asking the user ------------------------------------------------------------------------
    //
    // A question ends the handler; when the answer is there, the handler runs again from its start
    // and the same question (the same key) now returns the answer. So: ask before doing what must
    // not be done twice, and keep what was expensive in set_state(). The same code serves every
    // protocol version.
    // https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
    //
    // In tools, prompts and resources; elsewhere it fails. key: unique within the handler.

    // The answer. An answer of the wrong shape is asked for again. Error "client_cannot_answer" if
    // the client lacks what the question needs.
    Answer ask(const std::string& key, const Question& question) {
        auto found = ask_with_others(key, question);
        if (!found) throw detail::AskFirst{};
        return std::move(*found);
    }
    // Several at once: one round for the user instead of many.
    std::map<std::string, Answer> require(const std::map<std::string, Question>& questions) {
        std::map<std::string, Answer> out;
        for (const auto& [key, question] : questions) {
            if (auto found = ask_with_others(key, question)) out.emplace(key, std::move(*found));
        }
        require();
        return out;
    }
    // The same in steps: notes the question and goes on; require() then ends the handler unless
    // every one of them is answered.
    std::optional<Answer> ask_with_others(const std::string& key, const Question& question) {
        if (auto found = answer(key); found && question.good(found->raw())) return found;
        if (!question.needs.empty() && !client_can(question.needs)) {
            throw Error("client_cannot_answer", "This needs an answer by " + question.method +
                                                    ", which the client does not support (" +
                                                    question.needs + ")");
        }
        used_.erase(key);
        asked_[key] = {{"method", question.method}, {"params", question.params}};
        return std::nullopt;
    }
    void require() const {
        if (!asked_.empty()) throw detail::AskFirst{};
    }
    // Asks although an answer is there: it does not do (a person who was sent to a URL has not
    // finished there, a name is taken).
    [[noreturn]] void ask_again(const std::string& key, const Question& question) {
        load_answers();
        answers_.erase(key);
        ask_with_others(key, question);
        throw detail::AskFirst{};
    }
    // The answer so far, of whatever shape, without asking.
    std::optional<Answer> answer(const std::string& key) {
        load_answers();
        const auto at = answers_.find(key);
        if (at == answers_.end()) return std::nullopt;
        used_.insert(key);
        return Answer(*at);
    }
    // What an earlier round of this call kept; null in the first. The host seals it, so its content
    // is what set_state() was given.
    const json& state() {
        load_answers();
        return state_;
    }
    // Kept if this round ends with a question. A few kilobytes at most.
    void set_state(json state) {
        load_answers();
        state_ = std::move(state);
    }

    // --- calling others -------------------------------------------------------------------------

    // Calls a tool of the organisation's catalog by its exposed name ("namespace__tool") on this
    // call's authority and waits. Error if it cannot be called; a tool's own failure is a result
    // with is_error(). timeout: 0 = the host's default, never beyond this call's deadline.
    Invoked invoke(std::string_view tool, json arguments = json::object(),
                   std::chrono::nanoseconds timeout = {}) const {
        return request("tools/call", detail::tool_params(tool, std::move(arguments)), timeout);
    }
    // Any other method: tools/list, resources/read, resources/list, prompts/get, prompts/list.
    Invoked request(std::string_view method, const json& params,
                    std::chrono::nanoseconds timeout = {}) const {
        return detail::invoke_and_wait(host_, id_, nullptr, method, params, timeout).get();
    }
    // The same among remote MCP servers that only this call sees, laid over the catalog: `scope` is
    // an array of {"mcpServers":{...}} objects, the last of which counts. Error "invalid" where it
    // is wrong, "unsupported" where the host has no scopes (1.0). Lists say in their _meta, under
    // "patchbay/left_out", which of the servers cannot be reached and why.
    Invoked request_in(const json& scope, std::string_view method, const json& params,
                       std::chrono::nanoseconds timeout = {}) const {
        return detail::invoke_and_wait(host_, id_, scope, method, params, timeout).get();
    }
    Invoked invoke_in(const json& scope, std::string_view tool, json arguments = json::object(),
                      std::chrono::nanoseconds timeout = {}) const {
        return request_in(scope, "tools/call", detail::tool_params(tool, std::move(arguments)),
                          timeout);
    }
    // The same without waiting: handler gets the reply, exactly once, on any thread.
    void invoke_async(std::string_view tool, json arguments, ReplyHandler handler,
                      std::chrono::nanoseconds timeout = {}) const {
        detail::invoke_async(host_, id_, nullptr, "tools/call",
                             detail::tool_params(tool, std::move(arguments)), timeout,
                             std::move(handler));
    }

    // The body of PATCHBAY_INPUT_REQUIRED. For the SDK.
    std::string questions_text() const {
        std::string out = "{\"inputRequests\":" + dump(asked_);
        json kept = json::object();
        for (const auto& key : used_) {
            if (answers_.contains(key)) kept[key] = answers_[key];
        }
        if (!kept.empty() || !state_.is_null()) {
            out += ",\"requestState\":";
            detail::append_quoted(out, dump(json{{"answers", kept}, {"state", state_}}));
        }
        return out + '}';
    }

  protected:
    Call(Call&&) = default;
    // Makes the call independent of the request that it was made from.
    void own_context() {
        owned_context_ = std::make_unique<std::string>(context_text_);
        context_text_ = *owned_context_;
    }

  private:
    static const json& object_member(const json& object, const char* name) {
        static const json none = json::object();
        const auto at = object.is_object() ? object.find(name) : object.end();
        return at != object.end() && at->is_object() ? *at : none;
    }
    static std::string text_member(const json& object, const char* name) {
        const auto at = object.find(name);
        return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
    }
    static std::optional<std::vector<std::string>> texts_member(const json& object,
                                                                const char* name) {
        const auto at = object.find(name);
        if (at == object.end() || !at->is_array()) return std::nullopt;
        std::vector<std::string> out;
        for (const auto& text : *at) {
            if (text.is_string()) out.push_back(text.get<std::string>());
        }
        return out;
    }
    static Caller read_caller(const json& context) {
        const json& principal = object_member(context, "principal");
        const json& client = object_member(context, "client");
        Caller out;
        out.org = text_member(context, "org");
        out.principal = text_member(principal, "id");
        out.kind = text_member(principal, "kind");
        out.scopes = texts_member(context, "scopes").value_or(std::vector<std::string>{});
        out.sources = texts_member(context, "sources");
        out.objects = texts_member(context, "objects");
        out.client_name = text_member(client, "name");
        out.client_version = text_member(client, "version");
        return out;
    }
    void send_progress(double value, std::optional<double> total, std::string_view message) {
        std::string params = "{\"progress\":" + detail::shortest(value);
        if (total) params += ",\"total\":" + detail::shortest(*total);
        if (!message.empty()) {
            params += ",\"message\":";
            detail::append_quoted(params, message);
        }
        params += '}';
        host_->notify(host_, id_, view("notifications/progress"), view(params));
    }
    // Clients answer only the last round's questions: earlier answers travel in the state.
    void load_answers() {
        if (answers_.is_object()) return;
        answers_ = json::object();
        const auto state = params_.find("requestState");
        if (state != params_.end() && state->is_string()) {
            const json kept = json::parse(state->get_ref<const std::string&>(), nullptr, false);
            answers_ = object_member(kept, "answers");
            if (kept.is_object() && kept.contains("state")) state_ = kept["state"];
        }
        for (const auto& [key, value] : object_member(params_, "inputResponses").items()) {
            answers_[key] = value;
        }
    }

    const patchbay_host* host_;
    patchbay_call id_;
    std::string_view context_text_;
    std::unique_ptr<std::string> owned_context_;
    json params_;
    json context_;
    std::optional<Caller> caller_;
    std::optional<std::chrono::steady_clock::time_point> deadline_;
    json answers_;  // null until load_answers()
    json state_;
    std::set<std::string> used_;  // keys whose answers the handler has taken
    ordered_json asked_ = nullptr;
};

}  // namespace patchbay
