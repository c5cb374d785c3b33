// SPDX-License-Identifier: Apache-2.0
// A port of this machine at which nobody answers, and nobody can begin to while the process lives.
import { once } from "node:events";
import net from "node:net";

/** A client's own end of a connection: the port is taken, and connecting to it is refused. */
export async function deadPort() {
    const server = net.createServer((peer) => peer.unref()).listen(0, "127.0.0.1").unref();
    await once(server, "listening");
    const client = net.connect(server.address().port, "127.0.0.1").unref();
    await once(client, "connect");
    return client.localPort;
}
