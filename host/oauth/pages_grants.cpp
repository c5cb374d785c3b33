// SPDX-License-Identifier: Apache-2.0
// The page on which a person sees what they have granted, and ends it.
#include <algorithm>

#include "oauth/pages.h"
#include "oauth/pages_html.h"

namespace pb::oauth::pages {
namespace {

Html scope_list(std::string_view scopes) {
    Html out;
    while (!scopes.empty()) {
        const auto end = std::min(scopes.find(' '), scopes.size());
        if (end > 0)
            out << (out.empty() ? "" : " ") << "<code>" << scopes.substr(0, end) << "</code>";
        scopes.remove_prefix(std::min(end + 1, scopes.size()));
    }
    if (out.empty()) out << "nothing";
    return out;
}

Html line_of(const Grants& shown, const GrantLine& grant) {
    Html out;
    out << "<li>\n<h2><bdi>" << grant.client_name << "</bdi></h2>\n<dl class=\"facts\">\n"
        << "<dt>Organisation</dt>\n<dd><bdi>" << grant.org << "</bdi></dd>\n"
        << "<dt>May use</dt>\n<dd>" << scope_list(grant.scopes) << "</dd>\n"
        << "<dt>Given</dt>\n<dd>" << grant.created << "</dd>\n<dt>Last used</dt>\n<dd>"
        << std::string_view(grant.used.empty() ? "never" : grant.used) << "</dd>\n</dl>\n"
        << R"(<form method="post" action=")" << shown.action << "\">\n"
        << hidden("csrf", shown.csrf) << hidden("grant", grant.id)
        << "<button type=\"submit\" class=\"line\">End this access<span class=\"unseen\"> of "
        << grant.client_name << " in " << grant.org << "</span></button>\n</form>\n</li>\n";
    return out;
}

}  // namespace

Page grants(const Grants& shown) {
    Html main;
    main << "<h1>Who has access</h1>\n<p>You, <strong><bdi>" << shown.person
         << "</bdi></strong>, have let these programs use Patchbay for you.</p>\n";
    if (shown.grants.empty()) {
        main << "<p>None at the moment.</p>\n";
    } else {
        main << "<ul class=\"grants\">\n";
        for (const GrantLine& grant : shown.grants) {
            main << line_of(shown, grant);
        }
        main << "</ul>\n";
    }
    if (!shown.sign_out.empty())
        main << R"(<form class="leave" method="post" action=")" << shown.sign_out << "\">\n"
             << hidden("csrf", shown.csrf)
             << "<button type=\"submit\" class=\"plain\">Sign out</button>\n</form>\n";
    return {whole_page("Who has access", main), ""};
}

}  // namespace pb::oauth::pages
