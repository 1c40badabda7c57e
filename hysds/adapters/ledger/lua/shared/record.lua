-- A record is a hash that leaves defaults out. No value is above 64 bytes (one such value doubles the hash's memory):
-- a longer one stands in long:<id>, and the field `long` says so.
local FOREVER = -1
local LONGEST = 64
local QUEUED, WAITING, STARTED = 'job-queued', 'job-waiting', 'job-started'
local COMPLETED, FAILED, REVOKED, DEDUPED = 'job-completed', 'job-failed', 'job-revoked', 'job-deduped'
local ENDED = {[COMPLETED] = true, [FAILED] = true, [REVOKED] = true, [DEDUPED] = true}
local DEFAULTS = {
  status = '', revision = 0, digest = '', queue = '', shape = '', priority = 0, lost_left = 0, preempt_left = FOREVER,
  fence = 0, committed = 0, owner = '', nonce = '', claims = 0, fails = '', cancel = 0, suspect = 0, phase = '',
  progress = '', reason = '', accepted_ms = 0, ready_ms = 0, wake_ms = 0, ttl_ms = 0, deadline_ms = 0, lease_ms = 0, lease_for_ms = 0,
  started_ms = 0, ended_ms = 0, dedup = '', window_ms = 0, dedup_job = '', dedup_status = '', retry_of = '',
  retried_by = '', kind = '', parent = '', depth = 0, kids = '', after_left = 0, after_finished = 0, memory_bytes = 0,
  generation = 1, limits = '', rates = '', reserved_by = '', reserved_ms = 0, confirmed = 0,
}
local with_defaults = {__index = DEFAULTS}
local KNOWN = {[QUEUED] = true, [WAITING] = true, [STARTED] = true}
for status in pairs(ENDED) do KNOWN[status] = true end
local jobs, dirty, damaged = {}, {}, {}

local function read_fields(key, into)
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do into[flat[i]] = flat[i + 1] end
  return #flat > 0
end

local throttles = {is_used = false} -- throttles.lua fills it in; a table, as a script has room for 200 locals

function throttles.is_limited(record) return record.limits ~= '' or record.rates ~= '' end

-- A record's limits or rates: rows of a key and numbers, `width` values each.
function throttles.rows_of(id, text, width)
  if text == '' then return {} end
  local is_read, rows = pcall(cjson.decode, text)
  if not is_read or type(rows) ~= 'table' then refuse('job ' .. id .. ': its limits are unreadable') end
  for _, row in ipairs(rows) do
    local is_sound = type(row) == 'table' and #row == width and type(row[1]) == 'string'
    for i = 2, width do is_sound = is_sound and type(row[i]) == 'number' and row[i] > 0 end
    if not is_sound then refuse('job ' .. id .. ': its limits are unreadable') end
  end
  return rows
end

local function parsed(id, text)
  local record = setmetatable({id = id}, with_defaults)
  for name, default in pairs(DEFAULTS) do
    local value = text[name]
    if value and type(default) == 'number' then
      if not string.find(value, '^%-?%d+$') then refuse('job ' .. id .. ': its ' .. name .. ' is no number') end
      record[name] = tonumber(value)
    elseif value then
      record[name] = value
    end
  end
  if not KNOWN[record.status] then refuse('job ' .. id .. ' has no status') end
  throttles.rows_of(id, record.limits, 2)
  throttles.rows_of(id, record.rates, 3)
  if not string.find(record.shape, '^%d+s') then refuse('job ' .. id .. ' has no shape') end
  return record
end

-- The record of an id, nil where there is none.
local function load(id)
  local job = jobs[id]
  if job == nil then
    local key, raw, long = P .. 'job:' .. id, {}, {}
    job = false
    local is_there = read_fields(key, raw)
    kinds[key] = is_there and 'hash' or 'none' -- HGETALL has just told: no TYPE is needed
    if is_there then
      local text = raw
      if raw.long then
        text = {}
        for name, value in pairs(raw) do text[name] = value end
        read_fields(P .. 'long:' .. id, text)
        for name, value in pairs(text) do if not raw[name] then long[name] = value end end
      end
      job = {raw = raw, long = long, record = parsed(id, text)}
    end
    jobs[id] = job
  end
  return job and job.record or nil
end

-- The record of an id; nil where there is none, and where it can't be read: that concerns this one job alone. `damaged`
-- then says why.
local function sound(id)
  if damaged[id] then return nil end
  local is_read, record = pcall(load, id)
  if is_read then return record end
  damaged[id] = tostring(type(record) == 'table' and record.err or record)
  return nil
end

local function has_long(record)
  for _, value in pairs(record) do
    if type(value) == 'string' and #value > LONGEST then return true end
  end
  return false
end

local function need_long(id, record)
  local job = jobs[id]
  job.has_long = next(job.long) ~= nil or has_long(record)
  if job.has_long then need(P .. 'long:' .. id, 'hash') end
end

local function store(record)
  local id = record.id
  if not jobs[id] then jobs[id] = {raw = {}, long = {}} end
  jobs[id].record = record
  if dirty[id] then
    if not jobs[id].has_long then need_long(id, record) end
  else
    dirty[id] = true
    need(P .. 'job:' .. id, 'hash')
    need_long(id, record)
  end
end

local function changed(record, changes)
  local after = setmetatable({}, with_defaults)
  for name, value in pairs(record) do after[name] = value end
  for name, value in pairs(changes) do after[name] = value end
  return after
end

-- What HGETALL (and long:<id>) would answer after this step.
local function texts(record)
  local short, long = {}, {}
  for name, value in pairs(record) do
    local default = DEFAULTS[name]
    if default ~= nil and value ~= default then
      if type(value) == 'number' then
        short[name] = num(value)
      elseif #value > LONGEST then
        long[name] = value
        short.long = '1'
      else
        short[name] = value
      end
    end
  end
  return short, long
end

local function write_difference(key, was, is)
  local set, gone = {}, {}
  for name, value in pairs(is) do
    if was[name] ~= value then
      set[#set + 1] = name
      set[#set + 1] = value
    end
  end
  for name in pairs(was) do
    if not is[name] and (DEFAULTS[name] ~= nil or name == 'long') then gone[#gone + 1] = name end
  end
  call_in_parts('HSET', key, set)
  call_in_parts('HDEL', key, gone)
end

-- A record that was not there before, and needs no long:<id>: one pass, one HSET.
local function write_new(id, record)
  local set = {}
  for name, value in pairs(record) do
    local default = DEFAULTS[name]
    if default ~= nil and value ~= default then
      set[#set + 1] = name
      set[#set + 1] = type(value) == 'number' and num(value) or value
    end
  end
  redis.call('HSET', P .. 'job:' .. id, unpack(set))
end

local function write_record(id)
  local job = jobs[id]
  if not next(job.raw) and not job.has_long then return write_new(id, job.record) end
  local short, long = texts(job.record)
  write_difference(P .. 'job:' .. id, job.raw, short)
  if next(job.long) or next(long) then write_difference(P .. 'long:' .. id, job.long, long) end
end

-- For a reply: the record as flat names and values.
local function flat(record)
  local answer = {'id', record.id}
  for name, default in pairs(DEFAULTS) do
    local value = record[name]
    if value ~= default then
      answer[#answer + 1] = name
      answer[#answer + 1] = type(value) == 'number' and num(value) or value
    end
  end
  return answer
end
