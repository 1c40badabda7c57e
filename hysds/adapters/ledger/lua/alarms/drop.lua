#!lua flags=allow-oom
-- Forget an alarm. KEYS: alarms. ARGV: its key, the revision that must stand there.
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old or string.match(old, '^%d+') ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
