#!lua flags=allow-oom
-- Jobs of whose lease less than half is left are shown as offline. ARGV: clock, limit.
local limit, answers, more, longest = tonumber(ARGV[2]), {}, 0, 0
local soon = zset_lowest(LEASE, clock_ms + math.floor(longest_ms / 2))
for _, entry in ipairs(soon) do
  local record = record_leased(entry[2], entry[1])
  if record then
    longest = math.max(longest, record.lease_for_ms)
    if record.suspect == 0 and record.lease_ms - math.floor(record.lease_for_ms / 2) <= clock_ms then
      if #answers == limit then
        more = 1
        break
      end
      put(record, stepped(record, {suspect = 1}), 'suspect')
      answers[#answers + 1] = {record.id, STARTED}
    end
  end
  note_damage(entry[2], answers)
end
-- Seen them all: what was asked for long ago makes nobody look further any more.
if more == 0 and #soon == redis.call('ZCARD', LEASE) and longest ~= longest_ms then
  write('hash', 'HSET', KEYS[1], 'longest_ms', num(longest))
end
return finish({answers, {}, more})
