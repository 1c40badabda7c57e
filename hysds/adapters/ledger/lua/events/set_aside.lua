#!lua flags=allow-oom
-- An entry that can't be read is done with for a group; what it was is kept, of so many entries once each.
-- KEYS: stream, hash of the unreadable. ARGV: group, the most that are kept, then position and text by turns.
local group, most = ARGV[1], tonumber(ARGV[2])
for i = 3, #ARGV, 2 do
  if redis.call('HLEN', KEYS[2]) < most then redis.call('HSETNX', KEYS[2], ARGV[i], ARGV[i + 1]) end
  redis.call('XACK', KEYS[1], group, ARGV[i])
end
return 0
