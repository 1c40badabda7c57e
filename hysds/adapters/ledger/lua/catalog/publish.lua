#!lua flags=
-- Put a catalogue in place of the one that its publisher saw. KEYS: the hash. ARGV: digest replaced, digest, types.
-- Answers 1, also where this very catalogue stands there (a send that was repeated), 0 where another one does.
local is = redis.call('TYPE', KEYS[1]).ok
if is ~= 'none' and is ~= 'hash' then
  return redis.error_reply('WRONGTYPE hysds: ' .. KEYS[1] .. ' is a ' .. is .. ' and should be a hash')
end
local stands = redis.call('HGET', KEYS[1], 'digest') or ''
if stands == ARGV[2] then return 1 end
if stands ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'digest', ARGV[2], 'types', ARGV[3])
return 1
