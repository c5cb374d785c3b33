// SPDX-License-Identifier: Apache-2.0
// ToolBuilder: what Plugin::tool() returns.
//
//   plugin.tool("forecast").describe("Weather forecast for a
//   city").input<ForecastInput>().read_only()
//       .handle([](const ForecastInput& in, patchbay::Call& call) { return in.city + ": sunny"; });
#pragma once

#include <patchbay/async_call.hpp>
#include <patchbay/fields.hpp>
#include <patchbay/shelf.hpp>

#include <stdexcept>

namespace patchbay {

namespace detail {

struct ToolEntry {
    std::string definition;
    CallKind kind = CallKind::tool;
    std::function<std::string(const json& arguments, Call&)> run;  // one of the two is set
    std::function<void(const json& arguments, AsyncCall)> run_async;
};

inline ordered_json parsed_schema(std::string_view text) {
    ordered_json schema = ordered_json::parse(text, nullptr, false);
    if (!schema.is_object()) throw std::invalid_argument("A schema is not a JSON object");
    return schema;
}

inline void check_tool_name(const std::string& name) {
    bool good = !name.empty() && name.size() <= 128;
    for (const char c : name) {
        good = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.');
    }
    if (!good) {
        throw std::invalid_argument("Tool name \"" + name +
                                    "\": use 1 to 128 letters, digits, '_', '-' or '.'");
    }
}

// The arguments as the handler takes them: In, json as they are, or none (void).
template <class In>
decltype(auto) read_arguments(const json& arguments) {
    if constexpr (std::is_same_v<In, json>) {
        return static_cast<const json&>(arguments);
    } else {
        return from_json_value<In>(arguments, "Invalid arguments");
    }
}
inline void refuse_arguments(const json& arguments) {
    if (arguments.empty()) return;
    throw Error("invalid_arguments", "Invalid arguments: this tool takes none").validation();
}

// Calls a handler with those of (input, call) that it takes.
template <class F, class In, class C>
decltype(auto) call_handler(F& handler, In&& input, C&& call) {
    if constexpr (std::is_invocable_v<F&, In, C>) {
        return handler(std::forward<In>(input), std::forward<C>(call));
    } else if constexpr (std::is_invocable_v<F&, In>) {
        return handler(std::forward<In>(input));
    } else {
        static_assert(always_false<F>,
                      "the handler takes (const Input&, Call&) or (const Input&) - by value and "
                      "AsyncCall for handle_async()");
    }
}
template <class F, class C>
decltype(auto) call_handler(F& handler, C&& call) {
    if constexpr (std::is_invocable_v<F&, C>) {
        return handler(std::forward<C>(call));
    } else if constexpr (std::is_invocable_v<F&>) {
        return handler();
    } else {
        static_assert(always_false<F>, "a tool without input has a handler of (Call&) or ()");
    }
}

// Runs `f` and makes the text of its result.
template <class Out, class F>
std::string run_for_text(F&& f) {
    using R = std::decay_t<decltype(f())>;
    if constexpr (std::is_void_v<R>) {
        static_assert(std::is_void_v<Out>, "a tool with output<T>() returns T or Result");
        f();
        return Result().text();
    } else {
        static_assert(std::is_void_v<Out> || std::is_same_v<R, Out> || std::is_same_v<R, Result>,
                      "a tool with output<T>() returns T or Result");
        return result_text(f());
    }
}

}  // namespace detail

// Every setter returns a builder; nothing is offered before handle() or handle_async(), which end
// the sentence. In: the type of the arguments, void for none. Out: of the structured result.
template <class In = void, class Out = void>
class ToolBuilder : public detail::Describable<ToolBuilder<In, Out>> {
    using Base = detail::Describable<ToolBuilder<In, Out>>;
    using Tools = detail::Shelf<detail::ToolEntry>;
    using Base::definition_;
    using Base::set;

  public:
    ToolBuilder(Tools& tools, ordered_json definition)
        : Base(std::move(definition)), tools_(tools) {}

    // Hints about behaviour. Who may call a tool depends on them: read_only() needs mcp:read,
    // destructive() mcp:admin, everything else mcp:write.
    ToolBuilder& read_only(bool value = true) { return annotate("readOnlyHint", value); }
    ToolBuilder& destructive(bool value = true) { return annotate("destructiveHint", value); }
    ToolBuilder& idempotent(bool value = true) { return annotate("idempotentHint", value); }
    // Deals with things outside the organisation (the web, ...).
    ToolBuilder& open_world(bool value = true) { return annotate("openWorldHint", value); }

    // Typed arguments: a described struct (fields.hpp). The handler gets it checked.
    template <Shaped T>
    ToolBuilder<T, Out> input() {
        definition_["inputSchema"] = schema_of<T>();
        return {tools_, std::move(definition_)};
    }
    // Arguments by a JSON Schema of your own, which the host holds them to; the handler gets json.
    ToolBuilder<json, Out> input_schema(std::string_view text) {
        return input_schema(detail::parsed_schema(text));
    }
    template <std::same_as<ordered_json> J>
    ToolBuilder<json, Out> input_schema(J schema) {
        definition_["inputSchema"] = std::move(schema);
        return {tools_, std::move(definition_)};
    }
    // Typed result: the handler returns T; it becomes structuredContent and, as JSON, text.
    template <Shaped T>
    ToolBuilder<In, T> output() {
        definition_["outputSchema"] = schema_of<T>();
        return {tools_, std::move(definition_)};
    }
    // The handler returns structured(json) that fits the schema.
    ToolBuilder& output_schema(std::string_view text) {
        return set("outputSchema", detail::parsed_schema(text));
    }

    // handler(const In&, Call&), or with fewer parameters; runs on a host thread and ends the call
    // with what it returns (Result, Content, text, json, a described struct, nothing) or throws
    // (error.hpp). It runs concurrently with others.
    template <class F>
    void handle(F&& handler) {
        detail::ToolEntry entry;
        entry.run = [handler = detail::shared_handler(std::forward<F>(handler))](
                        const json& arguments, Call& call) {
            if constexpr (std::is_void_v<In>) {
                detail::refuse_arguments(arguments);
                return detail::run_for_text<Out>(
                    [&]() -> decltype(auto) { return detail::call_handler(*handler, call); });
            } else {
                const auto& input = detail::read_arguments<In>(arguments);
                return detail::run_for_text<Out>([&]() -> decltype(auto) {
                    return detail::call_handler(*handler, input, call);
                });
            }
        };
        offer(std::move(entry));
    }

    // handler(In, AsyncCall): may return before the call has ended, which the AsyncCall does. What
    // it throws itself ends the call too.
    template <class F>
    void handle_async(F&& handler) {
        detail::ToolEntry entry;
        entry.run_async = [handler = detail::shared_handler(std::forward<F>(handler))](
                              const json& arguments, AsyncCall call) {
            if constexpr (std::is_void_v<In>) {
                detail::refuse_arguments(arguments);
                detail::call_handler(*handler, std::move(call));
            } else {
                In input = detail::read_arguments<In>(arguments);
                detail::call_handler(*handler, std::move(input), std::move(call));
            }
        };
        offer(std::move(entry));
    }

  private:
    ToolBuilder& annotate(const char* name, bool value) {
        definition_["annotations"][name] = value;
        return *this;
    }
    void offer(detail::ToolEntry entry) {
        const std::string name = definition_["name"];
        entry.definition = dump(definition_);
        if (definition_.contains("outputSchema")) entry.kind = detail::CallKind::tool_with_schema;
        tools_.put(name, std::move(entry));
    }

    Tools& tools_;
};

}  // namespace patchbay
