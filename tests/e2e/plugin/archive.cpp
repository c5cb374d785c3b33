// SPDX-License-Identifier: Apache-2.0
// A plugin whose data has sources and types of objects: it says which there are, and gives a caller
// no more than its scopes leave.
#include <array>
#include <patchbay/plugin.hpp>
#include <string>

namespace {

using patchbay::Call;

struct Document {
    const char *id, *source, *type;
};
constexpr std::array<Document, 3> documents{
    {{"ann", "crm", "contact"}, {"big", "crm", "deal"}, {"how", "wiki", "page"}}};

bool permitted(const Document& document, Call& call) {
    return call.permits_source(document.source) && call.permits_object(document.type);
}

std::string content_of(const std::string& id, Call& call) {
    for (const auto& each : documents) {
        if (id != each.id) continue;
        if (!permitted(each, call)) throw patchbay::not_permitted();
        return "the " + std::string(each.type) + " " + each.id;
    }
    throw patchbay::Error("not_found", "There is no document " + id);
}

struct IdInput {
    std::string id;
};
PATCHBAY_STRUCT(IdInput, PATCHBAY_FIELD(id, "Which document"))

}  // namespace

PATCHBAY_PLUGIN_MANIFEST(R"({"id":"archive","version":"1.0.0","abi":"1.1","capabilities":[
    {"name":"archive","title":"Archive","description":"What the company keeps",
     "access":{"sources":true,
               "objects":[{"id":"contact","title":"Contacts"},{"id":"deal"},{"id":"page"}]}}]})",
                         plugin) {
    plugin.access_choices([](Call&) {
        return patchbay::AccessChoices{{{"crm", "Customers", "Whom the company knows"}, {"wiki"}}};
    });
    plugin.tool("list").describe("Lists the documents").read_only().handle([](Call& call) {
        std::string out;
        for (const auto& each : documents)
            if (permitted(each, call)) out += (out.empty() ? "" : " ") + std::string(each.id);
        return out;
    });
    plugin.tool("read")
        .describe("Reads a document")
        .input<IdInput>()
        .read_only()
        .handle([](const IdInput& in, Call& call) { return content_of(in.id, call); });
    plugin.resource_template("archive://{id}")
        .name("document")
        .read([](const patchbay::Variables& in, Call& call) {
            return content_of(in.at("id"), call);
        });
}
