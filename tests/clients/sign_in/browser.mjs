// SPDX-License-Identifier: Apache-2.0
// A person's browser: headless Chromium, what it shows checked with axe-core and photographed, and
// what a person does on Patchbay's pages.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import axe from "axe-core";
import puppeteer from "puppeteer-core";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const WIDE = { width: 1000, height: 900 };
// 320 CSS pixels: what is left of a wide window at 400 %.
const NARROW = { width: 320, height: 640 };
export const LOOKS = [
    { name: "light", scheme: "light", viewport: WIDE },
    { name: "dark", scheme: "dark", viewport: WIDE },
    { name: "narrow", scheme: "light", viewport: NARROW },
    { name: "narrow-dark", scheme: "dark", viewport: NARROW },
];
// Above what a loaded machine needs; never a measure.
export const PATIENCE = 90_000;

export class Browser {
    // chromium: its program; out: the folder for pictures.
    static async start({ chromium, out }) {
        fs.mkdirSync(out, { recursive: true });
        const asRoot = process.getuid() === 0;
        const browser = await puppeteer.launch({
            executablePath: chromium,
            timeout: PATIENCE,
            protocolTimeout: PATIENCE,
            args: [
                ...(asRoot ? ["--no-sandbox"] : []), // Chromium has none for root
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
            ],
        });
        return new Browser(browser, out);
    }

    constructor(browser, out) {
        this.browser = browser;
        this.out = out;
    }

    // A tab with cookies of its own. `complaints`: what the browser found wrong with what it got.
    async tab() {
        const context = await this.browser.createBrowserContext();
        const page = await context.newPage();
        page.setDefaultTimeout(PATIENCE);
        page.complaints = [];
        page.on("console", (message) => {
            // What a client's own page does, or its icon when it has gone since, is none of ours.
            if (!/\/favicon\.ico$|\/callback\b/.test(message.location().url ?? ""))
                page.complaints.push(message.text());
        });
        page.on("pageerror", (error) => page.complaints.push(error.message));
        await look(page, LOOKS[0]);
        return page;
    }

    // What the tab shows, in each look: no violation, nothing cut off, a picture.
    async check(page, name) {
        for (const each of LOOKS) {
            await look(page, each);
            const file = path.join(this.out, `${name}-${each.name}.png`);
            await page.screenshot({ path: file, fullPage: true });
            assert.deepEqual(await violations(page), [], `${name}, ${each.name}`);
            const { seen, whole } = await page.evaluate(() => ({
                seen: document.documentElement.clientWidth,
                whole: document.documentElement.scrollWidth,
            }));
            assert.ok(whole <= seen, `${name}, ${each.name}: ${whole} px wide, ${seen} are seen`);
        }
        await look(page, LOOKS[0]);
        assert.deepEqual(page.complaints, [], name);
    }

    async stop() {
        await this.browser.close();
    }
}

async function look(page, { scheme, viewport }) {
    await page.setViewport(viewport);
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
}

// What axe-core finds, one line each. The page's policy stays in force: this goes past it.
export async function violations(page) {
    await page.evaluate(axe.source);
    const found = await page.evaluate(
        (rules) => globalThis.axe.run(document, { runOnly: { type: "tag", values: rules } }),
        RULES,
    );
    assert.ok(found.passes.length > 0, "axe-core looked at nothing");
    return found.violations.flatMap(({ id, help, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target}: ${failureSummary}`),
    );
}

// Presses what leads to another page, and is there.
export async function follow(page, press) {
    const [response] = await Promise.all([page.waitForNavigation(), press()]);
    return response;
}

// Handles to elements are not used: they break when a page has only just come.
export const click = (page, selector) => page.locator(selector).click();

// A property of the first element that matches.
export const ask = (page, selector, property) =>
    page.evaluate(
        (selector, property) => document.querySelector(selector)[property],
        selector,
        property,
    );

// What stands above the page.
export const heading = (page) => ask(page, "h1", "textContent");

export async function signIn(page, { login, password }) {
    await page.locator("#login").fill(login);
    await page.locator("#password").fill(password);
    return follow(page, () => click(page, "main form button"));
}

// choices: {field: [values that shall be ticked]}; a field that is absent stays as it is, and a
// group with single choices is unfolded first.
export async function choose(page, choices) {
    for (const [field, values] of Object.entries(choices)) {
        const all = `[name="${field}s_all"]:checked`;
        if (await page.evaluate((all) => document.querySelector(all) !== null, all))
            await click(page, all);
        const wrong = await page.evaluate(
            (field, values) =>
                [...document.querySelectorAll(`input[name="${field}"]:enabled`)]
                    .filter(({ checked, value }) => checked !== values.includes(value))
                    .map(({ id }) => id),
            field,
            values,
        );
        for (const id of wrong) await click(page, `#${id}`);
    }
}

export const decide = (page, decision) =>
    follow(page, () => click(page, `button[name="decision"][value="${decision}"]`));
