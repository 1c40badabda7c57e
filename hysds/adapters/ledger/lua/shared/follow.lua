-- What every step means to the kin of the jobs that it changed (hysds/core/kin_steps.py): dependents of what ended are
-- freed or revoked, groups end with their last member, and their sums are told.

-- A group none of whose members has entered; none ever will.
function kin.emptied(group)
  kin.drop_staged(group.id)
  return changed(group, {kids = kin.text(kin.sums_of(group.id))})
end

-- The staged members of a sealed group enter, once it waits for no other job.
function kin.let_in(group)
  local staged = P .. 'staged:' .. group.id
  if group.after_left == 0 and redis.call('EXISTS', staged) == 1 then kin.chore('enter', group.id, clock_ms) end
end

-- The last of the jobs that it came after has ended: to ready, to its time, or (a group) to its members.
function kin.freed(record)
  if record.kind == GROUP then
    return stepped(record, {after_left = 0, reason = kin.is_sealed(record) and MEMBERS or STAGED})
  end
  if record.wake_ms > now_ms then return stepped(record, {after_left = 0, reason = 'time'}) end
  return stepped(record, {status = QUEUED, after_left = 0, reason = '', wake_ms = 0, ready_ms = now_ms})
end

-- One of the jobs that `record` comes after has ended.
function kin.end_of_one(status, id, record)
  if not record or record.status ~= WAITING or record.after_left == 0 then return end
  if record.after_finished == 0 and status ~= COMPLETED then
    local after = record.kind == GROUP and kin.emptied(record) or record
    put(record, ended(changed(after, {after_left = 0}), REVOKED, 'dependency ' .. id), 'free')
  elseif record.after_left > 1 then
    put(record, changed(record, {after_left = record.after_left - 1}), 'free')
  else
    local new = kin.freed(record)
    if throttles.is_limited(new) then new = throttles.kept_back(new) end
    put(record, new, 'free')
    if new.kind == GROUP then
      if kin.is_sealed(new) then kin.let_in(new) end
    elseif new.status == QUEUED then
      make_ready(new)
    end
  end
end

-- Those who come after an ended job; one that is unknown by now was set aside, and completed nothing.
function kin.free(id, most)
  local record, answers = sound(id), {}
  local key = P .. 'after:' .. id
  local waiting = kin.is_sound(key, 'zset') and zset_lowest(key, nil, most + 1) or {}
  for i = 1, math.min(#waiting, most) do
    local dependent = sound(waiting[i][2])
    kin.end_of_one(record and record.status or '', id, dependent)
    zset_drop(key, waiting[i][2])
    if dependent then answers[#answers + 1] = {dependent.id, load(dependent.id).status} end
  end
  if #waiting <= most then kin.done('free', id) end
  return answers
end

-- The group's document shows its sums of now.
function kin.tell(id)
  local record, sums = sound(id), kin.sums_of(id)
  if not record or not sums or record.kids == kin.text(sums) then return {} end
  sums.told_ms = clock_ms
  kin.keep_sums(id, sums)
  put(record, stepped(record, {kids = kin.text(sums)}), 'members')
  return {{id, record.status}}
end

-- A group whose members have all ended: completed where all of them did.
function kin.over(record, sums)
  local counted = changed(record, {kids = kin.text(sums)})
  if sums.failed == 0 and sums.revoked == 0 then return ended(counted, COMPLETED, '') end
  if record.cancel == 1 then return ended(counted, REVOKED, 'cancelled') end
  return ended(counted, FAILED, MEMBERS)
end

-- A group ends with its last member; else its sums are told, at most once in TELL_MS.
function kin.look_after(id)
  local record, sums = sound(id), kin.sums_of(id)
  if not record or not sums or ENDED[record.status] then return end
  if sums.queued + sums.running == 0 then
    put(record, kin.over(record, sums), 'members')
  elseif clock_ms >= sums.told_ms + kin.TELL_MS then
    kin.tell(id)
    kin.done('tell', id)
  elseif not zset_score(kin.CHORES, 'tell ' .. id) then
    kin.chore('tell', id, sums.told_ms + kin.TELL_MS)
  end
end

function kin.follow()
  while #kin.ended > 0 or #kin.stirred > 0 do
    if #kin.ended > 0 then
      local id = table.remove(kin.ended, 1)
      kin.chore('free', id, clock_ms)
      kin.room = kin.room - #kin.free(id, math.max(kin.room, 0))
    else
      local id = table.remove(kin.stirred, 1)
      kin.is_stirred[id] = nil
      kin.look_after(id)
    end
  end
end
