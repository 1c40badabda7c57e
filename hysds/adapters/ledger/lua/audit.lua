#!lua flags=allow-oom
-- Compare records with the sets and mend them, a part a call: first all keys (each record with its own places), then
-- the members of `lease`, `due` and the ready lists (each with its record). ARGV: clock, cursor, about how many.
local cursor, limit = ARGV[2] == '' and {'keys', '0'} or cjson.decode(ARGV[2]), ARGV[3]
local findings = {}

local function report(id, what) findings[#findings + 1] = {id, what} end

local function words(record, score, due, lease)
  local names = {}
  if score then names[#names + 1] = 'ready ' .. record.queue .. ' ' .. record.shape .. ' ' .. num(score) end
  if due then names[#names + 1] = 'due ' .. num(due) end
  if lease then names[#names + 1] = 'lease ' .. num(lease) end
  return #names > 0 and table.concat(names, ', ') or 'nowhere'
end

-- Whether there is a record to compare with, or none at all; one that can't be read is set aside, once.
local is_aside = {}

local function readable(id)
  local record = sound(id)
  if not damaged[id] then return true, record end
  if not is_aside[id] then report(id, set_aside(id)) end
  is_aside[id] = true
  return false, nil
end

local function check_record(id)
  local is_read, record = readable(id)
  if not is_read then return end
  local score, due, lease
  if record then score, due, lease = placement(record) end
  local ready = score and zset_score(P .. 'ready:' .. record.queue .. ':' .. record.shape, id) or nil
  local due_now, lease_now = zset_score(DUE, id), zset_score(LEASE, id)
  local is_held = not lease or held_of(record.owner)[id] == record.shape
  local wrong = record and throttles.is_limited(record) and throttles.mend(id)
  if wrong then report(id, wrong) end
  if ready == score and due_now == due and lease_now == lease and is_held then return end
  local there = words(record, ready, due_now, lease_now) .. (is_held and '' or ', not held by its owner')
  report(id, 'stood at ' .. there .. ', belongs at ' .. words(record, score, due, lease))
  settle(id)
end

local function check_ready(queue, shape, id, score)
  local is_read, record = readable(id)
  if not is_read then return zset_drop(list_of(queue, shape), id) end
  if record and record.queue == queue and record.shape == shape and placement(record) == score then return end
  local there = 'ready ' .. queue .. ' ' .. shape .. ' ' .. num(score)
  zset_drop(list_of(queue, shape), id)
  if record then
    report(id, 'stood at ' .. there .. ', belongs at ' .. words(record, placement(record)))
  else
    report(id, 'stood at ' .. there .. ', belongs at nowhere')
  end
  settle(id)
end

local function check_held(worker)
  for id in pairs(held_of(worker)) do
    local is_read, record = readable(id)
    if not is_read then
      hold(worker, id, nil)
    elseif not (record and record.status == STARTED and record.owner == worker) then
      report(id, 'held by ' .. worker .. ', which does not own it')
      hold(worker, id, nil)
    end
  end
end

-- Of a live group's members, each must be there.
local function check_members(group)
  for _, id in ipairs(kin.recount(group) or {}) do report(group, 'counts member ' .. id .. ', which is not there') end
end

local function check_key(name)
  local kind, rest = string.match(name, '^(%a+):(.*)$')
  if kind == 'job' then check_record(rest) end
  if kind == 'held' then check_held(rest) end
  if kind == 'members' then check_members(rest) end
  if kind == 'holders' or kind == 'called' or kind == 'line' then
    for _, finding in ipairs(throttles.audit(kind, rest, limit)) do report(finding[1], finding[2]) end
  end
  if kind == 'ready' then
    local queue, shape = string.match(rest, '^(.*):([^:]*)$')
    local is_indexed = queue and shapes_of(queue)[shape] and redis.call('SISMEMBER', P .. 'queues', queue) == 1
    if queue and not is_indexed then
      report(name, 'not in the index of its queue')
      list_of(queue, shape)
    end
  end
end

local function check_keys(at)
  local pattern = string.gsub(P, '[%*%?%[%]\\]', '\\%0') .. '*'
  local page = redis.call('SCAN', at, 'MATCH', pattern, 'COUNT', limit)
  for _, key in ipairs(page[2]) do check_key(string.sub(key, #P + 1)) end
  return page[1]
end

local function each_member(key, at, check)
  local page = redis.call('ZSCAN', key, at, 'COUNT', limit)
  for i = 1, #page[2], 2 do check(page[2][i], tonumber(page[2][i + 1])) end
  return page[1]
end

-- The first ready list behind (queue, shape) in order; nil behind the last.
local function next_list(queue, shape)
  local after, first = {queue = queue, shape = shape}, nil
  for _, name in ipairs(redis.call('SMEMBERS', P .. 'queues')) do
    for known in pairs(shapes_of(name)) do
      local pair = {queue = name, shape = known}
      if is_pair_before(after, pair) and (not first or is_pair_before(pair, first)) then first = pair end
    end
  end
  return first and {'ready', first.queue, first.shape, '0'} or nil
end

local after
if cursor[1] == 'keys' then
  local at = check_keys(cursor[2])
  after = at == '0' and {'lease', '0'} or {'keys', at}
elseif cursor[1] == 'lease' or cursor[1] == 'due' then
  local at = each_member(P .. cursor[1], cursor[2], check_record)
  after = {cursor[1], at}
  if at == '0' then after = cursor[1] == 'lease' and {'due', '0'} or next_list('', '') end
else
  local queue, shape = cursor[2], cursor[3]
  local at = each_member(P .. 'ready:' .. queue .. ':' .. shape, cursor[4],
    function(id, score) check_ready(queue, shape, id, score) end)
  after = {'ready', queue, shape, at}
  if at == '0' then after = next_list(queue, shape) end
end
return finish({after and cjson.encode(after) or '', findings})
