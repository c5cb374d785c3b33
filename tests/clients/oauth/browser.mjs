// SPDX-License-Identifier: Apache-2.0
// A person's browser at oidc-provider's own pages: signs in, consents, and stops where the
// authorization server sends it back to the client.

/** Follows `url` until it leads to `callback`; the answer is the query that it came with. */
export async function signIn(url, callback, { decline = false } = {}) {
    const cookies = new Map();
    let request = { url, method: "GET" };
    for (let step = 0; step < 20; ++step) {
        if (request.url.startsWith(callback)) return new URL(request.url).search.slice(1);
        const response = await fetch(request.url, {
            method: request.method,
            body: request.body,
            redirect: "manual",
            headers: {
                cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; "),
                ...(request.body && { "content-type": "application/x-www-form-urlencoded" }),
            },
        });
        for (const cookie of response.headers.getSetCookie()) {
            const [, name, value] = cookie.match(/^([^=]+)=([^;]*)/);
            cookies.set(name, value);
        }
        const location = response.headers.get("location");
        if (location) {
            request = { url: new URL(location, request.url).href, method: "GET" };
            continue;
        }
        const page = await response.text();
        request = fillIn(page, request.url, decline);
    }
    throw new Error(`the authorization server never led to ${callback}`);
}

function fillIn(page, url, decline) {
    const prompt = page.match(/name="prompt" value="(\w+)"/)?.[1];
    if (!prompt) throw new Error(`not a page to sign in with: ${page.slice(0, 2000)}`);
    if (decline) return { url: new URL(page.match(/href="([^"]+\/abort)"/)[1], url).href, method: "GET" };
    const fields = { prompt, ...(prompt === "login" && { login: "ada", password: "any" }) };
    const action = page.match(/<form[^>]*action="([^"]+)"/)[1];
    const body = new URLSearchParams(fields).toString();
    return { url: new URL(action, url).href, method: "POST", body };
}
