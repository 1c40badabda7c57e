-- What every transition does: store the record, move it among the sets, let go of its key, tell the stream.
-- The transitions themselves are those of hysds/core/transitions.py, one function each.
local RETIRE, RETIRE_KEYS = P .. 'retire', P .. 'retire:keys'
local dedup_keys, dedup_order = {}, {}

local function publish(record, step)
  local shown = record.suspect == 1 and 'job-offline' or record.status
  write('stream', 'XADD', P .. 'events', '*', 'id', record.id, 'revision', num(record.revision),
    'fence', num(record.fence), 'status', shown, 'step', step)
end

-- Whom a digest names, and until when: 0 while that job lives, FOREVER, or wall ms.
local function key_of(digest)
  local key = dedup_keys[digest]
  if key == nil then
    local text = redis.call('GET', P .. 'dedup:' .. digest)
    key = false
    if text then
      local owner, until_ms = string.match(text, '^(%S+) (-?%d+)$')
      if not owner then refuse('the key of digest ' .. digest .. ' is unreadable') end
      key = {owner = owner, until_ms = tonumber(until_ms)}
    end
    dedup_keys[digest] = key
  end
  return key or nil
end

local function set_key(digest, key)
  need(P .. 'dedup:' .. digest, 'string')
  dedup_keys[digest] = key
  dedup_order[#dedup_order + 1] = digest
end

local function write_key(digest)
  local key = dedup_keys[digest]
  if key then
    redis.call('SET', P .. 'dedup:' .. digest, key.owner .. ' ' .. num(key.until_ms))
  else
    redis.call('DEL', P .. 'dedup:' .. digest)
  end
end

-- A key goes with its job, or stands for its window when the job completed; only while it still names it.
local function settle_key(record)
  local key = record.dedup ~= '' and key_of(record.dedup)
  if not key or key.owner ~= record.id then return end
  if record.status ~= COMPLETED or record.window_ms == 0 then
    set_key(record.dedup, false)
  elseif record.window_ms == FOREVER then
    set_key(record.dedup, {owner = record.id, until_ms = FOREVER})
  else
    local until_ms = record.ended_ms + record.window_ms
    set_key(record.dedup, {owner = record.id, until_ms = until_ms})
    zset_put(RETIRE_KEYS, record.dedup, until_ms)
  end
end

function put(old, new, step)
  move(old, new)
  tallies.moved(old, new)
  store(new)
  if ENDED[new.status] and not ENDED[old.status] then settle_key(new) end
  kin.moves(old, new)
  if new.revision ~= old.revision then publish(new, step) end
end

-- The job that does the same as a submission, and its status: judged by the submission's own states.
local function key_status(key)
  local owner = sound(key.owner)
  return owner and owner.status or COMPLETED
end

-- Its window is over; or it names a job that never ended and has no record, which was set aside.
local function is_over(key)
  if key.until_ms == 0 then return not sound(key.owner) end
  return 0 < key.until_ms and key.until_ms <= now_ms
end

-- All that is kept of a job that has ended.
local function drop_record(id)
  for _, kind in ipairs({'job:', 'long:', 'spec:', 'tries:', 'error:'}) do erase(P .. kind .. id) end
  zset_drop(RETIRE, id)
end

-- Out of every place that its own fields name, as far as they can be read.
local function leave_named_places(id)
  local is_hash, raw = pcall(function()
    local raw = setmetatable({}, with_defaults)
    read_fields(P .. 'job:' .. id, raw)
    if raw.long then pcall(read_fields, P .. 'long:' .. id, raw) end
    return raw
  end)
  if not is_hash then return kin.set_aside(id, {}) end
  local list = P .. 'ready:' .. raw.queue .. ':' .. raw.shape
  local is_ready, is_held = zset_score(list, id), raw.owner ~= '' and held_of(raw.owner)[id]
  if is_ready then zset_drop(list_of(raw.queue, raw.shape), id) end
  if is_held then hold(raw.owner, id, nil) end
  if not KNOWN[raw.status] then
    local waits = raw.reason ~= '' and raw.ended_ms == 0
    raw.status = is_held and STARTED or is_ready and QUEUED or waits and WAITING or nil
  end
  kin.set_aside(id, raw)
  local queue, what = tallies.counted(raw)
  if KNOWN[raw.status] and queue then tallies.count(queue, what, -1) end
  local key = raw.dedup ~= '' and key_of(raw.dedup)
  if key and key.owner == id then set_key(raw.dedup, false) end
  raw.id = id
  pcall(throttles.drop_all, raw)
end

-- A record that can't be read stands in nobody's way: out of all places, and under another name for whoever looks after
-- it. Its spec stays. Answers what to report.
local function set_aside(id)
  leave_named_places(id)
  zset_drop(DUE, id)
  zset_drop(LEASE, id)
  zset_drop(RETIRE, id)
  writes[#writes + 1] = {'RENAME', P .. 'job:' .. id, P .. 'damaged:' .. id}
  return 'its record is unreadable (' .. damaged[id] .. '): set aside as ' .. P .. 'damaged:' .. id
end

local function twin_of(item)
  local key = item.dedup ~= '' and key_of(item.dedup)
  if not key or key.owner == item.retry_of or is_over(key) then return nil end
  local status = key_status(key)
  if string.find(item.twins, ' ' .. status .. ' ', 1, true) then return key.owner, status end
end

-- A forced twin never takes a key from another job.
local function may_take(item)
  if item.dedup == '' then return false end
  local key = key_of(item.dedup)
  if not key or is_over(key) then return true end
  if not ENDED[key_status(key)] then return false end
  return key.owner == item.retry_of or not (item.may_repeat or item.retry_of ~= '')
end

local function take_key(item)
  if not may_take(item) then return end
  local had_one = key_of(item.dedup) ~= nil
  set_key(item.dedup, {owner = item.id, until_ms = 0})
  if had_one then zset_drop(RETIRE_KEYS, item.dedup) end
end

local function enter(record, spec, step)
  store(record)
  place_new(record)
  kin.enters(record)
  tallies.moved(nil, record)
  write('string', 'SET', P .. 'spec:' .. record.id, spec)
  publish(record, step)
end

local function stepped(record, changes)
  changes.revision = hybrid(record.revision)
  return changed(record, changes)
end

-- A step that meets a record which can't be read sets it aside, and says so among its answers.
local function note_damage(id, answers)
  if not damaged[id] then return end
  set_aside(id)
  answers[#answers + 1] = {id, 'damaged'}
end

local GENERATIONS = P .. 'generations'
local generation
-- Of the store's indices: the one that new jobs are born in, and the oldest that there is.
local function generations()
  local known = redis.call('HMGET', GENERATIONS, 'current', 'oldest')
  local current, oldest = tonumber(known[1] or 1), tonumber(known[2] or 1)
  if not current or not oldest then refuse(GENERATIONS .. ' holds no numbers') end
  return current, oldest
end

-- What a submission leaves out.
local with_asked = {__index = {
  priority = 0, wake_ms = 0, ttl_for_ms = 0, deadline_ms = 0, deadline_for_ms = 0, dedup = '', may_repeat = false, twins = '',
  window_ms = FOREVER, retry_of = '', kind = '', limits = '', rates = '', lost_left = 2, preempt_left = FOREVER,
  parent = '', members = 0, staged = 0, after = {}, after_on = 'completed', doomed = '',
}}

-- A submission as it came, its defaults filled in.
local function asked(item) return setmetatable(item, with_asked) end

local function depth_of(item)
  return item.parent ~= '' and load(item.parent).depth + 1 or 0
end

-- The record that a submission is born with.
local function born(item, status, changes)
  generation = generation or (generations())
  local record = {
    id = item.id, status = status, revision = now_us, digest = item.digest, queue = item.queue, shape = item.shape,
    priority = item.priority, lost_left = item.lost_left, preempt_left = item.preempt_left, accepted_ms = now_ms,
    dedup = item.dedup, window_ms = item.window_ms, retry_of = item.retry_of, kind = item.kind,
    generation = generation, limits = item.limits, rates = item.rates, parent = item.parent, depth = depth_of(item),
  }
  for name, value in pairs(changes) do record[name] = value end
  return setmetatable(record, with_defaults)
end

local function unowned(record, ended_ms)
  return changed(record, {owner = '', nonce = '', lease_ms = 0, lease_for_ms = 0, suspect = 0, phase = '', progress = '', ended_ms = ended_ms})
end

local function ended(record, status, reason)
  return stepped(unowned(record, now_ms),
    {status = status, reason = reason, wake_ms = 0, reserved_by = '', reserved_ms = 0})
end

-- The longest lease that was asked for: no lease with more of it left than half of that can be half over.
local function remember_lease(lease_for_ms)
  if lease_for_ms <= longest_ms then return end
  longest_ms = lease_for_ms
  write('hash', 'HSET', KEYS[1], 'longest_ms', num(longest_ms))
end

local function claimed(record, bid)
  remember_lease(bid.lease_ms)
  return stepped(record, {
    status = STARTED, fence = hybrid(record.fence), owner = bid.worker, nonce = bid.nonce, claims = record.claims + 1,
    lease_ms = clock_ms + bid.lease_ms, lease_for_ms = bid.lease_ms, started_ms = now_ms, ttl_ms = 0, wake_ms = 0, reason = '', reserved_by = '', reserved_ms = 0,
  })
end

local function renewed(record, phase, progress, lease_for_ms)
  remember_lease(lease_for_ms)
  local later = changed(record, {lease_ms = clock_ms + lease_for_ms, lease_for_ms = lease_for_ms})
  if record.suspect == 0 and record.phase == phase and record.progress == progress then return later end
  return stepped(later, {suspect = 0, phase = phase, progress = progress})
end

-- A shape with this mark is that of a job which runs alone on its worker.
local function is_alone(shape) return string.sub(shape, -1) == '!' end
local function alone(shape) return is_alone(shape) and shape or shape .. '!' end

local function committed(record, commit)
  local status, reason = commit.status, commit.reason
  if record.cancel == 1 and status ~= COMPLETED then status, reason = REVOKED, 'cancelled' end
  local ready_ms = record.ready_ms
  if status == WAITING then ready_ms = 0 elseif status == QUEUED then ready_ms = now_ms end
  local shape = not ENDED[status] and commit.shape ~= '' and commit.shape or record.shape
  if is_alone(record.shape) then shape = alone(shape) end
  if status == COMPLETED or status == QUEUED then reason = '' elseif status == WAITING then reason = 'time' end
  return stepped(unowned(record, ENDED[status] and now_ms or 0), {
    status = status, committed = record.fence, reason = reason, fails = commit.fails, ready_ms = ready_ms,
    wake_ms = status == WAITING and (commit.wake_ms == 0 and now_ms or commit.wake_ms) or 0,
    shape = shape,
    memory_bytes = not ENDED[status] and commit.memory_bytes ~= 0 and commit.memory_bytes or record.memory_bytes,
  })
end

local function released(record, wake_ms)
  if record.cancel == 1 then return ended(record, REVOKED, 'cancelled') end
  if record.preempt_left == 0 then return ended(record, FAILED, 'preempted') end
  local left = record.preempt_left
  if left ~= FOREVER then left = left - 1 end
  local waits = wake_ms ~= 0
  return stepped(unowned(record, 0), {
    status = waits and WAITING or QUEUED, reason = waits and 'time' or '', wake_ms = wake_ms, preempt_left = left,
  })
end

local function returned(record)
  if record.cancel == 1 then return ended(record, REVOKED, 'cancelled') end
  return stepped(unowned(record, 0), {status = QUEUED})
end

-- Whoever ran beside it was lost too: whose fault it was shows when each runs its last attempt alone.
local function lost(record)
  if record.cancel == 1 then return ended(record, REVOKED, 'cancelled') end
  if record.lost_left == 0 then return ended(record, FAILED, 'worker-lost') end
  local left = record.lost_left - 1
  local shape = left == 0 and alone(record.shape) or record.shape
  return stepped(unowned(record, 0), {status = QUEUED, lost_left = left, shape = shape})
end

local function is_overdue(record)
  local ttl, deadline = record.ttl_ms, record.deadline_ms
  return (0 < ttl and ttl <= now_ms) or (0 < deadline and deadline <= now_ms)
end

-- Only the fence decides, never the clock: a lease past its time but not yet taken is still good.
local function owns(record, fence) return record.status == STARTED and record.fence == fence end

-- Waiting to ready: its place counts from when it was due, or from when it was ready before (a delayed release, a limit).
function throttles.woken(record)
  local ready_ms = record.ready_ms ~= 0 and record.ready_ms or record.wake_ms
  return stepped(record, {status = QUEUED, reason = '', wake_ms = 0, ready_ms = ready_ms})
end

-- Ready to waiting for a place or a token; its place in time stays.
function throttles.limited(record, throttle) return stepped(record, {status = WAITING, reason = throttle}) end
