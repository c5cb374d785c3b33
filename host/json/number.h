// SPDX-License-Identifier: Apache-2.0
// JSON numbers compared and divided exactly, whichever of nlohmann's three forms they have. (An
// integer beyond 64 bits has become a double before it comes here: it is compared as that.)
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace pb::json {

class Number {
  public:
    // `value` is a number.
    explicit Number(const nlohmann::json& value);

    bool is_integer() const;
    // Less than, equal to, or greater than 0, as this is to other.
    int compare(const Number& other) const;
    // Of decimal notation: 0.0075 is a multiple of 0.0001, whatever binary fractions make of it.
    bool is_multiple_of(const Number& divisor) const;
    // As a size, if this is a whole number that is not negative; larger than any becomes the
    // largest.
    bool as_size(std::size_t& out) const;
    std::string text() const;

  private:
    enum class Form { integer, real };
    // The magnitude as digits * 10^exponent, digits not divisible by 10.
    struct Decimal {
        std::uint64_t digits = 0;
        int exponent = 0;
    };
    Decimal decimal() const;

    Form form_ = Form::integer;
    bool negative_ = false;
    std::uint64_t magnitude_ = 0;  // of an integer
    double real_ = 0;
};

}  // namespace pb::json
