// SPDX-License-Identifier: Apache-2.0
#include "json/values.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "json/number.h"

namespace pb::json {
namespace {

using nlohmann::json;

constexpr int deepest = 1000;   // of compared values: recursion must end
constexpr std::size_t few = 8;  // elements that are compared with each other directly
constexpr std::size_t hash_seed = 0x9E3779B97F4A7C15u;

bool same(const json& a, const json& b, Budget& budget, int depth) {
    if (depth > deepest) budget.exceed();
    if (budget.exceeded() || !budget.spend(1)) return false;
    if (a.is_number()) return b.is_number() && Number(a).compare(Number(b)) == 0;
    if (a.type() != b.type()) return false;
    if (a.is_string()) {
        const auto& text = a.get_ref<const std::string&>();
        return budget.spend_on(text) && text == b.get_ref<const std::string&>();
    }
    if (!a.is_structured()) return a == b;
    if (a.size() != b.size()) return false;
    if (a.is_array()) {
        return std::equal(a.begin(), a.end(), b.begin(), [&](const json& left, const json& right) {
            return same(left, right, budget, depth + 1);
        });
    }
    // Both are sorted by name.
    auto right = b.begin();
    for (auto left = a.begin(); left != a.end(); ++left, ++right) {
        if (!budget.spend_on(left.key())) return false;
        if (left.key() != right.key() || !same(*left, *right, budget, depth + 1)) return false;
    }
    return true;
}

std::size_t mixed(std::size_t hash, std::size_t value) {
    return (hash ^ value) * hash_seed + (hash >> 29);
}

// Equal values have equal hashes: equal numbers become the same double.
std::size_t hash_of(const json& value, Budget& budget, int depth) {
    if (depth > deepest) budget.exceed();
    if (budget.exceeded() || !budget.spend(1)) return 0;
    std::hash<std::string> text_hash;
    if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        return budget.spend_on(text) ? text_hash(text) : 0;
    }
    if (value.is_number()) return mixed(1, std::hash<double>()(value.get<double>()));
    if (value.is_boolean()) return value.get<bool>() ? 2 : 3;
    std::size_t hash = static_cast<std::size_t>(value.type());
    for (auto it = value.begin(); value.is_structured() && it != value.end(); ++it) {
        if (value.is_object()) {
            if (!budget.spend_on(it.key())) return 0;
            hash = mixed(hash, text_hash(it.key()));
        }
        hash = mixed(hash, hash_of(*it, budget, depth + 1));
    }
    return hash;
}

}  // namespace

bool equal(const json& a, const json& b, Budget& budget) { return same(a, b, budget, 0); }

bool all_different(const json& array, Budget& budget) {
    std::size_t count = array.size();
    if (count <= few) {
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                if (equal(array[i], array[j], budget)) return false;
            }
        }
        return true;
    }
    std::vector<std::pair<std::size_t, std::size_t>> hashes;  // and index
    hashes.reserve(count);
    for (std::size_t i = 0; i < count && !budget.exceeded(); ++i) {
        hashes.emplace_back(hash_of(array[i], budget, 0), i);
    }
    std::sort(hashes.begin(), hashes.end());
    for (std::size_t i = 0; i < hashes.size() && !budget.exceeded(); ++i) {
        for (std::size_t j = i + 1; j < hashes.size() && hashes[j].first == hashes[i].first; ++j) {
            if (equal(array[hashes[i].second], array[hashes[j].second], budget)) return false;
            if (budget.exceeded()) break;
        }
    }
    return true;
}

}  // namespace pb::json
