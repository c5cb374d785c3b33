// SPDX-License-Identifier: Apache-2.0
// Names: how a provider's names and URIs become those of an organisation, and back (design, section 3).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pb::catalog {

// [a-z0-9]([a-z0-9_-]*[a-z0-9])? without "__", at most 40 characters; "" is valid too.
Result<void> check_namespace(std::string_view name_space);

// <namespace>__<name>, or the name itself in the empty namespace. What would be longer than 64
// characters or hold others than [A-Za-z0-9_-] is shortened deterministically: odd characters become
// '_', the end becomes '_' and 8 hexadecimal digits of the SHA-256 of the whole. (The empty namespace
// also leaves '.' alone: its names are the provider's promise.)
std::string expose_name(std::string_view name_space, std::string_view local);

// A reversible prefix that leaves template variables alone and ui:// links working:
//   scheme://rest  ->  scheme://<namespace>~rest      for ui://
//   scheme:rest    ->  <namespace>+scheme:rest        for everything else
// In the empty namespace the URI itself.
std::string expose_uri(std::string_view name_space, std::string_view local_uri);
// The inverse: the namespace a URI carries and the provider's own URI; namespace "" if it has none.
struct LocalUri {
    std::string_view name_space;
    std::string local;
};
LocalUri split_uri(std::string_view exposed);

// True if `uri` is an expansion of the RFC 6570 level 1-3 template.
bool matches_template(std::string_view uri_template, std::string_view uri);

}  // namespace pb::catalog
