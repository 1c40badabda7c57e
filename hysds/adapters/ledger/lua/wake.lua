#!lua flags=allow-oom
-- Waiting jobs whose time has come are ready. ARGV: clock, limit.
local limit, answers = tonumber(ARGV[2]), {}
local due = zset_lowest(DUE, now_ms, limit + 1)
for i = 1, math.min(#due, limit) do
  local record = record_due(due[i][2], due[i][1])
  if record and record.status == WAITING and not is_overdue(record) then
    -- its place counts from when it was due, or from when it was ready before (a delayed release)
    local ready_ms = record.ready_ms ~= 0 and record.ready_ms or record.wake_ms
    local new = stepped(record, {status = QUEUED, reason = '', wake_ms = 0, ready_ms = ready_ms})
    put(record, new, 'wake')
    make_ready(new)
    answers[#answers + 1] = {new.id, new.status}
  end
  note_damage(due[i][2], answers)
end
return finish({answers, announce(), #due > limit and 1 or 0})
