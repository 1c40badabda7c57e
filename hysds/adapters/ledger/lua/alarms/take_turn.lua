#!lua flags=allow-oom
-- Take a turn that nobody has, or lengthen one's own. KEYS: the turn. ARGV: the member, for how many ms.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
