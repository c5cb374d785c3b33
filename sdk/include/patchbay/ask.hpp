// SPDX-License-Identifier: Apache-2.0
// Questions to the person or the model behind a client, and their answers. How a handler asks them:
// Call in call.hpp.
// https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation
// https://modelcontextprotocol.io/specification/2026-07-28/client/sampling
#pragma once

#include <patchbay/shape.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace patchbay {

// A request to the client. Usually made by one of the makers below.
struct Question {
    std::string method;  // "elicitation/create", "sampling/createMessage" or "roots/list"
    ordered_json params = ordered_json::object();
    std::string needs;  // the client capability, for client_can(): "elicitation.form"
    // Whether an answer has the right shape; a wrong one is asked for again.
    std::function<bool(const json&)> good = [](const json& answer) { return answer.is_object(); };
};

// A value that a person can choose, with what they read.
struct Choice {
    std::string value;
    std::string title;
};

// One field of a form; every setter returns it. https://modelcontextprotocol.io/specification/
// 2026-07-28/client/elicitation#requested-schema
class FormField {
  public:
    FormField(std::string name, ordered_json schema)
        : name_(std::move(name)), schema_(std::move(schema)) {}

    FormField& title(std::string title) { return set("title", std::move(title)); }
    FormField& description(std::string text) { return set("description", std::move(text)); }
    // What the form shows at first.
    FormField& default_value(ordered_json value) { return set("default", std::move(value)); }
    FormField& min_length(std::size_t count) { return set("minLength", count); }
    FormField& max_length(std::size_t count) { return set("maxLength", count); }
    // "email", "uri", "date" or "date-time".
    FormField& format(std::string format) { return set("format", std::move(format)); }
    FormField& minimum(ordered_json bound) { return set("minimum", std::move(bound)); }
    FormField& maximum(ordered_json bound) { return set("maximum", std::move(bound)); }
    FormField& min_items(std::size_t count) { return set("minItems", count); }
    FormField& max_items(std::size_t count) { return set("maxItems", count); }
    // The person may leave it empty.
    FormField& optional() {
        required_ = false;
        return *this;
    }

    const std::string& name() const noexcept { return name_; }
    const ordered_json& schema() const noexcept { return schema_; }
    bool required() const noexcept { return required_; }

  private:
    FormField& set(const char* key, ordered_json value) {
        schema_[key] = std::move(value);
        return *this;
    }
    std::string name_;
    ordered_json schema_;
    bool required_ = true;
};

inline FormField text_field(std::string name) { return {std::move(name), {{"type", "string"}}}; }
inline FormField number_field(std::string name) { return {std::move(name), {{"type", "number"}}}; }
inline FormField integer_field(std::string name) {
    return {std::move(name), {{"type", "integer"}}};
}
inline FormField boolean_field(std::string name) {
    return {std::move(name), {{"type", "boolean"}}};
}

namespace detail {

inline ordered_json titled(const std::vector<Choice>& choices) {
    ordered_json out = ordered_json::array();
    for (const auto& choice : choices) {
        out.push_back({{"const", choice.value}, {"title", choice.title}});
    }
    return out;
}

inline bool has_type(const json& value, const std::string& type) {
    if (type == "string") return value.is_string();
    if (type == "number") return value.is_number();
    if (type == "boolean") return value.is_boolean();
    if (type == "array") return value.is_array();
    if (type != "integer") return false;
    return value.is_number_integer() ||
           (value.is_number_float() && std::nearbyint(value.get<double>()) == value.get<double>());
}

// Whether an accepted form has what it must and every member is of the declared type.
inline bool fits_form(const json& content, const ordered_json& schema) {
    if (!content.is_object()) return false;
    for (const auto& name : schema.value("required", ordered_json::array())) {
        if (!content.contains(name.get_ref<const std::string&>())) return false;
    }
    for (const auto& [name, value] : content.items()) {
        const auto field = schema["properties"].find(name);
        if (field != schema["properties"].end() && !has_type(value, field->value("type", ""))) {
            return false;
        }
    }
    return true;
}

inline bool good_action(const json& answer) {
    if (!answer.is_object()) return false;
    const auto action = answer.find("action");
    return action != answer.end() &&
           (*action == "accept" || *action == "decline" || *action == "cancel");
}

}  // namespace detail

// One of several values; multi_: any number of them; titled_: people read another text than the
// value.
inline FormField choice_field(std::string name, const std::vector<std::string>& values) {
    return {std::move(name), {{"type", "string"}, {"enum", values}}};
}
inline FormField titled_choice_field(std::string name, const std::vector<Choice>& choices) {
    return {std::move(name), {{"type", "string"}, {"oneOf", detail::titled(choices)}}};
}
inline FormField multi_choice_field(std::string name, const std::vector<std::string>& values) {
    return {std::move(name),
            {{"type", "array"}, {"items", {{"type", "string"}, {"enum", values}}}}};
}
inline FormField titled_multi_choice_field(std::string name, const std::vector<Choice>& choices) {
    return {std::move(name), {{"type", "array"}, {"items", {{"anyOf", detail::titled(choices)}}}}};
}

// A form for the person. Never for passwords, keys or payment data: elicit_url() is for those.
inline Question elicit_form(std::string message, const std::vector<FormField>& fields) {
    ordered_json properties = ordered_json::object();
    ordered_json required = ordered_json::array();
    for (const auto& field : fields) {
        properties[field.name()] = field.schema();
        if (field.required()) required.push_back(field.name());
    }
    ordered_json schema = {{"type", "object"}, {"properties", std::move(properties)}};
    if (!required.empty()) schema["required"] = std::move(required);
    Question out;
    out.method = "elicitation/create";
    out.params = {{"mode", "form"}, {"message", std::move(message)}, {"requestedSchema", schema}};
    out.needs = "elicitation.form";
    out.good = [schema = std::move(schema)](const json& answer) {
        if (!detail::good_action(answer)) return false;
        if (answer["action"] != "accept") return true;
        const auto content = answer.find("content");
        return content != answer.end() && detail::fits_form(*content, schema);
    };
    return out;
}

// Sends the person to a URL. An accepted answer means that they agreed to go there, not that they
// are done: look in your own store whether they are.
inline Question elicit_url(std::string message, std::string url) {
    Question out;
    out.method = "elicitation/create";
    out.params = {{"mode", "url"}, {"message", std::move(message)}, {"url", std::move(url)}};
    out.needs = "elicitation.url";
    out.good = detail::good_action;
    return out;
}

// Asks the client's model. Setters return the question's maker.
class Sampling {
  public:
    // max_tokens: the most that the answer may have.
    Sampling(std::string_view user_words, int max_tokens) : max_tokens_(max_tokens) {
        message("user", user_words);
    }
    Sampling& message(std::string_view role, std::string_view words) {
        messages_.push_back({{"role", role}, {"content", {{"type", "text"}, {"text", words}}}});
        return *this;
    }
    // A message with any content object of the specification.
    Sampling& message_with(std::string_view role, ordered_json content) {
        messages_.push_back({{"role", role}, {"content", std::move(content)}});
        return *this;
    }
    Sampling& system_prompt(std::string text) { return set("systemPrompt", std::move(text)); }
    Sampling& temperature(double value) { return set("temperature", value); }
    Sampling& stop_sequences(const std::vector<std::string>& words) {
        return set("stopSequences", words);
    }
    // {"hints":[{"name"}],"costPriority","speedPriority","intelligencePriority"}
    Sampling& model_preferences(ordered_json value) {
        return set("modelPreferences", std::move(value));
    }
    // Any further parameter of sampling/createMessage.
    Sampling& set(const std::string& name, ordered_json value) {
        extra_[name] = std::move(value);
        return *this;
    }

    operator Question() const {
        Question out;
        out.method = "sampling/createMessage";
        out.params = {{"messages", messages_}, {"maxTokens", max_tokens_}};
        out.params.update(extra_);
        out.needs = "sampling";
        out.good = [](const json& answer) {
            return answer.is_object() && answer.contains("content") && answer.contains("role");
        };
        return out;
    }

  private:
    ordered_json messages_ = ordered_json::array();
    ordered_json extra_ = ordered_json::object();
    int max_tokens_;
};

// The folders that the client works in.
inline Question list_roots() {
    Question out;
    out.method = "roots/list";
    out.needs = "roots";
    out.good = [](const json& answer) {
        const auto roots = answer.is_object() ? answer.find("roots") : answer.end();
        return roots != answer.end() && roots->is_array();
    };
    return out;
}

// What the client answered to a question: its result object, read by what was asked.
class Answer {
  public:
    explicit Answer(json value) : value_(std::move(value)) {}

    const json& raw() const noexcept { return value_; }

    // Elicitation: what the person did. Decline: they said no; cancel: they closed the form.
    bool accepted() const { return action() == "accept"; }
    bool declined() const { return action() == "decline"; }
    bool dismissed() const { return action() == "cancel"; }
    // One member of an accepted form. Error (validation) if it is missing or of another type.
    template <Shaped T>
    T get(std::string_view name) const {
        const json* member = find("content", name);
        return from_json_value<T>(member ? *member : json(), "The answer " + std::string(name));
    }
    // The whole accepted form as a described struct.
    template <Shaped T>
    T as() const {
        return from_json_value<T>(value_.value("content", json::object()), "The answer");
    }

    // Sampling: the text of the answer (all text blocks of it), and who gave it.
    std::string text() const {
        const auto content = value_.find("content");
        if (content == value_.end()) return {};
        if (!content->is_array()) return text_of(*content);
        std::string out;
        for (const auto& block : *content)
            out += text_of(block);
        return out;
    }
    std::string model() const { return string_member(value_, "model"); }
    std::string stop_reason() const { return string_member(value_, "stopReason"); }

    // Roots: their URIs.
    std::vector<std::string> roots() const {
        std::vector<std::string> out;
        const auto roots = value_.find("roots");
        if (roots == value_.end() || !roots->is_array()) return out;
        for (const auto& root : *roots)
            out.push_back(string_member(root, "uri"));
        return out;
    }

  private:
    static std::string string_member(const json& object, const char* name) {
        const auto at = object.is_object() ? object.find(name) : object.end();
        return at != object.end() && at->is_string() ? at->get<std::string>() : std::string();
    }
    static std::string text_of(const json& block) {
        return string_member(block, "type") == "text" ? string_member(block, "text") : "";
    }
    std::string action() const { return string_member(value_, "action"); }
    const json* find(const char* outer, std::string_view name) const {
        const auto object = value_.find(outer);
        if (object == value_.end() || !object->is_object()) return nullptr;
        const auto member = object->find(name);
        return member == object->end() ? nullptr : &*member;
    }

    json value_;
};

}  // namespace patchbay
