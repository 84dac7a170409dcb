-- Moves an unacknowledged message back into queues, unless somebody acknowledged or restored it first.
-- KEYS: the hash and the sorted set of unacknowledged messages, then the queues.
-- ARGV: the message's tag; then for each queue 'LPUSH' or 'RPUSH' and the text.
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
for place = 3, #KEYS do
    redis.call(ARGV[2 * place - 4], KEYS[place], ARGV[2 * place - 3])
end
return 1
