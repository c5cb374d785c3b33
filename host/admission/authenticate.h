// SPDX-License-Identifier: Apache-2.0
// The first link: who asks. Without credentials there is one answer, the anonymous principal of the
// configured organisation, and only for a peer on this machine.
#pragma once

#include <string>

#include "base/result.h"
#include "runtime/caller.h"

namespace pb::admission {

class Authenticator {
  public:
    // `anonymous_org`: where callers without credentials belong.
    explicit Authenticator(std::string anonymous_org);

    // [any thread] ErrorKind::denied for a peer that is not on this machine.
    Result<runtime::CallerPtr> anonymous(bool loopback) const;

    // A capability that acts on its own behalf.
    static runtime::CallerPtr service(const std::string& org, const std::string& capability);

  private:
    runtime::CallerPtr anonymous_;
};

}  // namespace pb::admission
