-- Reads first, then every check, then writes: nothing is written before the whole step has been decided.
-- A Lua error after a write would leave that write, so writes are staged, and the type of each key with them.
local P = string.sub(KEYS[1], 1, -6) -- KEYS[1] is <prefix>clock
local kinds, writes = {}, {}

-- Numbers become text here and nowhere else: tostring() would print 1.7953874542444e+15.
local function num(value) return string.format('%.0f', value) end

local function refuse(text) error({err = 'ERR hysds: ' .. text}) end

-- Bytes, as Python and sorted sets compare; "<" on strings depends on the server's locale.
local function before(a, b)
  if a == b then return false end
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

local function is_entry_before(a, b)
  if a[1] ~= b[1] then return a[1] < b[1] end
  return before(a[2], b[2])
end

local function need(key, kind)
  local is = kinds[key]
  if not is then
    is = redis.call('TYPE', key).ok
    kinds[key] = is
  end
  if is ~= 'none' and is ~= kind then
    error({err = 'WRONGTYPE hysds: ' .. key .. ' is a ' .. is .. ' and should be a ' .. kind})
  end
end

local function write(kind, command, key, ...)
  need(key, kind)
  writes[#writes + 1] = {command, key, ...}
end

local function erase(key) writes[#writes + 1] = {'UNLINK', key} end

-- Sorted sets, seen as they will be after this step.
local zsets, zset_order = {}, {}

local function zset_put(key, member, score)
  local z = zsets[key]
  if not z then
    need(key, 'zset')
    z = {over = {}, count = 0}
    zsets[key] = z
    zset_order[#zset_order + 1] = key
  end
  if z.over[member] == nil then z.count = z.count + 1 end
  z.over[member] = score
end

local function zset_drop(key, member) zset_put(key, member, false) end

local function zset_score(key, member)
  local z = zsets[key]
  if z and z.over[member] ~= nil then return z.over[member] or nil end
  return tonumber(redis.call('ZSCORE', key, member) or nil)
end

-- The lowest entries {score, member}; most: the highest score (nil: any), limit: how many (nil: all).
local function zset_lowest(key, most, limit)
  local z = zsets[key]
  local count = limit and limit + (z and z.count or 0) or -1
  local rows = redis.call('ZRANGEBYSCORE', key, '-inf', most and num(most) or '+inf', 'WITHSCORES', 'LIMIT', 0, count)
  local found = {}
  for i = 1, #rows, 2 do
    if not z or z.over[rows[i]] == nil then found[#found + 1] = {tonumber(rows[i + 1]), rows[i]} end
  end
  if not z then return found end
  for member, score in pairs(z.over) do
    if score and (not most or score <= most) then found[#found + 1] = {score, member} end
  end
  table.sort(found, is_entry_before)
  while limit and #found > limit do found[#found] = nil end
  return found
end

local function call_in_parts(command, key, values)
  for first = 1, #values, 1000 do
    redis.call(command, key, unpack(values, first, math.min(first + 999, #values)))
  end
end

local function write_zset(key)
  local put, dropped = {}, {}
  for member, score in pairs(zsets[key].over) do
    if score then
      put[#put + 1] = num(score)
      put[#put + 1] = member
    else
      dropped[#dropped + 1] = member
    end
  end
  call_in_parts('ZREM', key, dropped)
  call_in_parts('ZADD', key, put)
end
