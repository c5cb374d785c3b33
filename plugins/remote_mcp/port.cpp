// SPDX-License-Identifier: Apache-2.0
#include "port.h"

namespace pb::remote {
namespace {

patchbay_str str(std::string_view text) { return {text.data(), text.size()}; }

const patchbay_capabilities_v1* capabilities(const patchbay_host* host) {
    return static_cast<const patchbay_capabilities_v1*>(
        host->service(host, PATCHBAY_SERVICE_CAPABILITIES));
}

template <class Entry>
std::optional<std::string> value_of(std::optional<Entry> entry) {
    if (!entry) return std::nullopt;
    return std::move(entry->value);
}

}  // namespace

void Port::close() const {
    std::unique_lock lock(gate_->mutex);
    gate_->closed = true;
    gate_->left.wait(lock, [this] { return gate_->inside == 0; });
}

std::shared_ptr<void> Port::enter() const {
    std::lock_guard lock(gate_->mutex);
    if (gate_->closed) return nullptr;
    ++gate_->inside;
    return {gate_.get(), [gate = gate_](void*) {
                std::lock_guard lock(gate->mutex);
                if (--gate->inside == 0) gate->left.notify_all();
            }};
}

Port Port::stoppable() const {
    auto out = *this;
    out.writing_ = std::make_shared<Writing>();
    return out;
}

void Port::stop_writing() const {
    if (!writing_) return;
    const std::unique_lock lock(writing_->mutex);
    writing_->shut = true;
}

template <class Write>
Result<void> Port::write(const char* failed, const Write& write) const {
    const auto open = enter();
    if (!open) return Error{ErrorKind::gone, "the host has gone"};
    std::shared_lock<std::shared_mutex> lock;
    if (writing_) lock = std::shared_lock(writing_->mutex);
    if (writing_ && writing_->shut)
        return Error{ErrorKind::gone, "the server is no longer registered"};
    try {
        write();
        return {};
    } catch (const std::exception& fault) {
        log(log::Level::warning, failed, {{"reason", fault.what()}});
        return internal_error(fault.what());
    }
}

template <class Act>
auto Port::attempt(const char* failed, const Act& act) const -> decltype(act()) {
    const auto open = enter();
    if (!open) return {};
    try {
        return act();
    } catch (const std::exception& fault) {
        log(log::Level::warning, failed, {{"reason", fault.what()}});
        return {};
    }
}

void Port::log(log::Level level, std::string_view event, const nlohmann::json& fields) const {
    const auto open = enter();
    if (!open) return;
    const auto text = fields.is_object() ? patchbay::dump(fields) : std::string();
    host_->log(host_, static_cast<int32_t>(level), str(event), str(text));
}

patchbay_status Port::complete(patchbay_call call, patchbay_status status,
                               std::string_view body) const {
    const auto open = enter();
    if (!open) return PATCHBAY_E_GONE;
    return host_->complete(host_, call, status, str(body));
}

patchbay_status Port::notify(patchbay_call call, std::string_view method,
                             std::string_view params) const {
    const auto open = enter();
    if (!open) return PATCHBAY_E_GONE;
    return host_->notify(host_, call, str(method), str(params.empty() ? "{}" : params));
}

Result<void> Port::offer(const nlohmann::json& spec) const {
    const auto open = enter();
    if (!open) return Error{ErrorKind::gone, "the host has gone"};
    std::string why = "the host refused it";
    const auto text = patchbay::dump(spec);
    const auto status = capabilities(host_)->offer(
        host_, str(text),
        [](void* user, patchbay_str, patchbay_str value) noexcept {
            static_cast<std::string*>(user)->assign(value.data, value.size);
        },
        &why);
    if (status == PATCHBAY_OK) return {};
    if (status == PATCHBAY_E_GONE) return Error{ErrorKind::gone, std::move(why)};
    if (status == PATCHBAY_E_BUSY) return Error{ErrorKind::busy, std::move(why)};
    return invalid(std::move(why));
}

void Port::withdraw(std::string_view capability) const {
    const auto open = enter();
    if (open) capabilities(host_)->withdraw(host_, str(capability));
}

void Port::changed(std::string_view capability, std::string_view method,
                   std::string_view params) const {
    const auto open = enter();
    if (!open) return;
    capabilities(host_)->notify(host_, str(capability), str(method), str(params));
}

std::optional<std::string> Port::get(std::string_view key) const {
    return attempt("store.unreadable", [&] { return value_of(patchbay::Store(host_).get(key)); });
}

Result<void> Port::put(std::string_view key, std::string_view value) const {
    return write("store.unwritable", [&] { patchbay::Store(host_).put(key, value); });
}

void Port::remove(std::string_view key) const {
    attempt("store.unwritable", [&] { return patchbay::Store(host_).remove(key); });
}

std::vector<patchbay::Store::Item> Port::list(std::string_view prefix) const {
    return attempt("store.unreadable", [&] { return patchbay::Store(host_).list(prefix); });
}

std::optional<std::string> Port::secret(std::string_view name) const {
    return attempt("secrets.unreadable",
                   [&] { return value_of(patchbay::Secrets(host_).get(name)); });
}

Result<std::string> Port::own_secret(std::string_view name) const {
    const auto open = enter();
    if (!open) return Error{ErrorKind::gone, "the host has gone"};
    try {
        if (auto value = patchbay::Secrets(host_).get_own(name)) return std::move(*value);
        return invalid("the organisation has no such secret (patchbay secrets set)");
    } catch (const std::exception& fault) {
        log(log::Level::warning, "secrets.unreadable", {{"reason", fault.what()}});
        return invalid(std::string("it cannot be read: ") + fault.what());
    }
}

Result<void> Port::put_secret(std::string_view name, std::string_view value) const {
    return write("secrets.unwritable", [&] { patchbay::Secrets(host_).put(name, value); });
}

void Port::remove_secret(std::string_view name) const {
    attempt("secrets.unwritable", [&] { return patchbay::Secrets(host_).remove(name); });
}

std::vector<std::string> Port::secret_names(std::string_view prefix) const {
    return attempt("secrets.unreadable", [&] { return patchbay::Secrets(host_).list(prefix); });
}

}  // namespace pb::remote
