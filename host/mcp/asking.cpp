// SPDX-License-Identifier: Apache-2.0
#include "mcp/asking.h"

#include <vector>

#include "json/scan.h"

namespace pb::mcp {
namespace {

bool is_object(std::string_view value) {
    return !value.empty() && json::type_of(value) == json::Type::object;
}

// What one question needs, as the inside of a capabilities object; "" if the client has it.
std::string lacking(std::string_view method, std::string_view params,
                    std::string_view capabilities) {
    if (method == "roots/list")
        return is_object(json::member(capabilities, "roots")) ? "" : "\"roots\":{}";
    if (method == "sampling/createMessage") {
        const auto sampling = json::member(capabilities, "sampling");
        if (!is_object(sampling)) return "\"sampling\":{}";
        const bool tools = !json::member(params, "tools").empty();
        return !tools || is_object(json::member(sampling, "tools")) ? ""
                                                                    : "\"sampling\":{\"tools\":{}}";
    }
    const auto elicitation = json::member(capabilities, "elicitation");
    const bool url = json::string_value(json::member(params, "mode")) == "url";
    const bool has_url = is_object(json::member(elicitation, "url"));
    // An empty elicitation capability means forms only (2025-11-25 and later).
    const bool has_form =
        is_object(elicitation) && (is_object(json::member(elicitation, "form")) || !has_url);
    if (url) return has_url ? "" : "\"elicitation\":{\"url\":{}}";
    return has_form ? "" : "\"elicitation\":{\"form\":{}}";
}

// Question params as the session's version knows them.
std::string legacy_params(Version version, std::string_view method, std::string_view params,
                          const std::string& ask_id) {
    std::string out(params.empty() ? "{}" : params);
    if (method != "elicitation/create") return out;
    if (version < Version::v2025_11_25) return json::without(out, "mode");
    if (json::string_value(json::member(out, "mode")) == "url" &&
        json::member(out, "elicitationId").empty())
        out = json::with(out, "elicitationId", ask_id);
    return out;
}

}  // namespace

Result<std::string> missing_capabilities(std::string_view input_requests,
                                         std::string_view capabilities) {
    std::vector<json::Member> questions;
    if (!json::members(input_requests, questions) || questions.empty() || questions.size() > 64)
        return internal_error("the provider asked for input without saying for which");
    std::map<std::string, std::string> lacks;  // by capability, so that each is named once
    for (const auto& [key, question] : questions) {
        const auto method = json::string_value(json::member(question, "method")).value_or("");
        if (method != "elicitation/create" && method != "sampling/createMessage" &&
            method != "roots/list")
            return internal_error("the provider asked for input by an unknown method");
        auto lack = lacking(method, json::member(question, "params"), capabilities);
        if (!lack.empty()) lacks[lack.substr(0, lack.find(':'))] = lack;
    }
    if (lacks.empty()) return std::string();
    std::string out = "{";
    for (const auto& entry : lacks)
        out += (out.size() > 1 ? "," : "") + entry.second;
    return out + "}";
}

bool valid_responses(std::string_view responses) {
    std::vector<json::Member> found;
    if (!json::members(responses, found)) return false;
    for (const auto& entry : found)
        if (json::type_of(entry.value) != json::Type::object) return false;
    return true;
}

void LegacyAsk::start(std::string_view input_requests, runtime::Timer& timer,
                      std::chrono::milliseconds patience) {
    auto self = shared_from_this();
    std::vector<json::Member> questions;
    json::members(input_requests, questions);
    std::vector<std::string> messages;
    {
        std::lock_guard lock(mutex_);
        for (const auto& [key_text, question] : questions) {
            const std::string key = "\"" + std::string(key_text) + "\"";
            auto ask_id = request_->session->expect(
                [self, key](std::string_view result, std::string_view error) {
                    self->answered(key, result, error);
                });
            if (ask_id.empty()) continue;
            const auto method = *json::string_value(json::member(question, "method"));
            messages.push_back(
                request_message(ask_id, method,
                                legacy_params(request_->version, method,
                                              json::member(question, "params"), ask_id)));
            waiting_[key] = ask_id;
        }
    }
    if (messages.empty())
        return finish(Error{ErrorKind::gone, "the session ended before the user was asked"});
    timer.after(patience, [weak = weak_from_this()] {
        if (auto ask = weak.lock())
            ask->finish(Error{ErrorKind::deadline, "the user did not answer in time"});
    });
    for (const auto& message : messages)
        if (request_->outlet->send(message) != Sent::ok)
            return finish(Error{ErrorKind::busy, "the client does not read what it is asked"});
}

void LegacyAsk::answered(const std::string& key, std::string_view result, std::string_view error) {
    if (!is_object(result)) {
        auto why = json::string_value(json::member(error, "message")).value_or("no reason given");
        return finish(Error{ErrorKind::denied, "the client did not answer: " + why.substr(0, 500)});
    }
    std::string out = "{";
    {
        std::lock_guard lock(mutex_);
        if (!done_ || !waiting_.erase(key)) return;
        responses_[key] = std::string(result);
        if (!waiting_.empty()) return;
        for (const auto& [name, response] : responses_)
            out += (out.size() > 1 ? "," : "") + name + ":" + response;
    }
    finish(out + "}");
}

void LegacyAsk::finish(Result<std::string> outcome) {
    Done done;
    {
        std::lock_guard lock(mutex_);
        done.swap(done_);
        if (!done) return;
        for (const auto& entry : waiting_)
            request_->session->forget(entry.second);
        waiting_.clear();
    }
    done(std::move(outcome));
}

void LegacyAsk::cancel() {
    std::lock_guard lock(mutex_);
    done_ = nullptr;
    for (const auto& entry : waiting_)
        request_->session->forget(entry.second);
    waiting_.clear();
}

}  // namespace pb::mcp
