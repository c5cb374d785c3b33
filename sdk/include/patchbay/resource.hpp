// SPDX-License-Identifier: Apache-2.0
// ResourceBuilder and TemplateBuilder: what Plugin::resource() and resource_template() return.
// https://modelcontextprotocol.io/specification/2026-07-28/server/resources
//
//   plugin.resource("travel://guide").name("guide").mime_type("text/markdown").text("# Guide");
//   plugin.resource_template("travel://city/{name}").name("city").mime_type("text/plain")
//       .complete("name", cities)
//       .read([](const patchbay::Variables& in) { return describe_city(in.at("name")); });
#pragma once

#include <patchbay/completion.hpp>
#include <patchbay/content.hpp>
#include <patchbay/shelf.hpp>

namespace patchbay {

namespace detail {

// The contents, or nothing: there is no such resource (any more).
using ReadHandler = std::function<std::optional<Contents>(const Variables&, Call&)>;

struct ResourceEntry {
    std::string definition;
    std::string mime_type;
    ReadHandler read;
};
struct TemplateEntry {
    std::string definition;
    std::string mime_type;
    UriTemplate uri;
    ReadHandler read;
    Completers completers;
};

template <class T>
std::optional<Contents> contents_of(T value) {
    if constexpr (is_optional<T>) {
        if (!value) return std::nullopt;
        return contents_of(std::move(*value));
    } else if constexpr (std::is_same_v<T, json>) {
        return Contents(dump(value));
    } else {
        return Contents(std::move(value));
    }
}

// handler: of (const Variables&, Call&) or its beginning; variables: false for a plain resource.
template <bool variables, class F>
ReadHandler make_reader(F&& handler) {
    return [handler = shared_handler(std::forward<F>(handler))](
               [[maybe_unused]] const Variables& values, [[maybe_unused]] Call& call) {
        using H = std::decay_t<F>&;
        if constexpr (variables && std::is_invocable_v<H, const Variables&, Call&>) {
            return contents_of((*handler)(values, call));
        } else if constexpr (variables) {
            return contents_of((*handler)(values));
        } else if constexpr (std::is_invocable_v<H, Call&>) {
            return contents_of((*handler)(call));
        } else {
            return contents_of((*handler)());
        }
    };
}

// What both kinds have.
template <class B>
class ResourceDescribable : public Describable<B> {
  public:
    B& name(std::string text) { return this->set("name", std::move(text)); }
    B& mime_type(std::string type) {
        mime_type_ = type;
        return this->set("mimeType", std::move(type));
    }
    // Who it is for: "user", "assistant".
    B& audience(const std::vector<std::string>& roles) { return annotate("audience", roles); }
    // 0 (optional) to 1 (required).
    B& priority(double priority) { return annotate("priority", priority); }
    // ISO 8601.
    B& last_modified(const std::string& time) { return annotate("lastModified", time); }

  protected:
    using Describable<B>::Describable;
    B& annotate(const char* key, const ordered_json& value) {
        this->definition_["annotations"][key] = value;
        return this->self();
    }
    std::string mime_type_;
};

}  // namespace detail

// One resource. Nothing is offered before text(), bytes() or read(), which end the sentence.
class ResourceBuilder : public detail::ResourceDescribable<ResourceBuilder> {
    using Resources = detail::Shelf<detail::ResourceEntry>;

  public:
    ResourceBuilder(Resources& resources, std::string uri)
        : ResourceDescribable(ordered_json::object({{"uri", uri}, {"name", uri}})),
          resources_(resources),
          uri_(std::move(uri)) {}

    // In bytes, before base64.
    ResourceBuilder& size(std::size_t bytes) { return set("size", bytes); }

    // What never changes.
    void text(std::string content) {
        set("size", content.size());
        read([content = std::move(content)] { return content; });
    }
    void bytes(Bytes content) {
        set("size", content.size());
        read([content = std::move(content)] { return content; });
    }
    // handler(Call&) or handler(): returns text, Bytes, json, Contents, or an optional of these
    // (nothing = not found).
    template <class F>
    void read(F&& handler) {
        resources_.put(uri_, {dump(definition_), mime_type_,
                              detail::make_reader<false>(std::forward<F>(handler))});
    }

  private:
    Resources& resources_;
    std::string uri_;
};

// A family of resources. Where several templates match, the one with more literal text in front
// answers; a plain resource comes before them.
class TemplateBuilder : public detail::ResourceDescribable<TemplateBuilder> {
    using Templates = detail::Shelf<detail::TemplateEntry>;

  public:
    TemplateBuilder(Templates& templates, const std::string& uri)
        : ResourceDescribable(ordered_json::object({{"uriTemplate", uri}, {"name", uri}})),
          templates_(templates),
          uri_(uri) {}

    // Suggestions for a variable: a list of words or a function (completion.hpp).
    template <class F>
    TemplateBuilder& complete(const std::string& variable, F&& source) {
        completers_[variable] = detail::make_completer(std::forward<F>(source));
        return *this;
    }
    // handler(const Variables&, Call&) or handler(const Variables&); returns as in ResourceBuilder.
    template <class F>
    void read(F&& handler) {
        const std::string key = uri_.text();
        templates_.put(
            key, {dump(definition_), mime_type_, std::move(uri_),
                  detail::make_reader<true>(std::forward<F>(handler)), std::move(completers_)});
    }

  private:
    Templates& templates_;
    UriTemplate uri_;
    detail::Completers completers_;
};

}  // namespace patchbay
