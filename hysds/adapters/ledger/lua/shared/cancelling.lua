-- Unclaimed jobs are revoked; started ones marked, and their workers told; a group's members with it.
function kin.cancel_members(id, most)
  local key, answers = P .. 'members:' .. id, {}
  local left = kin.is_sound(key, 'zset') and zset_lowest(key, 0, most + 1) or {}
  if #left <= most then kin.done('cancel', id) end
  for i = 1, math.min(#left, most) do
    zset_put(key, left[i][2], 1)
    kin.room = kin.room - 1
    answers[i] = {left[i][2], kin.cancel(left[i][2])}
    if answers[i][2] == 'missing' then kin.recount(id) end
  end
  return answers
end

-- It ends with its members: those that have not entered are gone, the others are cancelled.
function kin.cancel_group(group)
  if group.cancel == 0 then
    put(group, stepped(group, {cancel = 1}), 'cancel')
    kin.drop_staged(group.id)
    kin.chore('cancel', group.id, clock_ms)
    kin.cancel_members(group.id, math.max(kin.room, 0))
  end
  return WAITING
end

function kin.cancel(id)
  local record = sound(id)
  if not record then return damaged[id] and 'damaged' or 'missing' end
  if ENDED[record.status] then return 'ended' end
  if record.status == STARTED then
    if record.cancel == 0 then put(record, stepped(record, {cancel = 1}), 'cancel') end
    tell(record.owner, 'cancel ' .. id .. ' ' .. num(record.fence))
    return STARTED
  end
  local sums = record.kind == GROUP and kin.sums_of(id)
  if sums and sums.entered > 0 then return kin.cancel_group(record) end
  local unclaimed = sums and kin.emptied(record) or record
  put(record, ended(changed(unclaimed, {cancel = 1}), REVOKED, 'cancelled'), 'cancel')
  return REVOKED
end
