// SPDX-License-Identifier: Apache-2.0
// Names: how a provider's names and URIs become those of an organisation, and back (design, section
// 3).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pb::catalog {

// [a-z0-9]([a-z0-9_-]*[a-z0-9])? without "__", at most 40 characters; "" is valid too.
Result<void> check_namespace(std::string_view name_space);

// The name of a capability made at run time: [a-z0-9][a-z0-9_.:-]*, at most 100 characters, with a
// ':', which no compiled one has.
Result<void> check_virtual_name(std::string_view name);

// <namespace>__<name>, or the name itself in the empty namespace. What would be longer than 64
// characters or hold others than [A-Za-z0-9_-] is shortened deterministically: odd characters
// become
// '_', the end becomes '_' and 8 hexadecimal digits of the SHA-256 of the whole. (The empty
// namespace also leaves '.' alone: its names are the provider's promise.)
std::string expose_name(std::string_view name_space, std::string_view local);

// A reversible prefix that leaves template variables alone and ui:// links working:
//   ui://rest    ->  ui://<namespace>~rest
//   scheme:rest  ->  <namespace>+scheme:rest        everything else
// In the empty namespace the URI itself. A URI scheme holds no '_' and starts with a letter, and
// clients that parse URIs insist on it; so in front of '+' a namespace's '_' is written '.', and
// one that starts with a digit gets "x.." before it (no namespace holds "__", so nothing is
// ambiguous).
std::string expose_uri(std::string_view name_space, std::string_view local_uri);
// The inverse: the namespace a URI carries and the provider's own URI; namespace "" if it has none.
// (Whether such a namespace exists, only a snapshot knows: git+ssh://host looks prefixed too.)
struct LocalUri {
    std::string name_space;
    std::string local;
};
LocalUri split_uri(std::string_view exposed);

}  // namespace pb::catalog
