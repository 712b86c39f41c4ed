-- Takes from every bucket what it costs, or nothing from any. KEYS: the buckets; ARGV: the instant in seconds,
-- then quota, window and cost of each. Returns 1 or 0, and what each bucket holds afterwards.
local at = tonumber(ARGV[1])
local held, since, allowed = {}, {}, 1
for i = 1, #KEYS do
    local quota, window, cost = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
    local stored = redis.call('HMGET', KEYS[i], 'held', 'since')
    held[i], since[i] = tonumber(stored[1] or quota), tonumber(stored[2] or at)
    if since[i] > at + window then since[i] = at end -- written by a clock that was far ahead
    held[i] = math.min(quota, held[i] + math.max(at - since[i], 0) * quota / window)
    since[i] = math.max(at, since[i])
    if held[i] < cost then allowed = 0 end
end
local said = {allowed}
for i = 1, #KEYS do
    if allowed == 1 then held[i] = held[i] - tonumber(ARGV[3 * i + 1]) end
    redis.call('HSET', KEYS[i], 'held', string.format('%.17g', held[i]), 'since', string.format('%.17g', since[i]))
    redis.call('EXPIRE', KEYS[i], tonumber(ARGV[3 * i]) + 1) -- full again by then
    said[i + 1] = string.format('%.17g', held[i])
end
return said
