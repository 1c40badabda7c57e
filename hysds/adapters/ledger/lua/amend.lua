#!lua flags=allow-oom
-- Move unclaimed jobs to another queue or priority; each keeps its place in time.
-- ARGV: clock, queue or "", priority or "", ids.
local priority = tonumber(ARGV[3])

local function amend(id)
  local record = sound(id)
  if not record then return damaged[id] and 'damaged' or 'missing' end
  if record.status ~= QUEUED and record.status ~= WAITING then return record.status end
  if record.kind == GROUP then return GROUP end
  local new = stepped(record, {
    queue = ARGV[2] ~= '' and ARGV[2] or record.queue, priority = priority or record.priority,
  })
  if new.queue == record.queue and new.priority == record.priority then return 'same' end
  put(record, new, 'amend')
  if new.status == QUEUED then make_ready(new) end
  return new.status
end

local answers = {}
for i = 4, #ARGV do answers[i - 3] = {ARGV[i], amend(ARGV[i])} end
return finish({answers, announce(), 0})
