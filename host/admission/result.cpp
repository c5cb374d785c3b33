// SPDX-License-Identifier: Apache-2.0
// The link on the way back: what the provider answered becomes what the caller may see.
#include <nlohmann/json.hpp>

#include "admission/failure.h"
#include "admission/links.h"
#include "base/log.h"
#include "json/parse.h"

namespace pb::admission {
namespace {

using runtime::Status;

// Rewrites "uri" of one object to the organisation's form.
std::string expose_in(const Target& target, std::string_view object) {
    auto uri = json::string_value(json::member(object, "uri"));
    if (!uri) return std::string(object);
    return json::with(object, "uri",
                      json::quote(target.snapshot->exposed_uri(*target.binding, *uri)));
}

// One content block: resource links and embedded resources carry URIs.
std::string expose_content(const Target& target, std::string_view block) {
    const auto type = json::string_value(json::member(block, "type"));
    if (type == "resource_link") return expose_in(target, block);
    if (type == "resource") {
        const auto resource = json::member(block, "resource");
        if (resource.empty()) return std::string(block);
        return json::with(block, "resource", expose_in(target, resource));
    }
    return std::string(block);
}

std::string expose_uris(const Target& target, std::string_view method, std::string_view body) {
    auto content = [&](std::string_view block) { return expose_content(target, block); };
    auto replace = [&](std::string_view name, auto rewrite) {
        const auto list = json::member(body, name);
        return list.empty() ? std::string(body)
                            : json::with(body, name, json::each_element(list, rewrite));
    };
    if (method == "tools/call") return replace("content", content);
    if (method == "resources/read")
        return replace("contents", [&](auto item) { return expose_in(target, item); });
    if (method != "prompts/get") return std::string(body);
    return replace("messages", [&](std::string_view message) {
        const auto inside = json::member(message, "content");
        if (inside.empty()) return std::string(message);
        return json::with(message, "content",
                          json::type_of(inside) == json::Type::array
                              ? json::each_element(inside, content)
                              : content(inside));
    });
}

// Empty if the result holds what the tool's outputSchema promises.
std::string check_output(const catalog::Tool& tool, std::string_view body) {
    if (!tool.output || json::member(body, "isError") == "true") return {};
    const auto structured = json::member(body, "structuredContent");
    std::string why = "the result has no structuredContent";
    if (!structured.empty()) {
        auto value = json::parse(structured);
        if (!value) {
            why = value.error().message;
        } else {
            const auto violations = tool.output->validate(*value);
            if (violations.empty()) return {};
            why = json::describe(violations);
        }
    }
    log::warning("tool.bad_result", {{"tool", tool.exposed}, {"reason", why}});
    return failure_result({"invalid_result", "permanent", false,
                           "The tool's result does not match its own outputSchema: " + why},
                          false);
}

struct Kind {
    std::string_view code, category, sentence;
    bool retryable;
};

// Statuses of a tool that its caller should read as a result; null: stays an error.
const Kind* failure_kind(Status status) {
    static const Kind denied{"permission_denied", "auth", "Not permitted", false};
    static const Kind cancelled{"cancelled", "transient", "The call was cancelled", true};
    static const Kind deadline{"tool_timeout", "transient", "The tool did not answer in time",
                               true};
    static const Kind busy{"busy", "transient", "The tool is busy", true};
    static const Kind internal{"internal", "permanent", "The tool failed", false};
    switch (status) {
        case Status::denied:
            return &denied;
        case Status::cancelled:
            return &cancelled;
        case Status::deadline:
            return &deadline;
        case Status::busy:
        case Status::again:
            return &busy;
        case Status::gone:
        case Status::internal:
            return &internal;
        default:
            return nullptr;
    }
}

class ResultObserver : public runtime::CallObserver {
  public:
    ResultObserver(Target target, std::string_view method,
                   std::shared_ptr<runtime::CallObserver> next)
        : target_(std::move(target)), method_(method), next_(std::move(next)) {}

    void completed(Status status, std::string_view body) noexcept override {
        try {
            pass_on(status, body);
        } catch (const std::exception& fault) {
            log::error("admission.fault", {{"reason", fault.what()}});
            next_->completed(Status::internal, {});
        }
    }

    Status notified(std::string_view method, std::string_view params) noexcept override {
        return next_->notified(method, params);
    }

    void begun(runtime::CallId id) noexcept override { next_->begun(id); }
    void said() noexcept override { next_->said(); }
    void still_running() noexcept override { next_->still_running(); }

  private:
    void pass_on(Status status, std::string_view body) {
        next_->ended(status);
        if (status == Status::ok) {
            if (target_.tool) {
                auto failure = check_output(*target_.tool, body);
                if (!failure.empty()) return next_->completed(Status::ok, failure);
            }
            if (!target_.binding->name_space.empty() &&
                body.find("\"uri\"") != std::string_view::npos)
                return next_->completed(Status::ok, expose_uris(target_, method_, body));
            return next_->completed(Status::ok, body);
        }
        // Who names a JSON-RPC code means an error of the protocol.
        const bool coded = json::integer_value(json::member(body, "code")).has_value();
        const auto* kind = target_.tool && !coded ? failure_kind(status) : nullptr;
        if (!kind) return next_->completed(status, body);
        auto message = json::string_value(json::member(body, "message")).value_or("");
        if (message.empty()) message = kind->sentence;
        next_->completed(Status::ok,
                         failure_result({kind->code, kind->category, kind->retryable, message},
                                        target_.tool->output == nullptr));
    }

    Target target_;
    std::string method_;
    std::shared_ptr<runtime::CallObserver> next_;
};

}  // namespace

std::shared_ptr<runtime::CallObserver> watch_result(const Target& target, std::string_view method,
                                                    std::shared_ptr<runtime::CallObserver> next) {
    return std::make_shared<ResultObserver>(target, method, std::move(next));
}

}  // namespace pb::admission
