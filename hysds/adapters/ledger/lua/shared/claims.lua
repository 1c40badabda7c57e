-- Which job a worker gets: the best ready one that fits, unless an older one that needs the whole host comes first.

-- The lowest entry {score, id, queue, shape} of each kind over unpaused queues.
local function tops(queues, now, empty, never)
  local best, head, unknown = nil, nil, {}
  for queue in pairs(set_of(queues)) do
    if not is_paused(queue) then
      for shape in pairs(shapes_of(queue)) do
        local entry = not never[shape] and zset_lowest(P .. 'ready:' .. queue .. ':' .. shape, nil, 1)[1]
        if entry then
          entry[3], entry[4] = queue, shape
          if now[shape] then
            if not best or is_entry_before(entry, best) then best = entry end
          elseif empty[shape] then
            if not head or is_entry_before(entry, head) then head = entry end
          else
            unknown[shape] = true
          end
        end
      end
    end
  end
  return best, head, unknown
end

-- An entry that contradicts its record, or whose record can't be read, is taken out and the job put where it belongs.
local function mend_stray(entry)
  if not entry then return false end
  local record = sound(entry[2])
  if record and record.queue == entry[3] and record.shape == entry[4] and placement(record) == entry[1] then return false end
  zset_drop(list_of(entry[3], entry[4]), entry[2])
  settle(entry[2])
  return true
end

-- What a worker may take beside what it holds: nothing beside a job that runs alone, no such job beside any.
local function offered(worker, queues, fit)
  if not next(held_of(worker.name)) then return queues, fit end
  for _, shape in pairs(held_of(worker.name)) do
    if is_alone(shape) then return {}, {now = {}, empty = {}, never = {}} end
  end
  local now, empty = {}, {}
  for _, shape in ipairs(fit.empty) do empty[#empty + 1] = shape end
  for _, shape in ipairs(fit.now) do
    if is_alone(shape) then empty[#empty + 1] = shape else now[#now + 1] = shape end
  end
  return queues, {now = now, empty = empty, never = fit.never}
end

-- best that fits now, best that fits only the empty host, shapes never seen
local function heads(queues, fit)
  local now, empty, never = set_of(fit.now), set_of(fit.empty), set_of(fit.never)
  for shape in pairs(now) do never[shape] = nil end
  for shape in pairs(empty) do never[shape] = nil end
  while true do
    local best, head, unknown = tops(queues, now, empty, never)
    local is_mended = mend_stray(best)
    is_mended = mend_stray(head) or is_mended
    if not is_mended then
      local names = {}
      for shape in pairs(unknown) do names[#names + 1] = shape end
      return best, head, names
    end
  end
end

local function shown_head(head, best)
  if not head or (best and is_entry_before(best, head)) then return nil end
  local record = load(head[2])
  return {record.id, record.shape, math.max(now_ms - record.ready_ms, 0)}
end

local function reserve(record, worker, lease_ms)
  store(changed(record, {reserved_by = worker.name, reserved_ms = clock_ms + lease_ms}))
  worker.reserved = record.id
end

-- Extends the worker's reservation while its job is ready and the head; else drops it.
local function keeps_reservation(worker, best, head, lease_ms)
  if worker.reserved == '' then return false end
  local record = sound(worker.reserved)
  local first = best
  if head and (not best or is_entry_before(head, best)) then first = head end
  if not record or not first or first[2] ~= worker.reserved or record.reserved_by ~= worker.name then
    drop_reservation(worker)
    return false
  end
  reserve(record, worker, lease_ms)
  return true
end

local function is_kept_free(bid, worker, best, head, shown)
  if keeps_reservation(worker, best, head, bid.lease_ms) then return worker.reserved ~= (best and best[2] or '') end
  if not shown or shown[3] < bid.reserve_after_ms then return false end
  local record = load(shown[1])
  local other = record.reserved_by
  if other ~= '' and other ~= bid.worker and record.reserved_ms > clock_ms then return false end
  reserve(record, worker, bid.lease_ms)
  return true
end

local function leased(record) return {flat(record), redis.call('GET', P .. 'spec:' .. record.id) or ''} end

-- Whether ready work is left in shapes that fit.
local function has_more(worker, bid)
  local queues, fit = offered(worker, bid.queues, bid.fit)
  local now = set_of(fit.now)
  for queue in pairs(set_of(queues)) do
    if not is_paused(queue) then
      for shape in pairs(shapes_of(queue)) do
        if now[shape] and zset_lowest(P .. 'ready:' .. queue .. ':' .. shape, nil, 1)[1] then return true end
      end
    end
  end
  return false
end

function throttles.sends_back(entry)
  local record = entry and load(entry[2])
  return record and throttles.is_limited(record) and throttles.send_back(record) or false
end

-- What `heads` finds, less what may not start now, which goes back in line; nothing where that was a step's share.
function throttles.startable(worker, bid)
  for _ = 1, 20 do
    local best, head, unknown = heads(offered(worker, bid.queues, bid.fit))
    local is_sent = throttles.sends_back(best)
    is_sent = throttles.sends_back(head) or is_sent
    if not is_sent then return best, head, unknown end
  end
  return nil, nil, nil
end

-- {lease or false, unknown shapes, head or false, more, drain or false}; a lease is {record, spec}
local function claim(bid)
  local worker = meet(bid.worker, clock_ms + bid.lease_ms)
  worker.pledged = 0
  local drain = drain_of(worker)
  for _, record in ipairs(held_by(bid.worker)) do
    if record.nonce == bid.nonce then
      return {leased(record), {}, false, not drain and has_more(worker, bid), drain}
    end
  end
  if drain then return {false, {}, false, false, drain} end
  local best, head, unknown = throttles.startable(worker, bid)
  if not unknown then
    announce()
    return {false, {}, false, true, false}
  end
  local shown = shown_head(head, best)
  if is_kept_free(bid, worker, best, head, shown) or not best then
    announce()
    return {false, unknown, shown or false, false, false}
  end
  drop_reservation(worker)
  local old = load(best[2])
  local new = claimed(old, bid)
  put(old, new, 'claim')
  if throttles.is_limited(new) then throttles.take(new) end
  announce()
  return {leased(new), unknown, shown or false, has_more(worker, bid), false}
end

-- Every way out of *started*: the attempt is written down, and what became ready is counted.
local function leave_started(old, new, step, how, detail)
  if how ~= '' then
    write('list', 'RPUSH', P .. 'tries:' .. old.id, cjson.encode({
      num(old.fence), old.owner, num(old.started_ms), num(now_ms), how, detail or '',
    }))
  end
  put(old, new, step)
  if new.status == QUEUED then make_ready(new) end
end

local function lose(record)
  local new = lost(record)
  tell(record.owner, 'lost ' .. record.id .. ' ' .. num(record.fence))
  leave_started(record, new, 'expire', 'worker-lost')
  return new.status
end
