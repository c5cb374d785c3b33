// SPDX-License-Identifier: Apache-2.0
// The era checker: reads a capture of what a client and a server exchanged and lists everything that
// does not belong to the protocol version in which it was said.
import { checkHttp } from "./era_http.mjs";
import { checkStdio } from "./era_stdio.mjs";

// capture: {exchanges, connections} as capture.mjs records them; either may be absent.
// Returns {problems: [{where, text, level}], stats: {modern, legacy}}; level is "must" or "should",
// as the specification says it, and stats counts the client's messages in each era.
export function checkEras(capture) {
    const stats = { modern: 0, legacy: 0 };
    const problems = [];
    checkHttp(
        capture.exchanges ?? [],
        (exchange, text, level) => {
            problems.push({ where: describeExchange(exchange), text, level });
        },
        stats,
    );
    checkStdio(
        capture.connections ?? [],
        (line, text, level) => {
            problems.push({ where: describeLine(line), text, level });
        },
        stats,
    );
    return { problems, stats };
}

function describeExchange(exchange) {
    let what = "";
    try {
        const body = JSON.parse(exchange.requestBody);
        what = [body]
            .flat()
            .map((m) => m.method ?? "response")
            .join(",");
        const name = body.params?.name ?? body.params?.uri;
        if (name) what += ` ${name}`;
    } catch {
        what = exchange.requestBody ? "unreadable body" : "";
    }
    return `#${exchange.n} ${exchange.method} ${what}`.trim() + ` -> ${exchange.status}`;
}

function describeLine(line) {
    const message = [line.message].flat()[0];
    return (
        `line ${line.n} from the ${line.from}: ` +
        (message?.method ?? (message && "id" in message ? `answer ${message.id}` : "no message"))
    );
}
