// SPDX-License-Identifier: Apache-2.0
// Fuzzes what strangers hand in as credentials, and what is left of them in the trail: signed
// tokens, published keys, forms, scopes; redaction. The first byte chooses; the rest is the text.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "access/scopes.h"
#include "audit/redact.h"
#include "base/url.h"
#include "jose/verify.h"
#include "json/scan.h"
#include "oauth/params.h"

namespace {

using namespace pb;

constexpr std::string_view secret = "open-sesame-open";

void require(bool holds) {
    if (!holds) std::abort();
}

void token(std::string_view text) {
    const auto read = jose::read_token(text);
    if (!read) return;
    require(json::type_of(read->claims) == json::Type::object);
    static const auto nobodys = jose::KeySet::parse(R"({"keys":[]})");
    require(nobodys && !nobodys->verify(*read));
}

// Whatever keys are published, they verify nothing that nobody has signed with them.
void keys(std::string_view text) {
    static const auto unsigned_token =
        jose::read_token("eyJhbGciOiJFUzI1NiJ9.e30." + std::string(86, 'A'));
    require(static_cast<bool>(unsigned_token));
    if (const auto read = jose::KeySet::parse(text)) require(!read->verify(*unsigned_token));
}

void form(std::string_view text) {
    if (const auto params = oauth::Params::read(text)) {
        (void)params->repeats();
        (void)params->without("state");
    }
    if (const auto decoded = form_decode(text)) {
        const auto again = form_decode(form_encode(*decoded));
        require(again && *again == *decoded);
    }
}

// Two scopes with a '|' between them: what both permit is in either.
void scopes(std::string_view text) {
    const auto bar = std::min(text.find('|'), text.size());
    const auto one = access::Scopes::parse(text.substr(0, bar));
    const auto other = access::Scopes::parse(text.substr(std::min(bar + 1, text.size())));
    if (!one || !other) return;
    const auto again = access::Scopes::parse(one->text());
    require(again && *again == *one);
    const auto both = one->within(*other);
    require(one->covers(both) && other->covers(both) && both == other->within(*one));
}

void redaction(std::string_view text) {
    static const auto redactor = audit::Redactor::make({.fields = {"ssn", "/a/*/b"}});
    require(static_cast<bool>(redactor));
    require(json::scan((*redactor)(text)).ok());
    (void)audit::without_credentials(text);
    if (!json::scan(text).ok() || text.find(secret) != text.npos) return;
    const auto kept = (*redactor)(std::string(R"({"password":")").append(secret) + R"(","rest":)" +
                                  std::string(text) + "}");
    require(json::scan(kept).ok() && kept.find(secret) == kept.npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0]) {
        case 't':
            token(text);
            break;
        case 'k':
            keys(text);
            break;
        case 'f':
            form(text);
            break;
        case 's':
            scopes(text);
            break;
        default:
            redaction(text);
            break;
    }
    return 0;
}
