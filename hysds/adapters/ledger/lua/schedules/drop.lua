#!lua flags=allow-oom
-- Forget a schedule. KEYS: schedules, schedules:due. ARGV: name, the revision that must stand there.
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old or string.match(old, '^%d+') ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
