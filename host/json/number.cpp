// SPDX-License-Identifier: Apache-2.0
#include "json/number.h"

#include <charconv>
#include <cmath>
#include <limits>

namespace pb::json {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr double two_to_64 = 18446744073709551616.0;

// a * b mod m without overflow.
std::uint64_t times(std::uint64_t a, std::uint64_t b, std::uint64_t m) {
    return static_cast<std::uint64_t>(static_cast<Wide>(a) * b % m);
}

std::uint64_t power_of_ten(int exponent, std::uint64_t m) {
    std::uint64_t result = 1 % m;
    for (std::uint64_t base = 10 % m; exponent > 0; exponent /= 2) {
        if (exponent % 2 != 0) result = times(result, base, m);
        base = times(base, base, m);
    }
    return result;
}

}  // namespace

Number::Number(const nlohmann::json& value) {
    if (value.is_number_unsigned()) {
        magnitude_ = value.get<std::uint64_t>();
    } else if (value.is_number_integer()) {
        auto number = value.get<std::int64_t>();
        negative_ = number < 0;
        magnitude_ = static_cast<std::uint64_t>(number);
        if (negative_) magnitude_ = 0 - magnitude_;
    } else {
        real_ = value.get<double>();
        negative_ = real_ < 0;
        double size = std::fabs(real_);
        if (size < two_to_64 && size == std::floor(size)) {
            magnitude_ = static_cast<std::uint64_t>(size);
        } else {
            form_ = Form::real;
        }
    }
}

bool Number::is_integer() const {
    return form_ == Form::integer || (std::isfinite(real_) && real_ == std::floor(real_));
}

int Number::compare(const Number& other) const {
    if (negative_ != other.negative_) return negative_ ? -1 : 1;
    int sign = negative_ ? -1 : 1;
    if (form_ == Form::integer && other.form_ == Form::integer) {
        if (magnitude_ == other.magnitude_) return 0;
        return magnitude_ < other.magnitude_ ? -sign : sign;
    }
    if (form_ == Form::real && other.form_ == Form::real) {
        return real_ == other.real_ ? 0 : real_ < other.real_ ? -1 : 1;
    }
    if (form_ == Form::integer) return -other.compare(*this);
    // A real of this form is a fraction below 2^53, or at least 2^64: never equal to an integer.
    double size = std::fabs(real_);
    if (size >= two_to_64) return sign;
    return static_cast<std::uint64_t>(size) < other.magnitude_ ? -sign : sign;
}

Number::Decimal Number::decimal() const {
    Decimal out;
    if (form_ == Form::integer) {
        out.digits = magnitude_;
    } else {
        char text[40];
        auto end =
            std::to_chars(text, text + sizeof text, std::fabs(real_), std::chars_format::scientific)
                .ptr;
        bool fraction = false;
        const char* p = text;
        for (; p != end && *p != 'e'; ++p) {
            if (*p == '.') {
                fraction = true;
            } else {
                out.digits = out.digits * 10 + static_cast<std::uint64_t>(*p - '0');
                if (fraction) --out.exponent;
            }
        }
        int written = 0;
        if (p != end) std::from_chars(p + (p[1] == '+' ? 2 : 1), end, written);
        out.exponent += written;
    }
    while (out.digits != 0 && out.digits % 10 == 0) {
        out.digits /= 10;
        ++out.exponent;
    }
    return out;
}

bool Number::is_multiple_of(const Number& divisor) const {
    if (form_ == Form::integer && divisor.form_ == Form::integer) {
        return divisor.magnitude_ != 0 && magnitude_ % divisor.magnitude_ == 0;
    }
    if ((form_ == Form::real && !std::isfinite(real_)) ||
        (divisor.form_ == Form::real && !std::isfinite(divisor.real_))) {
        return false;
    }
    Decimal value = decimal();
    Decimal unit = divisor.decimal();
    if (value.digits == 0) return true;
    // What is not divisible by 10 is no multiple of anything that is.
    if (unit.digits == 0 || value.exponent < unit.exponent) return false;
    std::uint64_t scale = power_of_ten(value.exponent - unit.exponent, unit.digits);
    return times(value.digits % unit.digits, scale, unit.digits) == 0;
}

bool Number::as_size(std::size_t& out) const {
    if (!is_integer() || (negative_ && (form_ == Form::real || magnitude_ != 0))) return false;
    out = form_ == Form::integer ? magnitude_ : std::numeric_limits<std::size_t>::max();
    return true;
}

std::string Number::text() const {
    if (form_ == Form::real) return nlohmann::json(real_).dump();
    return (negative_ ? "-" : "") + std::to_string(magnitude_);
}

}  // namespace pb::json
