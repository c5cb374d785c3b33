// SPDX-License-Identifier: Apache-2.0
// Which members each protocol version knows in each object that a server sends.
//
// Notation of a shape, one member a word: name, then
//   !        required            []      an array of          :Shape  what is inside
//   +N       since version N     -N      until version N     =N      only in version N
// with N the place in `versions` below (1 is the first). So "ttlMs!+4" is required since 2026-07-28
// and unknown before, and "execution=3" belongs to 2025-11-25 alone.

export const versions = ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"];
export const modernVersion = "2026-07-28";

// 0 for a version that the table does not know.
export const rank = (version) => versions.indexOf(version) + 1;

const shapes = {
    Implementation: "name! version! title+2 description+3 icons[]:Icon+3 websiteUrl+3",
    Icon: "src! mimeType sizes theme",
    Capabilities:
        "completions experimental logging prompts:ListCapability resources:ListCapability " +
        "tools:ListCapability tasks=3 extensions+4",
    ListCapability: "listChanged subscribe",
    InitializeResult:
        "protocolVersion! capabilities!:Capabilities serverInfo!:Implementation " +
        "instructions _meta",
    DiscoverResult: "supportedVersions!+4 capabilities!:Capabilities instructions _meta",
    EmptyResult: "_meta",

    ListToolsResult: "tools![]:Tool nextCursor _meta",
    Tool:
        "name! description inputSchema! annotations:ToolAnnotations title+2 outputSchema+2 _meta+2 " +
        "icons[]:Icon+3 execution=3",
    ToolAnnotations: "title readOnlyHint destructiveHint idempotentHint openWorldHint",
    CallToolResult: "content![]:Content isError structuredContent+2 _meta",

    ListResourcesResult: "resources![]:Resource nextCursor _meta",
    Resource:
        "uri! name! description mimeType size annotations:Annotations title+2 _meta+2 " +
        "icons[]:Icon+3",
    ListResourceTemplatesResult: "resourceTemplates![]:ResourceTemplate nextCursor _meta",
    ResourceTemplate:
        "uriTemplate! name! description mimeType annotations:Annotations title+2 " +
        "_meta+2 icons[]:Icon+3",
    ReadResourceResult: "contents![]:ResourceContents _meta",
    ResourceContents: "uri! mimeType text blob _meta+2",

    ListPromptsResult: "prompts![]:Prompt nextCursor _meta",
    Prompt: "name! description arguments[]:PromptArgument title+2 _meta+2 icons[]:Icon+3",
    PromptArgument: "name! description required title+2",
    GetPromptResult: "messages![]:PromptMessage description _meta",
    PromptMessage: "role! content!:Content",
    CompleteResult: "completion!:Completion _meta",
    Completion: "values! total hasMore",

    Annotations: "audience priority lastModified+2",
    text: "type! text! annotations:Annotations _meta+2",
    image: "type! data! mimeType! annotations:Annotations _meta+2",
    audio: "type! data! mimeType! annotations:Annotations _meta+2",
    resource: "type! resource!:ResourceContents annotations:Annotations _meta+2",
    resource_link:
        "type!+2 uri! name! description mimeType size annotations:Annotations title+2 " +
        "_meta+2 icons[]:Icon+3",

    Progress: "progressToken! progress! total message _meta",
    LogMessage: "level! data! logger _meta",
    ResourceUpdated: "uri! _meta",
    ListChanged: "_meta",
    Acknowledged: "notifications!+4 _meta",
    ElicitForm: "message! requestedSchema! mode+3 _meta-3 task=3",
    ElicitUrl: "mode!+3 message! url! elicitationId=3 _meta-3 task=3",
    CreateMessage:
        "messages! maxTokens! includeContext metadata modelPreferences stopSequences " +
        "systemPrompt temperature tools+3 toolChoice+3 task=3 _meta-3",
};

// What every modern result has besides its own members. Legacy versions know none of them.
const modernResult = "resultType!+4";
const cacheable = "ttlMs!+4 cacheScope!+4";
// Checked as foreign words in every legacy result, whatever its method.
export const modernOnlyResultMembers = [
    "resultType",
    "ttlMs",
    "cacheScope",
    "inputRequests",
    "requestState",
];
// And these in every modern one: what a handshake was answered with.
export const legacyOnlyResultMembers = ["protocolVersion", "serverInfo"];

export const resultShapes = {
    initialize: "InitializeResult",
    "server/discover": "DiscoverResult",
    ping: "EmptyResult",
    "logging/setLevel": "EmptyResult",
    "resources/subscribe": "EmptyResult",
    "resources/unsubscribe": "EmptyResult",
    "subscriptions/listen": "EmptyResult",
    "tools/list": "ListToolsResult",
    "tools/call": "CallToolResult",
    "resources/list": "ListResourcesResult",
    "resources/templates/list": "ListResourceTemplatesResult",
    "resources/read": "ReadResourceResult",
    "prompts/list": "ListPromptsResult",
    "prompts/get": "GetPromptResult",
    "completion/complete": "CompleteResult",
};

export const cacheableMethods = [
    "server/discover",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
];
export const askingMethods = ["tools/call", "resources/read", "prompts/get"];
// [first version, last version] of the methods that clients call.
export const methodVersions = {
    initialize: [1, 3],
    ping: [1, 3],
    "logging/setLevel": [1, 3],
    "resources/subscribe": [1, 3],
    "resources/unsubscribe": [1, 3],
    "server/discover": [4, 4],
    "subscriptions/listen": [4, 4],
};

export const notificationShapes = {
    "notifications/progress": "Progress",
    "notifications/message": "LogMessage",
    "notifications/resources/updated": "ResourceUpdated",
    "notifications/tools/list_changed": "ListChanged",
    "notifications/prompts/list_changed": "ListChanged",
    "notifications/resources/list_changed": "ListChanged",
    "notifications/subscriptions/acknowledged": "Acknowledged",
};

const word = /^(\w+)(!?)(\[\])?(?::(\w+))?(?:([+=-])(\d))?$/;

function parse(text) {
    return text.split(/\s+/).map((item) => {
        const [, name, required, list, inner, sign, n] = word.exec(item) ?? [];
        if (!name) throw new Error(`vocabulary: cannot read "${item}"`);
        return {
            name,
            required: required === "!",
            list: Boolean(list),
            inner,
            first: sign === "+" || sign === "=" ? Number(n) : 1,
            last: sign === "-" || sign === "=" ? Number(n) : versions.length,
        };
    });
}

const parsed = Object.fromEntries(
    Object.entries(shapes).map(([name, text]) => [name, parse(text)]),
);
const parsedModern = parse(modernResult);
const parsedCacheable = parse(cacheable);

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

// Calls problem(text) for each member that `version` requires and that is absent, or that only other
// versions know. `at` is the path for the message.
export function checkShape(name, value, version, at, problem) {
    const members = name === "Content" ? contentMembers(value, version, at, problem) : parsed[name];
    if (members) checkMembers(members, value, version, at, problem);
}

export function checkResultShape(method, result, version, problem) {
    const name = resultShapes[method];
    const extra = cacheableMethods.includes(method) ? parsedCacheable : [];
    checkMembers(
        [...(name ? parsed[name] : []), ...parsedModern, ...extra],
        result,
        version,
        "result",
        problem,
    );
}

function contentMembers(value, version, at, problem) {
    const members = parsed[value?.type];
    if (!members || !/^[a-z_]+$/.test(value.type)) {
        problem(`${at} has the unknown content type ${JSON.stringify(value?.type)}`);
        return undefined;
    }
    if (members[0].first > rank(version)) {
        problem(`${at} has content of type "${value.type}", which ${version} does not know`);
        return undefined;
    }
    return members;
}

function checkMembers(members, value, version, at, problem) {
    if (!isObject(value)) {
        problem(`${at} is not an object`);
        return;
    }
    const now = rank(version);
    for (const { name, required, list, inner, first, last } of members) {
        const known = first <= now && now <= last;
        if (!(name in value)) {
            if (required && known) problem(`${at} lacks "${name}", which ${version} requires`);
            continue;
        }
        if (!known) {
            problem(`${at} has "${name}", which ${version} does not know`);
            continue;
        }
        if (!inner) continue;
        if (!list) {
            checkShape(inner, value[name], version, `${at}.${name}`, problem);
        } else if (!Array.isArray(value[name])) {
            problem(`${at}.${name} is not an array`);
        } else {
            value[name].forEach((item, i) =>
                checkShape(inner, item, version, `${at}.${name}[${i}]`, problem),
            );
        }
    }
}
