// SPDX-License-Identifier: Apache-2.0
#include "catalog/listing.h"

#include <exception>
#include <type_traits>
#include <unordered_set>

#include "catalog/shapes.h"
#include "json/scan.h"

namespace pb::catalog {
namespace {

constexpr std::size_t max_warnings = 20;  // of one binding; the rest is counted
constexpr std::size_t max_instructions = 16u << 10;
constexpr const char* no_params = "{}";
constexpr std::string_view withheld_member = "patchbay/withheld";

// The bytes of an entry's compiled schemas, which may be many times those of its text.
std::size_t schemas_of(const Entry&) { return 0; }
std::size_t schemas_of(const Tool& tool) {
    return tool.input->size() + (tool.output ? tool.output->size() : 0);
}

class Lister {
  public:
    Lister(const Ask& ask, const BuildLimits& limits, const std::string& org, Binding binding)
        : ask_(ask),
          limits_(limits),
          org_(org),
          binding_(std::move(binding)),
          end_(std::chrono::steady_clock::now() + limits.time) {}

    Result<Listing> run() {
        if (auto ok = discover(); !ok) return std::move(ok).error();
        listing_.binding = std::make_shared<const Binding>(binding_);
        if (auto ok = lists(); !ok) return std::move(ok).error();
        if (unsaid_ > 0) {
            listing_.warnings.push_back("further warnings about " + owner(binding_) + ": " +
                                        std::to_string(unsaid_));
        }
        return std::move(listing_);
    }

  private:
    Result<std::string> ask(std::string_view method, std::string_view params) {
        if (!binding_.provider) return internal_error("there is no provider");
        if (std::chrono::steady_clock::now() >= end_) {
            return Error{ErrorKind::deadline, "listing everything takes too long"};
        }
        auto body = ask_(binding_.provider, org_, method, params);
        if (!body) return body;
        if (auto ok = json::scan(*body); !ok) {
            return invalid("the answer to " + std::string(method) +
                           " is wrong: " + ok.error().message);
        }
        return body;
    }

    Result<void> discover() {
        const auto body = ask("server/discover", no_params);
        if (!body && body.error().kind != ErrorKind::unsupported) return body.error();
        const auto capabilities = body ? json::member(*body, "capabilities") : "";
        if (capabilities.empty()) {
            binding_.tools = true;
            return {};
        }
        const auto has = [&](std::string_view name) {
            const auto value = json::member(capabilities, name);
            return !value.empty() && json::type_of(value) == json::Type::object;
        };
        binding_.tools = has("tools");
        binding_.resources = has("resources");
        binding_.prompts = has("prompts");
        binding_.completions = has("completions");
        binding_.resource_subscriptions =
            json::member(json::member(capabilities, "resources"), "subscribe") == "true";
        instructions(json::member(*body, "instructions"));
        return {};
    }

    void instructions(std::string_view value) {
        auto text = value.empty() ? std::nullopt : json::string_value(value);
        if (!text) return;
        if (text->size() > max_instructions) {
            warn("the instructions of " + owner(binding_) +
                 " are left out: they are longer than 16 KiB");
            return;
        }
        binding_.instructions = std::move(*text);
    }

    Result<void> lists() {
        if (binding_.tools) {
            if (auto ok = list("tools/list", "tools", listing_.tools, make_tool); !ok) return ok;
        }
        if (binding_.resources) {
            if (auto ok = list("resources/list", "resources", listing_.resources, make_resource);
                !ok) {
                return ok;
            }
            if (auto ok = list("resources/templates/list", "resourceTemplates", listing_.templates,
                               make_template);
                !ok) {
                return ok;
            }
        }
        if (binding_.prompts) {
            return list("prompts/list", "prompts", listing_.prompts, make_prompt);
        }
        return {};
    }

    template <class Entry>
    using Make = Result<Entry> (*)(const BindingPtr&, std::string_view);

    template <class Entry>
    Result<void> list(const std::string& method, std::string_view member,
                      std::vector<Entry>& entries, Make<Entry> make) {
        std::unordered_set<std::string> taken;
        std::string params = no_params;
        for (std::size_t page = 0; page < limits_.pages; ++page) {
            const auto body = ask(method, params);
            if (!body) {
                // Many peers have resources and no templates, and say so with this error.
                if (body.error().kind == ErrorKind::unsupported && page == 0) return {};
                return body.error();
            }
            std::vector<std::string_view> definitions;
            const auto array = json::member(*body, member);
            if (array.empty() || !json::elements(array, definitions)) {
                return invalid("the answer to " + method + " has no array '" + std::string(member) +
                               "'");
            }
            for (const auto definition : definitions) {
                if (entries.size() >= limits_.entries || definition.size() > room_ ||
                    !add(definition, member, entries, make, taken)) {
                    warn("the answers to " + method + " of " + owner(binding_) +
                         " hold too much; the rest is left out");
                    return {};
                }
            }
            if constexpr (std::is_same_v<Entry, Tool>) withheld(*body, entries, taken);
            const auto cursor = json::member(*body, "nextCursor");
            if (cursor.empty() || json::type_of(cursor) != json::Type::string) return {};
            auto next = json::with(no_params, "cursor", cursor);
            if (next == params) break;
            params = std::move(next);
        }
        warn("the pages of " + method + " of " + owner(binding_) +
             " do not end; what was read is kept");
        return {};
    }

    // Names that are known and not listed; whoever calls one hears from the provider why. Nothing
    // is done then, so everybody who may read may hear it.
    void withheld(std::string_view body, std::vector<Tool>& tools,
                  std::unordered_set<std::string>& taken) {
        std::vector<std::string_view> names;
        if (!json::elements(json::member(json::member(body, "_meta"), withheld_member), names))
            return;
        for (const auto name : names) {
            const auto definition = "{\"name\":" + std::string(name) +
                                    ",\"inputSchema\":{\"type\":\"object\"},"
                                    "\"annotations\":{\"readOnlyHint\":true}}";
            if (tools.size() >= limits_.entries || definition.size() > room_ ||
                !add(definition, "tools", tools, make_withheld, taken))
                return;
        }
    }

    // False if there is no room for what the definition became.
    template <class Entry>
    bool add(std::string_view definition, std::string_view member, std::vector<Entry>& entries,
             Make<Entry> make, std::unordered_set<std::string>& taken) {
        room_ -= definition.size();
        std::vector<std::string> dropped;
        auto entry = make(listing_.binding, sound_definition(member, definition, dropped));
        for (const auto& what : dropped)
            warn("the entry " + entry_title(definition) + " in the " + std::string(member) +
                 " of " + owner(binding_) + " is wrong: " + what);
        std::string reason;
        if (!entry) {
            reason = entry.error().message;
        } else if (!taken.insert(entry->exposed).second) {
            reason = "it is listed twice";
        } else {
            const std::size_t schemas = schemas_of(*entry);
            if (schemas > room_) return false;
            room_ -= schemas;
            entries.push_back(std::move(*entry));
            return true;
        }
        warn("the entry " + entry_title(definition) + " in the " + std::string(member) + " of " +
             owner(binding_) + " is left out: " + reason);
        return true;
    }

    void warn(std::string text) {
        if (listing_.warnings.size() < max_warnings) {
            listing_.warnings.push_back(std::move(text));
        } else {
            ++unsaid_;
        }
    }

    const Ask& ask_;
    const BuildLimits& limits_;
    const std::string& org_;
    Binding binding_;
    const std::chrono::steady_clock::time_point end_;
    std::size_t room_ = limits_.bytes;
    Listing listing_;
    std::size_t unsaid_ = 0;
};

}  // namespace

Result<Listing> list_binding(const Ask& ask, const BuildLimits& limits, const std::string& org,
                             Binding binding) noexcept {
    try {
        return Lister(ask, limits, org, std::move(binding)).run();
    } catch (const std::exception& error) {
        return internal_error(std::string("listing failed: ") + error.what());
    } catch (...) {
        return internal_error("listing failed");
    }
}

std::string owner(const Binding& binding) {
    std::string text = "capability '" + binding.capability + "'";
    if (binding.provider) text.append(" (").append(binding.provider->label()).append(")");
    return text;
}

}  // namespace pb::catalog
