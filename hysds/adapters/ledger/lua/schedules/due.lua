#!lua flags=allow-oom
-- The server's time in ms, and the schedules that are due then, the oldest first. KEYS: schedules, schedules:due.
-- ARGV: how many. An entry without a schedule is dropped.
local time = redis.call('TIME')
local now_ms = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
local found = {now_ms}
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now_ms, 'LIMIT', 0, ARGV[1])) do
  local text = redis.call('HGET', KEYS[1], name)
  if text then found[#found + 1] = text else redis.call('ZREM', KEYS[2], name) end
end
return found
