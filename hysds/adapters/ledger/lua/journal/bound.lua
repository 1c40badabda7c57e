#!lua flags=allow-oom
-- Drop the oldest entries: those behind which as much stands as may be held. Answers how many.
-- KEYS: stream, dropped. ARGV: most bytes. What every group has done with was taken away before: this is lost.
local stream, dropped = KEYS[1], KEYS[2]
local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)[1]
if not last then return 0 end
local from = tonumber(string.match(last[1], '^%d+')) - tonumber(ARGV[1]) + 1
if from < 1 then return 0 end
local gone = redis.call('XTRIM', stream, 'MINID', '=', string.format('%.0f', from))
if gone > 0 then redis.call('INCRBY', dropped, gone) end
return gone
