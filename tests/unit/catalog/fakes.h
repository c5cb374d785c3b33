// SPDX-License-Identifier: Apache-2.0
// Fakes: providers with canned answers, and short ways to build a snapshot from them.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.h"

namespace pb::catalog::test {

using Answer = std::function<Result<std::string>(std::string_view params)>;

class FakeProvider : public Provider {
  public:
    explicit FakeProvider(std::string label) : label_(std::move(label)) {}

    std::string_view label() const override { return label_; }
    void handle(const ProviderRequest&) noexcept override {}
    void cancel(CallId) noexcept override {}

    // Answers are set before the provider is asked.
    FakeProvider& on(const std::string& method, Answer answer) {
        answers_[method] = std::move(answer);
        return *this;
    }
    FakeProvider& on(const std::string& method, std::string body) {
        return on(method, [body = std::move(body)](std::string_view) -> Result<std::string> {
            return body;
        });
    }
    FakeProvider& fails(const std::string& method, ErrorKind kind = ErrorKind::internal) {
        return on(method, [kind](std::string_view) -> Result<std::string> {
            return Error{kind, "it is broken"};
        });
    }

    Result<std::string> ask(std::string_view method, std::string_view params) const {
        const auto at = answers_.find(method);
        if (at == answers_.end()) return Error{ErrorKind::unsupported, "no such method"};
        return at->second(params);
    }

  private:
    std::string label_;
    std::map<std::string, Answer, std::less<>> answers_;
};

using FakePtr = std::shared_ptr<FakeProvider>;

inline FakePtr fake(const std::string& label) { return std::make_shared<FakeProvider>(label); }

inline std::string tool_text(const std::string& name) {
    return R"({"name":")" + name + R"(","inputSchema":{"type":"object"}})";
}
// {"tools":[...]}
inline std::string list_text(const std::string& member, const std::vector<std::string>& entries) {
    std::string text = "{\"" + member + "\":[";
    for (std::size_t i = 0; i < entries.size(); ++i)
        text += (i ? "," : "") + entries[i];
    return text + "]}";
}

// A provider that has these tools and nothing else.
inline FakePtr tools_provider(const std::string& label, const std::vector<std::string>& names) {
    std::vector<std::string> tools;
    for (const auto& name : names)
        tools.push_back(tool_text(name));
    auto provider = fake(label);
    provider->on("tools/list", list_text("tools", tools));
    return provider;
}

inline Binding binding_of(const std::string& name_space, std::shared_ptr<Provider> provider,
                          const std::string& capability = "") {
    Binding binding;
    binding.capability = capability.empty() ? name_space : capability;
    binding.name_space = name_space;
    binding.provider = std::move(provider);
    return binding;
}

inline Result<std::string> ask_fake(const std::shared_ptr<Provider>& provider, const std::string&,
                                    std::string_view method, std::string_view params) {
    return static_cast<const FakeProvider&>(*provider).ask(method, params);
}

inline CatalogBuilder::Outcome build(const std::vector<Binding>& bindings,
                                     const SnapshotPtr& previous = nullptr,
                                     const BuildLimits& limits = {}) {
    return CatalogBuilder(ask_fake, limits).build("acme", bindings, previous);
}

// For snapshots that nothing is left out of.
inline SnapshotPtr snapshot(const std::vector<Binding>& bindings,
                            const SnapshotPtr& previous = nullptr) {
    auto outcome = build(bindings, previous);
    for (const auto& warning : outcome.warnings)
        ADD_FAILURE() << "warning: " << warning;
    return outcome.snapshot;
}

template <class Entries>
std::vector<std::string> names(const Entries& entries) {
    std::vector<std::string> result;
    for (const auto& entry : entries)
        result.push_back(entry.exposed);
    return result;
}

using Names = std::vector<std::string>;

}  // namespace pb::catalog::test
