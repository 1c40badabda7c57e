#!lua flags=allow-oom
-- Keep an alarm in place of the one with the revision before it. KEYS: alarms. ARGV: its key, its revision, its JSON.
local key, revision, text = unpack(ARGV)
local old = redis.call('HGET', KEYS[1], key)
if old == revision .. ' ' .. text then return 1 end -- a repeat: its answer got lost
if tonumber(old and string.match(old, '^%d+') or '0') ~= tonumber(revision) - 1 then return 0 end
redis.call('HSET', KEYS[1], key, revision .. ' ' .. text)
return 1
