// SPDX-License-Identifier: Apache-2.0
// Structs and enums as JSON: their fields are declared once, at namespace scope beside the type.
//
//   struct Forecast { std::string city; std::optional<int> days; };
//   PATCHBAY_STRUCT(Forecast,
//       PATCHBAY_FIELD(city, "City name").min_length(1),
//       PATCHBAY_FIELD(days, "How many days").minimum(1).maximum(14).default_value(3))
//
//   enum class Unit { metric, imperial };
//   PATCHBAY_ENUM(Unit, {Unit::metric, "metric"}, {Unit::imperial, "imperial"})
//
// A field is required unless it is an optional or has a default value. Members that are not
// declared are refused. std::string, bool, numbers, enums, other described structs, json, and
// optionals, vectors and string-keyed maps of these can be fields.
#pragma once

#include <patchbay/shape.hpp>

#include <initializer_list>
#include <tuple>

namespace patchbay {

namespace detail {

// What a field's value must satisfy beyond its type.
struct Constraints {
    std::optional<double> minimum, maximum, above, below, multiple_of;
    std::optional<std::size_t> min_size, max_size;
    std::vector<std::string> one_of;
};

template <class T>
inline constexpr bool is_number = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;
template <class T>
inline constexpr bool is_text = std::is_same_v<T, std::string>;
template <class T>
concept Sized = !is_text<T> && requires(const T& value) {
    value.size();
};

// JSON Schema counts code points.
inline std::size_t code_points(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text)
        count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    return count;
}

inline std::string counted(std::size_t count, const char* unit) {
    return std::to_string(count) + ' ' + unit + (count == 1 ? "" : "s");
}

inline bool check_number(double value, const Constraints& must, Reader& reader) {
    const auto complain = [&](const char* relation, double bound) {
        reader.complain(std::string("must be ") + relation + ' ' + shortest(bound) + ", not " +
                        shortest(value));
        return false;
    };
    if (must.minimum && value < *must.minimum) return complain("at least", *must.minimum);
    if (must.maximum && value > *must.maximum) return complain("at most", *must.maximum);
    if (must.above && value <= *must.above) return complain("greater than", *must.above);
    if (must.below && value >= *must.below) return complain("less than", *must.below);
    if (must.multiple_of) {
        const double quotient = value / *must.multiple_of;
        if (std::abs(quotient - std::nearbyint(quotient)) > 1e-9) {
            return complain("a multiple of", *must.multiple_of);
        }
    }
    return true;
}

inline bool check_size(std::size_t size, const char* unit, const Constraints& must,
                       Reader& reader) {
    if (must.min_size && size < *must.min_size) {
        reader.complain("must have at least " + counted(*must.min_size, unit));
        return false;
    }
    if (must.max_size && size > *must.max_size) {
        reader.complain("must have at most " + counted(*must.max_size, unit) + ", not " +
                        std::to_string(size));
        return false;
    }
    return true;
}

// "a", "b", "c"
inline std::string quoted_list(const std::vector<std::string>& names) {
    std::string out;
    for (const auto& name : names) {
        if (!out.empty()) out += ", ";
        append_quoted(out, name);
    }
    return out;
}

inline bool check_text(const std::string& value, const Constraints& must, Reader& reader) {
    if ((must.min_size || must.max_size) &&
        !check_size(code_points(value), "character", must, reader)) {
        return false;
    }
    if (must.one_of.empty()) return true;
    for (const auto& allowed : must.one_of) {
        if (allowed == value) return true;
    }
    reader.complain("must be one of " + quoted_list(must.one_of));
    return false;
}

template <class T>
bool check(const T& value, const Constraints& must, Reader& reader) {
    if constexpr (is_optional<T>) {
        return !value || check(*value, must, reader);
    } else if constexpr (is_number<T>) {
        return check_number(static_cast<double>(value), must, reader);
    } else if constexpr (is_text<T>) {
        return check_text(value, must, reader);
    } else if constexpr (Sized<T> && !std::is_same_v<T, json>) {
        return check_size(value.size(), "item", must, reader);
    } else {
        return true;
    }
}

}  // namespace detail

// One declared field of struct S: made by PATCHBAY_FIELD or field(). Every setter returns the
// field. The constraints are checked here too, except pattern and format, which are in the schema
// for the host (and the model) to hold to.
template <class S, class T>
class Field {
  public:
    using Plain = detail::unwrap_t<T>;

    Field(std::string name, T S::*member, std::string description)
        : name_(std::move(name)), member_(member) {
        if (!description.empty()) extra_["description"] = std::move(description);
    }

    Field& title(std::string title) { return set("title", std::move(title)); }
    // An example for the model, not a default.
    Field& example(const Plain& value) {
        extra_["examples"].push_back(ordered_json(Shape<Plain>::write(value)));
        return *this;
    }
    Field& minimum(double bound) requires detail::is_number<Plain> {
        must_.minimum = bound;
        return set("minimum", number(bound));
    }
    Field& maximum(double bound) requires detail::is_number<Plain> {
        must_.maximum = bound;
        return set("maximum", number(bound));
    }
    // Exclusive bounds.
    Field& above(double bound) requires detail::is_number<Plain> {
        must_.above = bound;
        return set("exclusiveMinimum", number(bound));
    }
    Field& below(double bound) requires detail::is_number<Plain> {
        must_.below = bound;
        return set("exclusiveMaximum", number(bound));
    }
    Field& multiple_of(double step) requires detail::is_number<Plain> {
        must_.multiple_of = step;
        return set("multipleOf", number(step));
    }
    // In code points.
    Field& min_length(std::size_t count) requires detail::is_text<Plain> {
        must_.min_size = count;
        return set("minLength", count);
    }
    Field& max_length(std::size_t count) requires detail::is_text<Plain> {
        must_.max_size = count;
        return set("maxLength", count);
    }
    // An ECMA-262 regular expression; anchor it yourself.
    Field& pattern(std::string expression) requires detail::is_text<Plain> {
        return set("pattern", std::move(expression));
    }
    // A format of JSON Schema: "date", "email", "uri", ...
    Field& format(std::string format) requires detail::is_text<Plain> {
        return set("format", std::move(format));
    }
    Field& one_of(std::vector<std::string> values) requires detail::is_text<Plain> {
        set("enum", values);
        must_.one_of = std::move(values);
        return *this;
    }
    Field& min_items(std::size_t count) requires detail::Sized<Plain> {
        must_.min_size = count;
        return set(detail::is_map<Plain> ? "minProperties" : "minItems", count);
    }
    Field& max_items(std::size_t count) requires detail::Sized<Plain> {
        must_.max_size = count;
        return set(detail::is_map<Plain> ? "maxProperties" : "maxItems", count);
    }
    // What the field is where the value does not name it.
    Field& default_value(Plain value) {
        set("default", ordered_json(Shape<Plain>::write(value)));
        default_ = std::move(value);
        return *this;
    }
    // Mirrors the argument in the HTTP header Mcp-Param-<name>, so that proxies can route by it.
    // For strings, integers and booleans that are not secret.
    // https://modelcontextprotocol.io/specification/2026-07-28/server/tools#x-mcp-header
    Field& header(std::string name) requires(detail::is_text<Plain> || std::integral<Plain>) {
        return set("x-mcp-header", std::move(name));
    }
    // Any further JSON Schema keyword.
    Field& keyword(const std::string& name, ordered_json value) {
        extra_[name] = std::move(value);
        return *this;
    }

    const std::string& name() const noexcept { return name_; }
    bool required() const noexcept { return !detail::is_optional<T> && !default_; }

    ordered_json schema(int depth) const {
        ordered_json out = Shape<T>::schema(depth + 1);
        for (const auto& [key, value] : extra_.items())
            out[key] = value;
        return out;
    }
    // value: null if the struct's value has no such member.
    bool read(const json* value, S& out, Reader& reader) const {
        const Reader::Step step(reader, name_);
        if (value == nullptr || (detail::is_optional<T> && value->is_null())) {
            if (default_) {
                out.*member_ = *default_;
            } else if (required()) {
                reader.complain("is missing");
                return false;
            }
            return true;
        }
        return Shape<T>::read(*value, out.*member_, reader) &&
               detail::check(out.*member_, must_, reader);
    }
    void write(const S& in, json& out) const {
        if constexpr (detail::is_optional<T>) {
            if (!(in.*member_)) return;
        }
        out[name_] = Shape<T>::write(in.*member_);
    }

  private:
    template <class V>
    Field& set(const char* key, V&& value) {
        extra_[key] = std::forward<V>(value);
        return *this;
    }
    // 1 rather than 1.0 in the schema where the bound is whole.
    static ordered_json number(double value) {
        if (std::nearbyint(value) == value && std::abs(value) < 9e15) {
            return static_cast<std::int64_t>(value);
        }
        return value;
    }

    std::string name_;
    T S::*member_;
    detail::Constraints must_;
    std::optional<Plain> default_;
    ordered_json extra_ = ordered_json::object();
};

// A field whose name in JSON is not the member's.
template <class S, class T>
Field<S, T> field(std::string name, T S::*member, std::string description = {}) {
    return {std::move(name), member, std::move(description)};
}

namespace detail {

// All fields of a struct.
template <class S, class... T>
class StructShape {
  public:
    explicit StructShape(Field<S, T>... fields) : fields_(std::move(fields)...) {}

    ordered_json schema(int depth) const {
        guard_depth(depth);
        ordered_json properties = ordered_json::object();
        ordered_json required = ordered_json::array();
        each([&](const auto& field) {
            properties[field.name()] = field.schema(depth);
            if (field.required()) required.push_back(field.name());
        });
        ordered_json out = {{"type", "object"}, {"properties", std::move(properties)}};
        if (!required.empty()) out["required"] = std::move(required);
        out["additionalProperties"] = false;
        return out;
    }
    bool read(const json& in, S& out, Reader& reader) const {
        if (!in.is_object()) return mismatch(reader, "an object", in);
        bool good = true;
        std::size_t known = 0;
        each([&](const auto& field) {
            const auto at = in.find(field.name());
            known += at != in.end();
            good = field.read(at == in.end() ? nullptr : &*at, out, reader) && good;
        });
        return known == in.size() ? good : refuse_unknown(in, reader);
    }
    json write(const S& in) const {
        json out = json::object();
        each([&](const auto& field) { field.write(in, out); });
        return out;
    }

  private:
    template <class F>
    void each(F&& visit) const {
        std::apply([&](const auto&... field) { (visit(field), ...); }, fields_);
    }
    bool refuse_unknown(const json& in, Reader& reader) const {
        std::vector<std::string> names;
        each([&](const auto& field) { names.push_back(field.name()); });
        for (const auto& [key, value] : in.items()) {
            bool known = false;
            for (const auto& name : names)
                known = known || name == key;
            if (known) continue;
            const Reader::Step step(reader, std::string_view(key));
            reader.complain(names.empty() ? "is not known; there are no members"
                                          : "is not known; known are " + quoted_list(names));
        }
        return false;
    }

    std::tuple<Field<S, T>...> fields_;
};

template <class E>
class EnumShape {
  public:
    EnumShape(std::initializer_list<std::pair<E, const char*>> names) {
        for (const auto& [value, name] : names) {
            values_.push_back(value);
            names_.emplace_back(name);
        }
    }
    ordered_json schema(int) const { return {{"type", "string"}, {"enum", names_}}; }
    bool read(const json& in, E& out, Reader& reader) const {
        if (!in.is_string()) return mismatch(reader, "a string", in);
        const auto& text = in.get_ref<const std::string&>();
        for (std::size_t i = 0; i < names_.size(); ++i) {
            if (names_[i] == text) {
                out = values_[i];
                return true;
            }
        }
        reader.complain("must be one of " + quoted_list(names_));
        return false;
    }
    json write(E value) const {
        for (std::size_t i = 0; i < values_.size(); ++i) {
            if (values_[i] == value) return names_[i];
        }
        throw std::logic_error("an enum value without a name was to be written");
    }

  private:
    std::vector<E> values_;
    std::vector<std::string> names_;
};

template <class S, class... T>
StructShape<S, T...> describe(Field<S, T>... fields) {
    return StructShape<S, T...>(std::move(fields)...);
}

template <class T>
concept Described = requires(const T* type) {
    patchbay_shape(type);
};

template <Described T>
const auto& described() {
    static const auto shape = patchbay_shape(static_cast<const T*>(nullptr));
    return shape;
}

}  // namespace detail

template <detail::Described T>
struct Shape<T> {
    static ordered_json schema(int depth = 0) { return detail::described<T>().schema(depth); }
    static bool read(const json& in, T& out, Reader& reader) {
        return detail::described<T>().read(in, out, reader);
    }
    static json write(const T& value) { return detail::described<T>().write(value); }
};

}  // namespace patchbay

// At namespace scope, in the namespace of the type.
#define PATCHBAY_STRUCT(type, ...)                              \
    [[maybe_unused]] inline auto patchbay_shape(const type*) {  \
        using PatchbaySelf [[maybe_unused]] = type;             \
        return ::patchbay::detail::describe<type>(__VA_ARGS__); \
    }
// Inside PATCHBAY_STRUCT: a member and, optionally, its description.
#define PATCHBAY_FIELD(member, ...) \
    ::patchbay::field(#member, &PatchbaySelf::member __VA_OPT__(, ) __VA_ARGS__)
#define PATCHBAY_ENUM(type, ...)                                 \
    [[maybe_unused]] inline auto patchbay_shape(const type*) {   \
        return ::patchbay::detail::EnumShape<type>{__VA_ARGS__}; \
    }
