-- Forgets acknowledged messages, then moves others from their queues to kombu's record of unacknowledged ones
-- and returns them.
-- KEYS: the hash and the sorted set of unacknowledged messages, then the queues in the order to look at.
-- ARGV: the most messages to return; the most malformed ones to keep; for each queue '1' if its consumers do not
-- acknowledge; then the tags of the acknowledged messages.
-- Returns the number of malformed messages that were put aside, then for each message its queue's place, tag and text.
-- The sorted set has the server's clock, so the workers' clocks may differ.
local limit, most_put_aside = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = clock[1] .. '.' .. string.format('%06d', clock[2])
local answer = {0}
local looked_at = 0

local function address(message)
    local properties = cjson.decode(message).properties
    local info = properties.delivery_info
    local tag, exchange, routing_key = properties.delivery_tag, info.exchange, info.routing_key
    assert(type(tag) == 'string' and type(exchange) == 'string' and type(routing_key) == 'string')
    return tag, cjson.encode(exchange), cjson.encode(routing_key)
end

local function put_aside(queue, message)
    answer[1] = answer[1] + 1
    redis.call('LPUSH', queue .. '.malformed', message)
    redis.call('LTRIM', queue .. '.malformed', 0, most_put_aside - 1)
end

-- Whatever is wrong with these keys has to show before the first message leaves its queue.
redis.call('HLEN', KEYS[1])
redis.call('ZCARD', KEYS[2])

if #ARGV > #KEYS then
    redis.call('HDEL', KEYS[1], unpack(ARGV, #KEYS + 1))
    redis.call('ZREM', KEYS[2], unpack(ARGV, #KEYS + 1))
end

for place = 3, #KEYS do
    while #answer - 1 < 3 * limit and looked_at < 2 * limit do
        local message = redis.call('RPOP', KEYS[place])
        if not message then break end
        looked_at = looked_at + 1
        local readable, tag, exchange, routing_key = pcall(address, message)
        if not readable then
            put_aside(KEYS[place], message)
        else
            if ARGV[place] ~= '1' then
                redis.call('HSET', KEYS[1], tag, '[' .. message .. ', ' .. exchange .. ', ' .. routing_key .. ']')
                redis.call('ZADD', KEYS[2], now, tag)
            end
            answer[#answer + 1] = place - 2
            answer[#answer + 1] = tag
            answer[#answer + 1] = message
        end
    end
end

-- A read of an empty queue makes the server tell this connection when the next message comes.
if looked_at == 0 then
    redis.call('EXISTS', unpack(KEYS, 3))
end
return answer
