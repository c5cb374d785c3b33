// SPDX-License-Identifier: Apache-2.0
// An unmodified client's own OAuth against a running host, with the person in headless Chromium.
//
//   run.mjs --client v1|v2|mcp-remote [--era legacy|modern] [--described] [--step-up]
//           --host build/host/patchbay --plugins FILE,FILE --chromium PROGRAM --out DIR
//
// --described: the client does not register, its client_id is the URL of a document about it.
// --step-up: it is told which permission it lacks.
import { after } from "node:test";
import { parseArguments } from "../report.mjs";
import { Browser } from "./browser.mjs";
import { startDescription } from "./description.mjs";
import { ADA, openPlace } from "./place.mjs";
import { RemoteClient } from "./remote_client.mjs";
import { SdkClient } from "./sdk_client.mjs";
import { testSignIn, testStepUp } from "./scenario.mjs";

const options = parseArguments();
const { client: library, era } = options;
const name = [library, era, options.described && "described"].filter(Boolean).join("-");

const description = options.described ? await startDescription(`Test client ${name}`) : undefined;
const place = await openPlace({
    host: options.host,
    plugins: options.plugins.split(","),
    config: description && {
        outbound: { ca_file: description.ca },
        access: { oauth: { allow_private_cidrs: ["127.0.0.1/32"] } },
    },
    org: options["step-up"] && { access: { out_of_scope: "challenge" } },
});
const browser = await Browser.start(options);
after(async () => {
    await browser.stop();
    await place.stop();
    description?.stop();
});

const url = `${place.origin}/mcp`;
const client = { library, era, url, name: `Test client ${name}`, metadataUrl: description?.url };
const testAll = options["step-up"] ? testStepUp : testSignIn;
testAll({
    place: { ...place, who: ADA },
    browser,
    name,
    url,
    described: description?.url,
    make: () => (library === "mcp-remote" ? RemoteClient : SdkClient).make(client),
});
