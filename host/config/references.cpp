// SPDX-License-Identifier: Apache-2.0
#include "config/references.h"

#include <cstdlib>

#include "json/references.h"

namespace pb::config {
namespace {

using json::Reference;

Result<std::string> secret_value(const Reference& reference, const SecretOf& secret) {
    if (!secret)
        return Error{ErrorKind::unsupported, reference.shown() + " cannot be resolved here"};
    auto value = secret(reference.name);
    if (!value) return Error{value.error().kind, reference.shown() + ": " + value.error().message};
    return value;
}

Result<std::string> variable(const Reference& reference) {
    if (!json::is_variable_name(reference.name)) {
        return invalid("\"${env:\" must be followed by a variable's name and \"}\"");
    }
    const char* value = std::getenv(std::string(reference.name).c_str());
    if (value != nullptr) return std::string(value);
    if (reference.otherwise) return std::string(*reference.otherwise);
    return not_found(reference.shown() + ": this environment variable is not set");
}

json::ValueOf value_with(const SecretOf& secret) {
    return [&secret](const Reference& reference) -> Result<std::string> {
        if (reference.scheme == "secret") return secret_value(reference, secret);
        if (reference.scheme == "env" || reference.scheme.empty()) return variable(reference);
        if (reference.scheme == "input") {
            return invalid(reference.shown() +
                           " is what an editor asks a person; keep the value as a secret (patchbay "
                           "secrets set NAME) and write ${secret:NAME}");
        }
        return invalid(reference.shown() +
                       " is not a known reference; use ${env:NAME} or ${secret:name}, or $${ for a "
                       "literal ${");
    };
}

}  // namespace

Result<Json> resolve(const Json& value, const SecretOf& secret) {
    return json::replace_references(value, value_with(secret), false);
}

Result<Json> resolve_server(const Json& entry, const SecretOf& secret) {
    return json::replace_references(entry, value_with(secret), true);
}

Json resolve_each(const Json& servers, const SecretOf& secret) {
    Json out = Json::object();
    for (const auto& [name, value] : servers.items()) {
        auto resolved = resolve_server(value, secret);
        out[name] =
            resolved ? std::move(*resolved) : Json{{"unresolved", resolved.error().message}};
    }
    return out;
}

}  // namespace pb::config
