// SPDX-License-Identifier: Apache-2.0
// Everything that a capability can offer, and in all of it the mark of the organisation that it
// serves: whoever sees another one's mark has got through to it.
#include <patchbay/plugin.hpp>
#include <string>

namespace {

using patchbay::Call;

struct WordInput {
    std::string word;
};
PATCHBAY_STRUCT(WordInput, PATCHBAY_FIELD(word, "Any"))

// More than fit on one page of a list.
constexpr int many = 1'002;

std::string numbered(const std::string& name, int number) {
    const auto digits = std::to_string(number);
    return name + std::string(4 - digits.size(), '0') + digits;
}

void add_tools(patchbay::Plugin& plugin, const std::string& mark) {
    plugin.tool("mark").describe("Says " + mark).read_only().handle([mark] { return mark; });
    plugin.tool("ask")
        .describe("Asks, " + mark)
        .input<WordInput>()
        .handle([mark](const WordInput& in, Call& call) {
            const auto answer = call.ask(
                "word", patchbay::elicit_form("A word for " + mark + " and " + in.word + "?",
                                              {patchbay::text_field("word")}));
            // What was answered before goes along in the state.
            const auto sure = call.ask(
                "sure",
                patchbay::elicit_form("Sure, " + mark + "?", {patchbay::boolean_field("yes")}));
            if (!answer.accepted() || !sure.accepted()) return mark + " heard nothing";
            return mark + " heard " + answer.get<std::string>("word");
        });
    // As desk's tool waits, with the mark in what it tells meanwhile.
    plugin.tool("tell").describe("Tells, " + mark).handle([mark](Call& call) {
        call.log(patchbay::Level::error, mark);
        call.progress(1, mark);
        return mark;
    });
    plugin.tool("announce").describe("Changes, " + mark).handle([&plugin, mark] {
        plugin.tool("new").describe("New, " + mark).read_only().handle([mark] { return mark; });
        plugin.resource_updated("vault://note");
        return mark;
    });
    for (int i = 0; i < many; ++i)
        plugin.tool(numbered("many_", i)).describe(mark).read_only().handle([mark] {
            return mark;
        });
}

void add_others(patchbay::Plugin& plugin, const std::string& mark) {
    plugin.resource("vault://note").name("note").describe(mark).text(mark);
    for (int i = 0; i < many; ++i) {
        plugin.resource(numbered("vault://many/", i)).describe(mark).text(mark);
        plugin.prompt(numbered("many_", i)).describe(mark).get([mark](const patchbay::Variables&) {
            return mark;
        });
    }
    plugin.resource_template("vault://item/{id}")
        .name("item")
        .describe(mark)
        .complete("id", std::vector<std::string>{mark})
        .read([mark](const patchbay::Variables& in) { return mark + " has " + in.at("id"); });
    plugin.prompt("remember")
        .describe(mark)
        .argument("what", mark)
        .complete("what", std::vector<std::string>{mark})
        .get([mark](const patchbay::Variables& in) { return mark + ": " + in.at("what"); });
}

}  // namespace

PATCHBAY_PLUGIN("vault", "1.0.0", plugin) {
    const std::string mark = plugin.config_json().value("mark", "nobody's mark");
    plugin.instructions("Belongs to " + mark);
    plugin.subscriptions();
    add_tools(plugin, mark);
    add_others(plugin, mark);
}
