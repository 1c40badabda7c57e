-- Where a record stands: ready (queue, shape, score), due (wall ms) and lease (ledger ms) all follow from it.
local PRIORITY_STEP = 8796093022208
local DUE, LEASE = P .. 'due', P .. 'lease'
local lists, list_order, queue_shapes, held = {}, {}, {}, {}
local put, make_ready -- in steps.lua and workers.lua

local function earliest(...)
  local first
  for _, ms in ipairs({...}) do
    if ms ~= 0 and (not first or ms < first) then first = ms end
  end
  return first
end

-- ready score, due, lease; nil for each set that it does not stand in
local function placement(record)
  if record.status == QUEUED then
    local score = (10 - record.priority) * PRIORITY_STEP + record.ready_ms
    return score, earliest(record.ttl_ms, record.deadline_ms), nil
  end
  if record.status == WAITING then
    local wake_ms = record.after_left == 0 and record.wake_ms or 0
    return nil, earliest(record.ttl_ms, record.deadline_ms, wake_ms), nil
  end
  if record.status == STARTED then return nil, nil, record.lease_ms end
  return nil, nil, nil
end

local function list_of(queue, shape)
  local key = P .. 'ready:' .. queue .. ':' .. shape
  if not lists[key] then
    need(P .. 'shapes:' .. queue, 'set')
    need(P .. 'queues', 'set')
    tallies.of(queue)
    lists[key] = {queue = queue, shape = shape}
    list_order[#list_order + 1] = key
    if queue_shapes[queue] then queue_shapes[queue][shape] = true end
  end
  return key
end

local function shapes_of(queue)
  local known = queue_shapes[queue]
  if not known then
    known = {}
    for _, shape in ipairs(redis.call('SMEMBERS', P .. 'shapes:' .. queue)) do known[shape] = true end
    tallies.had_ready[queue] = next(known) ~= nil
    for _, list in pairs(lists) do if list.queue == queue then known[list.shape] = true end end
    queue_shapes[queue] = known
  end
  return known
end

-- The shapes of the jobs that a worker holds, by id.
local function held_of(worker)
  local known = held[worker]
  if not known then
    known = {}
    read_fields(P .. 'held:' .. worker, known)
    held[worker] = known
  end
  return known
end

local function hold(worker, id, shape)
  held_of(worker)[id] = shape
  if shape then
    write('hash', 'HSET', P .. 'held:' .. worker, id, shape)
  else
    write('hash', 'HDEL', P .. 'held:' .. worker, id)
  end
end

-- Put a job where its record says, whatever stood there before; ready lists lose it in `leave_places` alone.
local function place(record)
  local score, due, lease = placement(record)
  if score then zset_put(list_of(record.queue, record.shape), record.id, score) end
  if due then zset_put(DUE, record.id, due) else zset_drop(DUE, record.id) end
  if lease then
    zset_put(LEASE, record.id, lease)
    hold(record.owner, record.id, record.shape)
  else
    zset_drop(LEASE, record.id)
  end
end

-- Put a job where its record says that stood nowhere before.
local function place_new(record)
  local score, due = placement(record)
  if score then zset_put(list_of(record.queue, record.shape), record.id, score) end
  if due then zset_put(DUE, record.id, due) end
  if throttles.is_limited(record) then throttles.move(nil, record) end
end

local function move(old, new)
  local score, due, lease = placement(old)
  local score_after, due_after, lease_after = placement(new)
  local stays = score == score_after and old.queue == new.queue and old.shape == new.shape
  if score and not stays then zset_drop(list_of(old.queue, old.shape), old.id) end
  if old.owner ~= '' and old.owner ~= new.owner then hold(old.owner, old.id, nil) end
  if not (stays and due == due_after and lease == lease_after) then place(new) end
  if throttles.is_limited(new) then throttles.move(old, new) end
end

local function settle(id)
  local record = sound(id)
  if record then return place(record) end
  zset_drop(DUE, id)
  zset_drop(LEASE, id)
end

-- The record behind an entry of `lease` or `due`; an entry that contradicts its record is mended, and answers nil. So
-- does one whose record can't be read: then `damaged` has it.
local function record_leased(id, score)
  local record = sound(id)
  if record then
    local _, _, lease = placement(record)
    if lease == score then return record end
  end
  return settle(id)
end

local function record_due(id, score)
  local record = sound(id)
  if record then
    local _, due = placement(record)
    if due == score then return record end
  end
  return settle(id)
end

-- A queue's index loses a shape in the step that empties its list.
local function write_index(key)
  local queue, shape = lists[key].queue, lists[key].shape
  if redis.call('EXISTS', key) == 1 then
    redis.call('SADD', P .. 'shapes:' .. queue, shape)
    redis.call('SADD', P .. 'queues', queue)
  else
    redis.call('SREM', P .. 'shapes:' .. queue, shape)
    if redis.call('EXISTS', P .. 'shapes:' .. queue) == 0 and not is_paused(queue) then
      redis.call('SREM', P .. 'queues', queue)
    end
  end
end
