#!lua flags=allow-oom
-- Unclaimed jobs are revoked; started ones marked, and their workers told. ARGV: clock, ids.
local function cancel(id)
  local record = sound(id)
  if not record then return damaged[id] and 'damaged' or 'missing' end
  if ENDED[record.status] then return 'ended' end
  if record.status == STARTED then
    if record.cancel == 0 then put(record, stepped(record, {cancel = 1}), 'cancel') end
    tell(record.owner, 'cancel ' .. id .. ' ' .. num(record.fence))
    return STARTED
  end
  put(record, ended(changed(record, {cancel = 1}), REVOKED, 'cancelled'), 'cancel')
  return REVOKED
end

local answers = {}
for i = 2, #ARGV do answers[i - 1] = {ARGV[i], cancel(ARGV[i])} end
return finish({answers, {}, 0})
