#!lua flags=allow-oom
-- Waiting jobs whose time has come are ready. ARGV: clock, limit.
local limit, answers = tonumber(ARGV[2]), {}
local due = zset_lowest(DUE, now_ms, limit + 1)
for i = 1, math.min(#due, limit) do
  local record = record_due(due[i][2], due[i][1])
  if record and record.status == WAITING and not is_overdue(record) then
    local new = throttles.woken(record)
    if throttles.is_limited(new) then new = throttles.kept_back(new) end
    put(record, new, 'wake')
    if new.status == QUEUED then make_ready(new) end
    answers[#answers + 1] = {new.id, new.status}
  end
  note_damage(due[i][2], answers)
end
throttles.touch_late(limit)
for _, answer in ipairs(throttles.call_next(math.min(limit - #answers, 100))) do answers[#answers + 1] = answer end
return finish({answers, announce(), (#due > limit or throttles.is_behind()) and 1 or 0})
