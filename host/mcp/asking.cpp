// SPDX-License-Identifier: Apache-2.0
#include "mcp/asking.h"

#include <vector>

#include "base/base64.h"
#include "json/scan.h"
#include "mcp/seal.h"

namespace pb::mcp {
namespace {

bool is_object(std::string_view value) {
    return !value.empty() && json::type_of(value) == json::Type::object;
}

// What one question needs, as the inside of a capabilities object; "" if the client has it. What
// came with 2025-06-18 (elicitation) or 2025-11-25 (its URL mode, sampling with tools) is lacking
// before, whatever the client says.
std::string lacking(Version version, std::string_view method, std::string_view params,
                    std::string_view capabilities) {
    const bool newer = version >= Version::v2025_11_25;
    if (method == "roots/list")
        return is_object(json::member(capabilities, "roots")) ? "" : "\"roots\":{}";
    if (method == "sampling/createMessage") {
        const auto sampling = json::member(capabilities, "sampling");
        if (!is_object(sampling)) return "\"sampling\":{}";
        const bool tools = !json::member(params, "tools").empty();
        const bool has_tools = newer && is_object(json::member(sampling, "tools"));
        return !tools || has_tools ? "" : "\"sampling\":{\"tools\":{}}";
    }
    const auto elicitation = json::member(capabilities, "elicitation");
    const bool url = json::string_value(json::member(params, "mode")) == "url";
    const bool has_url = newer && is_object(json::member(elicitation, "url"));
    // An empty elicitation capability means forms only, as it did when there was nothing else.
    const bool has_form = version >= Version::v2025_06_18 && is_object(elicitation) &&
                          (is_object(json::member(elicitation, "form")) || !has_url);
    if (url) return has_url ? "" : "\"elicitation\":{\"url\":{}}";
    return has_form ? "" : "\"elicitation\":{\"form\":{}}";
}

// "Unique within the context of the server": whatever the session, and after a restart.
std::string elicitation_id() {
    const auto key = aes_gcm::random_key();
    const std::string bytes(key.begin(), key.end());
    return json::quote(base64_encode(bytes, Alphabet::url));
}

// Question params as the session's version knows them.
std::string legacy_params(Version version, std::string_view method, std::string_view params) {
    std::string out(params.empty() ? "{}" : params);
    if (method != "elicitation/create") return out;
    if (version < Version::v2025_11_25) return json::without(out, "mode");
    if (json::string_value(json::member(out, "mode")) == "url" &&
        json::member(out, "elicitationId").empty())
        out = json::with(out, "elicitationId", elicitation_id());
    return out;
}

}  // namespace

Result<std::string> missing_capabilities(Version version, std::string_view input_requests,
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
        auto lack = lacking(version, method, json::member(question, "params"), capabilities);
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

void LegacyAsk::start(std::string_view input_requests, Timer& timer,
                      std::chrono::milliseconds patience) {
    auto self = shared_from_this();
    std::vector<json::Member> questions;
    json::members(input_requests, questions);
    std::map<std::string, std::string> messages;  // by key
    {
        std::lock_guard lock(mutex_);
        if (!done_) return;
        for (const auto& [key_text, question] : questions) {
            const std::string key = "\"" + std::string(key_text) + "\"";
            auto ask_id = request_->session->expect(
                [self, key](std::string_view result, std::string_view error) {
                    self->answered(key, result, error);
                });
            if (ask_id.empty()) continue;
            const auto method = *json::string_value(json::member(question, "method"));
            messages[key] = request_message(
                ask_id, method,
                legacy_params(request_->version, method, json::member(question, "params")));
            waiting_[key] = {ask_id, false};
        }
    }
    if (messages.empty())
        return finish(Error{ErrorKind::gone, "the session ended before the user was asked"});
    timer.after(patience, [weak = weak_from_this()] {
        if (auto ask = weak.lock())
            ask->finish(Error{ErrorKind::deadline, "the user did not answer in time"});
    });
    for (const auto& [key, message] : messages)
        if (!send(key, message)) return;
}

// False if the rest need not be sent.
bool LegacyAsk::send(const std::string& key, const std::string& message) {
    {
        std::lock_guard order(order_);
        {
            std::lock_guard lock(mutex_);
            if (!done_) return false;
            const auto asked = waiting_.find(key);
            if (asked == waiting_.end()) return true;  // answered by a client that guessed the id
            asked->second.sent = true;
        }
        if (request_->outlet->send(message) == Sent::ok) return true;
        std::lock_guard lock(mutex_);
        if (auto asked = waiting_.find(key); asked != waiting_.end()) asked->second.sent = false;
    }
    finish(Error{ErrorKind::busy, "the client does not read what it is asked"});
    return false;
}

void LegacyAsk::answered(const std::string& key, std::string_view result, std::string_view error) {
    const bool refused = !is_object(result);
    std::string out = "{";
    {
        std::lock_guard lock(mutex_);
        if (!waiting_.erase(key)) return;
        if (!refused) {
            responses_[key] = std::string(result);
            if (!waiting_.empty()) return;
            for (const auto& [name, response] : responses_)
                out += (out.size() > 1 ? "," : "") + name + ":" + response;
        }
    }
    if (!refused) return finish(out + "}");
    auto why = json::string_value(json::member(error, "message")).value_or("no reason given");
    finish(Error{ErrorKind::denied, "the client did not answer: " + why.substr(0, 500)});
}

void LegacyAsk::finish(Result<std::string> outcome) {
    Done done;
    std::vector<std::string> unwanted;
    {
        std::lock_guard lock(mutex_);
        done.swap(done_);
        if (!done) return;
        unwanted = give_up();
    }
    withdraw(unwanted);
    done(std::move(outcome));
}

void LegacyAsk::cancel() {
    std::vector<std::string> unwanted;
    {
        std::lock_guard lock(mutex_);
        done_ = nullptr;
        unwanted = give_up();
    }
    withdraw(unwanted);
}

// With mutex_. The ids of the questions that the client has and nobody waits for any more.
std::vector<std::string> LegacyAsk::give_up() {
    std::vector<std::string> out;
    for (const auto& [key, asked] : waiting_) {
        request_->session->forget(asked.id);
        if (asked.sent) out.push_back(asked.id);
    }
    waiting_.clear();
    return out;
}

void LegacyAsk::withdraw(const std::vector<std::string>& ask_ids) {
    if (ask_ids.empty()) return;
    std::lock_guard order(order_);
    for (const auto& id : ask_ids)
        request_->outlet->send(notification_message(
            "notifications/cancelled",
            "{\"requestId\":" + id + ",\"reason\":\"the answer is not needed any more\"}"));
}

}  // namespace pb::mcp
