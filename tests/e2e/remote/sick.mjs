// SPDX-License-Identifier: Apache-2.0
// What a remote server may do instead of answering: each is a `misbehave` of an Upstream.
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

const json = { "content-type": "application/json" };
const events = { "content-type": "text/event-stream" };
const mebibyte = Buffer.alloc(1 << 20, "a");

// Writes until it is enough, or nobody listens any more; never faster than it is read.
async function pour(answer, chunk, times = Infinity, pause = 0) {
    const closed = once(answer, "close");
    for (let i = 0; i < times && !answer.destroyed; ++i) {
        if (!answer.write(chunk)) await Promise.race([once(answer, "drain"), closed]);
        if (pause) await sleep(pause);
    }
    answer.end();
}

const say = (answer, body, headers = json) => answer.writeHead(200, headers).end(body);
const result = (id, value) => `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${value}}`;

// Each says what the reason that administrators read must hold.
export const garbage = {
    no_json: {
        act: (request, answer) => say(answer, "<html>Welcome to nginx!</html>"),
        reason: /not sound JSON/,
    },
    no_answer: {
        act: (request, answer) => say(answer, '{"hello":"world"}'),
        reason: /no answer/,
    },
    truncated: {
        act: (request, answer) => {
            answer.writeHead(200, { ...json, "content-length": "1000" });
            answer.write('{"jsonrpc":', () => answer.destroy());
        },
        reason: /ended before the answer/,
    },
    no_http: {
        act: (request) => request.socket.end("SSH-2.0-OpenSSH_9.2p1\r\n"),
        reason: /not HTTP/,
    },
    long_header: {
        act: (request) =>
            request.socket.end(`HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(4 << 20)}\r\n\r\n`),
        reason: /header is/,
    },
    huge: {
        act: (request, answer, { id }) => {
            answer.writeHead(200, json);
            answer.write(`{"jsonrpc":"2.0","id":${id},"result":{"a":"`);
            pour(answer, mebibyte, 100);
        },
        reason: /over 16777216 bytes/,
    },
    huge_event: {
        act: (request, answer) => {
            answer.writeHead(200, events);
            answer.write("data: ");
            pour(answer, mebibyte, 100);
        },
        reason: /over 16777216 bytes|more than/,
    },
    flood: {
        act: (request, answer) =>
            pour(answer.writeHead(200, events), ":".padEnd(65_534, "a") + "\n\n"),
        reason: /over 16777216 bytes|more than/,
    },
    nested: {
        act: (request, answer, { id }) => say(answer, result(id, "[".repeat(1_000_000))),
        reason: /not sound JSON/,
    },
    nested_well: {
        act: (request, answer, { id }) =>
            say(answer, result(id, `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)),
        reason: /not sound JSON/,
    },
    other_id: {
        act: (request, answer, { id }) => say(answer, result(id + 1, "{}")),
        reason: /no answer/,
    },
    no_id: {
        act: (request, answer) => say(answer, result("you", "{}")),
        reason: /no answer/,
    },
    other_id_event: {
        act: (request, answer, { id }) => say(answer, `data: ${result(id - 1, "{}")}\n\n`, events),
        reason: /ended without the answer/,
    },
};

// To a place that must never be asked.
export const redirecting = (to) => (request, answer) =>
    void answer.writeHead(307, { location: to, ...json }).end();

// True of what stands for "dealt with".
export const does =
    (act) =>
    (...all) => {
        act(...all);
        return true;
    };

// A stream in which nothing ever comes but signs of life, until the other side has had enough, or
// the server is cured.
export class Endlessness {
    constructor(upstream) {
        const open = new Set();
        upstream.misbehave = does((request, answer) => {
            open.add(answer.on("close", () => open.delete(answer)));
            pour(answer.writeHead(200, events), ": still there\n\n", Infinity, 50);
        });
        this.cure = () => {
            upstream.misbehave = null;
            for (const answer of open) answer.destroy();
        };
    }
}

// Answers everything, late; cure() answers what waits.
export class Slowness {
    constructor(upstream, time) {
        const waiting = new Set();
        upstream.misbehave = (request, answer, message) => {
            const serve = () => {
                clearTimeout(timer);
                waiting.delete(serve);
                if (answer.destroyed) return;
                if (upstream.era === "modern") upstream.serveModern(request, answer, message);
                else upstream.serveLegacy(request, answer, message);
            };
            const timer = setTimeout(serve, time);
            waiting.add(serve);
            return true;
        };
        this.cure = () => {
            upstream.misbehave = null;
            for (const serve of [...waiting]) serve();
        };
    }
}
