// SPDX-License-Identifier: Apache-2.0
// How the pages look: light and dark, wide and narrow, with what the person's system prefers.
#include "oauth/pages_html.h"

namespace pb::oauth::pages {

const Html& style_sheet() {
    static const Html sheet = [] {
        Html out;
        out << R"css(
:root {
    color-scheme: light dark;
    --ground: #f3f4f6; --card: #ffffff; --text: #1b1f27; --quiet: #525b6b;
    --line: #8b93a1; --soft: #dde1e7; --accent: #1c54b8; --on-accent: #ffffff;
    --plain: #3a4250; --on-plain: #ffffff; --warn: #fff4d6; --warn-line: #8a5a00;
    --bad: #fdeaea; --bad-line: #b3201f; --focus: #0b57d0;
}
@media (prefers-color-scheme: dark) {
    :root {
        --ground: #12151b; --card: #1b2029; --text: #e8ebf0; --quiet: #aab3c2;
        --line: #7b8596; --soft: #333b48; --accent: #9cc0ff; --on-accent: #0c1930;
        --plain: #d3d9e3; --on-plain: #161b23; --warn: #332a12; --warn-line: #e0b04a;
        --bad: #3a1c1e; --bad-line: #ff9b96; --focus: #ffd166;
    }
}
a { color: var(--accent); }
* { box-sizing: border-box; }
body {
    margin: 0; padding: 2rem 1rem 3rem; background: var(--ground); color: var(--text);
    font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
    overflow-wrap: anywhere;
}
header, main { max-width: 36rem; margin: 0 auto; }
.brand { margin: 0 0 .75rem .25rem; font-weight: 600; color: var(--quiet); }
main {
    padding: 1.75rem 2rem 2rem; background: var(--card);
    border: 1px solid var(--soft); border-radius: 14px;
}
h1 { margin: 0 0 .75rem; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 0; font-size: 1.0625rem; }
p { margin: 0 0 1rem; }
.quiet, .detail { color: var(--quiet); font-size: .9375rem; }
.detail { white-space: pre-line; font-family: ui-monospace, monospace; font-size: .875rem; }
code { font-family: ui-monospace, monospace; font-size: .875em; }
.note { margin: 0 0 1.25rem; padding: .75rem 1rem; border-left: 5px solid; border-radius: 6px; }
.error { background: var(--bad); border-color: var(--bad-line); }
.warn { background: var(--warn); border-color: var(--warn-line); }
.facts { margin: 0 0 1.25rem; }
.facts dt { color: var(--quiet); font-size: .875rem; }
.facts dd { margin: 0 0 .75rem; }
.facts small, .choice small { display: block; color: var(--quiet); font-size: .875rem; }
.field { margin: 0 0 1.1rem; }
.field label { display: block; margin: 0 0 .3rem; font-weight: 600; }
.field input, select {
    width: 100%; min-height: 2.75rem; padding: .5rem .7rem; font: inherit; color: inherit;
    background: var(--card); border: 1px solid var(--line); border-radius: 8px;
}
fieldset {
    min-width: 0; margin: 0 0 1.25rem; padding: .5rem 1rem .75rem;
    border: 1px solid var(--line); border-radius: 10px;
}
legend { padding: 0 .4rem; font-weight: 600; }
.choice { display: flex; gap: .7rem; align-items: flex-start; padding: .4rem 0; }
.choice input {
    flex: none; width: 1.25rem; height: 1.25rem; margin: .15rem 0 0; accent-color: var(--accent);
}
.choice label { display: block; }
.cannot label { color: var(--quiet); }
.each { margin-left: .55rem; padding-left: 1rem; border-left: 2px solid var(--soft); }
fieldset:has(.all:checked) .each { display: none; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; }
button {
    width: 100%; min-height: 2.75rem; padding: .5rem 1rem; font: inherit; font-weight: 600;
    border: 1px solid transparent; border-radius: 8px; cursor: pointer;
    color: var(--on-accent); background: var(--accent);
}
button.plain { color: var(--on-plain); background: var(--plain); }
button.line { color: var(--text); background: transparent; border-color: var(--line); }
button:hover { filter: brightness(1.08); }
.row { display: grid; grid-template-columns: 1fr auto; gap: .75rem; align-items: end; }
.row button { width: auto; }
.grants { margin: 0; padding: 0; list-style: none; }
.grants li { padding: 1.25rem 0; border-top: 1px solid var(--soft); }
.leave { padding-top: 1.25rem; border-top: 1px solid var(--soft); }
.grants .facts { margin: .5rem 0 .25rem; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
[hidden] { display: none !important; }
@media (max-width: 30rem) {
    body { padding: 1rem .5rem 2rem; }
    main { padding: 1.25rem 1rem 1.5rem; }
    .row { grid-template-columns: 1fr; }
    .row button { width: 100%; }
}
)css";
        return out;
    }();
    return sheet;
}

}  // namespace pb::oauth::pages
