#!lua flags=
-- Put a set of rules in place of the one that its publisher saw, and have the group of rules on each stream exist while
-- any rule needs it: it begins behind the newest entry, and goes with what it has still to do.
-- KEYS: the hash, the streams. ARGV: digest replaced, digest, rules, the group, '1' or '0' a stream.
-- Answers 1, also where this very set stands there (a send that was repeated), 0 where another one does.
local function of_kind(key, wanted)
  local is = redis.call('TYPE', key).ok
  if is == 'none' or is == wanted then return nil end
  return redis.error_reply('WRONGTYPE hysds: ' .. key .. ' is a ' .. is .. ' and should be a ' .. wanted)
end

local function has_group(key)
  if redis.call('EXISTS', key) == 0 then return false end
  for _, flat in ipairs(redis.call('XINFO', 'GROUPS', key)) do
    for i = 1, #flat, 2 do
      if flat[i] == 'name' and flat[i + 1] == ARGV[4] then return true end
    end
  end
  return false
end

for at, key in ipairs(KEYS) do
  local wrong = of_kind(key, at == 1 and 'hash' or 'stream')
  if wrong then return wrong end
end
local stands = redis.call('HGET', KEYS[1], 'digest') or ''
if stands ~= ARGV[2] and stands ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'digest', ARGV[2], 'rules', ARGV[3])
for at = 2, #KEYS do
  local is_needed, is_there = ARGV[3 + at] == '1', has_group(KEYS[at])
  if is_needed and not is_there then redis.call('XGROUP', 'CREATE', KEYS[at], ARGV[4], '$', 'MKSTREAM') end
  if is_there and not is_needed then redis.call('XGROUP', 'DESTROY', KEYS[at], ARGV[4]) end
end
return 1
