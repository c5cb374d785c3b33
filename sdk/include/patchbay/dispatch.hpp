// SPDX-License-Identifier: Apache-2.0
// What happens between the C functions and a plugin's handlers: the other half of Plugin.
#pragma once

#include <patchbay/instance.hpp>

namespace patchbay {

namespace detail {

// A required text member of a request; ProtocolError if it is not there.
inline const std::string& text_param(const json& object, const char* name) {
    const auto at = object.is_object() ? object.find(name) : object.end();
    if (at == object.end() || !at->is_string()) {
        throw ProtocolError(PATCHBAY_E_INVALID,
                            std::string("params.") + name + " must be a string");
    }
    return at->get_ref<const std::string&>();
}

// An optional object of texts.
inline Variables text_map(const json& object, const char* name) {
    Variables out;
    const auto at = object.is_object() ? object.find(name) : object.end();
    if (at == object.end() || at->is_null()) return out;
    if (!at->is_object()) {
        throw ProtocolError(PATCHBAY_E_INVALID,
                            std::string("params.") + name + " must be an object");
    }
    for (const auto& [key, value] : at->items()) {
        if (!value.is_string()) {
            throw ProtocolError(PATCHBAY_E_INVALID,
                                std::string("params.") + name + " must have texts as values");
        }
        out.emplace(key, value.get<std::string>());
    }
    return out;
}

inline CallKind kind_of_method(std::string_view method) {
    return method == "resources/read" || method == "prompts/get" ? CallKind::asking
                                                                 : CallKind::plain;
}

}  // namespace detail

inline json Plugin::current_config(std::string_view pointer) const {
    const auto* table =
        static_cast<const patchbay_config_v1*>(host_->service(host_, PATCHBAY_SERVICE_CONFIG));
    if (table == nullptr) {
        const json::json_pointer at{std::string(pointer)};
        return config_.contains(at) ? config_.at(at) : json();
    }
    std::string text;
    const auto status = table->get(
        host_, view(pointer),
        [](void* user, patchbay_str, patchbay_str value) noexcept {
            *static_cast<std::string*>(user) = view(value);
        },
        &text);
    if (status == PATCHBAY_E_NOT_FOUND) return nullptr;
    if (status != PATCHBAY_OK) throw detail::service_error(status, "config.get");
    json value = json::parse(text, nullptr, false);
    return value.is_discarded() ? json() : value;
}

// --- lifecycle -----------------------------------------------------------------------------------

inline void Plugin::start(std::string_view start, void (*set_up)(Plugin&)) {
    const json given = json::parse(start, nullptr, false);
    if (!given.is_object()) throw ProtocolError(PATCHBAY_E_INVALID, "start is not a JSON object");
    org_ = given.value("org", "");
    capability_ = given.value("capability", "");
    namespace_ = given.value("namespace", "");
    config_ = given.value("config", json::object());
    set_up(*this);
    started_ = true;
}

inline patchbay_status Plugin::configure(std::string_view start) {
    if (!on_configure_) return PATCHBAY_E_UNSUPPORTED;
    const json given = json::parse(start, nullptr, false);
    if (!given.is_object()) throw ProtocolError(PATCHBAY_E_INVALID, "start is not a JSON object");
    on_configure_(given.value("config", json::object()));
    return PATCHBAY_OK;
}

inline void Plugin::stop() noexcept {
    started_ = false;
    while (!on_stop_.empty()) {
        const auto action = std::move(on_stop_.back());
        on_stop_.pop_back();
        try {
            action();
        } catch (const std::exception& error) {
            log(Level::error, error.what());
        } catch (...) {
            log(Level::error, "A stop action failed");
        }
    }
    std::vector<Handle> handles;
    {
        const std::lock_guard lock(handles_mutex_);
        handles.swap(handles_);
    }
}

inline void Plugin::cancel(patchbay_call id) noexcept {
    try {
        if (const auto action = cancels_->take(id)) action();
    } catch (const std::exception& error) {
        log(Level::error, error.what());
    } catch (...) {
        log(Level::error, "A cancel action failed");
    }
}

// --- changes of the lists ------------------------------------------------------------------------

inline void Plugin::changed(Change what) {
    if (!started_) return;  // what the set-up offers is in the first list
    untold_ |= static_cast<unsigned>(what);
    tell_changes();
}

// A host that is behind hears of it with the next change or request: nothing is lost, since the
// notice only says that the list is to be read again.
inline void Plugin::tell_changes() noexcept {
    constexpr std::pair<Change, std::string_view> notices[] = {
        {Change::tools, "notifications/tools/list_changed"},
        {Change::resources, "notifications/resources/list_changed"},
        {Change::prompts, "notifications/prompts/list_changed"},
    };
    for (const auto& [what, method] : notices) {
        const auto bit = static_cast<unsigned>(what);
        if ((untold_.fetch_and(~bit) & bit) == 0) continue;
        if (host_->notify(host_, PATCHBAY_NO_CALL, view(method), view("{}")) == PATCHBAY_E_AGAIN) {
            untold_ |= bit;
        }
    }
}

// --- requests ------------------------------------------------------------------------------------

inline void Plugin::handle(patchbay_call id, const patchbay_request& request) noexcept {
    if (untold_.load(std::memory_order_relaxed) != 0) tell_changes();
    const std::string_view method = view(request.method);
    try {
        json params = json::parse(view(request.params), nullptr, false);
        if (!params.is_object()) {
            detail::end(host_, id,
                        {PATCHBAY_E_INVALID, detail::error_text("params is not a JSON object")});
        } else if (virtual_ && call_virtual(id, request, params)) {
            return;
        } else if (method == "tools/call" && methods_.find(method) == methods_.end()) {
            call_tool(id, request, std::move(params));
        } else {
            Call call(host_, id, request, std::move(params));
            detail::end_with(call, detail::kind_of_method(method),
                             [&] { return answer(method, call); });
        }
    } catch (...) {
        // Only memory can be short here.
        host_->complete(host_, id, PATCHBAY_E_INTERNAL, {nullptr, 0});
    }
}

// False if it is for this capability itself; then params are as they were.
inline bool Plugin::call_virtual(patchbay_call id, const patchbay_request& request, json& params) {
    const json context = json::parse(view(request.context), nullptr, false);
    if (!context.is_object()) return false;
    const auto at = context.find("capability");
    if (at == context.end() || !at->is_string() || *at == capability_) return false;
    Call call(host_, id, request, std::move(params));
    const std::string_view method = view(request.method);
    const auto kind =
        method == "tools/call" ? detail::CallKind::tool : detail::kind_of_method(method);
    detail::end_with(call, kind, [&] { return dump(virtual_(call, method)); });
    return true;
}

inline void Plugin::call_tool(patchbay_call id, const patchbay_request& request,
                              json params) noexcept {
    static const json no_arguments = json::object();
    try {
        const auto name = params.find("name");
        const auto tool = name != params.end() && name->is_string()
                              ? tools_.find(name->get_ref<const std::string&>())
                              : nullptr;
        if (!tool) {
            const std::string asked =
                name != params.end() && name->is_string() ? name->get<std::string>() : "";
            detail::end(host_, id,
                        {PATCHBAY_E_NOT_FOUND, detail::error_text("Unknown tool: " + asked)});
            return;
        }
        Call call(host_, id, request, std::move(params));
        const auto given = call.params().find("arguments");
        const json& arguments =
            given == call.params().end() || given->is_null() ? no_arguments : *given;
        if (tool->run) {
            detail::end_with(call, tool->kind, [&] { return tool->run(arguments, call); });
            return;
        }
        // The call goes to the handler, its arguments stay here until the handler has read them.
        const json kept = arguments;
        auto link = std::make_shared<detail::AsyncLink>();
        link->cancels = cancels_;
        link->kind = tool->kind;
        run_async(*tool, kept, AsyncCall(std::move(call), link), link);
    } catch (...) {
        host_->complete(host_, id, PATCHBAY_E_INTERNAL, {nullptr, 0});
    }
}

inline void Plugin::run_async(const detail::ToolEntry& tool, const json& arguments, AsyncCall call,
                              const std::shared_ptr<detail::AsyncLink>& link) noexcept {
    std::exception_ptr thrown;
    try {
        tool.run_async(arguments, std::move(call));
    } catch (...) {
        thrown = std::current_exception();
    }
    auto state = detail::AsyncState::handler_runs;
    if (link->state.compare_exchange_strong(state, detail::AsyncState::handler_returned) ||
        state == detail::AsyncState::ended) {
        // The call lives on elsewhere, or has ended: an exception has nobody left to go to.
        if (thrown)
            log(Level::error, "An asynchronous handler threw after it had let go of its call");
        return;
    }
    detail::end_with(*link->dropped, link->kind, [&]() -> std::string {
        if (thrown) std::rethrow_exception(thrown);
        throw AsyncCall::dropped();
    });
}

inline std::string Plugin::answer(std::string_view method, Call& call) {
    if (const auto own = methods_.find(method); own != methods_.end()) return own->second(call);
    if (method == "tools/list") return tools_.list("tools");
    if (method == "resources/read") return read_resource(call);
    if (method == "prompts/get") return get_prompt(call);
    if (method == "resources/list") return resources_.list("resources");
    if (method == "resources/templates/list") return templates_.list("resourceTemplates");
    if (method == "prompts/list") return prompts_.list("prompts");
    if (method == "completion/complete") return complete(call);
    if (method == "resources/subscribe") return subscribe(call, true);
    if (method == "resources/unsubscribe") return subscribe(call, false);
    if (method == "server/discover") return discover();
    if (method == "patchbay/http/request") return answer_http(call);
    if (method == "patchbay/access/choices" && access_choices_)
        return dump(access_choices_(call).result());
    throw ProtocolError(PATCHBAY_E_UNSUPPORTED, "Unknown method: " + std::string(method));
}

inline std::string Plugin::discover() const {
    json capabilities = {{"tools", {{"listChanged", true}}}};
    const auto completes = [](const auto& entry) { return !entry.completers.empty(); };
    if (expects_resources_ || subscribable_ || !resources_.empty() || !templates_.empty()) {
        capabilities["resources"] = {{"listChanged", true}, {"subscribe", subscribable_}};
    }
    if (expects_prompts_ || !prompts_.empty()) capabilities["prompts"] = {{"listChanged", true}};
    if (templates_.find_if(completes) || prompts_.find_if(completes) ||
        methods_.count("completion/complete") != 0) {
        capabilities["completions"] = json::object();
    }
    json out = {{"capabilities", std::move(capabilities)}};
    if (!instructions_.empty()) out["instructions"] = instructions_;
    return dump(out);
}

inline std::string Plugin::read_resource(Call& call) {
    const std::string& uri = detail::text_param(call.params(), "uri");
    Variables values;
    std::optional<Contents> contents;
    std::string mime_type;
    if (const auto resource = resources_.find(uri)) {
        contents = resource->read(values, call);
        mime_type = resource->mime_type;
    } else if (const auto match = templates_.find_if(
                   [&](const auto& entry) { return entry.uri.match(uri, values); })) {
        contents = match->read(values, call);
        mime_type = match->mime_type;
    }
    if (!contents) throw not_found("Resource not found", {{"uri", uri}});
    return contents->text(uri, mime_type);
}

inline std::string Plugin::get_prompt(Call& call) {
    const std::string& name = detail::text_param(call.params(), "name");
    const auto prompt = prompts_.find(name);
    if (!prompt) throw not_found("Unknown prompt: " + name);
    const Variables arguments = detail::text_map(call.params(), "arguments");
    for (const auto& required : prompt->required) {
        if (arguments.find(required) == arguments.end()) {
            throw ProtocolError(PATCHBAY_E_INVALID,
                                "The prompt " + name + " needs the argument " + required);
        }
    }
    return prompt->get(arguments, call).text(prompt->description);
}

inline std::string Plugin::complete(Call& call) {
    const json& params = call.params();
    const json ref = params.value("ref", json());
    const json argument = params.value("argument", json());
    const Completing typing{detail::text_param(argument, "name"),
                            detail::text_param(argument, "value"),
                            detail::text_map(params.value("context", json()), "arguments")};
    // One of the two holds the completers for the time of the call.
    std::shared_ptr<const detail::PromptEntry> prompt;
    std::shared_ptr<const detail::TemplateEntry> resource;
    const detail::Completers* completers = nullptr;
    if (detail::text_param(ref, "type") == "ref/prompt") {
        prompt = prompts_.find(detail::text_param(ref, "name"));
        if (!prompt) throw not_found("Unknown prompt: " + ref["name"].get<std::string>());
        completers = &prompt->completers;
    } else {
        resource = templates_.find(detail::text_param(ref, "uri"));
        if (!resource) {
            throw not_found("Unknown resource template", {{"uri", ref["uri"]}});
        }
        completers = &resource->completers;
    }
    const auto completer = completers->find(typing.argument);
    if (completer == completers->end()) return Completions({}).text();
    return completer->second(typing, call).text();
}

inline std::string Plugin::answer_http(Call& call) {
    const HttpRequest request = HttpRequest::of(call.params());
    const auto route = routes_.find(request.route);
    if (route == routes_.end()) throw not_found("There is nothing at this path");
    try {
        return dump(route->second(request, call).result());
    } catch (const Error& error) {
        const int status = error.category() == Category::validation  ? 400
                           : error.category() == Category::auth      ? 403
                           : error.category() == Category::transient ? 503
                                                                     : 500;
        return dump(HttpResponse::of({{"error", error.body()}}, status).result());
    }
}

inline std::string Plugin::subscribe(Call& call, bool on) {
    const std::string& uri = detail::text_param(call.params(), "uri");
    if (!subscribable_) {
        throw ProtocolError(PATCHBAY_E_UNSUPPORTED, "Resources cannot be subscribed to here");
    }
    const auto& action = on ? on_subscribe_ : on_unsubscribe_;
    if (action) action(uri);
    return "{}";
}

}  // namespace patchbay
