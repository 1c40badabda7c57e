#!lua flags=allow-oom
-- Jobs with less than half a lease left are shown as offline. ARGV: clock, limit, the half in ms.
local limit, answers, more = tonumber(ARGV[2]), {}, 0
for _, entry in ipairs(zset_lowest(LEASE, clock_ms + tonumber(ARGV[3]))) do
  local record = record_leased(entry[2], entry[1])
  if record and record.suspect == 0 then
    if #answers == limit then
      more = 1
      break
    end
    put(record, stepped(record, {suspect = 1}), 'suspect')
    answers[#answers + 1] = {record.id, STARTED}
  end
end
return finish({answers, {}, more})
