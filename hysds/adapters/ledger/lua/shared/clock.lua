-- The server's time (ARGV[1], where a test sets it), and the ledger's own clock: it moves with the server's, at most
-- 2 s a step and never back, so that an outage or a jump of the wall clock ends no lease. What the server's stepped
-- back is a debt, of at most that too, which its next steps ahead pay first.
local CLOCK_CAP_MS = 2000
local now_us = tonumber(ARGV[1])
if not now_us then
  local time = redis.call('TIME')
  now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local now_ms = math.floor(now_us / 1000)
local clock_ms, longest_ms

do
  local known = redis.call('HMGET', KEYS[1], 'clock_ms', 'wall_ms', 'debt_ms', 'longest_ms')
  local wall_ms = tonumber(known[2] or 0)
  clock_ms = tonumber(known[1] or 0)
  local debt_ms = tonumber(known[3] or 0)
  longest_ms = tonumber(known[4] or 0)
  if not wall_ms or not clock_ms or not debt_ms or not longest_ms then refuse(KEYS[1] .. ' holds no numbers') end
  local moved_ms = wall_ms ~= 0 and math.min(now_ms - wall_ms, CLOCK_CAP_MS) or 0
  clock_ms = clock_ms + math.max(moved_ms - debt_ms, 0)
  debt_ms = math.min(math.max(debt_ms - moved_ms, 0), CLOCK_CAP_MS)
  write('hash', 'HSET', KEYS[1], 'clock_ms', num(clock_ms), 'wall_ms', num(now_ms), 'debt_ms', num(debt_ms))
end

-- Grows even when the wall clock steps back, or a failover forgot the last.
local function hybrid(last) return math.max(last + 1, now_us) end
