// SPDX-License-Identifier: Apache-2.0
// A client that describes itself: the document that its client_id leads to, over TLS on loopback.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";

/** @returns {Promise<{url: string, ca: string, asked: () => number, stop: () => void}>}
 *  ca: the file with the certificate that has to be trusted */
export async function startDescription(name) {
    const folder = fs.mkdtempSync(path.join(tmpdir(), "patchbay-description-"));
    process.on("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
    const [ca, key] = ["ca.pem", "key.pem"].map((file) => path.join(folder, file));
    execFileSync(
        "openssl",
        [
            ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
            ...["-nodes", "-subj", "/CN=sign-in-test", "-addext", "subjectAltName=IP:127.0.0.1"],
            ...["-days", "2", "-keyout", key, "-out", ca],
        ],
        { stdio: "ignore" },
    );
    let count = 0;
    const server = https.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(ca) });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `https://127.0.0.1:${server.address().port}/client.json`;
    server.on("request", (_, response) => {
        count += 1;
        const document = {
            client_id: url,
            client_name: name,
            // Which port is free, nobody knows beforehand.
            redirect_uris: ["http://127.0.0.1/callback", "http://localhost/oauth/callback"],
            grant_types: ["authorization_code", "refresh_token"],
            response_types: ["code"],
            token_endpoint_auth_method: "none",
        };
        response.setHeader("Content-Type", "application/json").end(JSON.stringify(document));
    });
    const stop = () => {
        server.closeAllConnections();
        server.close();
        fs.rmSync(folder, { recursive: true, force: true });
    };
    return { url, ca, asked: () => count, stop };
}
