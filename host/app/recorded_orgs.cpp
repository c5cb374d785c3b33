// SPDX-License-Identifier: Apache-2.0
#include "app/recorded_orgs.h"

#include "base/log.h"
#include "config/read.h"

namespace pb::app {

config::ConfigSetPtr RecordedOrgs::with(const config::ConfigSetPtr& files) {
    std::lock_guard lock(mutex_);
    if (auto records = records_.list()) {
        std::map<std::string, Read> now;
        for (auto& record : *records) {
            const auto before = read_.find(record.name);
            if (before != read_.end() && before->second.text == record.config) {
                now.insert(*before);
                continue;
            }
            auto org = config::parse_org(record.name, record.config);
            if (!org) log::warning("org.refused", {{"reason", org.error().message}});
            if (org) org->recorded = true;
            now[record.name] = {
                record.config,
                org ? std::make_shared<const config::OrgConfig>(std::move(*org)) : nullptr};
        }
        read_ = std::move(now);
    } else {
        log::warning("orgs.unread", {{"reason", records.error().message}});
    }
    if (read_.empty()) return files;
    auto all = std::make_shared<config::ConfigSet>(*files);
    for (const auto& [name, read] : read_)
        if (read.org) all->orgs.emplace(name, read.org);
    return all;
}

}  // namespace pb::app
