// SPDX-License-Identifier: Apache-2.0
// From a file to a configuration value: parsed, held against the schema in etc/schemas (which is
// built in), and checked for what a schema cannot say. Errors name file, line and member.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"

namespace pb::config {

// The schemas' texts, as they ship in etc/schemas.
std::string_view host_schema_text();
std::string_view org_schema_text();

// Relative paths in the file become relative to its folder.
Result<HostConfig> read_host(const std::string& path);
// Servers that are wrong are no error.
Result<OrgConfig> read_org(const std::string& path);
// The same of text that is in no file.
Result<OrgConfig> parse_org(const std::string& name, const std::string& text);

// The file that `overrides` names (or etc/patchbay.json where that exists, or the defaults), with
// the overrides applied and the whole checked.
Result<HostConfig> load_host(const Overrides& overrides);

// The file that load_host() would read; empty if there is none.
std::string host_file(const Overrides& overrides);

// What must hold wherever the values came from: times in order, ranges of addresses.
Result<void> check_host(const HostConfig& host);

// Whether only this machine reaches the address.
bool is_loopback(const std::string& address);
// Whether the host is not said to be found by others: no public URL, or one of this machine.
bool is_private(const Listen& listen);

// [a-z0-9]([a-z0-9_-]*[a-z0-9])?, at most 64.
bool is_org_name(std::string_view name);

}  // namespace pb::config
