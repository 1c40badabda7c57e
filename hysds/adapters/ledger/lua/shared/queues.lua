-- What is known of a queue: its pause, how many of its jobs run and wait for what, how many came and went by the minute.
-- `known` has all queues, with the wall ms after which each is forgotten, or BUSY while it is in use.
-- (One table for all: a script has room for 200 local names.)
local tallies = {
  KNOWN = P .. 'known', BUSY = 4503599627370496, states = {}, order = {},
  had_ready = {}, -- by queue, where its shapes were looked at
}

function tallies.of(name)
  local state = tallies.states[name]
  if not state then
    local key, raw = P .. 'queue:' .. name, {}
    kinds[key] = read_fields(key, raw) and 'hash' or 'none' -- HGETALL has just told: no TYPE is needed
    state = {raw = raw, counts = {}, came = 0, went = 0, pause = raw.paused and {raw.paused_ms or '0', raw.why or ''}}
    tallies.states[name] = state
  end
  return state
end

local function is_paused(name) return tallies.of(name).pause and true or false end

function tallies.touch(name)
  local state = tallies.of(name)
  if not state.is_touched then
    state.is_touched = true
    tallies.order[#tallies.order + 1] = name
  end
  return state
end

-- What of a job its queue counts: {queue, what}; nil for one that is not live, or stands in no queue, as a group.
function tallies.counted(record)
  if not record or ENDED[record.status] or record.queue == '' or record.kind == 'group' then return nil, nil end
  if record.status == WAITING then return record.queue, 'waits ' .. string.match(record.reason, '^[^ ]*') end
  return record.queue, record.status == STARTED and 'running' or 'ready'
end

function tallies.count(name, what, by)
  local counts = tallies.touch(name).counts
  if what ~= 'ready' then counts[what] = (counts[what] or 0) + by end -- the ready lists know their own
end

-- A job entered (old of nil) or changed.
function tallies.moved(old, new)
  local queue, what = tallies.counted(old)
  local queue_after, what_after = tallies.counted(new)
  if queue == queue_after and what == what_after then return end
  if queue then tallies.count(queue, what, -1) end
  if queue_after then tallies.count(queue_after, what_after, 1) end
  if not old and queue_after then tallies.states[queue_after].came = tallies.states[queue_after].came + 1 end
  if queue and not queue_after then tallies.states[queue].went = tallies.states[queue].went + 1 end
end

-- A meter with so many more: '<minute> <count> <count of the minute before> …', six of them.
function tallies.metered(text, more)
  local minute, counts = math.floor(now_ms / 60000), {}
  for word in string.gmatch(text or '', '%d+') do counts[#counts + 1] = tonumber(word) end
  local newest = table.remove(counts, 1) or 0
  for _ = 1, math.min(math.max(minute - newest, 0), 6) do table.insert(counts, 1, 0) end
  counts[1] = (counts[1] or 0) + more
  for i = 1, 6 do counts[i] = num(counts[i] or 0) end
  return num(math.max(minute, newest)) .. ' ' .. table.concat(counts, ' ', 1, 6)
end

-- Whether its own fields tell that a queue is in use; if not, its ready lists may.
function tallies.is_in_use(fields)
  if fields.paused or fields.running then return true end
  for name in pairs(fields) do if string.sub(name, 1, 6) == 'waits ' then return true end end
  return false
end

-- What its fields will be, before the first write: where it begins or ends to be in use, `known` is written too.
function tallies.settle(name)
  local state, is = tallies.states[name], {}
  for field, text in pairs(state.raw) do is[field] = text end
  for what, by in pairs(state.counts) do
    local left = (tonumber(is[what]) or 0) + by
    is[what] = left > 0 and num(left) or nil
  end
  if state.came > 0 then is.came = tallies.metered(is.came, state.came) end
  if state.went > 0 then is.went = tallies.metered(is.went, state.went) end
  is.paused, is.paused_ms, is.why = nil, nil, nil
  if state.pause then
    is.paused, is.paused_ms = '1', state.pause[1]
    is.why = state.pause[2] ~= '' and state.pause[2] or nil
  end
  state.is, state.in_use = is, tallies.is_in_use(is)
  state.was_in_use = tallies.is_in_use(state.raw)
  if not state.was_in_use and tallies.had_ready[name] then
    need(tallies.KNOWN, 'zset') -- what stood ready may have been a stray, of no job
    state.was_in_use = tonumber(redis.call('ZSCORE', tallies.KNOWN, name) or 0) == tallies.BUSY
  end
  if not (state.in_use and state.was_in_use) then need(tallies.KNOWN, 'zset') end
end

function tallies.write(name)
  local state, key, set, gone = tallies.states[name], P .. 'queue:' .. name, {}, {}
  local is = state.is
  for field, text in pairs(is) do
    if state.raw[field] ~= text then
      set[#set + 1] = field
      set[#set + 1] = text
    end
  end
  for field in pairs(state.raw) do if not is[field] then gone[#gone + 1] = field end end
  call_in_parts('HSET', key, set)
  call_in_parts('HDEL', key, gone)
  if state.in_use and state.was_in_use then return end
  local in_use = state.in_use or redis.call('EXISTS', P .. 'shapes:' .. name) == 1
  if in_use and state.was_in_use then return end
  redis.call('ZADD', tallies.KNOWN, num(in_use and tallies.BUSY or now_ms + 600000), name)
end
