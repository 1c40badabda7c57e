-- What ties jobs together (hysds/core/kin.py): groups with their members, and jobs that wait for others to end. A group's
-- sums follow its members in the same step; what a step has no room for is a chore, with a time on the ledger's clock.
local GROUP, MEMBERS, STAGED, AFTER = 'group', 'members', 'staged', 'after'
local kin = {
  CHORES = P .. 'chores', STAGING_MS = 300000, TELL_MS = 1000,
  room = 100, -- how many jobs more than it was asked for a step touches
  ended = {}, stirred = {}, is_stirred = {}, sums = {}, order = {},
  CLASSES = {
    [QUEUED] = 'queued', [WAITING] = 'queued', [STARTED] = 'running', [COMPLETED] = 'done', [FAILED] = 'failed',
    [REVOKED] = 'revoked', [DEDUPED] = 'deduped',
  },
  FIELDS = {'total', 'queued', 'staged', 'entered', 'running', 'done', 'failed', 'revoked', 'deduped', 'told_ms'},
}

-- Whether a key may be used so; one that something else wrote concerns its own group or job alone.
function kin.is_sound(key, kind)
  return kinds[key] == kind or (pcall(need, key, kind))
end

-- The sums of a live group, nil where there are none.
function kin.sums_of(id)
  local sums = kin.sums[id]
  if sums == nil then
    sums = false
    if kin.is_sound(P .. 'kids:' .. id, 'hash') then
      local known = redis.call('HMGET', P .. 'kids:' .. id, unpack(kin.FIELDS))
      if known[1] then
        sums = {}
        for i, name in ipairs(kin.FIELDS) do sums[name] = tonumber(known[i] or 0) or 0 end
      end
    end
    kin.sums[id] = sums
  end
  return sums or nil
end

function kin.keep_sums(id, sums)
  kin.sums[id] = sums
  if kin.order[id] then return end
  need(P .. 'kids:' .. id, 'hash')
  kin.order[id] = true
end

function kin.text(sums)
  local numbers = {}
  for i, name in ipairs({'total', 'queued', 'running', 'done', 'failed', 'revoked', 'deduped'}) do
    numbers[i] = num(sums[name])
  end
  return table.concat(numbers, ' ')
end

function kin.stir(group)
  if kin.is_stirred[group] then return end
  kin.is_stirred[group] = true
  kin.stirred[#kin.stirred + 1] = group
end

-- The sums follow the members; whether the group ends, or is told of, is looked at later in the step.
function kin.count(group, sums, before, after, count)
  sums[before] = sums[before] - count
  sums[after] = sums[after] + count
  kin.keep_sums(group, sums)
  if (before ~= after and count > 0) or sums.queued + sums.running == 0 then kin.stir(group) end
end

function kin.chore(what, id, at_ms) zset_put(kin.CHORES, what .. ' ' .. id, at_ms) end
function kin.done(what, id) zset_drop(kin.CHORES, what .. ' ' .. id) end

-- A member stands in the ledger, or ended at birth.
function kin.enters(record)
  local sums = record.parent ~= '' and kin.sums_of(record.parent)
  if not sums then return end
  sums.entered = sums.entered + 1
  kin.count(record.parent, sums, 'queued', kin.CLASSES[record.status], 1)
  if ENDED[record.status] then return end
  local key = P .. 'members:' .. record.parent
  if kin.is_sound(key, 'zset') then zset_put(key, record.id, 0) end
end

function kin.forget(id)
  kin.sums[id] = false
  kin.order[id] = true
  erase(P .. 'members:' .. id)
  erase(P .. 'staged:' .. id)
end

function kin.leave(record)
  if record.parent ~= '' and kin.is_sound(P .. 'members:' .. record.parent, 'zset') then
    zset_drop(P .. 'members:' .. record.parent, record.id)
  end
  if record.kind == GROUP then
    kin.forget(record.id)
    for _, what in ipairs({'abort', 'cancel', 'enter', 'tell'}) do kin.done(what, record.id) end
  end
end

-- Whether anybody comes after a job.
function kin.is_waited_for(id)
  local key = P .. 'after:' .. id
  return zsets[key] ~= nil or redis.call('EXISTS', key) == 1
end

-- A record changed.
function kin.moves(old, new)
  if ENDED[new.status] and not ENDED[old.status] then
    if kin.is_waited_for(new.id) then kin.ended[#kin.ended + 1] = new.id end
    kin.leave(new)
  end
  local sums = new.parent ~= '' and kin.sums_of(new.parent)
  if sums then kin.count(new.parent, sums, kin.CLASSES[old.status], kin.CLASSES[new.status], 1) end
end

-- The members that have not entered never do; they count as revoked.
function kin.drop_staged(group)
  erase(P .. 'staged:' .. group)
  kin.done('abort', group)
  kin.done('enter', group)
  local sums = kin.sums_of(group)
  if not sums then return end
  local left = sums.total - sums.entered
  sums.entered = sums.total
  kin.count(group, sums, 'queued', 'revoked', left)
end

-- A member whose record can't be read counts as failed. `class`: where it stood.
function kin.lose_member(group, id, class)
  local sums = kin.sums_of(group)
  if not sums then return end
  if kin.is_sound(P .. 'members:' .. group, 'zset') then zset_drop(P .. 'members:' .. group, id) end
  kin.count(group, sums, class, 'failed', 1)
end

-- The sums anew, from the members that are there; those whose records are gone count as failed. Answers their ids; nil
-- where all are there, or they are too many to look at.
function kin.recount(group)
  local key, sums, gone = P .. 'members:' .. group, kin.sums_of(group), {}
  local members = sums and kin.is_sound(key, 'zset') and zset_lowest(key, nil, 1001) or {}
  if #members > 1000 then return nil end
  for _, entry in ipairs(members) do
    if redis.call('EXISTS', P .. 'job:' .. entry[2]) == 0 and not jobs[entry[2]] then gone[#gone + 1] = entry[2] end
  end
  if #gone == 0 then return nil end
  for _, id in ipairs(gone) do zset_drop(key, id) end
  sums.queued, sums.running = sums.total - sums.entered, 0
  for _, entry in ipairs(members) do
    local record = sound(entry[2])
    local class = record and kin.CLASSES[record.status]
    if class == 'queued' or class == 'running' then sums[class] = sums[class] + 1 end
  end
  sums.failed = sums.total - sums.queued - sums.running - sums.done - sums.revoked - sums.deduped
  kin.keep_sums(group, sums)
  kin.stir(group)
  return gone
end

-- A record that can't be read is set aside; `raw`: its fields, as far as there are any. Its group counts it as failed
-- where they say where it stood (else the audit recounts), and who comes after it hears of its end.
function kin.set_aside(id, raw)
  if kin.is_waited_for(id) then kin.ended[#kin.ended + 1] = id end
  if raw.kind == GROUP or kin.sums_of(id) then kin.forget(id) end
  if not raw.parent or zset_score(P .. 'members:' .. raw.parent, id) == nil then return end
  local class = kin.CLASSES[raw.status]
  if class == 'queued' or class == 'running' then kin.lose_member(raw.parent, id, class) end
end

-- Whether the group takes a member in: sealed, alive, and not all of its members have entered.
function kin.may_join(parent)
  if not parent or parent.kind ~= GROUP or parent.cancel == 1 or parent.reason ~= MEMBERS then return false end
  local sums = kin.sums_of(parent.id)
  return sums ~= nil and sums.entered < sums.total
end

function kin.is_sealed(group) return group.reason == AFTER or group.reason == MEMBERS end

function kin.write()
  for id in pairs(kin.order) do
    local sums, flat = kin.sums[id], {}
    if sums then
      for i, name in ipairs(kin.FIELDS) do
        flat[2 * i - 1] = name
        flat[2 * i] = num(sums[name])
      end
      redis.call('HSET', P .. 'kids:' .. id, unpack(flat))
    else
      redis.call('UNLINK', P .. 'kids:' .. id)
    end
  end
end

-- A member can never stand in the ledger: its id is another job's.
function kin.miscarries(group)
  local sums = kin.sums_of(group)
  if not sums then return end
  sums.entered = sums.entered + 1
  kin.count(group, sums, 'queued', 'failed', 1)
end
