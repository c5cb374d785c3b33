// SPDX-License-Identifier: Apache-2.0
// Lets test scripts import the packages that tests/tools/install put outside the source tree:
//
//   PATCHBAY_NODE_DIR=build/node build/node/node_modules/.bin/node --import ./tests/tools/packages.mjs x.mjs
//
// x.mjs can then say: import { Client } from "@modelcontextprotocol/client". No link or copy appears
// beside the sources.
import { registerHooks } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** The folder that tests/tools/install filled. */
export const nodeDir = resolve(
    process.env.PATCHBAY_NODE_DIR ?? join(import.meta.dirname, "../../build/node"),
);

const packages = pathToFileURL(nodeDir + "/").href;
const isBare = (specifier) => !/^(\.|\/|#|[a-z]+:)/.test(specifier);

registerHooks({
    resolve(specifier, context, next) {
        const ours = isBare(specifier) && !context.parentURL?.startsWith(packages);
        return next(specifier, ours ? { ...context, parentURL: packages + "package.json" } : context);
    },
});
