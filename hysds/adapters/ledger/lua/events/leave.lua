#!lua flags=allow-oom
-- A group is no more. ARGV: group.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return redis.call('XGROUP', 'DESTROY', KEYS[1], ARGV[1])
