// SPDX-License-Identifier: Apache-2.0
// Shape<T>: how a C++ type looks in JSON - its JSON Schema (2020-12), how it is read from a value
// with precise complaints, how it is written. Here: the types of the language and the standard
// library. fields.hpp adds structs and enums; a plugin may specialise Shape for its own types.
#pragma once

#include <patchbay/error.hpp>
#include <patchbay/json.hpp>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace patchbay {

template <class T>
struct Shape;  // schema(depth), read(json, T&, Reader&), write(const T&)

// A type that has a Shape.
template <class T>
concept Shaped = requires(const T& value) {
    { Shape<T>::write(value) } -> std::convertible_to<json>;
};

// Collects what is wrong with a value while it is read, and knows where in the value it is.
class Reader {
  public:
    // One step into the value, for as long as the object lives.
    class Step {
      public:
        Step(Reader& reader, std::string_view member)
            : reader_(reader), outer_(reader.at_), member_(member) {
            reader.at_ = this;
        }
        Step(Reader& reader, std::size_t index)
            : reader_(reader), outer_(reader.at_), index_(index), is_index_(true) {
            reader.at_ = this;
        }
        ~Step() { reader_.at_ = outer_; }
        Step(const Step&) = delete;
        Step& operator=(const Step&) = delete;

      private:
        friend class Reader;
        Reader& reader_;
        const Step* outer_;
        std::string_view member_;
        std::size_t index_ = 0;
        bool is_index_ = false;
    };

    // Adds "<where> <complaint>", e.g. "stops[2].city must be a string, not a number".
    void complain(const std::string& complaint) {
        if (count_++ >= max_complaints) return;
        if (!text_.empty()) text_ += "; ";
        text_ += where() + ' ' + complaint;
    }
    bool ok() const noexcept { return count_ == 0; }
    // All complaints in one line; at most `max_complaints` are spelled out.
    std::string text() const {
        if (count_ <= max_complaints) return text_;
        return text_ + "; and " + std::to_string(count_ - max_complaints) + " more";
    }

    static constexpr std::size_t max_complaints = 8;

  private:
    std::string where() const {
        if (at_ == nullptr) return "the value";
        std::string path;
        prepend(*at_, path);
        return path;
    }
    static void prepend(const Step& step, std::string& path) {
        if (step.outer_ != nullptr) prepend(*step.outer_, path);
        if (step.is_index_) {
            path += '[' + std::to_string(step.index_) + ']';
        } else {
            if (!path.empty()) path += '.';
            // Names of map entries come from outside: bounded.
            path += step.member_.substr(0, 64);
        }
    }

    const Step* at_ = nullptr;
    std::size_t count_ = 0;
    std::string text_;
};

namespace detail {

// "a string", "an array", ...: for "must be X, not Y".
inline std::string kind_of(const json& value) {
    switch (value.type()) {
        case json::value_t::null:
            return "null";
        case json::value_t::object:
            return "an object";
        case json::value_t::array:
            return "an array";
        case json::value_t::string:
            return "a string";
        case json::value_t::boolean:
            return "a boolean";
        default:
            return "a number";
    }
}

inline bool mismatch(Reader& reader, const char* wanted, const json& value) {
    reader.complain(std::string("must be ") + wanted + ", not " + kind_of(value));
    return false;
}

template <class T>
inline constexpr bool always_false = false;

template <class T>
struct Unwrap {
    using type = T;
};
template <class T>
struct Unwrap<std::optional<T>> {
    using type = T;
};
// T of optional<T>, else T.
template <class T>
using unwrap_t = typename Unwrap<T>::type;

// A number as short as it can be said: 14, 0.5.
inline std::string shortest(double number) {
    if (std::nearbyint(number) == number && std::abs(number) < 9e15) {
        return std::to_string(static_cast<std::int64_t>(number));
    }
    return json(number).dump();
}

template <class T>
inline constexpr bool is_optional = !std::is_same_v<T, unwrap_t<T>>;

// Types cannot contain themselves by way of containers: the schema would have no end.
inline void guard_depth(int depth) {
    if (depth > 32) throw std::logic_error("a described type contains itself; use json there");
}

}  // namespace detail

template <>
struct Shape<bool> {
    static ordered_json schema(int = 0) { return {{"type", "boolean"}}; }
    static bool read(const json& in, bool& out, Reader& reader) {
        if (!in.is_boolean()) return detail::mismatch(reader, "a boolean", in);
        out = in.get<bool>();
        return true;
    }
    static json write(bool value) { return value; }
};

template <std::integral T>
struct Shape<T> {
    static ordered_json schema(int = 0) { return {{"type", "integer"}}; }
    static bool read(const json& in, T& out, Reader& reader) {
        if (in.is_number_unsigned()) return store(in.get<std::uint64_t>(), out, reader);
        if (in.is_number_integer()) return store(in.get<std::int64_t>(), out, reader);
        if (!in.is_number_float()) return detail::mismatch(reader, "an integer", in);
        // JSON Schema: 3.0 is an integer.
        const double number = in.get<double>();
        if (std::nearbyint(number) != number) {
            reader.complain("must be an integer, not " + in.dump());
            return false;
        }
        if (std::abs(number) > 9007199254740992.0) return too_large(reader);
        return store(static_cast<std::int64_t>(number), out, reader);
    }
    static json write(T value) { return value; }

  private:
    template <class N>
    static bool store(N number, T& out, Reader& reader) {
        if (!std::in_range<T>(number)) return too_large(reader);
        out = static_cast<T>(number);
        return true;
    }
    static bool too_large(Reader& reader) {
        reader.complain("must be between " + std::to_string(std::numeric_limits<T>::min()) +
                        " and " + std::to_string(std::numeric_limits<T>::max()));
        return false;
    }
};

template <std::floating_point T>
struct Shape<T> {
    static ordered_json schema(int = 0) { return {{"type", "number"}}; }
    static bool read(const json& in, T& out, Reader& reader) {
        if (!in.is_number()) return detail::mismatch(reader, "a number", in);
        out = in.get<T>();
        return true;
    }
    // NaN and infinities have no JSON; they become null.
    static json write(T value) { return value; }
};

template <>
struct Shape<std::string> {
    static ordered_json schema(int = 0) { return {{"type", "string"}}; }
    static bool read(const json& in, std::string& out, Reader& reader) {
        if (!in.is_string()) return detail::mismatch(reader, "a string", in);
        out = in.get_ref<const std::string&>();
        return true;
    }
    static json write(const std::string& value) { return value; }
};

// Any JSON value.
template <>
struct Shape<json> {
    static ordered_json schema(int = 0) { return ordered_json::object(); }
    static bool read(const json& in, json& out, Reader&) {
        out = in;
        return true;
    }
    static json write(const json& value) { return value; }
};

// Absent or null: no value.
template <class T>
struct Shape<std::optional<T>> {
    static ordered_json schema(int depth = 0) { return Shape<T>::schema(depth); }
    static bool read(const json& in, std::optional<T>& out, Reader& reader) {
        if (in.is_null()) {
            out.reset();
            return true;
        }
        T value{};
        if (!Shape<T>::read(in, value, reader)) return false;
        out = std::move(value);
        return true;
    }
    static json write(const std::optional<T>& value) {
        return value ? Shape<T>::write(*value) : json();
    }
};

template <class T>
struct Shape<std::vector<T>> {
    static ordered_json schema(int depth = 0) {
        detail::guard_depth(depth);
        return {{"type", "array"}, {"items", Shape<T>::schema(depth + 1)}};
    }
    static bool read(const json& in, std::vector<T>& out, Reader& reader) {
        if (!in.is_array()) return detail::mismatch(reader, "an array", in);
        out.clear();
        out.reserve(in.size());
        bool good = true;
        for (std::size_t i = 0; i < in.size(); ++i) {
            const Reader::Step step(reader, i);
            T value{};
            good = Shape<T>::read(in[i], value, reader) && good;
            out.push_back(std::move(value));
        }
        return good;
    }
    static json write(const std::vector<T>& values) {
        json out = json::array();
        for (const auto& value : values)
            out.push_back(Shape<T>::write(value));
        return out;
    }
};

namespace detail {

template <class T>
inline constexpr bool is_map = requires {
    typename T::mapped_type;
};

template <class Map>
struct MapShape {
    using Value = typename Map::mapped_type;
    static ordered_json schema(int depth = 0) {
        guard_depth(depth);
        return {{"type", "object"}, {"additionalProperties", Shape<Value>::schema(depth + 1)}};
    }
    static bool read(const json& in, Map& out, Reader& reader) {
        if (!in.is_object()) return mismatch(reader, "an object", in);
        out.clear();
        bool good = true;
        for (const auto& [name, member] : in.items()) {
            const Reader::Step step(reader, std::string_view(name));
            Value value{};
            good = Shape<Value>::read(member, value, reader) && good;
            out.emplace(name, std::move(value));
        }
        return good;
    }
    static json write(const Map& map) {
        json out = json::object();
        for (const auto& [name, value] : map)
            out[name] = Shape<Value>::write(value);
        return out;
    }
};

}  // namespace detail

template <class T>
struct Shape<std::map<std::string, T>> : detail::MapShape<std::map<std::string, T>> {};
template <class T>
struct Shape<std::unordered_map<std::string, T>>
    : detail::MapShape<std::unordered_map<std::string, T>> {};

// The JSON Schema of a type. std::logic_error if the type contains itself.
template <Shaped T>
ordered_json schema_of() {
    return Shape<T>::schema(0);
}

template <Shaped T>
json to_json_value(const T& value) {
    return Shape<T>::write(value);
}

// Reads a value of type T. Throws Error "invalid_arguments" (validation) that names every fault:
//   "days must be at most 14, not 20; city is missing"
// what: how the message begins, e.g. "Invalid arguments".
template <Shaped T>
T from_json_value(const json& value, std::string_view what = "Invalid value") {
    T out{};
    Reader reader;
    if (!Shape<T>::read(value, out, reader) || !reader.ok()) {
        throw Error("invalid_arguments", std::string(what) + ": " + reader.text()).validation();
    }
    return out;
}

}  // namespace patchbay
