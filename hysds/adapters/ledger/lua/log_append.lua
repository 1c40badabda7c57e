#!lua
-- Add output to a log; answers how many bytes were dropped. Without allow-oom: output never goes into full memory.
-- ARGV: clock, log, retention in ms, per log, for all, the call's own mark, then stream, offset and data of each piece.
local per_log, memory, mark = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
local FIRST = 7

sweep()
if not is_there() then drop(member) end
local known = redis.call('HMGET', state, 'sent', 'ended', 'mark', 'dropped')
if known[3] == mark then return tonumber(known[4]) end -- the answer was lost, and the call repeated

local cost, bytes = 0, 0
for i = FIRST, #ARGV, 3 do
  bytes = bytes + #ARGV[i + 2]
  cost = cost + #ARGV[i + 2] + ENTRY
end
if known[2] then return bytes end

local sent = tonumber(known[1] or 0)
local size = tonumber(redis.call('ZSCORE', size_key, member) or LOG)
redis.call('HSET', state, 'sent', num(sent), 'mark', mark)
set_size(member, size)
set_due(retention_ms + SILENT_MS) -- before room is made: it is not among the ended
if size - LOG + cost > per_log then trim(member, per_log - cost) end
local short = math.max(total() + cost - memory, excess() + cost)
local fits = short <= 0 or shed(short) >= short
size = tonumber(redis.call('ZSCORE', size_key, member))

for i = FIRST, #ARGV, 3 do
  local name, offset, data = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if name == 'note' then offset = redis.call('HGET', state, 'end:note') or '0' end
  redis.call('HSET', state, 'end:' .. name, num(tonumber(offset) + #data))
  if fits then
    redis.call('XADD', stream, num(sent + 1) .. '-0', 's', name, 'o', offset, 'd', data)
    sent = sent + #data + ENTRY
  end
end
if not fits and redis.call('EXISTS', stream) == 0 then
  -- So that the log exists, with nothing in it.
  redis.call('XADD', stream, num(sent + 1) .. '-0', 's', '', 'o', '0', 'd', '')
  redis.call('XTRIM', stream, 'MAXLEN', '=', 0)
  sent = sent + 1
end
redis.call('HSET', state, 'sent', num(sent), 'dropped', fits and '0' or num(bytes))
if fits then set_size(member, size + cost) end
set_due(retention_ms + SILENT_MS)
return fits and 0 or bytes
