// SPDX-License-Identifier: Apache-2.0
// Adds a credential to every request on its way to a server, and changes nothing else: for clients
// that can send none themselves.
import http from "node:http";

/** A loopback proxy in front of `upstream`: {origin, stop()} */
export async function startTokenProxy(upstream, token) {
    const { hostname, port } = new URL(upstream);
    const proxy = http.createServer((request, response) => {
        const { method, url: path } = request;
        const headers = [...request.rawHeaders, "Authorization", `Bearer ${token}`];
        const onward = http.request({ hostname, port, method, path, headers });
        onward.on("response", (answer) => {
            response.writeHead(answer.statusCode, answer.rawHeaders).flushHeaders();
            answer.on("error", () => response.destroy()).pipe(response);
        });
        onward.on("error", () => response.destroy());
        response.on("close", () => onward.destroy());
        request.pipe(onward);
    });
    proxy.keepAliveTimeout = 0; // the other side says when a connection is over
    await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const stop = () => {
        proxy.closeAllConnections();
        proxy.close();
    };
    return { origin: `http://127.0.0.1:${proxy.address().port}`, stop };
}
