#!lua flags=allow-oom
-- Enter what happened; answers how many were new, or -1 where the mark stands elsewhere, and whether too much is held.
-- KEYS: stream, marks, seen, dropped, generations. ARGV: most bytes, told-once window in ms, mark's name ('': none), its value before
-- and after, then the key and the text of each happening.
-- An entry's id is <bytes>-<count>, both running sums over all that was ever entered: so the bound in bytes and a
-- group's backlog need no counters that could drift from the stream.
local stream, marks, seen, dropped, generations = unpack(KEYS)
local most, window_ms, name = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local ENTRY, FIRST, SEEN = 64, 6, 50000

for key, kind in pairs({[stream] = 'stream', [marks] = 'hash', [seen] = 'zset', [dropped] = 'string',
                        [generations] = 'hash'}) do
  local is = redis.call('TYPE', key).ok
  if is ~= 'none' and is ~= kind then
    error({err = 'WRONGTYPE hysds: ' .. key .. ' is a ' .. is .. ' and should be a ' .. kind})
  end
end

local function num(value) return string.format('%.0f', value) end

-- Whether more than seven eighths of the server's memory are used; the last eighth is the jobs'.
local function is_full()
  local told = redis.call('INFO', 'memory')
  local limit = tonumber(string.match(told, '[\r\n]maxmemory:(%d+)'))
  return limit and limit > 0 and tonumber(string.match(told, '[\r\n]used_memory:(%d+)')) > limit / 8 * 7
end

local function last_id()
  if redis.call('EXISTS', stream) == 0 then return 0, 0 end
  local info = redis.call('XINFO', 'STREAM', stream)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then
      local bytes, count = string.match(info[i + 1], '^(%d+)-(%d+)$')
      return tonumber(bytes), tonumber(count)
    end
  end
end

if name ~= '' then
  if (redis.call('HGET', marks, name) or '') ~= ARGV[4] then return {-1, 0} end
  if ARGV[5] == '' then redis.call('HDEL', marks, name) else redis.call('HSET', marks, name, ARGV[5]) end
end
if #ARGV < FIRST then return {0, 0} end

if is_full() then
  redis.call('INCRBY', dropped, (#ARGV - FIRST + 1) / 2)
  return {0, 0}
end

local time = redis.call('TIME')
local now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', seen, '-inf', num(now_ms - window_ms))
local bytes, count = last_id()
local generation = redis.call('HGET', generations, 'current') or '1'
local new = 0
for i = FIRST, #ARGV, 2 do
  if redis.call('ZADD', seen, 'NX', num(now_ms), ARGV[i]) == 1 then
    bytes, count, new = bytes + #ARGV[i + 1] + ENTRY, count + 1, new + 1
    redis.call('XADD', stream, num(bytes) .. '-' .. num(count), 'h', ARGV[i + 1], 'g', generation)
  end
end
redis.call('ZREMRANGEBYRANK', seen, 0, -(SEEN + 1)) -- what was told of late takes no more room than this
redis.call('PEXPIRE', seen, num(window_ms))
local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
local is_over = first and tonumber(string.match(first[1], '^%d+')) <= bytes - most
return {new, is_over and 1 or 0}
