#!lua flags=allow-oom
-- End one's own turn, and have nobody take the next for a while. KEYS: the turn. ARGV: the member, for how many ms.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if tonumber(ARGV[2]) <= 0 then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], '', 'PX', ARGV[2]) end
return 1
