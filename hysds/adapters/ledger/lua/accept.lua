#!lua
-- Take jobs in, in order. ARGV: clock, retention in ms, the submissions' JSON, then the spec of each.
local MOST_SHAPES = 256
local retention_ms, batch = tonumber(ARGV[2]), cjson.decode(ARGV[3])

local function has_room(item)
  local shapes, count = shapes_of(item.queue), 0
  if shapes[item.shape] then return true end
  for _ in pairs(shapes) do count = count + 1 end
  return count < MOST_SHAPES
end

-- Version 7 ids carry their time; a repeat of one older than the retention can't be told from a new job.
local function is_too_old(id)
  if string.sub(id, 15, 15) ~= '7' then return false end
  return tonumber(string.sub(id, 1, 8) .. string.sub(id, 10, 13), 16) < now_ms - retention_ms
end

-- An ended job learns which one does it again; the store must have that before the record may go.
local function link(old, id)
  zset_drop(RETIRE, old.id)
  put(old, stepped(old, {retried_by = id, confirmed = 0}), 'retry')
end

local function deadline_of(item)
  return earliest(item.deadline_ms, item.deadline_for_ms ~= 0 and now_ms + item.deadline_for_ms or 0) or 0
end

local function accept(item, spec)
  local known = load(item.id)
  if known then
    if known.digest ~= item.digest then return {'conflict', known.status, '', ''} end
    return {'repeated', known.status, known.dedup_job, known.dedup_status}
  end
  if is_too_old(item.id) then return {'too-old', '', '', ''} end
  slots_of(item.shape)
  local retried = item.retry_of ~= '' and load(item.retry_of)
  if retried and not ENDED[retried.status] then return {'not-ended', retried.status, '', ''} end
  local twin, twin_status = twin_of(item)
  if twin and not item.may_repeat then
    enter(born(item, DEDUPED, {ended_ms = now_ms, dedup_job = twin, dedup_status = twin_status}), spec, 'accept')
    return {'deduped', DEDUPED, twin, twin_status}
  end
  if not has_room(item) then return {'full', '', '', ''} end
  local waits = item.wake_ms > now_ms
  local record = born(item, waits and WAITING or QUEUED, {
    reason = waits and 'time' or '', ready_ms = waits and 0 or now_ms, wake_ms = waits and item.wake_ms or 0,
    ttl_ms = item.ttl_for_ms ~= 0 and now_ms + item.ttl_for_ms or 0, deadline_ms = deadline_of(item),
  })
  take_key(item)
  enter(record, spec, 'accept')
  if retried then link(retried, item.id) end
  if not waits then make_ready(record) end
  return {'accepted', record.status, twin or '', twin_status or ''}
end

local answers = {}
for i, item in ipairs(batch) do answers[i] = accept(asked(item), ARGV[3 + i]) end
return finish({cjson.encode(answers), announce()}) -- one text: a client reads it faster than a tree
