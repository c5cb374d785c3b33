// SPDX-License-Identifier: Apache-2.0
// Equality of JSON values as JSON Schema means it (1 equals 1.0), within a budget of steps.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace pb::json {

// What an evaluation may still spend. Once it is exceeded every answer is worthless.
class Budget {
  public:
    explicit Budget(std::uint64_t steps) : left_(steps) {}

    bool spend(std::uint64_t steps) {
        if (steps > left_) {
            exceeded_ = true;
            left_ = 0;
            return false;
        }
        left_ -= steps;
        return true;
    }
    // What looking at a whole string costs.
    bool spend_on(const std::string& text) { return spend(1 + text.size() / 64); }
    void exceed() { exceeded_ = true; }
    bool exceeded() const { return exceeded_; }

  private:
    std::uint64_t left_;
    bool exceeded_ = false;
};

bool equal(const nlohmann::json& a, const nlohmann::json& b, Budget& budget);

// Whether no two elements of the array are equal.
bool all_different(const nlohmann::json& array, Budget& budget);

}  // namespace pb::json
