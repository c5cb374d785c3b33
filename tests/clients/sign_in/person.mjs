// SPDX-License-Identifier: Apache-2.0
// A person with a browser at a running host: follows a client's link, signs in where that is asked,
// decides, and is back at the client. Each page that comes up is checked and photographed.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { choose, click, follow, heading, PATIENCE, signIn } from "./browser.mjs";

export class Person {
    // who: {login, password}; name: how the pictures begin.
    static async at(browser, who, name) {
        const person = new Person();
        Object.assign(person, { browser, who, name, page: await browser.tab() });
        person.seen = []; // the headings of the pages, in their order
        return person;
    }

    async look(name) {
        this.seen.push(await heading(this.page));
        await this.browser.check(this.page, `${this.name}-${name}`);
    }

    // Follows a client's link; the answer is the query with which the person came back to it.
    // choices: as choose() takes them; wrongFirst: with a wrong password before the right one.
    async authorize(url, callback, { choices = {}, decision = "allow", wrongFirst = false } = {}) {
        const { page } = this;
        await page.goto(String(url));
        if ((await heading(page)) === "Sign in") {
            await this.look("sign_in");
            if (wrongFirst) {
                await signIn(page, { ...this.who, password: "not this one" });
                // Chromium's own remark on the status of the answer.
                page.complaints = page.complaints.filter((text) => !/status of 403/.test(text));
                await this.look("sign_in_wrong");
            }
            await signIn(page, this.who);
        }
        await this.look("consent");
        await choose(page, choices);
        await click(page, `button[name="decision"][value="${decision}"]`);
        return this.back(callback);
    }

    // Waits until the browser is at the client again, by however many ways.
    async back(callback) {
        const { page } = this;
        const until = Date.now() + PATIENCE;
        while (!page.url().startsWith(`${callback}?`)) {
            assert.ok(Date.now() < until, `stays at ${page.url()}: ${page.complaints.join()}`);
            await sleep(20);
        }
        page.complaints = []; // about the client's own page
        return new URL(page.url()).searchParams;
    }

    // Ends every access on the page that lists them; the answer is how many there were.
    async endAccess(url) {
        const { page } = this;
        await page.goto(url);
        await this.look("grants");
        for (let count = 0; ; ++count) {
            const more = await page.evaluate(() => document.querySelector("input[name=grant]"));
            if (!more) return count;
            await follow(page, () => click(page, "form:has(input[name=grant]) button"));
        }
    }
}
