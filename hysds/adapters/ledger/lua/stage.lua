#!lua
-- Keep members of an unsealed group; a repeat is harmless. ARGV: clock, group, the place of the first of these (from 0),
-- JSON of the queues and shapes that they are for, then submission and spec of each by turns.
local id, first, key = ARGV[2], tonumber(ARGV[3]), P .. 'staged:' .. ARGV[2]

-- Whether a repeat is none: something else was staged at one of these places.
local function is_another(at, count)
  local staged = redis.call('LRANGE', key, 2 * at, 2 * (at + count) - 1)
  for i = 1, #staged, 2 do
    local known, item = cjson.decode(staged[i]), cjson.decode(ARGV[4 + i])
    if known.id ~= item.id or known.digest ~= item.digest then return true end
  end
  return false
end

local function stage()
  local group = load(id)
  local refusal = kin.unstageable(group)
  if refusal then return refusal end
  need(key, 'list')
  local have, count = redis.call('LLEN', key) / 2, (#ARGV - 4) / 2
  local fresh = math.max(first + count - have, 0)
  if first > have or have + fresh > kin.sums_of(id).staged then return 'incomplete' end
  if count > fresh and is_another(first, count - fresh) then return 'conflict' end
  for _, pair in ipairs(cjson.decode(ARGV[4])) do
    slots_of(pair[2])
    if not has_room(pair[1], pair[2]) then return 'full' end
  end
  local at = 5 + 2 * (count - fresh)
  while at <= #ARGV do
    local part_end = math.min(at + 999, #ARGV)
    write('list', 'RPUSH', key, unpack(ARGV, at, part_end))
    at = part_end + 1
  end
  kin.chore('abort', id, clock_ms + kin.STAGING_MS)
  return 'staged'
end

return finish(stage())
