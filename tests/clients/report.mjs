// SPDX-License-Identifier: Apache-2.0
// What every script prints: one line a check, a total at the end, the exit code.
import assert from "node:assert/strict";

// A wait longer than this is a hang: far above what a loaded machine needs, so never a measure.
const patience = 120_000;

export class Report {
    constructor(title) {
        this.title = title;
        this.passed = 0;
        this.failed = 0;
        this.patience = patience;
    }

    // Runs one check. Its failure is counted and does not end the script. True if it passed.
    async check(name, body) {
        try {
            await within(Promise.resolve().then(body), name, this.patience);
            this.passed++;
            console.log(`ok      ${this.title}: ${name}`);
            return true;
        } catch (error) {
            this.failed++;
            console.log(`FAILED  ${this.title}: ${name}: ${error?.message ?? error}`);
            if (process.env.PATCHBAY_TEST_TRACE) console.log(error?.stack);
            return false;
        }
    }

    // Prints the total and ends the process.
    finish() {
        console.log(`${this.title}: ${this.passed} passed, ${this.failed} failed`);
        process.exit(this.failed === 0 && this.passed > 0 ? 0 : 1);
    }
}

// `promise`, or an error that names what was waited for.
export function within(promise, what, time = patience) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no end of: ${what}`)), time);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// A list that one side adds to and the other waits on.
export class Inbox {
    constructor() {
        this.items = [];
        this.waiters = new Set();
    }

    add(item) {
        this.items.push(item);
        for (const waiter of [...this.waiters]) waiter();
    }

    // The first item from place `from` on for which `matches` holds, now or later.
    next(matches, what, from = 0) {
        let waiter;
        const found = new Promise((resolve) => {
            waiter = () => {
                const item = this.items.slice(from).find(matches);
                if (item !== undefined) resolve(item);
            };
            this.waiters.add(waiter);
            waiter();
        });
        return within(found, what).finally(() => this.waiters.delete(waiter));
    }
}

// --name value --flag ... as an object; values that are absent become true.
export function parseArguments(list = process.argv.slice(2)) {
    const result = {};
    for (let i = 0; i < list.length; i++) {
        assert.match(list[i], /^--/, `expected an option, got ${list[i]}`);
        const name = list[i].slice(2);
        result[name] = i + 1 < list.length && !list[i + 1].startsWith("--") ? list[++i] : true;
    }
    return result;
}
