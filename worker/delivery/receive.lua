-- Forgets acknowledged messages, then moves others from their queues to kombu's record of unacknowledged ones
-- and returns them.
-- KEYS: the hash and the sorted set of unacknowledged messages, then the queues in the order to look at.
-- ARGV: the most slots to fill; the most messages to look at; the most malformed ones to keep; an object with the
-- batch size of each task that has one; for each queue '1' if its consumers do not acknowledge; then the tags of
-- the acknowledged messages.
-- A message fills a slot. Of a task with a batch size, messages that follow each other share one, up to that size,
-- unless somebody had them before: one of them may be what killed him. Half of what waits is left to others, who may
-- be idle, unless that is too little to be shared.
-- Returns the number of malformed messages that were put aside, then for each message its queue's place, tag and text.
-- The sorted set has the server's clock, so the workers' clocks may differ.
local most_slots, most_looked_at, most_put_aside = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local batch_sizes = cjson.decode(ARGV[4])
local too_little_to_share = 10
local first_flag = 5
local first_tag = first_flag + #KEYS - 2
local clock = redis.call('TIME')
local now = clock[1] .. '.' .. string.format('%06d', clock[2])
local answer = {0}
local looked_at, slots, is_full = 0, 0, false

local function address(message)
    local decoded = cjson.decode(message)
    local properties = decoded.properties
    local info = properties.delivery_info
    local tag, exchange, routing_key = properties.delivery_tag, info.exchange, info.routing_key
    assert(type(tag) == 'string' and type(exchange) == 'string' and type(routing_key) == 'string')
    local batched = type(decoded.headers) == 'table' and not info.redelivered and decoded.headers.task
    return tag, cjson.encode(exchange), cjson.encode(routing_key), batch_sizes[batched] and batched
end

local function put_aside(queue, message)
    answer[1] = answer[1] + 1
    redis.call('LPUSH', queue .. '.malformed', message)
    redis.call('LTRIM', queue .. '.malformed', 0, most_put_aside - 1)
end

-- Whatever is wrong with these keys has to show before the first message leaves its queue.
redis.call('HLEN', KEYS[1])
redis.call('ZCARD', KEYS[2])

if #ARGV >= first_tag then
    redis.call('HDEL', KEYS[1], unpack(ARGV, first_tag))
    redis.call('ZREM', KEYS[2], unpack(ARGV, first_tag))
end

for place = 3, #KEYS do
    local batch, room = nil, 0
    while not is_full and looked_at < most_looked_at do
        local message = redis.call('LINDEX', KEYS[place], -1)
        if not message then break end
        local readable, tag, exchange, routing_key, batched = pcall(address, message)
        local joins = readable and batched and batched == batch and room > 0
        if readable and not joins and slots == most_slots then
            is_full = true
        else
            if readable and not joins then
                slots, batch = slots + 1, batched
                if batched then
                    local half = math.ceil(redis.call('LLEN', KEYS[place]) / 2)
                    room = math.min(batch_sizes[batched], math.max(half, too_little_to_share))
                end
            end
            redis.call('RPOP', KEYS[place])
            looked_at = looked_at + 1
            if not readable then
                put_aside(KEYS[place], message)
            else
                room = room - 1
                if ARGV[first_flag + place - 3] ~= '1' then
                    redis.call('HSET', KEYS[1], tag, '[' .. message .. ', ' .. exchange .. ', ' .. routing_key .. ']')
                    redis.call('ZADD', KEYS[2], now, tag)
                end
                answer[#answer + 1] = place - 2
                answer[#answer + 1] = tag
                answer[#answer + 1] = message
            end
            is_full = slots == most_slots and not batch
        end
    end
    is_full = slots == most_slots
end

-- A read of an empty queue makes the server tell this connection when the next message comes.
if looked_at == 0 then
    redis.call('EXISTS', unpack(KEYS, 3))
end
return answer
