#!lua flags=allow-oom
-- Forget a schedule. KEYS: schedules, schedules:due. ARGV: name.
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])
