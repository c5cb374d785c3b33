// SPDX-License-Identifier: Apache-2.0
#include "admission/authenticate.h"

namespace pb::admission {

Authenticator::Authenticator(std::string anonymous_org)
    : anonymous_(std::make_shared<runtime::Caller>(
          runtime::Caller{std::move(anonymous_org),
                          "anonymous",
                          "anonymous",
                          {"mcp:read", "mcp:write", "mcp:admin"}})) {}

Result<runtime::CallerPtr> Authenticator::anonymous(bool loopback) const {
    if (!loopback)
        return Error{ErrorKind::denied, "requests without credentials are served on loopback only"};
    return anonymous_;
}

runtime::CallerPtr Authenticator::service(const std::string& org, const std::string& capability) {
    return std::make_shared<runtime::Caller>(runtime::Caller{
        org, "service:" + capability, "service", {"mcp:read", "mcp:write", "mcp:admin"}});
}

}  // namespace pb::admission
