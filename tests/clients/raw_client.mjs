// SPDX-License-Identifier: Apache-2.0
// A client that is nothing but fetch(), to send what no library sends, or in an order of its own.

export class RawClient {
    // headers: sent with every request, over the usual ones; null leaves a usual one out.
    constructor(url, headers = {}) {
        this.url = url;
        this.headers = {
            "content-type": "application/json",
            accept: "application/json, text/event-stream",
            ...headers,
        };
        this.lastId = 0;
    }

    request(method, params) {
        return { jsonrpc: "2.0", id: ++this.lastId, method, ...(params && { params }) };
    }

    // Sends anything. onRequest(message) answers what the server asks on the stream.
    // Returns {status, headers, text, messages}: all messages of the answer, in order.
    async send(body, { headers = {}, onRequest, method = "POST", path, signal } = {}) {
        const all = { ...this.headers, ...headers };
        if (this.session && !("mcp-session-id" in headers)) all["mcp-session-id"] = this.session;
        for (const name of Object.keys(all)) if (all[name] === null) delete all[name];
        const answer = await fetch(path ? new URL(path, this.url) : this.url, {
            method,
            headers: all,
            signal,
            ...(body !== undefined && {
                body: typeof body === "string" ? body : JSON.stringify(body),
            }),
        });
        const result = { status: answer.status, headers: answer.headers, text: "", messages: [] };
        if (answer.headers.get("content-type")?.startsWith("text/event-stream")) {
            await this.readStream(answer, result, onRequest);
        } else {
            result.text = await answer.text();
            if (result.text.startsWith("{") || result.text.startsWith("[")) {
                result.messages = [JSON.parse(result.text)].flat();
            }
        }
        return result;
    }

    async readStream(answer, result, onRequest) {
        for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
            result.text += chunk;
            const events = result.text.split(/\r?\n\r?\n/);
            result.text = events.pop();
            for (const event of events) {
                const data = event
                    .split(/\r?\n/)
                    .filter((line) => line.startsWith("data:"))
                    .map((line) => line.slice(5).trimStart())
                    .join("\n");
                if (data === "") continue;
                for (const message of [JSON.parse(data)].flat()) {
                    result.messages.push(message);
                    if ("method" in message && "id" in message)
                        await this.answer(message, onRequest);
                }
            }
        }
    }

    async answer(message, onRequest) {
        const result = await onRequest(message);
        const sent = await this.send({ jsonrpc: "2.0", id: message.id, result });
        if (sent.status !== 202) throw new Error(`an answer was received with ${sent.status}`);
    }

    // One request; returns its response (with result or error) and the whole answer in `answer`.
    async call(method, params, options) {
        const request = this.request(method, params);
        const answer = await this.send(request, options);
        const response = answer.messages.find((m) => m.id === request.id && !("method" in m));
        return { ...response, answer };
    }

    async initialize(version, capabilities = {}) {
        const { result, error, answer } = await this.call("initialize", {
            protocolVersion: version,
            capabilities,
            clientInfo: { name: "raw", version: "1.0.0" },
        });
        if (!result)
            throw new Error(`initialize failed: ${answer.status} ${JSON.stringify(error)}`);
        this.session = answer.headers.get("mcp-session-id") ?? undefined;
        const ready = await this.send({ jsonrpc: "2.0", method: "notifications/initialized" });
        if (ready.status !== 202) throw new Error(`initialized is answered with ${ready.status}`);
        return result;
    }

    end() {
        return this.send(undefined, { method: "DELETE", headers: { "content-type": null } });
    }
}

// Modern requests: metadata in the body, mirrored in headers.
export class RawModernClient extends RawClient {
    modern(method, params = {}, { meta = {}, headers = {}, signal } = {}) {
        const all = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { name: "raw", version: "1.0.0" },
            "io.modelcontextprotocol/clientCapabilities": {},
            ...meta,
        };
        for (const key of Object.keys(all)) if (all[key] === null) delete all[key];
        const name = params.name ?? params.uri;
        return this.call(
            method,
            { ...params, _meta: all },
            {
                signal,
                headers: {
                    "mcp-protocol-version": "2026-07-28",
                    "mcp-method": method,
                    ...(name && { "mcp-name": name }),
                    ...headers,
                },
            },
        );
    }
}
