// SPDX-License-Identifier: Apache-2.0
#include "app/choosing.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/log.h"
#include "json/parse.h"

namespace pb::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view choices_method = "patchbay/access/choices";
constexpr std::size_t max_answer = 1u << 20;
// Of all capabilities together: what a page can show.
constexpr std::size_t most_shown = 2 * catalog::most_choices;

Result<catalog::Choices> answer_of(const catalog::Ask& ask,
                                   const std::shared_ptr<catalog::Provider>& provider,
                                   const std::string& org) try {
    const auto body = ask(provider, org, choices_method, "{}");
    if (!body) return body.error();
    auto parsed = json::parse(*body, {.size = max_answer, .depth = 8, .values = 10'000});
    if (!parsed) return parsed.error();
    if (!parsed->is_object()) return invalid("the answer must be a JSON object");
    return catalog::read_choices(*parsed, false);
} catch (const std::exception& fault) {
    return internal_error(fault.what());
}

// Two capabilities may know the same source; it is chosen once, as the first has it.
class Shown {
  public:
    explicit Shown(std::vector<oauth::Choosable>& out) : out_(out) {}
    void add(const std::vector<catalog::Choice>& choices) {
        for (const auto& each : choices)
            if (out_.size() < most_shown && ids_.insert(each.id).second)
                out_.push_back({each.id, each.title, each.description});
    }

  private:
    std::vector<oauth::Choosable>& out_;
    std::set<std::string> ids_;
};

bool is_over(const std::shared_future<Result<catalog::Choices>>& answer) {
    return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

}  // namespace

Choosing::Choosing(const catalog::Catalog& catalog, Workers& workers, catalog::Ask ask,
                   std::chrono::milliseconds limit)
    : catalog_(catalog), workers_(workers), ask_(std::move(ask)), limit_(limit) {}

// On a thread of its own: a capability that hangs does so inside the question.
Choosing::Answer Choosing::ask(const std::string& org, const catalog::Binding& binding) {
    std::lock_guard lock(mutex_);
    std::erase_if(asking_, [](const auto& each) { return is_over(each.second); });
    const auto known = asking_.find(binding.provider.get());
    if (known != asking_.end()) return known->second;
    auto promise = std::make_shared<std::promise<Result<catalog::Choices>>>();
    Answer answer = promise->get_future().share();
    workers_.post([ask = ask_, provider = binding.provider, org, promise] {
        promise->set_value(answer_of(ask, provider, org));
    });
    asking_.emplace(binding.provider.get(), answer);
    return answer;
}

oauth::Choices Choosing::in(const std::string& org) {
    oauth::Choices out;
    const auto snapshot = catalog_.of(org);
    if (!snapshot) return out;
    const auto end = Clock::now() + limit_;
    std::vector<std::optional<Answer>> answers;
    for (const auto& binding : snapshot->bindings)
        answers.push_back(binding->choices.asked() ? std::optional(ask(org, *binding))
                                                   : std::nullopt);
    Shown sources(out.sources), objects(out.objects);
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const auto& binding = *snapshot->bindings[i];
        const auto& declared = binding.choices;
        if (!binding.name_space.empty())
            out.namespaces.push_back({binding.name_space, binding.title, binding.description});
        sources.add(declared.sources.named);
        objects.add(declared.objects.named);
        if (!answers[i]) continue;
        const bool in_time = answers[i]->wait_until(end) == std::future_status::ready;
        const auto answer =
            in_time ? answers[i]->get() : Error{ErrorKind::deadline, "no answer in time"};
        if (!answer) {
            log::warning("access.no_choices", {{"org", org},
                                               {"capability", binding.capability},
                                               {"plugin", binding.provider->label()},
                                               {"reason", answer.error().message}});
            continue;
        }
        if (declared.sources.asked) sources.add(answer->sources.named);
        if (declared.objects.asked) objects.add(answer->objects.named);
    }
    return out;
}

}  // namespace pb::app
