// SPDX-License-Identifier: Apache-2.0
// Plugin: one instance of a plugin - one capability of one organisation - and what it offers.
//
// The body of PATCHBAY_PLUGIN fills it in while the instance starts. Afterwards everything may be
// used from any thread, also to add and remove tools, resources and prompts: the host is told.
#pragma once

#include <patchbay/access.hpp>
#include <patchbay/capabilities.hpp>
#include <patchbay/http.hpp>
#include <patchbay/prompt.hpp>
#include <patchbay/resource.hpp>
#include <patchbay/services.hpp>
#include <patchbay/tool.hpp>

#include <atomic>

namespace patchbay {

class Plugin {
  public:
    explicit Plugin(const patchbay_host* host)
        : host_(host),
          tools_([this] { changed(Change::tools); }),
          resources_([this] { changed(Change::resources); }),
          templates_([this] { changed(Change::resources); }),
          prompts_([this] { changed(Change::prompts); }) {}
    Plugin(const Plugin&) = delete;
    Plugin& operator=(const Plugin&) = delete;

    // --- what this instance is ------------------------------------------------------------------

    // The organisation's id.
    const std::string& org() const noexcept { return org_; }
    // Which of the manifest's capabilities it is, and the namespace of its names in the catalog.
    const std::string& capability() const noexcept { return capability_; }
    const std::string& name_space() const noexcept { return namespace_; }
    // The configuration as of the start; an object.
    const json& config_json() const noexcept { return config_; }
    // The same as a described struct. Faults end the start with a message that names them.
    template <Shaped T>
    T config() const {
        return from_json_value<T>(config_, "Invalid configuration");
    }
    // The value at an RFC 6901 pointer, null if there is none: of the configuration that holds now,
    // which is config_json() unless on_configure() has taken over another.
    json current_config(std::string_view pointer) const;
    // In set-up: takes over a changed configuration while the instance serves; the handler gets the
    // whole new one, while others call its tools. What it throws is logged, and the host starts
    // another instance instead, as it does without a handler.
    void on_configure(std::function<void(const json& config)> handler) {
        on_configure_ = std::move(handler);
    }

    // --- what it offers -------------------------------------------------------------------------

    // Each replaces what had the same name. std::invalid_argument for a name that cannot be.
    ToolBuilder<> tool(const std::string& name) {
        detail::check_tool_name(name);
        return {tools_,
                {{"name", name},
                 {"inputSchema", {{"type", "object"}, {"additionalProperties", false}}}}};
    }
    ResourceBuilder resource(std::string uri) { return {resources_, std::move(uri)}; }
    TemplateBuilder resource_template(const std::string& uri) { return {templates_, uri}; }
    PromptBuilder prompt(std::string name) { return {prompts_, std::move(name)}; }

    // False if there was none.
    bool remove_tool(std::string_view name) { return tools_.remove(name); }
    bool remove_resource(std::string_view uri) { return resources_.remove(uri); }
    bool remove_resource_template(std::string_view uri) { return templates_.remove(uri); }
    bool remove_prompt(std::string_view name) { return prompts_.remove(name); }

    // In set-up: how the model should use what is offered.
    void instructions(std::string text) { instructions_ = std::move(text); }
    // In set-up: resources (prompts) will be offered, though none is yet.
    void expect_resources() { expects_resources_ = true; }
    void expect_prompts() { expects_prompts_ = true; }
    // In set-up: clients can subscribe to resources. on: somebody subscribes to a URI, perhaps not
    // as the first; off: the last one left. Either may be empty.
    void subscriptions(std::function<void(const std::string& uri)> on = {},
                       std::function<void(const std::string& uri)> off = {}) {
        subscribable_ = true;
        on_subscribe_ = std::move(on);
        on_unsubscribe_ = std::move(off);
    }
    // Tells subscribers. False: the host is behind; say it again later.
    bool resource_updated(std::string_view uri) {
        std::string params = "{\"uri\":";
        detail::append_quoted(params, uri);
        params += '}';
        return host_->notify(host_, PATCHBAY_NO_CALL, view("notifications/resources/updated"),
                             view(params)) != PATCHBAY_E_AGAIN;
    }
    // In set-up: answers a whole MCP method yourself: handler(Call&) returns the result as json.
    // Before everything else; for what the rest of this class does not cover.
    template <class F>
    void method(const std::string& name, F&& handler) {
        methods_[name] = [handler = detail::shared_handler(std::forward<F>(handler))](Call& call) {
            return dump(json((*handler)(call)));
        };
    }

    // In set-up: answers plain HTTP at a path that the manifest declares, and below it. What the
    // handler throws becomes a response: not_found() 404, an Error by its category.
    void route(const std::string& path, HttpHandler handler) { routes_[path] = std::move(handler); }
    // In set-up: what callers can be narrowed to, where the manifest says true instead of naming
    // it. Asked while a person waits for the page, so answer within two seconds.
    void access_choices(std::function<AccessChoices(Call& call)> handler) {
        access_choices_ = std::move(handler);
    }
    // In set-up: answers every method of the virtual capabilities that capabilities() offers;
    // call.capability() says which. The handler returns the method's whole result.
    void virtual_calls(std::function<json(Call& call, std::string_view method)> handler) {
        virtual_ = std::move(handler);
    }

    // --- the host -------------------------------------------------------------------------------

    // One line in the host's log; fields: a JSON object, or null. No secrets in either.
    void log(Level level, std::string_view message, const json& fields = nullptr) const noexcept {
        try {
            const std::string text = fields.is_object() ? dump(fields) : std::string();
            host_->log(host_, static_cast<std::int32_t>(level), view(message), view(text));
        } catch (...) {
            host_->log(host_, static_cast<std::int32_t>(level), view(message), {nullptr, 0});
        }
    }
    // services.hpp. Error "service_unavailable" where this host lacks one.
    Store store() const { return Store(host_); }
    Secrets secrets() const { return Secrets(host_); }
    Events events() const { return Events(host_); }
    Schedule schedule() const { return Schedule(host_); }
    Capabilities capabilities() const { return Capabilities(host_); }
    // Subscriptions and timers that last until the instance stops.
    void on_event(std::string_view prefix, Events::Handler handler) {
        keep(events().subscribe(prefix, std::move(handler)));
    }
    void every(std::chrono::nanoseconds period, std::function<void()> action) {
        keep(schedule().every(period, std::move(action)));
    }
    // As Call::invoke(), but as the capability's own service identity: for work that nobody's call
    // asked for.
    Invoked invoke(std::string_view tool, json arguments = json::object(),
                   std::chrono::nanoseconds timeout = {}) const {
        return request("tools/call", detail::tool_params(tool, std::move(arguments)), timeout);
    }
    Invoked request(std::string_view method, const json& params,
                    std::chrono::nanoseconds timeout = {}) const {
        return detail::invoke_and_wait(host_, PATCHBAY_NO_CALL, nullptr, method, params, timeout)
            .get();
    }
    Invoked request_in(const json& scope, std::string_view method, const json& params,
                       std::chrono::nanoseconds timeout = {}) const {
        return detail::invoke_and_wait(host_, PATCHBAY_NO_CALL, scope, method, params, timeout)
            .get();
    }
    void invoke_async(std::string_view tool, json arguments, ReplyHandler handler,
                      std::chrono::nanoseconds timeout = {}) const {
        detail::invoke_async(host_, PATCHBAY_NO_CALL, nullptr, "tools/call",
                             detail::tool_params(tool, std::move(arguments)), timeout,
                             std::move(handler));
    }
    // In set-up: runs when the instance stops, last one first. End your threads and complete your
    // calls there.
    void on_stop(std::function<void()> action) { on_stop_.push_back(std::move(action)); }

    const patchbay_host* host() const noexcept { return host_; }

    // --- for the SDK ----------------------------------------------------------------------------

    // Reads the start object and runs the set-up.
    void start(std::string_view start, void (*set_up)(Plugin&));
    patchbay_status configure(std::string_view start);
    void stop() noexcept;
    void handle(patchbay_call id, const patchbay_request& request) noexcept;
    void cancel(patchbay_call id) noexcept;

  private:
    enum class Change : unsigned { tools = 1, resources = 2, prompts = 4 };

    void changed(Change what);
    void tell_changes() noexcept;
    void keep(Handle handle) {
        const std::lock_guard lock(handles_mutex_);
        handles_.push_back(std::move(handle));
    }

    bool call_virtual(patchbay_call id, const patchbay_request& request, json& params);
    void call_tool(patchbay_call id, const patchbay_request& request, json params) noexcept;
    void run_async(const detail::ToolEntry& tool, const json& arguments, AsyncCall call,
                   const std::shared_ptr<detail::AsyncLink>& link) noexcept;
    std::string answer(std::string_view method, Call& call);
    std::string discover() const;
    std::string read_resource(Call& call);
    std::string get_prompt(Call& call);
    std::string complete(Call& call);
    std::string answer_http(Call& call);
    std::string subscribe(Call& call, bool on);

    const patchbay_host* host_;
    std::string org_, capability_, namespace_;
    json config_ = json::object();
    std::string instructions_;
    bool expects_resources_ = false;
    bool expects_prompts_ = false;
    bool subscribable_ = false;
    std::function<void(const std::string&)> on_subscribe_, on_unsubscribe_;

    detail::Shelf<detail::ToolEntry> tools_;
    detail::Shelf<detail::ResourceEntry> resources_;
    detail::Shelf<detail::TemplateEntry> templates_;
    detail::Shelf<detail::PromptEntry> prompts_;
    std::map<std::string, std::function<std::string(Call&)>, std::less<>> methods_;
    std::function<json(Call&, std::string_view)> virtual_;
    std::function<AccessChoices(Call&)> access_choices_;
    std::map<std::string, HttpHandler, std::less<>> routes_;

    std::function<void(const json&)> on_configure_;
    std::shared_ptr<detail::CancelTable> cancels_ = std::make_shared<detail::CancelTable>();
    std::vector<std::function<void()>> on_stop_;
    detail::Mutex handles_mutex_;
    std::vector<Handle> handles_;
    std::atomic<bool> started_{false};
    std::atomic<unsigned> untold_{0};  // changes that the host has yet to hear of
};

}  // namespace patchbay
