#!lua flags=allow-oom
-- All announced workers: {incarnation, ms left of the announcement, its fields, {id, fence} …, drain or false} …
local function leases_of(worker)
  local ids, leases = {}, {}
  for id in pairs(held_of(worker.name)) do ids[#ids + 1] = id end
  table.sort(ids, before)
  for _, id in ipairs(ids) do
    local record = redis.pcall('HMGET', P .. 'job:' .. id, 'status', 'owner', 'fence')
    local is_sound = not record.err and string.find(record[3] or '', '^%d+$')
    if is_sound and record[1] == STARTED and record[2] == worker.name then leases[#leases + 1] = {id, record[3]} end
  end
  return leases
end

local answer = {}
for _, entry in ipairs(zset_lowest(WORKERS)) do
  local worker = worker_of(entry[2])
  if worker.is_announced then
    local fields = redis.call('HGETALL', P .. 'worker:' .. worker.name)
    answer[#answer + 1] = {worker.name, num(entry[1] - clock_ms), fields, leases_of(worker), drain_of(worker)}
  end
end
return answer
