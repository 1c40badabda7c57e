#!lua flags=allow-oom
-- Drop what every group has done with, and members of an hour ago that have nothing; answers how many entries went.
local key = KEYS[1]
local MEMBER_IDLE_MS = 3600000
if redis.call('EXISTS', key) == 0 then return 0 end

local function fields(flat)
  local named = {}
  for i = 1, #flat, 2 do named[flat[i]] = flat[i + 1] end
  return named
end

local function is_before(a, b)
  if a[1] ~= b[1] then return a[1] < b[1] end
  return a[2] < b[2]
end

local function position(id, add)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return {tonumber(ms), tonumber(seq) + add}
end

local keep
for _, flat in ipairs(redis.call('XINFO', 'GROUPS', key)) do
  local group = fields(flat)
  local from = position(group['last-delivered-id'], 1)
  local pending = redis.call('XPENDING', key, group.name)
  if pending[1] > 0 then from = position(pending[2], 0) end
  if not keep or is_before(from, keep) then keep = from end
  for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', key, group.name)) do
    local member = fields(consumer)
    if member.pending == 0 and member.idle > MEMBER_IDLE_MS then
      redis.call('XGROUP', 'DELCONSUMER', key, group.name, member.name)
    end
  end
end
if not keep then return 0 end
return redis.call('XTRIM', key, 'MINID', '=', string.format('%.0f-%.0f', keep[1], keep[2]))
