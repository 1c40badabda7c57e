#!lua flags=allow-oom
-- Leases past their end come back; unclaimed jobs past ttl or deadline fail; silent workers are forgotten.
-- ARGV: clock, limit.
local limit, answers = tonumber(ARGV[2]), {}
local over = zset_lowest(LEASE, clock_ms, limit + 1)
for i = 1, math.min(#over, limit) do
  local record = record_leased(over[i][2], over[i][1])
  if record then answers[#answers + 1] = {record.id, lose(record)} end
  note_damage(over[i][2], answers)
end
local room = limit - #answers
local due = zset_lowest(DUE, now_ms, room + 1)
for i = 1, math.min(#due, room) do
  local record = record_due(due[i][2], due[i][1])
  if record and is_overdue(record) then
    local new = ended(record, FAILED, 'timeout')
    put(record, new, 'expire')
    answers[#answers + 1] = {new.id, new.status}
  end
  note_damage(due[i][2], answers)
end
local silent = zset_lowest(WORKERS, clock_ms, limit + 1)
for i = 1, math.min(#silent, limit) do
  if #held_by(silent[i][2]) == 0 then drop_worker(silent[i][2]) end
end
local more = #over > limit or #due > room or #silent > limit
return finish({answers, announce(), more and 1 or 0})
