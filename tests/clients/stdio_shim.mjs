// SPDX-License-Identifier: Apache-2.0
// Stands between a client and a stdio server and records every line:
//
//   node stdio_shim.mjs CAPTURE.jsonl COMMAND [ARGUMENT...]
//
// Bytes pass unchanged; signals and the end of input pass too; the exit code is the server's.
import { spawn } from "node:child_process";
import fs from "node:fs";

const [capture, command, ...args] = process.argv.slice(2);
// Appended line by line, since a client that probes starts two servers on one file.
const file = fs.openSync(capture, "a");
const note = (entry) =>
    fs.writeSync(file, JSON.stringify({ connection: process.pid, ...entry }) + "\n");

const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });

function relay(source, sink, from) {
    let rest = Buffer.alloc(0);
    source.on("data", (chunk) => {
        rest = Buffer.concat([rest, chunk]);
        for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
            note({ from, text: rest.subarray(0, end).toString() });
            rest = rest.subarray(end + 1);
        }
        sink.write(chunk);
    });
    source.on("end", () => {
        if (rest.length > 0) note({ from, text: rest.toString() });
        if (from === "client") sink.end();
    });
    sink.on("error", () => {}); // the other side has gone; its end is seen elsewhere
}

relay(process.stdin, child.stdin, "client");
relay(child.stdout, process.stdout, "server");
relay(child.stderr, process.stderr, "stderr");
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => child.kill(signal));

child.on("error", (error) => {
    note({ from: "exit", exit: { code: null, signal: null, error: error.message } });
    process.exit(127);
});
child.on("close", (code, signal) => {
    note({ from: "exit", exit: { code, signal } });
    process.exit(code ?? 1);
});
