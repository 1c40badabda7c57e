-- Workers as the ledger knows them: when their announcement ends (ledger clock), what they hear, what they were woken for.
-- Drain orders stand by worker name; what is drained stands in no `hears:` set.
local WORKERS, DRAINS = P .. 'workers', P .. 'drains'
local workers, worker_order, inboxes, inbox_order = {}, {}, {}, {}

local function worker_of(name)
  local worker = workers[name]
  if not worker then
    local known = redis.call('HMGET', P .. 'worker:' .. name, 'pledged', 'reserved', 'slots', 'queues', 'never', 'name')
    worker = {
      name = name, pledged = tonumber(known[1] or 0), reserved = known[2] or '', slots = tonumber(known[3] or 0),
      queues = known[4] or '[]', never = known[5] or '[]', title = known[6] or string.match(name, '^[^/]*'),
      is_announced = known[6] ~= false,
    }
    worker.was_pledged, worker.was_reserved = worker.pledged, worker.reserved
    workers[name] = worker
    worker_order[#worker_order + 1] = name
  end
  return worker
end

-- {name, order} of a drained worker, false for any other.
local function drain_of(worker)
  local order = redis.call('HGET', DRAINS, worker.title)
  return order and {worker.title, order}
end

local function is_known(name) return zset_score(WORKERS, name) ~= nil end

local function meet(name, until_ms)
  need(P .. 'worker:' .. name, 'hash')
  local known = zset_score(WORKERS, name)
  if not known or known < until_ms then zset_put(WORKERS, name, until_ms) end
  return worker_of(name)
end

local function write_worker(name)
  local worker, key = workers[name], P .. 'worker:' .. name
  if worker.gone then return end
  if worker.pledged ~= worker.was_pledged then redis.call('HSET', key, 'pledged', num(worker.pledged)) end
  if worker.reserved ~= worker.was_reserved then redis.call('HSET', key, 'reserved', worker.reserved) end
end

local function tell(name, notice)
  if not is_known(name) then return end
  need(P .. 'inbox:' .. name, 'list')
  if not inboxes[name] then
    inboxes[name] = {}
    inbox_order[#inbox_order + 1] = name
  end
  table.insert(inboxes[name], notice)
end

-- Notices only hurry things: beyond a thousand the oldest are dropped.
local function write_inbox(name)
  if not inboxes[name] then return end
  call_in_parts('RPUSH', P .. 'inbox:' .. name, inboxes[name])
  redis.call('LTRIM', P .. 'inbox:' .. name, -1000, -1)
end

local function drop_reservation(worker)
  local record = worker.reserved ~= '' and sound(worker.reserved)
  if record and record.reserved_by == worker.name then store(changed(record, {reserved_by = '', reserved_ms = 0})) end
  worker.reserved = ''
end

local function drop_worker(name)
  local worker = worker_of(name)
  drop_reservation(worker)
  worker.gone = true
  for _, queue in ipairs(cjson.decode(worker.queues)) do zset_drop(P .. 'hears:' .. queue, name) end
  zset_drop(WORKERS, name)
  erase(P .. 'worker:' .. name)
  erase(P .. 'inbox:' .. name)
  inboxes[name] = nil
end

-- The records that a worker holds, by id; less those that can't be read.
local function held_by(name)
  local ids, records = {}, {}
  for id in pairs(held_of(name)) do ids[#ids + 1] = id end
  table.sort(ids, before)
  for _, id in ipairs(ids) do
    local record = sound(id)
    if record and record.status == STARTED and record.owner == name then records[#records + 1] = record end
  end
  return records
end

local function slots_of(shape)
  local slots = tonumber(string.match(shape, '^(%d+)s') or nil)
  if not slots or slots < 1 then refuse(shape .. ' is no shape') end
  return slots
end

-- The slots that a job takes of a worker: all of them where it runs alone.
local function slots_at(shape, worker)
  return is_alone(shape) and math.max(slots_of(shape), worker.slots) or slots_of(shape)
end

local function idle_slots(worker)
  local busy = 0
  for _, shape in pairs(held_of(worker.name)) do busy = busy + slots_at(shape, worker) end
  return worker.slots - busy - worker.pledged
end

-- Announced workers with slots that hear a queue, by name.
local function hearers_of(queue)
  local names = {}
  for _, entry in ipairs(zset_lowest(P .. 'hears:' .. queue)) do
    local until_ms = zset_score(WORKERS, entry[2])
    if until_ms and until_ms > clock_ms then names[#names + 1] = entry[2] end
  end
  return names
end

local function set_of(list)
  local set = {}
  for _, value in ipairs(list) do set[value] = true end
  return set
end

-- The announced incarnations of a name, in order.
local function incarnations_of(title)
  local found = {}
  for _, entry in ipairs(zset_lowest(WORKERS)) do
    local worker = worker_of(entry[2])
    if worker.is_announced and worker.title == title then found[#found + 1] = worker end
  end
  table.sort(found, function(a, b) return before(a.name, b.name) end)
  return found
end

-- Pledge free slots of workers that hear the queue; answers how many jobs found none.
local function wake_idle(names, shape, count)
  for _, name in ipairs(names) do
    local worker = worker_of(name)
    local slots = slots_at(shape, worker)
    local taken = math.min(count, math.floor(idle_slots(worker) / slots))
    if taken > 0 and not set_of(cjson.decode(worker.never))[shape] then
      need(P .. 'worker:' .. name, 'hash')
      if worker.pledged == 0 then tell(name, 'wake') end
      worker.pledged = worker.pledged + taken * slots
      count = count - taken
      if count == 0 then break end
    end
  end
  return count
end

-- Jobs that this step made ready, by queue and shape.
local made = {}

function make_ready(record, count)
  local key = record.queue .. '\n' .. record.shape
  if not made[key] then made[key] = {queue = record.queue, shape = record.shape, jobs = 0} end
  made[key].jobs = made[key].jobs + (count or 1)
end

-- All ready jobs of a queue, as if this step had made them so.
local function make_all_ready(queue)
  for shape in pairs(shapes_of(queue)) do
    local jobs_ready = redis.call('ZCARD', P .. 'ready:' .. queue .. ':' .. shape)
    if jobs_ready > 0 then make_ready({queue = queue, shape = shape}, jobs_ready) end
  end
end

local function is_pair_before(a, b)
  if a.queue ~= b.queue then return before(a.queue, b.queue) end
  return before(a.shape, b.shape)
end

-- Wake idle workers for what became ready; answers {queue, jobs, heard by nobody, hearers} …
local function announce()
  kin.follow()
  if throttles.is_used then throttles.call_next() end
  local pairs_made, answer, of_queue = {}, {}, {}
  for _, pair in pairs(made) do pairs_made[#pairs_made + 1] = pair end
  table.sort(pairs_made, is_pair_before)
  for _, pair in ipairs(pairs_made) do
    local row = of_queue[pair.queue]
    if not row then
      row = {pair.queue, 0, 0, 0}
      row.names = hearers_of(pair.queue)
      row[4] = #row.names
      of_queue[pair.queue] = row
      answer[#answer + 1] = row
    end
    row[2] = row[2] + pair.jobs
    if not is_paused(pair.queue) then row[3] = row[3] + wake_idle(row.names, pair.shape, pair.jobs) end
  end
  made = {}
  return answer
end
