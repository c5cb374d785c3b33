// SPDX-License-Identifier: Apache-2.0
// The page on which a person decides what a client gets.
#include <algorithm>

#include "oauth/pages.h"
#include "oauth/pages_html.h"

namespace pb::oauth::pages {
namespace {

const std::string& name_of(const Consent& asked) {
    return asked.client_name.empty() ? asked.client_id : asked.client_name;
}

// One group of choices: its field, and the words around it.
struct Group {
    std::string_view field, legend, all;
    const std::vector<Choice>& choices;
    bool all_offered;
};

Html tick_box(std::string_view id, std::string_view look, const Html& attributes,
              std::string_view title, std::string_view text) {
    Html out;
    out << R"(<div class=")" << look << R"("><input type="checkbox" id=")" << id << "\"";
    if (!text.empty()) out << R"( aria-describedby=")" << id << R"(-text")";
    out << attributes << R"(><div><label for=")" << id << "\">" << title << "</label>";
    if (!text.empty()) out << R"(<small id=")" << id << R"(-text">)" << text << "</small>";
    return out << "</div></div>\n";
}

Html choice_box(std::string_view field, std::size_t number, const Choice& choice) {
    Html attributes;
    attributes << R"( name=")" << field << R"(" value=")" << choice.value << "\"";
    if (!choice.can) attributes << " disabled";
    if (choice.can && choice.ticked) attributes << " checked";
    return tick_box(std::string(field) + "-" + std::to_string(number),
                    choice.can ? "choice" : "choice cannot", attributes, choice.title, choice.text);
}

bool everything_ticked(const std::vector<Choice>& choices) {
    return std::all_of(choices.begin(), choices.end(),
                       [](const Choice& each) { return each.ticked || !each.can; }) &&
           std::any_of(choices.begin(), choices.end(), [](const Choice& each) { return each.can; });
}

Html group_of(const Group& group) {
    Html out;
    if (group.choices.empty()) return out;
    out << "<fieldset>\n<legend>" << group.legend << "</legend>\n";
    if (group.all_offered) {
        out << hidden(std::string(group.field) + "s_shown", "on");
        Html attributes;
        attributes << R"( class="all" name=")" << group.field << R"(s_all" value="on")";
        if (everything_ticked(group.choices)) attributes << " checked";
        out << tick_box(std::string(group.field) + "s_all", "choice", attributes, group.all,
                        "Without this, you choose single ones.")
            << "<div class=\"each\">\n";
    }
    std::size_t number = 0;
    for (const Choice& choice : group.choices) {
        out << choice_box(group.field, ++number, choice);
    }
    if (group.all_offered) out << "</div>\n";
    return out << "</fieldset>\n";
}

// Where the person will be afterwards, in words that cannot be mistaken.
Html way_back(const Consent& asked) {
    Html out;
    const std::string_view uri = asked.redirect_uri;
    const auto scheme = uri.substr(0, uri.find(':'));
    if (asked.loopback) {
        out << "<strong>a program on your computer</strong> (" << asked.redirect_host << ")";
    } else if (scheme == "https" || scheme == "http" || uri.empty()) {
        out << "<strong>" << asked.redirect_host << "</strong>";
    } else {
        out << "<strong>the app on your device that opens <code>" << scheme
            << ":</code> links</strong>";
    }
    return out << "<small><code>" << uri << "</code></small>";
}

Html facts(const Consent& asked) {
    Html out;
    out << "<dl class=\"facts\">\n<dt>Who asks</dt>\n<dd><strong><bdi>" << name_of(asked)
        << "</bdi></strong>";
    if (!asked.client_uri.empty() && asked.client_uri != asked.client_id)
        out << "<small>Its website, as it says: " << asked.client_uri << "</small>";
    out << "<small>Its ID: <code>" << asked.client_id << "</code></small></dd>\n"
        << "<dt>Sends you back to</dt>\n<dd>" << way_back(asked) << "</dd>\n"
        << "<dt>You are signed in as</dt>\n<dd><bdi>" << asked.person << "</bdi></dd>\n";
    if (asked.orgs.size() <= 1) {
        const bool titled = asked.orgs.size() == 1 && !asked.orgs[0].second.empty();
        out << "<dt>Organisation</dt>\n<dd><bdi>" << (titled ? asked.orgs[0].second : asked.org)
            << "</bdi></dd>\n";
    }
    return out << "</dl>\n";
}

// The choices differ from organisation to organisation: another one is a page of its own.
Html org_choice(const Consent& asked) {
    if (asked.orgs.size() <= 1)
        return hidden("org", asked.orgs.empty() ? asked.org : asked.orgs[0].first);
    Html out;
    out << "<div class=\"field\"><label for=\"org\">Organisation</label>\n"
           "<div class=\"row\"><select id=\"org\" name=\"org\" aria-describedby=\"org-text\">\n";
    for (const auto& [value, title] : asked.orgs) {
        out << R"(<option value=")" << value << "\"";
        if (value == asked.org) out << " selected";
        out << ">" << (title.empty() ? value : title) << "</option>\n";
    }
    return out
           << "</select>\n<button type=\"submit\" class=\"line\" name=\"decision\" "
              "value=\"org\">Show its choices</button></div>\n"
              "<p class=\"quiet\" id=\"org-text\">Access is given in one organisation. Each has "
              "its own choices.</p></div>\n";
}

}  // namespace

Page consent(const Consent& asked) {
    Html main;
    main << "<h1>Give <bdi>" << name_of(asked) << "</bdi> access?</h1>\n"
         << error_note(asked.error);
    if (asked.self_described)
        main << "<div class=\"note warn\"><strong>Not verified.</strong> This client described "
                "itself; nobody here vouches for its name. Allow it only if you have just started "
                "this yourself and know where it sends you back to.</div>\n";
    // The first button is the one that Enter presses in a tick box. This one does nothing: it
    // closes a dialog that is not there.
    main << facts(asked) << R"(<form method="post" action=")" << asked.action << "\">\n"
         << "<button type=\"submit\" formmethod=\"dialog\" hidden></button>\n"
         << hidden("request", asked.request_id) << hidden("csrf", asked.csrf) << org_choice(asked)
         << group_of({"level", "What it may do", "", asked.levels, false})
         << group_of({"action", "With which capabilities", "All of them, also those added later",
                      asked.actions, asked.actions_all})
         << group_of({"source", "From which sources", "All of them, also those added later",
                      asked.sources, asked.sources_all})
         << group_of({"object", "On which types of objects", "All of them, also those added later",
                      asked.objects, asked.objects_all})
         << "<p class=\"quiet\">What is not ticked is not given. You can end this access at any "
            "time.</p>\n<div class=\"pair\">\n"
            "<button type=\"submit\" class=\"plain\" name=\"decision\" value=\"deny\">Deny</button>"
            "\n<button type=\"submit\" name=\"decision\" value=\"allow\">Allow</button>\n"
            "</div>\n</form>\n";
    const std::string title = "Give " + name_of(asked) + " access?";
    return {whole_page(asked.error.empty() ? title : "Error: " + title, main), ""};
}

}  // namespace pb::oauth::pages
