// SPDX-License-Identifier: Apache-2.0
// Members: reads the members of a validated JSON object into variables that hold their defaults.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"

namespace pb::config {

// The schema has been checked before, so a member has the right type or is absent. Paths are made
// relative to `base`, the folder of the file.
class Members {
  public:
    Members(const Json& object, std::string base) : object_(object), base_(std::move(base)) {}

    bool has(const char* name) const { return object_.contains(name); }

    // The members of an object member; none if it is absent.
    Members in(const char* name) const {
        static const Json nothing = Json::object();
        return {has(name) ? object_.at(name) : nothing, base_};
    }

    template <class T>
    void read(const char* name, T& target) const {
        if (has(name)) object_.at(name).get_to(target);
    }
    void read(const char* name, std::chrono::milliseconds& target) const {
        if (has(name)) target = std::chrono::milliseconds(object_.at(name).get<std::int64_t>());
    }
    void read_path(const char* name, std::string& target) const {
        if (has(name)) target = against_base(object_.at(name).get<std::string>());
    }
    void read_paths(const char* name, std::vector<std::string>& target) const {
        read(name, target);
        for (std::string& path : target) {
            path = against_base(path);
        }
    }

  private:
    std::string against_base(const std::string& path) const;

    const Json& object_;
    std::string base_;
};

}  // namespace pb::config
