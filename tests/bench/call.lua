-- SPDX-License-Identifier: Apache-2.0
-- wrk: tools/call of the echo tool, each request with an id and a text of its own.
--
--   wrk ... -s call.lua URL -- MODE ERA TOOL [SESSION [KEY]]
--
-- MODE  "check": every answer's status, id and text are looked at (slows wrk down);
--       "measure": wrk counts other statuses, and the caller compares the bytes received.
-- ERA   "modern" (2026-07-28, all required headers) or "legacy" (2025-11-25 with SESSION)
-- KEY   sent as Authorization: Bearer
-- The last line printed is a JSON object.

local threads = {}
local phrase = "the quick brown fox "

function setup(thread)
    thread:set("first_id", 100000000 * (#threads + 1))
    table.insert(threads, thread)
end

local function modern(tool)
    local headers = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n" ..
        "Mcp-Name: " .. tool .. "\r\n"
    local meta = '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",' ..
        '"io.modelcontextprotocol/clientInfo":{"name":"wrk","version":"1"},' ..
        '"io.modelcontextprotocol/clientCapabilities":{}},'
    return headers, meta
end

local function legacy(session)
    return "MCP-Protocol-Version: 2025-11-25\r\nMcp-Session-Id: " .. session .. "\r\n", ""
end

function init(args)
    local mode, era, tool, session = args[1], args[2], args[3], args[4]
    local headers, meta
    if era == "modern" then headers, meta = modern(tool) else headers, meta = legacy(session) end
    if args[5] then headers = headers .. "Authorization: Bearer " .. args[5] .. "\r\n" end
    local start = '{"jsonrpc":"2.0","id":'
    local middle = ',"method":"tools/call","params":{' .. meta .. '"name":"' .. tool ..
        '","arguments":{"text":"' .. phrase
    local finish = '"}}}'
    -- Ids have nine digits, so the length is always the same.
    local length = #start + 9 + #middle + 9 + #finish
    head = "POST " .. wrk.path .. " HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\n" ..
        "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n" ..
        headers .. "Content-Length: " .. length .. "\r\n\r\n" .. start
    rest = middle
    tail = finish
    next_id = first_id
    wrong = 0
    example = ""
    if mode == "check" then
        response = check
        waiting = {}
    end
end

function request()
    next_id = next_id + 1
    if waiting then waiting[next_id] = true end
    return head .. next_id .. rest .. next_id .. tail
end

-- The answer must be to a request that waits for one, and say the text that belongs to its id.
function check(status, headers, body)
    local id = tonumber(body:match('"id":(%d+)'))
    local right = status == 200 and id and waiting[id] and
        body:find('"text":"' .. phrase .. id .. '"', 1, true) and
        not body:find('"isError":true', 1, true)
    if id then waiting[id] = nil end
    if not right then
        wrong = wrong + 1
        example = status .. " " .. body:sub(1, 300):gsub('[%c"\\]', " ")
    end
end

function done(summary, latency, requests)
    local wrong, example = 0, ""
    for _, thread in ipairs(threads) do
        wrong = wrong + thread:get("wrong")
        if thread:get("example") ~= "" then example = thread:get("example") end
    end
    local errors = summary.errors
    io.write(string.format(
        '{"requests":%d,"seconds":%.6f,"bytes":%d,"p50_us":%d,"p99_us":%d,"max_us":%d,' ..
        '"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,"wrong":%d,"example":"%s"}\n',
        summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50),
        latency:percentile(99), latency.max, errors.status, errors.connect, errors.read,
        errors.write, errors.timeout, wrong, example))
end
