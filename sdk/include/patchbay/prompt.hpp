// SPDX-License-Identifier: Apache-2.0
// PromptBuilder: what Plugin::prompt() returns.
// https://modelcontextprotocol.io/specification/2026-07-28/server/prompts
//
//   plugin.prompt("plan_trip").describe("Plans a trip").argument("city", "Where to")
//       .complete("city", cities)
//       .get([](const patchbay::Variables& in) { return "Plan a trip to " + in.at("city"); });
#pragma once

#include <patchbay/completion.hpp>
#include <patchbay/content.hpp>
#include <patchbay/shelf.hpp>

namespace patchbay {

namespace detail {

struct PromptEntry {
    std::string definition;
    std::string description;
    std::vector<std::string> required;
    std::function<Messages(const Variables&, Call&)> get;
    Completers completers;
};

}  // namespace detail

// Nothing is offered before get(), which ends the sentence.
class PromptBuilder : public detail::Describable<PromptBuilder> {
    using Prompts = detail::Shelf<detail::PromptEntry>;

  public:
    PromptBuilder(Prompts& prompts, std::string name)
        : Describable(ordered_json::object({{"name", name}})),
          prompts_(prompts),
          name_(std::move(name)) {}

    PromptBuilder& argument(std::string name, std::string description = {}) {
        entry_.required.push_back(name);
        return add_argument(std::move(name), std::move(description), true);
    }
    PromptBuilder& optional_argument(std::string name, std::string description = {}) {
        return add_argument(std::move(name), std::move(description), false);
    }
    // Suggestions for an argument: a list of words or a function (completion.hpp).
    template <class F>
    PromptBuilder& complete(const std::string& argument, F&& source) {
        entry_.completers[argument] = detail::make_completer(std::forward<F>(source));
        return *this;
    }
    // handler(const Variables&, Call&) or handler(const Variables&): gets the arguments by name,
    // every required one among them; returns text, Message or Messages.
    template <class F>
    void get(F&& handler) {
        entry_.get = [handler = detail::shared_handler(std::forward<F>(handler))](
                         const Variables& arguments, [[maybe_unused]] Call& call) -> Messages {
            if constexpr (std::is_invocable_v<std::decay_t<F>&, const Variables&, Call&>) {
                return (*handler)(arguments, call);
            } else {
                return (*handler)(arguments);
            }
        };
        entry_.definition = dump(definition_);
        entry_.description = definition_.value("description", "");
        prompts_.put(name_, std::move(entry_));
    }

  private:
    PromptBuilder& add_argument(std::string name, std::string description, bool required) {
        ordered_json argument = {{"name", std::move(name)}};
        if (!description.empty()) argument["description"] = std::move(description);
        argument["required"] = required;
        definition_["arguments"].push_back(std::move(argument));
        return *this;
    }

    Prompts& prompts_;
    std::string name_;
    detail::PromptEntry entry_;
};

}  // namespace patchbay
