// SPDX-License-Identifier: Apache-2.0
// What handlers answer with: content blocks, tool results, prompt messages, resource contents.
// https://modelcontextprotocol.io/specification/2026-07-28/server/tools#tool-result
//
//   return patchbay::text("sunny");
//   return patchbay::text("The chart:") + patchbay::image(png, "image/png").audience({"user"});
//   return patchbay::structured({{"temperature", 21.5}});
#pragma once

#include <patchbay/error.hpp>
#include <patchbay/json.hpp>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchbay {

// One block of content. A value; every setter returns the block.
class Content {
  public:
    // body: a JSON object without its closing brace. For what the makers below do not cover.
    static Content raw(std::string open_object) { return Content(std::move(open_object)); }

    // Who it is for: "user", "assistant".
    Content& audience(const std::vector<std::string>& roles) {
        annotations_["audience"] = roles;
        return *this;
    }
    // 0 (optional) to 1 (required).
    Content& priority(double priority) {
        annotations_["priority"] = priority;
        return *this;
    }
    // ISO 8601: "2026-01-31T12:00:00Z".
    Content& last_modified(std::string time) {
        annotations_["lastModified"] = std::move(time);
        return *this;
    }
    // A further member of the block: "title", "description", "size", "_meta", ...
    Content& member(std::string_view name, const json& value) {
        detail::append_key(body_, name);
        body_ += dump(value);
        return *this;
    }

    void append_to(std::string& out) const {
        out += body_;
        if (!annotations_.empty()) {
            detail::append_key(out, "annotations");
            out += dump(annotations_);
        }
        out += '}';
    }
    std::string text() const {
        std::string out;
        append_to(out);
        return out;
    }

  private:
    explicit Content(std::string body) : body_(std::move(body)) {}

    std::string body_;
    json annotations_;
};

namespace detail {

inline Content binary(const char* type, const Bytes& bytes, std::string_view mime_type) {
    std::string body = std::string("{\"type\":\"") + type + "\",\"data\":\"" +
                       base64_encode(bytes) + "\",\"mimeType\":";
    append_quoted(body, mime_type);
    return Content::raw(std::move(body));
}

// {"uri":..,"mimeType":..,"text"|"blob":..} without the closing brace.
inline std::string resource_body(std::string_view uri, std::string_view mime_type) {
    std::string body = "{\"uri\":";
    append_quoted(body, uri);
    if (!mime_type.empty()) {
        body += ",\"mimeType\":";
        append_quoted(body, mime_type);
    }
    return body;
}
inline std::string text_body(std::string_view uri, std::string_view text,
                             std::string_view mime_type) {
    std::string body = resource_body(uri, mime_type) + ",\"text\":";
    append_quoted(body, text);
    return body;
}
inline std::string blob_body(std::string_view uri, const Bytes& bytes, std::string_view mime_type) {
    return resource_body(uri, mime_type) + ",\"blob\":\"" + base64_encode(bytes) + '"';
}

}  // namespace detail

inline Content text(std::string_view text) {
    std::string body = "{\"type\":\"text\",\"text\":";
    detail::append_quoted(body, text);
    return Content::raw(std::move(body));
}
// Raw bytes of the file; the SDK does the base64.
inline Content image(const Bytes& bytes, std::string_view mime_type) {
    return detail::binary("image", bytes, mime_type);
}
inline Content audio(const Bytes& bytes, std::string_view mime_type) {
    return detail::binary("audio", bytes, mime_type);
}
// A pointer to a resource that can be read later; it need not be listed.
inline Content resource_link(std::string_view uri, std::string_view name,
                             std::string_view mime_type = {}) {
    std::string body = "{\"type\":\"resource_link\",\"uri\":";
    detail::append_quoted(body, uri);
    body += ",\"name\":";
    detail::append_quoted(body, name);
    if (!mime_type.empty()) {
        body += ",\"mimeType\":";
        detail::append_quoted(body, mime_type);
    }
    return Content::raw(std::move(body));
}
// A resource's content itself.
inline Content embedded_text(std::string_view uri, std::string_view text,
                             std::string_view mime_type = "text/plain") {
    return Content::raw(
        "{\"type\":\"resource\",\"resource\":" + detail::text_body(uri, text, mime_type) + '}');
}
inline Content embedded_blob(std::string_view uri, const Bytes& bytes,
                             std::string_view mime_type = "application/octet-stream") {
    return Content::raw(
        "{\"type\":\"resource\",\"resource\":" + detail::blob_body(uri, bytes, mime_type) + '}');
}

// What a tool answers.
class Result {
  public:
    Result() = default;
    Result(Content block) { blocks_.push_back(std::move(block)); }
    Result(std::initializer_list<Content> blocks) : blocks_(blocks) {}
    explicit Result(std::vector<Content> blocks) : blocks_(std::move(blocks)) {}

    Result& add(Content block) {
        blocks_.push_back(std::move(block));
        return *this;
    }
    // The value for programs. Where no content block is given, its JSON text becomes one, since
    // older clients read nothing else.
    Result& structured(json value) {
        structured_ = std::move(value);
        return *this;
    }
    // Says that the tool failed. Throwing Error does this and adds the structured body.
    Result& error() {
        is_error_ = true;
        return *this;
    }
    // _meta of the result.
    Result& meta(json object) {
        meta_ = std::move(object);
        return *this;
    }

    // The result object as JSON text.
    std::string text() const {
        std::string structured;
        if (structured_) structured = dump(*structured_);
        std::string out = "{\"content\":[";
        bool first = true;
        for (const auto& block : blocks_) {
            if (!first) out += ',';
            first = false;
            block.append_to(out);
        }
        if (first && structured_) patchbay::text(structured).append_to(out);
        out += ']';
        if (structured_) out += ",\"structuredContent\":" + structured;
        if (is_error_) out += ",\"isError\":true";
        if (!meta_.is_null()) out += ",\"_meta\":" + dump(meta_);
        out += '}';
        return out;
    }

  private:
    std::vector<Content> blocks_;
    std::optional<json> structured_;
    json meta_;
    bool is_error_ = false;
};

inline Result structured(json value) { return Result().structured(std::move(value)); }

inline Result operator+(Result result, Content block) {
    result.add(std::move(block));
    return result;
}
inline Result operator+(Content first, Content second) {
    return Result{std::move(first), std::move(second)};
}

// One message of a prompt.
struct Message {
    std::string role;  // "user" or "assistant"
    Content content;
};
inline Message user(Content content) { return {"user", std::move(content)}; }
inline Message user(std::string_view words) { return user(text(words)); }
inline Message assistant(Content content) { return {"assistant", std::move(content)}; }
inline Message assistant(std::string_view words) { return assistant(text(words)); }

// What a prompt answers.
class Messages {
  public:
    Messages(std::string_view user_words) { messages_.push_back(user(user_words)); }
    Messages(const std::string& user_words) : Messages(std::string_view(user_words)) {}
    Messages(const char* user_words) : Messages(std::string_view(user_words)) {}
    Messages(Message message) { messages_.push_back(std::move(message)); }
    Messages(std::initializer_list<Message> messages) : messages_(messages) {}
    explicit Messages(std::vector<Message> messages) : messages_(std::move(messages)) {}

    Messages& add(Message message) {
        messages_.push_back(std::move(message));
        return *this;
    }
    // In place of the prompt's own description.
    Messages& description(std::string description) {
        description_ = std::move(description);
        return *this;
    }

    // The result of prompts/get. otherwise: the description where none was set.
    std::string text(std::string_view otherwise) const {
        std::string out = "{";
        const std::string_view shown = description_.empty() ? otherwise : description_;
        if (!shown.empty()) {
            out += "\"description\":";
            detail::append_quoted(out, shown);
            out += ',';
        }
        out += "\"messages\":[";
        bool first = true;
        for (const auto& message : messages_) {
            out += first ? "{\"role\":" : ",{\"role\":";
            first = false;
            detail::append_quoted(out, message.role);
            out += ",\"content\":";
            message.content.append_to(out);
            out += '}';
        }
        return out + "]}";
    }

  private:
    std::vector<Message> messages_;
    std::string description_;
};

// What reading a resource answers: usually one text or some bytes, of the resource that was asked
// for; add() answers with several resources, e.g. a folder's files.
class Contents {
  public:
    Contents() = default;
    Contents(std::string text) { parts_.push_back({{}, {}, std::move(text), {}, false}); }
    Contents(const char* text) : Contents(std::string(text)) {}
    Contents(Bytes bytes) { parts_.push_back({{}, {}, {}, std::move(bytes), true}); }

    Contents& add(std::string uri, std::string text, std::string mime_type = {}) {
        parts_.push_back({std::move(uri), std::move(mime_type), std::move(text), {}, false});
        return *this;
    }
    Contents& add(std::string uri, Bytes bytes, std::string mime_type = {}) {
        parts_.push_back({std::move(uri), std::move(mime_type), {}, std::move(bytes), true});
        return *this;
    }
    // Of what was added last, in place of the resource's declared type.
    Contents& mime_type(std::string mime_type) {
        if (!parts_.empty()) parts_.back().mime_type = std::move(mime_type);
        return *this;
    }

    // The result of resources/read, for the URI and MIME type of the resource itself.
    std::string text(std::string_view uri, std::string_view mime_type) const {
        std::string out = "{\"contents\":[";
        bool first = true;
        for (const auto& part : parts_) {
            if (!first) out += ',';
            first = false;
            const std::string_view own_uri = part.uri.empty() ? uri : std::string_view(part.uri);
            const std::string_view own_type =
                part.mime_type.empty() ? mime_type : std::string_view(part.mime_type);
            out += part.binary ? detail::blob_body(own_uri, part.bytes, own_type)
                               : detail::text_body(own_uri, part.text, own_type);
            out += '}';
        }
        return out + "]}";
    }

  private:
    struct Part {
        std::string uri;
        std::string mime_type;
        std::string text;
        Bytes bytes;
        bool binary;
    };
    std::vector<Part> parts_;
};

namespace detail {

// The result of a tool that failed: the body for programs is in _meta, and in structuredContent too
// unless an outputSchema says what that holds.
inline std::string failure_text(const Error& error, bool has_output_schema) {
    std::string words = error.what();
    if (!error.hint().empty()) words += "\n" + error.hint();
    Result out(text(words));
    const json body = error.body();
    if (!has_output_schema) out.structured(body);
    return out.error().meta(json::object({{"patchbay/error", body}})).text();
}

}  // namespace detail

}  // namespace patchbay
