// SPDX-License-Identifier: Apache-2.0
// The pages in headless Chromium: nothing that axe-core would complain about in any look, usable by
// keyboard alone and without script, kept from frames; their forms lead back to the client only.
//
//   pages.mjs --chromium PROGRAM --pages build/tests/clients/sign-in-pages --out DIR
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import http from "node:http";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArguments, within } from "../report.mjs";
import {
    ask,
    Browser,
    choose,
    click,
    decide,
    follow,
    heading,
    violations,
} from "./browser.mjs";

const options = parseArguments();
const PAGES = ["sign_in", "sign_in_wrong", "consent", "consent_full", "consent_long"];
PAGES.push("grants", "grants_none", "message");

let browser;
let server; // the program with the pages
let origin;
let client; // to which the person is sent back
let callback;
const asked = []; // of the client: {path, headers}

before(async () => {
    server = spawn(options.pages, { stdio: ["pipe", "pipe", "inherit"] });
    const port = await within(
        new Promise((resolve, reject) => {
            server.stdout.once("data", resolve);
            server.once("error", reject);
            server.once("exit", () => reject(new Error("the pages' program has ended")));
        }),
        "the start of the pages' program",
    );
    origin = `http://127.0.0.1:${Number(port)}`;
    client = http.createServer((request, response) => {
        asked.push({ path: request.url, headers: request.headers });
        if (request.url.startsWith("/callback/further")) {
            response.writeHead(302, { Location: `${elsewhere()}/done` }).end();
            return;
        }
        response.setHeader("Content-Type", "text/html");
        response.end(`<title>back</title>${frames(request.url)}`);
    });
    await new Promise((resolve) => client.listen(0, "127.0.0.1", resolve));
    callback = `http://127.0.0.1:${client.address().port}/callback`;
    browser = await Browser.start(options);
});

after(async () => {
    await browser?.stop();
    client?.closeAllConnections();
    client?.close();
    server?.kill("SIGKILL");
});

// A page of somebody else that puts one of ours into a frame.
const frames = (url) =>
    url.startsWith("/frame") ? `<iframe src="${origin}/sign_in"></iframe>` : "";

async function open(name, redirect = callback) {
    const page = await browser.tab();
    const response = await page.goto(`${origin}/${name}?${redirect}`);
    assert.equal(response.status(), 200);
    return page;
}

// The form that came back with the person.
const returned = (page) => {
    const url = new URL(page.url());
    assert.equal(url.origin + url.pathname, callback);
    return [...url.searchParams].map(([name, value]) => `${name}=${value}`);
};

// The same program by another name: another origin.
const elsewhere = () => callback.replace("127.0.0.1", "localhost");

const focus = (page, selector) =>
    page.evaluate((selector) => document.querySelector(selector).focus(), selector);

// Waits until the browser complains about something.
const complaint = (page, text) =>
    within(
        new Promise((resolve) => {
            page.on("console", (message) => text.test(message.text()) && resolve());
        }),
        `a complaint about ${text}`,
    );

// Waits until one can type into this.
async function focused(page, id) {
    const until = Date.now() + 60_000;
    while ((await page.evaluate(() => document.activeElement.id)) !== id) {
        assert.ok(Date.now() < until, `${id} has no focus`);
        await sleep(20);
    }
}

// The element that has the focus.
const active = (page) =>
    page.evaluate(() => {
        const element = document.activeElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        const name = element.value || element.id || element.textContent;
        return {
            name: `${element.localName} ${element.localName === "select" ? element.id : name}`,
            shown: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
        };
    });

// Where the Tab key leads, from the top of the page to its end.
async function tabStops(page) {
    const stops = [];
    for (;;) {
        await page.keyboard.press("Tab");
        const again = await page.evaluate(() => {
            const element = document.activeElement;
            const again = element === document.body || element.dataset.seen === "yes";
            element.dataset.seen = "yes";
            return again;
        });
        if (again) return stops;
        const { name, shown } = await active(page);
        assert.ok(shown, `one does not see that ${name} has the focus`);
        stops.push(name);
    }
}

for (const name of PAGES) {
    test(`${name}: no violation in any look`, async () => {
        const page = await open(name);
        await browser.check(page, name);
        // Also what is folded away.
        const folded = await page.evaluate(() => {
            const all = [...document.querySelectorAll(".all:checked")];
            for (const each of all) each.click();
            return all.length;
        });
        if (folded > 0) await browser.check(page, `${name}-unfolded`);
    });
}

test("a violation would be seen", async () => {
    const page = await open("consent");
    await page.evaluate(() => document.querySelector("label").remove());
    assert.match((await violations(page)).join(), /label/);
});

test("signing in sends what was typed, without script", async () => {
    const page = await open("sign_in");
    await page.setJavaScriptEnabled(false);
    await page.reload();
    await focused(page, "login");
    await page.keyboard.type("ada@example.com");
    await page.keyboard.press("Tab");
    await page.keyboard.type('a&b="ü"');
    await follow(page, () => page.keyboard.press("Enter"));
    assert.deepEqual(returned(page), [
        "request=r1",
        "csrf=c1",
        "login=ada@example.com",
        'password=a&b="ü"',
    ]);
});

test("after a wrong password the focus is in its field, which the error describes", async () => {
    const page = await open("sign_in_wrong");
    await focused(page, "password");
    assert.match(await ask(page, "#error[role=alert]", "textContent"), /wrong/);
    assert.equal(await ask(page, "#password[aria-describedby=error]", "value"), "");
    assert.equal(await ask(page, "#login", "value"), "ada@example.com");
    await page.keyboard.type("second try");
    await follow(page, () => page.keyboard.press("Enter"));
    assert.equal(returned(page).at(-1), "password=second try");
});

test("what is ticked is sent, and nothing else", async () => {
    let page = await open("consent");
    await decide(page, "allow");
    assert.deepEqual(returned(page), [
        "request=r1",
        "csrf=c1",
        "org=blue",
        "level=mcp:read",
        "level=mcp:write",
        "actions_shown=on",
        "actions_all=on",
        "action=action:crm",
        "action=action:mail",
        "decision=allow",
    ]);
    page = await open("consent_full");
    await choose(page, { level: ["mcp:read"], action: ["action:mail"], source: ["source:live"] });
    await page.select("#org", "red");
    await decide(page, "deny");
    assert.deepEqual(returned(page), [
        "request=r1",
        "csrf=c1",
        "org=red",
        "level=mcp:read",
        "actions_shown=on",
        "action=action:mail",
        "sources_shown=on",
        "source=source:live",
        "objects_shown=on",
        "objects_all=on",
        "object=object:note",
        "decision=deny",
    ]);
});

test("the single ones are seen when not all are meant", async () => {
    const page = await open("consent");
    const seen = () => 
        page.evaluate(() => document.querySelector("#action-1").checkVisibility());
    assert.equal(await seen(), false);
    await click(page, "label[for=actions_all]");
    assert.equal(await seen(), true);
    await click(page, "#actions_all");
    assert.equal(await seen(), false);
});

test("everything is reached by Tab, in the order in which it is read", async () => {
    let page = await open("consent_full");
    assert.deepEqual(await tabStops(page), [
        ...["select org", "button org", "input mcp:read", "input mcp:write"],
        ...["input on", "input on", "input source:archive", "input source:live", "input on"],
        ...["button deny", "button allow"],
    ]);
    page = await open("sign_in");
    await focused(page, "login");
    const stops = await tabStops(page);
    assert.deepEqual(stops.slice(0, 2), ["input password", "button Sign in"]);
});

test("Enter in a tick box decides nothing; on a button it does", async () => {
    const page = await open("consent");
    await focus(page, "#level-2");
    const returns = asked.filter(({ path }) => path.startsWith("/callback?")).length;
    await page.keyboard.press("Enter");
    await page.keyboard.press("Space");
    assert.equal(await ask(page, "#level-2", "checked"), false);
    assert.match(await heading(page), /access\?/);
    await focus(page, "button[value=deny]");
    await follow(page, () => page.keyboard.press("Enter"));
    assert.equal(returned(page).at(-1), "decision=deny");
    assert.ok(!returned(page).includes("level=mcp:write"), "it was unticked after the first Enter");
    assert.equal(asked.filter(({ path }) => path.startsWith("/callback?")).length, returns + 1);
});

test("both decisions are of equal reach", async () => {
    const page = await open("consent");
    const [deny, allow] = await page.evaluate(() =>
        [...document.querySelectorAll(".pair button")].map((button) => {
            const { width, height, top } = button.getBoundingClientRect();
            return { width, height, top };
        }),
    );
    assert.deepEqual(deny, allow);
});

test("nobody learns from where the person comes", async () => {
    const page = await open("consent");
    await decide(page, "allow");
    const { headers } = asked.findLast(({ path }) => path.startsWith("/callback?"));
    assert.equal(headers.referer, undefined);
});

test("a form leads nowhere but here and to the client", async () => {
    const page = await open("consent");
    const before = asked.length;
    const refused = complaint(page, /form-action/);
    // The host answers with another place than the one that the page was made for.
    await page.evaluate((to) => (document.forms[0].action = to), `/consent?${elsewhere()}`);
    await click(page, "button[value=allow]");
    await refused;
    assert.equal(asked.length, before);
});

test("by the page between, the client may lead the person further", async () => {
    const further = `${callback}/further`;
    let page = await open("onward", further);
    await Promise.all([
        page.waitForResponse((response) => response.url() === `${elsewhere()}/done`),
        click(page, "button[value=allow]"),
    ]);
    // This is what it is there for.
    page = await open("consent", further);
    const refused = complaint(page, /form-action/);
    await click(page, "button[value=allow]");
    await refused;
});

test("an app's own scheme can be led to", async () => {
    const page = await open("consent", "com.example.app:/callback");
    const session = await page.createCDPSession();
    await session.send("Network.enable");
    const led = new Promise((resolve) =>
        session.on("Network.requestWillBeSent", ({ request }) => {
            if (request.url.startsWith("com.example.app:/callback?")) resolve();
        }),
    );
    await click(page, "button[value=allow]");
    await within(led, "the way to the app");
    assert.doesNotMatch(page.complaints.join(), /form-action/);
});

test("no page stands in a frame", async () => {
    const page = await browser.tab();
    await page.goto(callback.replace("/callback", "/frame"));
    assert.equal(page.frames().length, 2);
    assert.ok(!page.frames()[1].url().startsWith(origin), page.frames()[1].url());
    assert.match(page.complaints.join(), /frame-ancestors/);
});
