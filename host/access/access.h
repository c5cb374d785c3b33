// SPDX-License-Identifier: Apache-2.0
// Access: everything about who may do what that is kept, in one place.
#pragma once

#include <memory>
#include <string>

#include "access/clients.h"
#include "access/grants.h"
#include "access/keys.h"
#include "access/orgs.h"
#include "access/people.h"
#include "access/records.h"

namespace pb::access {

struct Access {
    // Opens or makes access.db in the folder, which must exist.
    static Result<std::unique_ptr<Access>> open(const std::string& folder,
                                                Lifetimes lifetimes = {}) {
        auto records = Records::open(folder + "/access.db");
        if (!records) return records.error();
        return std::unique_ptr<Access>(new Access(std::move(*records), lifetimes));
    }

    const std::shared_ptr<Records> records;
    People people{records};
    Keys keys{records};
    Clients clients{records};
    Grants grants;
    OrgRecords orgs{records};

  private:
    Access(std::shared_ptr<Records> opened, Lifetimes lifetimes)
        : records(std::move(opened)), grants(records, lifetimes) {}
};

}  // namespace pb::access
