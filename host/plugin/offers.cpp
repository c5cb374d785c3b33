// SPDX-License-Identifier: Apache-2.0
#include "plugin/offers.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "catalog/listing.h"
#include "catalog/names.h"
#include "json/parse.h"
#include "plugin/host_instance.h"
#include "plugin/manifest.h"

namespace pb::plugin {

using catalog::Status;

// A provider that stands in front of the instance under the name of a virtual capability. Its own
// are its health - how many calls are inside, the breaker - and its name in every context.
class VirtualProvider final : public catalog::Provider {
  public:
    VirtualProvider(std::shared_ptr<HostInstance> instance, std::string name)
        : instance_(std::move(instance)),
          name_(std::move(name)),
          label_(std::string(instance_->label()) + "/" + name_) {}

    std::string_view label() const override { return label_; }
    std::string_view capability() const override { return name_; }
    const catalog::Provider& speaker() const override { return *instance_; }
    void handle(const catalog::ProviderRequest& request) noexcept override {
        instance_->handle(request);
    }
    void cancel(catalog::CallId call) noexcept override { instance_->cancel(call); }

  private:
    const std::shared_ptr<HostInstance> instance_;
    const std::string name_, label_;
};

namespace {

constexpr std::size_t max_offers = 1000;
constexpr std::size_t max_private = 100;
constexpr std::size_t max_spec = 16u << 10;
constexpr std::size_t max_text = 4096;
constexpr std::int64_t max_call_time_ms = 86'400'000;
constexpr std::string_view lists_changed = "notifications/tools/list_changed";

Error busy(std::string message) { return {ErrorKind::busy, std::move(message)}; }

catalog::Binding binding_of(const Offer& offer, std::shared_ptr<catalog::Provider> provider) {
    catalog::Binding binding;
    binding.capability = offer.name;
    binding.name_space = offer.name_space;
    binding.title = offer.title;
    binding.description = offer.description;
    binding.provider = std::move(provider);
    binding.lists = offer.lists;
    binding.call_time = offer.call_time;
    return binding;
}

Result<std::string> text_of(const json::Json& spec, const char* name, bool required) {
    const auto found = spec.find(name);
    if (found == spec.end() && !required) return std::string();
    if (found == spec.end() || !found->is_string())
        return invalid("the offer's \"" + std::string(name) + "\" must be a string");
    const auto& text = found->get_ref<const std::string&>();
    if (text.size() > max_text)
        return invalid("the offer's \"" + std::string(name) + "\" is longer than 4096 bytes");
    return text;
}

Result<std::chrono::milliseconds> call_time_of(const json::Json& spec) {
    const auto found = spec.find("call_time_ms");
    if (found == spec.end()) return std::chrono::milliseconds(0);
    if (!found->is_number_integer() || *found < 1 || *found > max_call_time_ms)
        return invalid("the offer's \"call_time_ms\" must be an integer from 1 to " +
                       std::to_string(max_call_time_ms));
    return std::chrono::milliseconds(found->get<std::int64_t>());
}

}  // namespace

Result<Offer> parse_offer(std::string_view spec) {
    auto parsed = json::parse(spec, {.size = max_spec, .depth = 16, .values = 1000});
    if (!parsed) return invalid("the offer is not valid JSON: " + parsed.error().message);
    if (!parsed->is_object()) return invalid("the offer must be a JSON object");
    Offer offer;
    const struct {
        const char* name;
        std::string& text;
        bool required;
    } texts[] = {{"name", offer.name, true},
                 {"namespace", offer.name_space, true},
                 {"title", offer.title, false},
                 {"description", offer.description, false}};
    for (const auto& [name, text, required] : texts) {
        auto given = text_of(*parsed, name, required);
        if (!given) return given.error();
        text = std::move(*given);
    }
    if (auto named = catalog::check_virtual_name(offer.name); !named) return named.error();
    if (auto placed = catalog::check_namespace(offer.name_space); !placed) return placed.error();
    auto lists = read_list_policy(*parsed, "the offer's ", offer.lists);
    if (!lists) return lists.error();
    const auto call_time = call_time_of(*parsed);
    if (!call_time) return call_time.error();
    offer.call_time = *call_time;
    return offer;
}

// With the lock held.
Result<void> Offers::check_room(const Offer& offer) const {
    const auto& spec = instance_.spec();
    if (!offered_.contains(offer.name) && offered_.size() >= max_offers)
        return busy("an instance offers at most " + std::to_string(max_offers) + " capabilities");
    if (offer.name_space.empty()) return {};
    std::string other;
    if (offer.name_space == spec.name_space) other = spec.capability;
    for (const auto& [name, offered] : offered_)
        if (name != offer.name && offered.offer.name_space == offer.name_space) other = name;
    if (other.empty()) return {};
    return busy("the namespace '" + offer.name_space + "' is wanted by capability '" + offer.name +
                "' and used by capability '" + other + "' of the same plugin");
}

Result<void> Offers::offer(Offer offer) {
    const auto& spec = instance_.spec();
    // Not under the lock: it is somebody else's code, with locks of its own.
    auto vacant =
        instance_.wiring().changes.vacant(spec.org, instance_, offer.name, offer.name_space);
    if (!vacant) return vacant;
    std::shared_ptr<VirtualProvider> known;
    {
        std::lock_guard lock(mutex_);
        if (instance_.stopping()) return Error{ErrorKind::gone, "the instance is stopping"};
        if (auto room = check_room(offer); !room) return room;
        auto& offered = offered_[offer.name];
        if (offered.offer == offer) return {};
        known = offered.provider.lock();
        offered.offer = offer;
    }
    log::debug("capability.offered", {{"org", spec.org},
                                      {"plugin", instance_.label()},
                                      {"capability", offer.name},
                                      {"namespace", offer.name_space},
                                      {"title", offer.title}});
    // What is said of it has changed: its lists are taken anew, under what holds now.
    if (known) (void)instance_.wiring().changes.changed(*known, lists_changed, "{}");
    instance_.wiring().changes.offers_changed(instance_);
    return {};
}

Status Offers::withdraw(std::string_view name) {
    {
        std::lock_guard lock(mutex_);
        const auto found = offered_.find(name);
        if (found == offered_.end()) return Status::not_found;
        offered_.erase(found);
    }
    instance_.wiring().changes.offers_changed(instance_);
    return Status::ok;
}

Status Offers::notify(std::string_view name, std::string_view method, std::string_view params) {
    std::shared_ptr<VirtualProvider> provider;
    {
        std::lock_guard lock(mutex_);
        const auto found = offered_.find(name);
        if (found == offered_.end()) return Status::not_found;
        provider = found->second.provider.lock();
    }
    const auto checked = instance_.check_announcement(method, params);
    // One that nobody has asked for yet has nothing to correct.
    if (checked != Status::ok || !provider) return checked;
    const auto heard = instance_.wiring().changes.changed(*provider, method, params);
    return heard == Status::gone ? Status::ok : heard;
}

std::vector<catalog::Binding> Offers::bindings(const std::shared_ptr<HostInstance>& self) {
    std::vector<catalog::Binding> out;
    std::lock_guard lock(mutex_);
    for (auto& [name, offered] : offered_) {
        auto provider = offered.provider.lock();
        if (!provider) {
            provider = std::make_shared<VirtualProvider>(self, name);
            offered.provider = provider;
        }
        out.push_back(binding_of(offered.offer, std::move(provider)));
    }
    return out;
}

Result<std::vector<catalog::Binding>> private_bindings(
    const std::shared_ptr<catalog::Provider>& instance, std::string_view offers) {
    const auto host = std::dynamic_pointer_cast<HostInstance>(instance);
    if (!host) return Error{ErrorKind::unsupported, "the provider is no plugin instance"};
    std::vector<std::string_view> specs;
    if (!json::elements(offers, specs) || specs.size() > max_private)
        return invalid("the offers must be an array of at most " + std::to_string(max_private));
    std::vector<catalog::Binding> out;
    for (const auto spec : specs) {
        auto offer = parse_offer(spec);
        if (!offer) return offer.error();
        out.push_back(binding_of(*offer, std::make_shared<VirtualProvider>(host, offer->name)));
    }
    return out;
}

}  // namespace pb::plugin
