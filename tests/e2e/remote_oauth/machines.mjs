// SPDX-License-Identifier: Apache-2.0
// Client credentials: the organisation's own, without a person.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { startUpstream } from "../../clients/oauth/upstream.mjs";
import { Report } from "../../clients/report.mjs";
import { Estate, granted, oauth } from "./estate.mjs";

const report = new Report("remote_oauth_machines");
const secret = "a-secret-of-forty-characters-not-a-word-1";
const wrong = "not-the-secret-but-as-long-as-it-would-be";
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const privatePem = privateKey.export({ type: "pkcs8", format: "pem" });
const machine = (more) => ({
    grant_types: ["client_credentials"],
    redirect_uris: [],
    response_types: [],
    scope: "read write",
    ...more,
});
const clients = [
    machine({
        client_id: "by-secret",
        client_secret: secret,
        token_endpoint_auth_method: "client_secret_basic",
    }),
    machine({
        client_id: "by-key",
        token_endpoint_auth_method: "private_key_jwt",
        token_endpoint_auth_signing_alg: "ES256",
        jwks: { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k1", use: "sig" }] },
    }),
];
const upstream = () =>
    startUpstream({
        clients,
        clientAuthMethods: ["client_secret_basic", "private_key_jwt"],
        scopes: ["openid", "offline_access", "read", "write"],
        features: { clientCredentials: { enabled: true } },
    });
const grant = "client_credentials";
const names = ["by_secret", "by_key", "by_wrong"];
const upstreams = await Promise.all(names.map(upstream));
const [by_secret, by_key, by_wrong] = upstreams;
const estate = await Estate.open(upstreams, {
    by_secret: oauth(by_secret, { grant, client_id: "by-secret", client_secret: secret }),
    by_key: oauth(by_key, { grant, client_id: "by-key", private_key: privatePem, key_id: "k1" }),
    by_wrong: oauth(by_wrong, { grant, client_id: "by-secret", client_secret: wrong }),
});
const requested = ({ requests }) =>
    requests.filter(({ path, status }) => path === "/token" && status === 200);

for (const [name, server] of Object.entries({ by_secret, by_key }))
    await report.check(`${name}: works without a person`, async () => {
        const { acts_as } = await estate.ready(name);
        assert.equal(acts_as, "service");
        assert.equal(await estate.outcome(`${name}__read`), "read");
        const [request, ...more] = requested(server);
        assert.deepEqual(more, []);
        assert.partialDeepStrictEqual(request.params, { grant_type: grant, resource: server.url });
        const { params, authorization } = request;
        assert.equal(params.client_secret, undefined);
        if (name === "by_secret") assert.match(authorization, /^Basic /);
        else assert.match(params.client_assertion_type, /jwt-bearer$/);
    });

await report.check("a token that is refused is got anew, once for all who call", async () => {
    for (const [name, server] of Object.entries({ by_secret, by_key })) {
        await server.revoke(server.tokens().at(-1));
        const calls = Array.from({ length: 32 }, () => estate.outcome(`${name}__read`));
        assert.deepEqual(new Set(await Promise.all(calls)), new Set(["read"]));
        assert.equal(requested(server).length, 2);
    }
});

await report.check("more permission is got without a person too", async () => {
    for (const [name, server] of Object.entries({ by_secret, by_key })) {
        assert.equal(await estate.outcome(`${name}__write`), "written");
        assert.deepEqual(
            new Set(requested(server).at(-1).params.scope.split(" ")),
            new Set(["read", "write"]),
        );
    }
});

await report.check("a wrong secret is said so, and no person is asked to sign in", async () => {
    const { reason } = await estate.state("by_wrong", ({ status }) => status === "failing");
    assert.match(reason, /invalid_client/);
    const { failed } = await estate.admin("sign_in", { name: "by_wrong" });
    assert.match(failed.message, /credentials of its own/);
    assert.equal(granted(by_wrong, "/token"), 0);
    const before = by_wrong.requests.length;
    for (let i = 0; i < 20; ++i) {
        const { failed } = await estate.admin("sync_server", { name: "by_wrong" });
        assert.match(failed.message, /invalid_client/);
    }
    assert.equal(by_wrong.requests.length, before, "it is left alone for a while");
});

await report.check("after a restart there is still a token", async () => {
    const before = requested(by_key).length;
    await estate.restart();
    assert.equal(await estate.outcome("by_key__write"), "written");
    assert.equal(requested(by_key).length, before);
});

await report.check("nor is what was configured told to anybody", async () => {
    const texts = [secret, wrong, privatePem.split("\n")[1]];
    for (const name of names) {
        const { body } = await estate.api("GET", `/${name}`);
        assert.equal(body.settings.auth.client_id, name === "by_key" ? "by-key" : "by-secret");
    }
    for (const text of [...estate.said, estate.log, estate.host.err])
        for (const each of texts) assert.ok(!text.includes(each), text);
});

await estate.close(report);
