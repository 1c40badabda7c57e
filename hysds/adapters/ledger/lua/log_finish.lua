#!lua flags=allow-oom
-- Mark a log's end, which wakes its followers, and begin its retention. ARGV: clock, log, retention in ms.
sweep()
if redis.call('HEXISTS', state, 'ended') == 1 then return 0 end
local stays_ms = math.max(retention_ms, LINGER_MS)
if not is_there() then
  drop(member)
  stays_ms = LINGER_MS
end
local ends, flat = {}, redis.call('HGETALL', state)
for i = 1, #flat, 2 do
  local name = string.match(flat[i], '^end:(.+)$')
  if name then ends[#ends + 1] = name .. '=' .. flat[i + 1] end
end
local sent = tonumber(redis.call('HGET', state, 'sent') or 0)
redis.call('XADD', stream, num(sent + 1) .. '-0', 'e', table.concat(ends, ' '))
redis.call('HSET', state, 'ended', '1', 'sent', num(sent + ENTRY))
set_size(member, tonumber(redis.call('ZSCORE', size_key, member) or LOG) + ENTRY)
set_due(stays_ms)
return 1
