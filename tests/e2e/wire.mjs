// SPDX-License-Identifier: Apache-2.0
// The client's side of the wire: event streams that stay open, and bytes that no HTTP library sends.
import net from "node:net";
import { Inbox, within } from "../clients/report.mjs";
import { RawClient, RawModernClient } from "../clients/raw_client.mjs";

const clientInfo = { name: "e2e", version: "1.0.0" };

// The text of a tool's result. A call that failed, in either way that the protocol has, throws.
export const textOf = ({ result, error }) => {
    if (!result) throw new Error(`no result: ${JSON.stringify(error)}`);
    if (result.isError) throw new Error(`the call failed: ${JSON.stringify(result)}`);
    return result.content.map((block) => block.text).join("");
};

// A stream that is read as it comes: `messages` (an Inbox), and `ended` with "end" or the error.
export class EventStream {
    static async open(url, init) {
        const cancel = new AbortController();
        const answer = await fetch(url, { ...init, signal: cancel.signal });
        if (!answer.headers.get("content-type")?.startsWith("text/event-stream")) {
            throw new Error(`no stream: ${answer.status} ${await answer.text()}`);
        }
        return new EventStream(answer, cancel);
    }

    constructor(answer, cancel) {
        this.messages = new Inbox();
        this.cancel = cancel;
        this.ended = this.read(answer).then(
            () => "end",
            (error) => error,
        );
    }

    async read(answer) {
        let text = "";
        for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
            const events = (text + chunk).split(/\r?\n\r?\n/);
            text = events.pop();
            for (const event of events) {
                const data = event.match(/^data: ?(\S.*)$/m)?.[1];
                if (data) this.messages.add(JSON.parse(data));
            }
        }
    }

    // The notification of that method, from place `from` on.
    heard(method, from = 0) {
        return this.messages.next((message) => message.method === method, method, from);
    }

    answer(id) {
        return this.messages.next((message) => message.id === id && !message.method, "the answer");
    }

    close() {
        this.cancel.abort();
    }
}

export class Modern extends RawModernClient {
    async tools() {
        const { result } = await this.modern("tools/list");
        return result.tools.map(({ name }) => name).toSorted();
    }

    async tool(name, args = {}) {
        return textOf(await this.modern("tools/call", { name, arguments: args }));
    }

    // A request whose answer is a stream that is not waited for.
    open(method, params, meta = {}) {
        const request = this.request(method, {
            ...params,
            _meta: {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": clientInfo,
                "io.modelcontextprotocol/clientCapabilities": {},
                ...meta,
            },
        });
        const headers = {
            ...this.headers,
            "mcp-protocol-version": "2026-07-28",
            "mcp-method": method,
            ...(params.name && { "mcp-name": params.name }),
        };
        const opened = EventStream.open(this.url, {
            method: "POST",
            headers,
            body: JSON.stringify(request),
        });
        return opened.then((stream) => Object.assign(stream, { id: request.id }));
    }

    async listen() {
        const notifications = { toolsListChanged: true };
        const stream = await this.open("subscriptions/listen", { notifications });
        await stream.heard("notifications/subscriptions/acknowledged");
        return stream;
    }
}

export class Legacy extends RawClient {
    static async open(url, version = "2025-11-25", headers = {}) {
        const client = new Legacy(url, headers);
        await client.initialize(version);
        client.headers["mcp-protocol-version"] = version;
        return client;
    }

    async tools() {
        const { result } = await this.call("tools/list");
        return result.tools.map(({ name }) => name).toSorted();
    }

    async tool(name, args = {}) {
        return textOf(await this.call("tools/call", { name, arguments: args }));
    }

    // The session's stream.
    listen() {
        const headers = { ...this.headers, "mcp-session-id": this.session };
        delete headers["content-type"];
        return EventStream.open(this.url, { headers });
    }

    // A call whose answer is a stream that is not waited for.
    open(name, args) {
        const request = this.request("tools/call", {
            name,
            arguments: args,
            _meta: { progressToken: "e2e" },
        });
        const headers = { ...this.headers, "mcp-session-id": this.session };
        const opened = EventStream.open(this.url, {
            method: "POST",
            headers,
            body: JSON.stringify(request),
        });
        return opened.then((stream) => Object.assign(stream, { id: request.id }));
    }
}

// A TCP connection that keeps what it is told.
export class Socket {
    static async open(port, host = "127.0.0.1") {
        const socket = net.connect({ port, host, allowHalfOpen: true });
        const made = new Socket(socket);
        await within(new Promise((resolve) => socket.once("connect", resolve)), "connect");
        return made;
    }

    constructor(socket) {
        this.socket = socket;
        this.text = "";
        this.closed = new Promise((resolve) => {
            socket.on("end", resolve).on("close", resolve);
        });
        socket.on("error", () => {}); // a reset is an end like any other here
        socket.on("data", (data) => (this.text += data.toString("latin1")));
    }

    write(text) {
        return new Promise((resolve) => this.socket.write(text, resolve));
    }

    // The status of the first answer, once the other side has closed.
    async answered() {
        await within(this.closed, "the connection's end");
        this.socket.destroy();
        return Number(this.text.match(/^HTTP\/1\.1 (\d+)/)?.[1] ?? 0);
    }
}

export async function exchange(port, text) {
    const socket = await Socket.open(port);
    await socket.write(text);
    return { status: await socket.answered(), text: socket.text };
}
