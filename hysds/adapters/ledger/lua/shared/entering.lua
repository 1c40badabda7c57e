-- How a submission becomes a record (hysds/core/admission.py).
local MOST_SHAPES = 256

local function has_room(queue, shape)
  local shapes, count = shapes_of(queue), 0
  if shapes[shape] then return true end
  for _ in pairs(shapes) do count = count + 1 end
  return count < MOST_SHAPES
end

-- An ended job learns which one does it again; the store must have that before the record may go.
local function link(old, id)
  zset_drop(RETIRE, old.id)
  put(old, stepped(old, {retried_by = id, confirmed = 0}), 'retry')
end

-- Where the jobs stand that it comes after: live ones by id, in order; the first that is unknown; the first that did not
-- end as it must. A duplicate stands for the job that it is a duplicate of.
local NOBODY = {}

-- Whether a submission is a member of the group, however deep: neither could ever end after the other.
local function is_within(item, group)
  local above = item.parent
  while above ~= '' and above ~= group do
    local record = sound(above)
    above = record and record.parent or ''
  end
  return above ~= ''
end

local function needs_of(item)
  if #item.after == 0 then return NOBODY, nil, item.doomed ~= '' and item.doomed or nil end
  local live, is_live, failed = {}, {}, item.doomed ~= '' and item.doomed or nil
  for _, named in ipairs(item.after) do
    local record, is_met = sound(named), false
    if record and record.status == DEDUPED then
      local completed_before = record.dedup_status == COMPLETED
      record = sound(record.dedup_job)
      is_met = not record and completed_before
    end
    if not record and not is_met and item.parent == '' then return live, named end
    local is_own = is_within(item, named)
    if record and not is_own and not ENDED[record.status] then
      if not is_live[record.id] then live[#live + 1] = record.id end
      is_live[record.id] = true
    elseif is_own or not is_met and item.after_on ~= 'finished' and (not record or record.status ~= COMPLETED) then
      failed = failed or named
    end
  end
  return live, nil, failed
end

local function entrant(item, live, failed)
  if failed then return born(item, REVOKED, {reason = 'dependency ' .. failed, ended_ms = now_ms}) end
  local after_finished = item.after_on == 'finished' and 1 or 0
  if item.kind == GROUP then
    local sums = {total = item.members, queued = item.members, running = 0, done = 0, failed = 0, revoked = 0, deduped = 0}
    return born(item, WAITING, {
      reason = item.staged > 0 and STAGED or #live > 0 and AFTER or MEMBERS, after_left = #live,
      after_finished = after_finished, kids = kin.text(sums),
    })
  end
  local waits, deadline_ms = item.wake_ms > now_ms, item.deadline_ms
  local deadline_of_now_ms = item.deadline_for_ms ~= 0 and now_ms + item.deadline_for_ms or 0
  if deadline_ms == 0 or (deadline_of_now_ms ~= 0 and deadline_of_now_ms < deadline_ms) then
    deadline_ms = deadline_of_now_ms
  end
  local record = born(item, waits and WAITING or QUEUED, {
    reason = waits and 'time' or '', ready_ms = waits and 0 or now_ms, wake_ms = waits and item.wake_ms or 0,
    ttl_ms = item.ttl_for_ms ~= 0 and now_ms + item.ttl_for_ms or 0, deadline_ms = deadline_ms,
  })
  if #live == 0 then return record end
  record.status, record.reason, record.ready_ms = WAITING, AFTER, 0
  record.after_left, record.after_finished = #live, after_finished
  return record
end

-- A live job takes its key, waits for those that it comes after, and (a group) counts its members.
local function tie(item, live)
  for _, id in ipairs(live) do zset_put(P .. 'after:' .. id, item.id, 0) end
  if item.kind ~= GROUP then return take_key(item) end
  kin.keep_sums(item.id, {
    total = item.members, queued = item.members, staged = item.staged, entered = 0, running = 0, done = 0, failed = 0,
    revoked = 0, deduped = 0, told_ms = clock_ms,
  })
  if item.staged > 0 then kin.chore('abort', item.id, clock_ms + kin.STAGING_MS) end
  if item.members == 0 then kin.stir(item.id) end
end

local function admit(item, spec, live, failed)
  slots_of(item.shape)
  local twin, twin_status = twin_of(item)
  if twin and not item.may_repeat then
    enter(born(item, DEDUPED, {ended_ms = now_ms, dedup_job = twin, dedup_status = twin_status}), spec, 'accept')
    return {'deduped', DEDUPED, twin, twin_status}
  end
  local is_bound = item.kind ~= GROUP and item.parent == '' and not failed
  if is_bound and not has_room(item.queue, item.shape) then return {'full', '', '', ''} end
  local retried = item.retry_of ~= '' and load(item.retry_of)
  local record = entrant(item, live, failed)
  if not ENDED[record.status] then tie(item, live) end
  if throttles.is_limited(record) then record = throttles.named(record) end
  enter(record, spec, 'accept')
  if retried then link(retried, item.id) end
  if record.status == QUEUED then make_ready(record) end
  return {'accepted', record.status, twin or '', twin_status or ''}
end

-- A member of a new group that can't enter: it is there from before its group was purged, or its id is another job's. The
-- group must not wait for it.
local function stands_already(item)
  local known = sound(item.id)
  local is_same = known and known.digest == item.digest and known.parent == item.parent
  if is_same and not zset_score(P .. 'members:' .. item.parent, item.id) then
    kin.enters(known)
  else
    kin.miscarries(item.parent)
  end
end
