-- Live logs. KEYS: the log's stream and state, then for all logs: when each goes, what each takes, and the sum of that.
-- Whatever a log takes is changed in `set_size` alone, in one step with the sum; so the sum can't drift from the logs,
-- nor from what has expired: an expired log still stands in both, until one of the next steps takes it out of both.
-- An entry's id is the log's running count of bytes before it, plus one: so trimming by size reads nothing.
local stream, state, due_key, size_key, total_key = unpack(KEYS)
local member = ARGV[2]
local P = string.sub(stream, 1, -(#member + 5)) -- KEYS[1] is <prefix>log:<member>
local ENTRY, LOG = 64, 512 -- bytes beside the data, as in log_positions.py
local SILENT_MS, LINGER_MS = 86400000, 5000
local now_ms = tonumber(ARGV[1])
if not now_ms then
  local time = redis.call('TIME')
  now_ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local retention_ms = tonumber(ARGV[3])

local function num(value) return string.format('%.0f', value) end

for key, kind in pairs({[stream] = 'stream', [state] = 'hash', [due_key] = 'zset', [size_key] = 'zset',
                        [total_key] = 'string'}) do
  local is = redis.call('TYPE', key).ok
  if is ~= 'none' and is ~= kind then
    error({err = 'WRONGTYPE hysds: ' .. key .. ' is a ' .. is .. ' and should be a ' .. kind})
  end
end

local function total() return tonumber(redis.call('GET', total_key) or 0) end

-- nil: the log is gone. Answers how many bytes became free.
local function set_size(log, size)
  local old = tonumber(redis.call('ZSCORE', size_key, log) or 0)
  if size then
    redis.call('ZADD', size_key, num(size), log)
  else
    redis.call('ZREM', size_key, log)
    redis.call('ZREM', due_key, log)
  end
  if redis.call('INCRBY', total_key, num((size or 0) - old)) == 0 then redis.call('DEL', total_key) end
  return old - (size or 0)
end

local function set_due(ms)
  redis.call('ZADD', due_key, num(now_ms + ms), member)
  redis.call('PEXPIRE', stream, num(ms))
  redis.call('PEXPIRE', state, num(ms))
end

local function drop(log)
  redis.call('DEL', P .. 'log:' .. log, P .. 'logstate:' .. log)
  return set_size(log, nil)
end

-- Keep the newest entries that take no more than this. Answers how many bytes became free.
local function trim(log, keep)
  local key = P .. 'log:' .. log
  local sent = tonumber(redis.call('HGET', P .. 'logstate:' .. log, 'sent') or nil)
  if not sent then return drop(log) end
  redis.call('XTRIM', key, 'MINID', '=', num(sent - keep + 1))
  local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
  local before = first and tonumber(string.match(first[1], '^%d+')) - 1 or sent
  return set_size(log, LOG + sent - before)
end

-- Make room: ended logs first (any that goes no later than one that ends now), then the oldest of the largest.
local function shed(want)
  local freed = 0
  while freed < want do
    local ended = redis.call('ZRANGEBYSCORE', due_key, '-inf', num(now_ms + retention_ms), 'LIMIT', 0, 1)[1]
    if not ended then break end
    freed = freed + drop(ended)
  end
  while freed < want do
    local largest = redis.call('ZREVRANGE', size_key, 0, 0, 'WITHSCORES')
    local kept = tonumber(largest[2] or 0) - LOG
    if kept <= 0 then break end
    freed = freed + trim(largest[1], math.max(kept - (want - freed), 0))
  end
  return freed
end

-- How much of the server's memory is used beyond seven eighths of what it may use; the last eighth is the jobs'.
local function excess()
  local told = redis.call('INFO', 'memory')
  local most = tonumber(string.match(told, '[\r\n]maxmemory:(%d+)'))
  if not most or most == 0 then return -math.huge end
  return tonumber(string.match(told, '[\r\n]used_memory:(%d+)')) - math.floor(most / 8 * 7)
end

local function sweep()
  for _, log in ipairs(redis.call('ZRANGEBYSCORE', due_key, '-inf', num(now_ms), 'LIMIT', 0, 200)) do drop(log) end
end

local function is_there() return redis.call('EXISTS', stream, state) == 2 end
