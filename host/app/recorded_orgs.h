// SPDX-License-Identifier: Apache-2.0
// RecordedOrgs: the organisations that were made at run time, beside those of the files. Where both
// have one of a name, the file's holds.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "access/access.h"
#include "config/config.h"

namespace pb::app {

class RecordedOrgs {
  public:
    explicit RecordedOrgs(access::OrgRecords& records) : records_(records) {}

    // [any thread] The files' organisations and these. One that did not change keeps its pointer;
    // if the records cannot be read, what was read before holds.
    config::ConfigSetPtr with(const config::ConfigSetPtr& files);

  private:
    struct Read {
        std::string text;
        config::OrgPtr org;  // null: its configuration is wrong
    };

    access::OrgRecords& records_;
    std::mutex mutex_;
    std::map<std::string, Read> read_;
};

}  // namespace pb::app
