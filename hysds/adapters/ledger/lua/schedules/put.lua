#!lua
-- Keep a schedule in place of the one with a revision. KEYS: schedules, schedules:due.
-- ARGV: name, the revision that must stand there ("": none), the new one, when it is due in ms ("": never), its JSON.
local name, over, revision, due_ms, text = unpack(ARGV)
local old = redis.call('HGET', KEYS[1], name)
if old == revision .. ' ' .. text then return 1 end -- a repeat: its answer got lost
if (old and string.match(old, '^%d+') or '') ~= over then return 0 end
redis.call('HSET', KEYS[1], name, revision .. ' ' .. text)
if due_ms == '' then
  redis.call('ZREM', KEYS[2], name)
else
  redis.call('ZADD', KEYS[2], due_ms, name)
end
return 1
